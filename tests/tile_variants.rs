//! Every tile variant gives the bits of the base: gradients, steps and scores, whatever the shape; and how a
//! variant is chosen, and remembered, changes no number.

mod common;

use manytune::data::Task;
use manytune::engine::gpu::plan::Plans;
use manytune::engine::gpu::variant::{ALL, BASE};
use manytune::engine::gpu::{GpuEngine, cache};
use manytune::engine::{Engine, Job, Report, Snapshot};
use manytune::model::recipe::Member;
use manytune::model::{activation, optimizer};
use manytune::verify::{Level, Options, run};
use std::path::Path;
use std::sync::Arc;

fn job(features: usize) -> Job {
    let dataset = common::dataset(Task::Classification { class_count: 5 }, 150, features, 3);
    Job { dataset: Arc::new(dataset), seed: 4, with_outputs: true }
}

/// Layers at, below and beyond the edges of tiles, with whole, short and single-row minibatches; every
/// activation and optimizer, dropout, penalties and clipped gradients among them.
fn members(job: &Job, batches: &[usize]) -> Vec<Member> {
    let shapes: [&[usize]; 8] =
        [&[1, 1], &[31], &[33, 65], &[65, 33], &[130, 3], &[4, 130], &[64, 64], &[16, 129]];
    let every = shapes.into_iter().flat_map(|hidden| batches.iter().map(move |batch| (hidden, *batch)));
    every
        .enumerate()
        .map(|(i, (hidden, batch))| {
            common::member(job, hidden, |network, recipe| {
                network.activation = activation::ALL[i % activation::ALL.len()];
                recipe.optimizer = optimizer::ALL[i % optimizer::ALL.len()];
                recipe.learning_rate = 0.003;
                recipe.batch_size = batch;
                recipe.dropout = if i % 3 == 1 { 0.2 } else { 0.0 };
                recipe.l2_penalty = 0.01;
                recipe.clip_norm = if i % 5 == 3 { 0.5 } else { 0.0 };
            })
        })
        .collect()
}

fn bits((report, state): &(Report, Snapshot)) -> Vec<u64> {
    let evaluation = report.evaluation.as_ref().expect("it does not diverge");
    let numbers = [&state.parameters, &state.m, &state.v, evaluation.outputs.as_ref().unwrap()];
    let sums = [report.train_loss.to_bits(), evaluation.loss_sum.to_bits()];
    sums.into_iter().chain(numbers.into_iter().flatten().map(|x| u64::from(x.to_bits()))).collect()
}

#[test]
fn every_variant_gives_the_bits_of_the_base() {
    if common::gpu().is_none() {
        return;
    }
    for (features, batches) in [(1, &[31, 100][..]), (33, &[64]), (130, &[31, 100])] {
        let job = job(features);
        let mut members = members(&job, batches);
        if features == 33 {
            // A hundred steps of one row each.
            members[3].recipe.batch_size = 1;
        }
        let engine =
            || GpuEngine::new(job.clone(), common::gpu().unwrap(), None).unwrap().with_plans(Plans::Tiled);
        let train = |mut engine: GpuEngine| common::train(&mut engine, &members, 1);
        let expected: Vec<Vec<u64>> =
            train(engine().with_tile_variant(ALL[BASE].name).unwrap()).iter().map(bits).collect();
        for variant in ALL.iter().skip(1) {
            let found = train(engine().with_tile_variant(variant.name).unwrap());
            for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let is_same = &bits(found) == expected;
                assert!(is_same, "{}, {features} features, member {i}: other bits", variant.name);
            }
        }
    }
}

#[test]
fn every_variant_passes_the_verifier() {
    if common::gpu().is_none() {
        return;
    }
    for variant in ALL.iter().skip(1) {
        let open = |job: Job| {
            let engine =
                GpuEngine::new(job, common::gpu().unwrap(), None)?.guarded().with_plans(Plans::Tiled);
            Ok(Box::new(engine.with_tile_variant(variant.name)?) as Box<dyn Engine>)
        };
        let options = Options { level: Level::Quick, only: Some("layer/".to_owned()), seed: 0 };
        let outcome = run(&options, &open).unwrap();
        assert!(outcome.passed, "{}\n{outcome}", variant.name);
    }
}

#[test]
fn an_unknown_variant_is_refused_with_those_there_are() {
    let Some(gpu) = common::gpu() else { return };
    let error =
        GpuEngine::new(job(1), gpu, None).unwrap().with_tile_variant("32x23/64").map(drop).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("64x64/256") && error.to_string().contains("32x32/64"), "{error}");
}

fn tuned(job: &Job, folder: Option<&Path>) -> GpuEngine {
    let gpu = common::gpu().unwrap();
    let engine = GpuEngine::tuned(job.clone(), gpu, None, folder.map(Path::to_owned)).unwrap();
    engine.with_plans(Plans::Tiled)
}

fn says(engine: &GpuEngine, what: &str) -> bool {
    engine.explain().iter().any(|line| line.contains(what))
}

/// Measured, then remembered; measured anew where the file is damaged; and never at odds with the base.
#[test]
fn what_was_measured_is_kept_and_changes_no_bit() {
    if common::gpu().is_none() {
        return;
    }
    let job = job(33);
    let folder = tempfile::tempdir().unwrap();
    let mut first = tuned(&job, Some(folder.path()));
    assert!(says(&first, "tiles measured in"), "{:#?}", first.explain());
    assert!(!says(&first, "are not used"), "{:#?}", first.explain());
    let files = || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = files().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("tiles-"));
    let file = file.expect("a file of tiles");
    let whole = std::fs::read(&file).unwrap();

    let second = tuned(&job, Some(folder.path()));
    assert!(says(&second, "as an earlier run measured them"), "{:#?}", second.explain());
    assert_eq!(std::fs::read(&file).unwrap(), whole);
    let lines = |engine: &GpuEngine| -> Vec<String> {
        engine.explain().into_iter().filter(|line| line.starts_with("tiles of ")).collect()
    };
    assert_eq!(lines(&first), lines(&second), "the choice");
    assert_eq!(first.chosen()[0].0, "tiles");

    std::fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    let third = tuned(&job, Some(folder.path()));
    assert!(says(&third, "tiles measured in"), "a damaged file is not believed");
    assert!(says(&tuned(&job, Some(folder.path())), "as an earlier run"), "and is written anew");

    let members = members(&job, &[31]);
    let mut base =
        GpuEngine::new(job.clone(), common::gpu().unwrap(), None).unwrap().with_plans(Plans::Tiled);
    let (expected, found) = (common::train(&mut base, &members, 1), common::train(&mut first, &members, 1));
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(bits(found) == bits(expected), "member {i}: other bits");
    }
}

#[test]
fn where_nothing_can_be_kept_that_is_said_and_training_goes_on() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way of a folder").unwrap();
    assert!(says(&tuned(&job(1), Some(&file)), "they cannot be kept"));
}

#[test]
fn the_users_folder_is_an_absolute_path_or_none() {
    assert!(cache::user_folder().is_none_or(|folder| folder.is_absolute() && folder.ends_with("manytune")));
}
