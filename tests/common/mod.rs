//! What several tests share: a graphics device, and tables made from the study's own streams.

#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use manytune::data::{Dataset, Fold, Targets, Task, Transform};
use manytune::engine::gpu::device::{self, GpuDevice};
use manytune::engine::{Engine, Job, Report, Snapshot};
use manytune::model::recipe::{Member, Network, Recipe};
use manytune::model::{activation, initializer, loss, lr_schedule, optimizer};
use manytune::random::{Purpose, Stream, uniform};

/// The device that tests run on: the one `MANYTUNE_TEST_DEVICE` names, else the first real one, else the
/// first. `None` where there is none, unless `MANYTUNE_REQUIRE_GPU` is 1: then that is a failure.
pub fn gpu() -> Option<GpuDevice> {
    let named = std::env::var("MANYTUNE_TEST_DEVICE").ok();
    let found = device::list();
    let chosen = named.or_else(|| {
        found.iter().min_by_key(|facts| (facts.software, facts.index)).map(|facts| facts.index.to_string())
    });
    if chosen.is_none() {
        skip("graphics adapter");
    }
    chosen.map(|selector| GpuDevice::open(Some(&selector)).expect("the test device opens"))
}

/// Says that this machine lacks what a test needs; a failure where `MANYTUNE_REQUIRE_GPU` is 1.
pub fn skip(lacking: &str) {
    let required = std::env::var("MANYTUNE_REQUIRE_GPU").is_ok_and(|value| value == "1");
    assert!(!required, "MANYTUNE_REQUIRE_GPU is 1, and this machine has no {lacking}");
    eprintln!("skipped: no {lacking}");
}

/// Numbers in [0, 1) of a stream for tests.
pub fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let stream = Stream::new(seed, Purpose::Verify, 0, 0, 0);
    (0..count as u32).map(|i| uniform(stream.word(i))).collect()
}

/// A table of `rows` × `features` with `folds` folds: every `folds`-th row validates. Some numbers are
/// missing, and every fold has transforms of its own.
pub fn dataset(task: Task, rows: usize, features: usize, folds: usize) -> Dataset {
    let mut values: Vec<f32> = numbers(11, rows * features).iter().map(|u| 4.0 * u - 2.0).collect();
    let score = |values: &[f32], row: usize| -> f32 {
        let row = &values[row * features..(row + 1) * features];
        row.iter().enumerate().map(|(i, x)| x * ((i % 3) as f32 - 0.8)).sum()
    };
    let targets = match task {
        Task::Classification { class_count } => Targets::Classes(
            (0..rows).map(|row| ((score(&values, row) + 40.0) * 1.5) as u32 % class_count as u32).collect(),
        ),
        Task::Regression => Targets::Values {
            stored: (0..rows).map(|row| score(&values, row) * 0.5).collect(),
            centre: 10.0,
            scale: 3.0,
        },
    };
    for missing in (5..values.len()).step_by(37) {
        values[missing] = f32::NAN;
    }
    let folds = (0..folds)
        .map(|fold| {
            let validates = |row: &u32| *row as usize % folds == fold;
            let train: Vec<u32> = (0..rows as u32).filter(|row| !validates(row)).collect();
            Fold {
                balanced_weights: balanced_weights(task, &targets, &train),
                train,
                validation: (0..rows as u32).filter(validates).collect(),
                transforms: (0..features)
                    .map(|i| Transform { shift: 0.1 * fold as f32, scale: 1.0 - 0.02 * i as f32, fill: 0.3 })
                    .collect(),
                target: Transform { shift: 0.1, scale: 0.9, fill: 0.0 },
            }
        })
        .collect();
    Dataset { task, feature_count: features, features: values, targets, folds }
}

fn balanced_weights(task: Task, targets: &Targets, train: &[u32]) -> Vec<f32> {
    let (Task::Classification { class_count }, Targets::Classes(classes)) = (task, targets) else {
        return Vec::new();
    };
    let count = |class: u32| train.iter().filter(|&&row| classes[row as usize] == class).count().max(1);
    (0..class_count as u32).map(|class| train.len() as f32 / (class_count * count(class)) as f32).collect()
}

/// A member on fold 0 with plain numbers, changed as the test wants.
pub fn member(job: &Job, hidden: &[usize], change: impl FnOnce(&mut Network, &mut Recipe)) -> Member {
    let task = job.dataset.task;
    let mut network = Network {
        input_count: job.dataset.feature_count,
        hidden: hidden.to_vec(),
        output_count: task.output_count(),
        activation: activation::ALL[7],
    };
    let optimizer = optimizer::ALL[0];
    let mut recipe = Recipe {
        optimizer,
        optimizer_parameters: optimizer.defaults(),
        learning_rate: 0.05,
        lr_schedule: lr_schedule::ALL[0],
        lr_schedule_parameters: Default::default(),
        loss: loss::ALL.iter().copied().find(|loss| loss.fits(task)).unwrap(),
        loss_parameters: Default::default(),
        balanced: false,
        l2_penalty: 0.0,
        l1_penalty: 0.0,
        dropout: 0.0,
        input_dropout: 0.0,
        clip_norm: 0.0,
        initializer: initializer::ALL[0],
        batch_size: 16,
        max_epochs: 10,
        machine: None,
    };
    change(&mut network, &mut recipe);
    Member { fold: 0, repeat: 0, network, recipe }
}

/// Trains every member for some epochs, all at once; gives the last report and the state of each.
pub fn train(engine: &mut dyn Engine, members: &[Member], epochs: u32) -> Vec<(Report, Snapshot)> {
    let ids: Vec<u64> = (0..members.len() as u64).collect();
    for (&id, member) in ids.iter().zip(members) {
        engine.admit(id, member.clone()).unwrap();
    }
    engine.train(&ids).unwrap();
    let mut last = vec![None; members.len()];
    loop {
        let reports = engine.wait().unwrap();
        if reports.is_empty() {
            break;
        }
        for report in reports {
            let id = report.id;
            if report.epoch < epochs {
                engine.train(&[id]).unwrap();
            }
            last[id as usize] = Some(report);
        }
    }
    let snapshots = engine.snapshot(&ids).unwrap();
    last.into_iter().map(Option::unwrap).zip(snapshots).collect()
}
