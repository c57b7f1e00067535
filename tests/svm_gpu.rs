//! Kernel machines on the graphics device beside LIBSVM's, by the values of `tests/reference/make_svm.py`, and
//! beside the engine on the processor.

mod common;
mod svm_cases;

use manytune::data::{Dataset, Fold, Targets, Task, Transform};
use manytune::engine::cpu::machines::MachineEngine;
use manytune::engine::gpu::machines::GpuMachineEngine;
use manytune::engine::{Engine, Job, MemoryLimit, Report, Snapshot};
use manytune::model::primitive;
use manytune::model::recipe::Member;
use manytune::model::svm::kernel;
use manytune::model::svm::settings::{Gamma, Settings};
use manytune::verify::{Level, Options};
use serde_json::Value;
use std::sync::Arc;
use svm_cases::{OBJECTIVE_TOLERANCE, RHO_TOLERANCE, numbers, reference, settings};

/// Stored data with one fold: it trains on all rows, and validates on the new ones, whose targets are these.
fn job_of(data: &Value, is_regression: bool, of_new: &[f64]) -> Job {
    let features = data["features"].as_u64().unwrap() as usize;
    let (x, y, new) = (numbers(&data["x"]), numbers(&data["y"]), numbers(&data["new"]));
    let (train_count, all) = (y.len() as u32, [&y[..], of_new].concat());
    let same = Transform { shift: 0.0, scale: 1.0, fill: 0.0 };
    let class_count = y.iter().copied().fold(0.0, f64::max) as usize + 1;
    let count = |class: usize| y.iter().filter(|&&y| y as usize == class).count() as f32;
    let (task, targets, balanced_weights) = match is_regression {
        true => {
            let stored = all.iter().map(|&y| y as f32).collect();
            (Task::Regression, Targets::Values { stored, centre: 0.0, scale: 1.0 }, Vec::new())
        }
        false => (
            Task::Classification { class_count },
            Targets::Classes(all.iter().map(|&y| y as u32).collect()),
            (0..class_count).map(|class| y.len() as f32 / (class_count as f32 * count(class))).collect(),
        ),
    };
    let fold = Fold {
        balanced_weights,
        train: (0..train_count).collect(),
        validation: (train_count..all.len() as u32).collect(),
        transforms: vec![same; features],
        target: same,
    };
    let features_of_all = [x, new].concat().into_iter().map(|x| x as f32).collect();
    let dataset =
        Dataset { task, feature_count: features, features: features_of_all, targets, folds: vec![fold] };
    Job { dataset: Arc::new(dataset), seed: 0, with_outputs: true }
}

fn member(job: &Job, settings: Settings) -> Member {
    common::member(job, &[], |_, recipe| recipe.machine = Some(settings))
}

fn gpu(job: &Job) -> Option<GpuMachineEngine> {
    Some(GpuMachineEngine::new(job.clone(), common::gpu()?, None))
}

fn solved(engine: &mut dyn Engine, members: &[Member]) -> Vec<(Report, Snapshot)> {
    common::train(engine, members, 1)
}

#[test]
fn objectives_offsets_and_predictions_are_those_of_libsvm() {
    let reference = reference();
    for case in reference["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (data, _) = name.split_once(' ').unwrap();
        let predictions = numbers(&case["predictions"]);
        let job = job_of(&reference["data"][data], data == "curve", &predictions);
        let Some(mut engine) = gpu(&job) else { return };
        let (report, _) = solved(&mut engine, &[member(&job, settings(case))]).remove(0);
        let pairs = case["pairs"].as_array().unwrap();
        assert_eq!(report.solver.len(), pairs.len(), "{name}");
        for ((classes, outcome), stored) in report.solver.iter().zip(pairs) {
            let number = |name: &str| stored[name].as_f64().unwrap();
            assert!(outcome.is_solved && outcome.gap <= 1e-3, "{name}");
            let relative = (outcome.objective - number("objective")).abs() / number("objective").abs();
            assert!(relative <= OBJECTIVE_TOLERANCE, "{name} {classes:?}: {outcome:?} {stored}");
            let rho = (outcome.rho - number("rho")).abs();
            assert!(rho <= RHO_TOLERANCE, "{name} {classes:?}: {outcome:?} {stored}");
            for (count, stored) in
                [(outcome.support_count, number("support")), (outcome.bounded_count, number("bounded"))]
            {
                assert!((count as f64 - stored).abs() <= 3.0 + 0.02 * stored, "{name}: {outcome:?} {stored}");
            }
        }
        let evaluation = report.evaluation.unwrap();
        if data == "curve" {
            for (found, stored) in evaluation.outputs.unwrap().iter().zip(&predictions) {
                assert!((f64::from(*found) - stored).abs() <= 2e-3, "{name}: {found} {stored}");
            }
        } else {
            // One row on the boundary itself may fall on either side of it.
            let same: u32 = evaluation.correct.iter().sum();
            assert!(same as usize + 1 >= predictions.len(), "{name}: {same} of {}", predictions.len());
        }
    }
}

#[test]
fn the_published_example_of_libsvm_comes_out() {
    let reference = reference();
    let case = &reference["cases"][0];
    let job = job_of(&reference["data"]["heart"], false, &numbers(&case["predictions"]));
    let Some(mut engine) = gpu(&job) else { return };
    let (report, _) = solved(&mut engine, &[member(&job, settings(case))]).remove(0);
    let (_, outcome) = report.solver[0];
    assert!((outcome.objective - -100.877).abs() <= 1e-3, "{outcome:?}");
    assert!((outcome.rho - 0.4245).abs() <= 1e-3, "{outcome:?}");
    assert_eq!((outcome.support_count, outcome.bounded_count), (132, 107));
}

/// Classes with members of several kernels, C and numbers of pairs; two with probabilities.
fn company(job: &Job) -> Vec<Member> {
    let plain = |name: &str, c: f64, gamma: f64| Settings {
        kernel: kernel::find(name).unwrap(),
        gamma: Gamma::Value(gamma),
        coef0: 0.5,
        degree: 2,
        c,
        epsilon: 0.1,
        balanced: false,
        probabilities: false,
    };
    let mut all = vec![
        plain("rbf", 8.0, 0.5),
        plain("rbf", 2.0, 0.5),
        plain("rbf", 2.0, 0.125),
        plain("linear", 0.5, 1.0),
        plain("polynomial", 0.3, 0.5),
        plain("sigmoid", 1.0, 0.05),
    ];
    // With this offset the kernel has one optimum.
    all[5].coef0 = -0.5;
    all.push(Settings { balanced: true, ..all[1] });
    all.push(Settings { probabilities: true, ..all[1] });
    all.push(Settings { probabilities: true, c: 0.5, ..all[1] });
    all.into_iter().map(|settings| member(job, settings)).collect()
}

fn three() -> Job {
    let reference = reference();
    let predictions = numbers(&reference["cases"][8]["predictions"]);
    job_of(&reference["data"]["three"], false, &predictions)
}

/// Everything that an engine gives of a member, to the bit.
fn bits((report, state): &(Report, Snapshot)) -> (Vec<u64>, Vec<u32>, Vec<u32>, Vec<u32>) {
    let outcomes = report.solver.iter().flat_map(|(_, outcome)| {
        [outcome.objective, outcome.rho, outcome.gap]
            .map(f64::to_bits)
            .into_iter()
            .chain([outcome.iterations])
    });
    let evaluation = report.evaluation.as_ref().unwrap();
    let outputs = evaluation.outputs.iter().flatten().map(|output| output.to_bits());
    let parameters = state.parameters.iter().map(|parameter| parameter.to_bits());
    (outcomes.collect(), outputs.collect(), parameters.collect(), evaluation.correct.clone())
}

#[test]
fn nothing_depends_on_company_on_submissions_on_where_bases_are_or_on_memory() {
    let job = three();
    let members = company(&job);
    let Some(mut together) = gpu(&job) else { return };
    let expected = solved(&mut together, &members);
    let same = |name: &str, engine: GpuMachineEngine, some: &[usize]| {
        let mut engine = engine;
        let members: Vec<Member> = some.iter().map(|&at| members[at].clone()).collect();
        for (found, &at) in solved(&mut engine, &members).iter().zip(some) {
            assert_eq!(bits(found), bits(&expected[at]), "{name}: member {at}");
        }
    };
    let all: Vec<usize> = (0..members.len()).collect();
    for at in 0..members.len() {
        same("alone", gpu(&job).unwrap(), &[at]);
    }
    same("without bases", gpu(&job).unwrap().without_bases(), &all);
    same("one step a submission", gpu(&job).unwrap().with_submissions_of(0.0), &[1, 4]);
    let device = common::gpu().unwrap();
    // Room for the bases, or for some problems, but not for all.
    for bytes in [60_000, 200_000] {
        let small = GpuMachineEngine::new(job.clone(), device.clone(), Some(MemoryLimit::Bytes(bytes)));
        same("little memory", small, &all);
    }
}

/// A software adapter ends loops after 65,535 rounds in one dispatch, without a word: F then misses rows.
#[test]
fn a_long_solution_is_that_of_short_submissions() {
    let reference = reference();
    let case = &reference["cases"][1];
    let job = job_of(&reference["data"]["heart"], false, &numbers(&case["predictions"]));
    let members = [member(&job, settings(case))];
    let Some(device) = common::gpu() else { return };
    let of = |seconds: f64| {
        let mut engine = GpuMachineEngine::new(job.clone(), device.clone(), None);
        engine = engine.with_submissions_of(seconds);
        bits(&solved(&mut engine, &members)[0])
    };
    let (long, short) = (of(10.0), of(0.002));
    assert_eq!(long, short);
    assert!(long.0[3] > 5000, "too few iterations to fill a dispatch: {}", long.0[3]);
}

#[test]
fn the_processor_scores_members_the_same() {
    let job = three();
    let members = company(&job);
    let Some(mut engine) = gpu(&job) else { return };
    let found = solved(&mut engine, &members);
    let mut cpu = MachineEngine::within(job.clone(), None).unwrap();
    let expected = solved(&mut cpu, &members);
    for (at, ((found, state), (expected, cpu_state))) in found.iter().zip(&expected).enumerate() {
        for ((_, a), (_, b)) in found.solver.iter().zip(&expected.solver) {
            assert!((a.objective - b.objective).abs() <= 1e-5 * b.objective.abs(), "{at}: {a:?} {b:?}");
        }
        let (a, b) = (found.evaluation.as_ref().unwrap(), expected.evaluation.as_ref().unwrap());
        let moved: u32 = a.correct.iter().zip(&b.correct).map(|(a, b)| a.abs_diff(*b)).sum();
        assert!(moved <= 1, "{at}: {a:?} {b:?}");
        if members[at].recipe.machine.unwrap().probabilities {
            let difference = (a.loss_sum - b.loss_sum).abs() / b.loss_sum;
            assert!(difference <= 1e-2, "{at}: {} {}", a.loss_sum, b.loss_sum);
        }
        // What is kept predicts what the device decided.
        let machine = manytune::model::svm::machine::Machine::of_parameters(&state.parameters).unwrap();
        let cpu_machine =
            manytune::model::svm::machine::Machine::of_parameters(&cpu_state.parameters).unwrap();
        assert_eq!(machine.decisions.len(), cpu_machine.decisions.len());
        let rows: Vec<f32> =
            numbers(&reference()["data"]["three"]["new"]).iter().map(|&x| x as f32).collect();
        let values = machine.decision_values(&rows);
        for (value, other) in values.iter().zip(cpu_machine.decision_values(&rows)) {
            // Both are within the tolerance of the optimum, where the decision function is flat.
            assert!((value - other).abs() <= 2e-2 * other.abs().max(1.0), "{at}: {value} {other}");
        }
    }
}

#[test]
fn a_solver_seen_from_inside_is_consistent() {
    let job = three();
    let Some(mut engine) = gpu(&job) else { return };
    for (at, member) in company(&job).iter().take(6).enumerate() {
        for most in [0, 7, 100_000] {
            for dual in engine.duals(member, most).unwrap() {
                let count = dual.pair.row_count();
                assert!(dual.iterations <= most && dual.kernel.len() == count * count);
                let p = |row: usize| if row < dual.pair.rows[0].len() { 1.0 } else { -1.0 };
                for row in 0..count {
                    let kernel = &dual.kernel[row * count..(row + 1) * count];
                    let sum: f64 = kernel.iter().zip(&dual.a).map(|(k, a)| k * a).sum();
                    let terms: f64 = kernel.iter().zip(&dual.a).map(|(k, a)| (k * a).abs()).sum();
                    // Each step rounds at 2^-46 of what it adds up.
                    let error = (dual.f[row] - (p(row) - sum)).abs();
                    assert!(error <= 1e-9 * (1.0 + terms), "{at} after {most}: {error}");
                    let mirrored = (0..count).map(|other| dual.kernel[other * count + row]);
                    assert!(mirrored.zip(kernel).all(|(a, b)| a.to_bits() == b.to_bits()), "not symmetric");
                }
                assert!(dual.a.iter().sum::<f64>().abs() <= 1e-9 * dual.cost * count as f64);
            }
        }
    }
}

#[test]
fn arithmetic_in_pairs_is_exact_on_the_device() {
    let Some(mut engine) = gpu(&three()) else { return };
    for name in ["two_sum", "two_product"] {
        let primitive = primitive::ALL.iter().find(|one| one.name == name).unwrap();
        let primitive::Kind::Words { host, operands } = primitive.kind else { panic!("{name}") };
        let operands = operands();
        let found = engine.compute(primitive, &operands).unwrap();
        let wrong = operands.iter().zip(&found).filter(|([a, b], found)| host(*a, *b) != **found).count();
        assert_eq!(wrong, 0, "{name}: of {}", operands.len());
    }
}

#[test]
fn the_verifier_finds_no_fault() {
    if common::gpu().is_none() {
        return;
    }
    for (seed, keeps_bases) in [(0, true), (1, false)] {
        let open = |job: Job| -> manytune::error::Result<Box<dyn Engine>> {
            let engine = GpuMachineEngine::new(job, common::gpu().unwrap(), None);
            Ok(Box::new(if keeps_bases { engine } else { engine.without_bases() }))
        };
        let options = Options { level: Level::Quick, only: None, seed };
        let outcome = manytune::verify::machines::run(&options, &open).unwrap();
        assert!(outcome.passed, "seed {seed}\n{outcome}");
    }
}

#[test]
fn paused_members_stand_where_they_were_and_go_on() {
    let job = three();
    let members = company(&job);
    let Some(mut engine) = gpu(&job) else { return };
    let expected = solved(&mut engine, &members[..2]);
    let mut engine = gpu(&job).unwrap().with_submissions_of(0.0);
    for id in 0..2 {
        engine.admit(id, members[id as usize].clone()).unwrap();
    }
    engine.train(&[0, 1]).unwrap();
    assert!(engine.advance().unwrap().is_empty() && !engine.is_idle());
    engine.pause().unwrap();
    assert!(engine.is_idle());
    let states = engine.snapshot(&[0, 1]).unwrap();
    assert!(states.iter().all(|state| state.epoch == 0 && state.parameters.is_empty()));
    engine.retire(&[0, 1]);
    let mut engine = gpu(&job).unwrap();
    for (id, state) in states.iter().enumerate() {
        engine.restore(id as u64, members[id].clone(), state).unwrap();
    }
    engine.train(&[0, 1]).unwrap();
    let mut reports = Vec::new();
    while reports.len() < 2 {
        reports.extend(engine.wait().unwrap());
    }
    reports.sort_by_key(|report| report.id);
    for (pair, expected) in reports.into_iter().zip(engine.snapshot(&[0, 1]).unwrap()).zip(&expected) {
        assert_eq!(bits(&pair), bits(expected));
    }
}
