//! The verifier on the graphics device at hand: no false alarm.

mod common;

use manytune::engine::Engine;
use manytune::engine::gpu::GpuEngine;
use manytune::engine::gpu::plan::Plans;
use manytune::verify::case::{plain_member, smooth};
use manytune::verify::checks::company::GUARDS;
use manytune::verify::{Level, Options, run, tables};

#[test]
fn the_shaders_as_they_ship_pass() {
    if common::gpu().is_none() {
        return;
    }
    for plans in ["tiled", "resident", "weights-activations-32k", "weights-32k"] {
        let plan = Plans::named(plans).unwrap();
        let open = |job| {
            let gpu = common::gpu().expect("the device that was there a moment ago");
            Ok(Box::new(GpuEngine::new(job, gpu, None)?.with_plans(plan).guarded()) as Box<dyn Engine>)
        };
        let first = if plans.contains('-') { Level::Quick } else { Level::Normal };
        let first = Options { level: first, ..Default::default() };
        let others = (1..3).map(|seed| Options { level: Level::Quick, seed, ..Default::default() });
        for options in std::iter::once(first).chain(others) {
            let outcome = run(&options, &open).unwrap();
            assert!(outcome.passed, "{plans}, seed {}\n{outcome}", options.seed);
            assert!(outcome.checks.iter().any(|check| check.name == GUARDS), "no guards were looked at");
        }
    }
}

/// The outputs of a member without validation rows were "copied" in the later ticks of a neighbour: no
/// bytes, but to beyond the end of the buffer, which the device refuses. Only members that happened to be
/// scored in one slice met it.
#[test]
fn a_member_without_validation_rows_is_scored_beside_one_with_many() {
    let Some(gpu) = common::gpu() else { return };
    let job = tables::all(0).swap_remove(0);
    let mut engine = GpuEngine::new(job.clone(), gpu, None).unwrap();
    let folds = [tables::fold_of(130), tables::fold_of(2)];
    let ids: Vec<u64> = (0..2).collect();
    assert!(job.dataset.folds[folds[1]].validation.is_empty());
    for (&id, fold) in ids.iter().zip(folds) {
        engine.admit(id, plain_member(&job, fold, &[5], smooth(), 200)).unwrap();
    }
    engine.train(&ids).unwrap();
    let mut reported = 0;
    while reported < 2 {
        for report in engine.wait().unwrap() {
            let evaluation = report.evaluation.expect("it does not diverge");
            let rows = job.dataset.folds[folds[report.id as usize]].validation.len();
            assert_eq!(evaluation.outputs.expect("outputs were asked for").len(), 3 * rows);
            reported += 1;
        }
    }
}
