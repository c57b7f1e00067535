//! A hundred steps of gradient descent of smooth networks against JAX and optax: the f64 reference to the
//! rounding of f64, and both engines to that of f32. Stored values made by
//! `tests/reference/make_trajectories.py`.

mod common;
mod stored;

use manytune::data::Dataset;
use manytune::engine::cpu::CpuEngine;
use manytune::engine::gpu::GpuEngine;
use manytune::engine::{Engine, Job, Snapshot};
use manytune::model::lr_schedule::LrScheduleParameters;
use manytune::model::optimizer::OptimizerParameters;
use manytune::model::recipe::{Network, Recipe};
use manytune::model::trainer::{Scratch, Trainer};
use manytune::model::{activation, initializer, loss, lr_schedule, optimizer};
use serde_json::Value;
use std::sync::Arc;
use stored::*;

fn file() -> Value {
    parsed(include_str!("reference/trajectories.json"))
}

fn recipe(dataset: &Dataset, case: &Value) -> Recipe {
    let sgd = named(optimizer::ALL, &Value::from("sgd"), |o| o.name());
    Recipe {
        optimizer: sgd,
        optimizer_parameters: OptimizerParameters {
            momentum: number(&case["momentum"]),
            nesterov: case["nesterov"].as_bool().expect("true or false"),
            weight_decay: 0.0,
            ..sgd.defaults()
        },
        learning_rate: number(&case["learning_rate"]),
        lr_schedule: lr_schedule::ALL[0],
        lr_schedule_parameters: LrScheduleParameters::default(),
        loss: named(loss::ALL, &case["loss"], |l| l.name()),
        loss_parameters: loss::LossParameters {
            huber_delta: number(&case["huber_delta"]),
            ..Default::default()
        },
        balanced: false,
        l2_penalty: 0.0,
        l1_penalty: 0.0,
        dropout: 0.0,
        input_dropout: 0.0,
        clip_norm: 0.0,
        initializer: initializer::ALL[0],
        batch_size: dataset.row_count(),
        max_epochs: 100,
        machine: None,
    }
}

/// Each case: its table, and the reference at its start.
fn cases() -> Vec<(Dataset, Trainer<f64>, Value)> {
    let file = file();
    let cases = list(&file["cases"]).iter().map(|case| {
        let dataset = network_dataset(&file, case["loss"] == "cross_entropy");
        let network = Network {
            input_count: dataset.feature_count,
            hidden: vec![7, 6],
            output_count: dataset.task.output_count(),
            activation: named(activation::ALL, &case["activation"], |a| a.name()),
        };
        let trainer = resumed(network, recipe(&dataset, case), numbers(&case["parameters"]));
        (dataset, trainer, case.clone())
    });
    cases.collect()
}

#[test]
fn the_reference_follows_jax_for_a_hundred_steps() {
    let kept_steps = numbers(&file()["kept_steps"]);
    for (dataset, mut trainer, case) in cases() {
        let mut scratch = Scratch::default();
        let mut kept = list(&case["trajectory"]).iter();
        for (step, expected) in (1..).zip(numbers(&case["losses"])) {
            let loss = trainer.epoch(&dataset, &mut scratch).expect("a finite loss");
            assert_near(&format!("{} at step {step}", case["activation"]), loss, expected, 100.0 * ROUNDING);
            if kept_steps.contains(&f64::from(step)) {
                let expected = numbers(kept.next().expect("as many as kept steps"));
                assert_all_near(&format!("step {step}"), &trainer.parameters, &expected, 100.0 * ROUNDING);
            }
        }
        assert!(kept.next().is_none());
    }
}

#[test]
fn both_engines_end_where_jax_ends() {
    for (dataset, trainer, case) in cases() {
        let job = Job { dataset: Arc::new(dataset), seed: 1, with_outputs: false };
        let mut engines: Vec<Box<dyn Engine>> = vec![Box::new(CpuEngine::new(job.clone(), Some(1)).unwrap())];
        if let Some(gpu) = common::gpu() {
            engines.push(Box::new(GpuEngine::new(job.clone(), gpu, None).unwrap()));
        }
        let expected = numbers(list(&case["trajectory"]).last().unwrap());
        for mut engine in engines {
            let parameters: Vec<f32> = trainer.parameters.iter().map(|&w| w as f32).collect();
            engine.restore(0, trainer.member.clone(), &Snapshot::fresh(parameters)).unwrap();
            for loss in numbers(&case["losses"]) {
                engine.train(&[0]).unwrap();
                let report = engine.wait().unwrap().remove(0);
                // 13 rows of a loss near 1 in f32, after up to a hundred steps from rounded states.
                assert_near("loss", report.train_loss, loss, 1e-5);
            }
            let found: Vec<f64> =
                engine.snapshot(&[0]).unwrap()[0].parameters.iter().map(|&w| f64::from(w)).collect();
            let what = format!("{} of {} on {}", case["activation"], case["loss"], engine.device());
            assert_all_near(&what, &found, &expected, 1e-5);
        }
    }
}
