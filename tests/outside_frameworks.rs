//! The f64 reference against torch, optax and scikit-learn: stored values made by
//! `tests/reference/make.py`, each file with the versions of what made it.
//!
//! Where a framework's formula differs from ours by default, the script sets its options so that it is
//! the same, and says so there. The differences: rows weighted by class are averaged over the number of
//! rows (torch: over the sum of weights); decay is decoupled for every optimizer and spares biases; the
//! peak of one_cycle lies at 30 % of the steps (torch: one step before); clipping divides by the norm
//! (torch: by the norm + 1e-6).

mod stored;

use manytune::data::{Dataset, Fold, Targets, Task, Transform};
use manytune::model::lr_schedule::{LrScheduleParameters, factor_at};
use manytune::model::metric::{self, Truth};
use manytune::model::optimizer::{OptimizerParameters, Slices};
use manytune::model::recipe::{Network, Recipe};
use manytune::model::trainer::{Scratch, Trainer};
use manytune::model::{activation, initializer, loss, lr_schedule, optimizer};
use serde_json::Value;
use stored::*;

#[test]
fn activations_and_their_derivatives_match_torch() {
    let file = parsed(include_str!("reference/activations.json"));
    let functions = file["functions"].as_object().expect("a function per name");
    assert_all_stored(activation::ALL.iter().map(|a| a.name()), functions.keys().map(String::as_str));
    for (name, stored) in functions {
        let activation = named(activation::ALL, &Value::from(name.as_str()), |a| a.name());
        let mut values = numbers(&file["points"]);
        let mut derivatives = vec![f64::NAN; values.len()];
        activation.apply_f64(&mut values, &mut derivatives);
        assert_all_near(name, &values, &numbers(&stored["values"]), ROUNDING);
        assert_all_near(&format!("{name}'"), &derivatives, &numbers(&stored["derivatives"]), ROUNDING);
    }
}

#[test]
fn losses_and_their_gradients_match_torch() {
    let file = parsed(include_str!("reference/losses.json"));
    let cases = list(&file["cases"]);
    assert_all_stored(loss::ALL.iter().map(|l| l.name()), cases.iter().map(|case| text(&case["loss"])));
    for case in cases {
        let loss = named(loss::ALL, &case["loss"], |l| l.name());
        let classifies = loss.fits(Task::Classification { class_count: 2 });
        let target = if classifies {
            loss::Target::Class(number(&case["target"]) as usize)
        } else {
            loss::Target::Value(number(&case["target"]))
        };
        let mut outputs = numbers(&case["outputs"]);
        let found = loss.row_f64(&loss_parameters(case), target, &mut outputs);
        assert_near(&format!("{case}"), found, number(&case["value"]), ROUNDING);
        assert_all_near(&format!("gradient of {case}"), &outputs, &numbers(&case["gradient"]), ROUNDING);
    }
}

#[test]
fn optimizers_follow_the_trajectories_of_torch_and_optax() {
    let file = parsed(include_str!("reference/optimizers.json"));
    let cases = list(&file["cases"]);
    assert_all_stored(optimizer::ALL.iter().map(|o| o.name()), cases.iter().map(|c| text(&c["optimizer"])));
    let kept_steps = numbers(&file["kept_steps"]);
    for case in cases {
        let optimizer = named(optimizer::ALL, &case["optimizer"], |o| o.name());
        let (settings, rate) = (optimizer_parameters(&case["parameters"]), number(&case["learning_rate"]));
        let mut parameters = numbers(&file["start"]);
        let (mut m, mut v) = (vec![0.0; parameters.len()], vec![0.0; parameters.len()]);
        let mut kept = list(&case["trajectory"]).iter();
        for (step, gradients) in list(&file["gradients"]).iter().map(numbers).enumerate() {
            let scalars = settings.scalars(rate, step as u64);
            let slices = Slices { parameters: &mut parameters, gradients: &gradients, m: &mut m, v: &mut v };
            optimizer.step_f64(&scalars, scalars.decay, slices);
            if kept_steps.contains(&(step as f64 + 1.0)) {
                let expected = numbers(kept.next().expect("as many as kept steps"));
                assert_all_near(
                    &format!("{} at step {step}", case["optimizer"]),
                    &parameters,
                    &expected,
                    ROUNDING,
                );
            }
        }
        assert!(kept.next().is_none());
    }
}

fn optimizer_parameters(stored: &Value) -> OptimizerParameters {
    OptimizerParameters {
        momentum: number(&stored["momentum"]),
        nesterov: stored["nesterov"].as_bool().expect("true or false"),
        beta1: number(&stored["beta1"]),
        beta2: number(&stored["beta2"]),
        epsilon: number(&stored["epsilon"]),
        weight_decay: number(&stored["weight_decay"]),
    }
}

#[test]
fn learning_rates_follow_the_schedules_of_torch() {
    let file = parsed(include_str!("reference/lr_schedules.json"));
    let cases = list(&file["cases"]);
    assert_all_stored(lr_schedule::ALL.iter().map(|s| s.name()), cases.iter().map(|c| text(&c["schedule"])));
    for case in cases {
        let schedule = named(lr_schedule::ALL, &case["schedule"], |s| s.name());
        let parameters = LrScheduleParameters {
            warmup_epochs: number(&case["warmup_epochs"]),
            step_epochs: number(&case["step_epochs"]),
            decay: number(&case["decay"]),
        };
        let (steps, epochs) = (number(&case["steps_per_epoch"]) as u64, number(&case["max_epochs"]) as u32);
        let expected = numbers(&case["factors"]);
        let found: Vec<f64> = (0..expected.len() as u64)
            .map(|step| factor_at(schedule, &parameters, step, steps, epochs))
            .collect();
        assert_all_near(text(&case["schedule"]), &found, &expected, ROUNDING);
    }
}

/// The member of a network case, at its stored parameters.
fn network_trainer(dataset: &Dataset, case: &Value) -> Trainer<f64> {
    let adamw = named(optimizer::ALL, &Value::from("adamw"), |o| o.name());
    let or_zero = |key: &str| case[key].as_f64().unwrap_or(0.0);
    let recipe = Recipe {
        optimizer: adamw,
        optimizer_parameters: OptimizerParameters {
            weight_decay: or_zero("weight_decay"),
            ..adamw.defaults()
        },
        learning_rate: or_zero("learning_rate"),
        lr_schedule: named(lr_schedule::ALL, &Value::from("cosine"), |s| s.name()),
        lr_schedule_parameters: LrScheduleParameters::default(),
        loss: named(loss::ALL, &case["loss"], |l| l.name()),
        loss_parameters: loss_parameters(case),
        balanced: case["balanced"].as_bool().expect("true or false"),
        l2_penalty: number(&case["l2_penalty"]),
        l1_penalty: number(&case["l1_penalty"]),
        dropout: 0.0,
        input_dropout: 0.0,
        clip_norm: number(&case["clip_norm"]),
        initializer: initializer::ALL[0],
        batch_size: dataset.row_count(),
        max_epochs: or_zero("epochs") as u32,
        machine: None,
    };
    let network = Network {
        input_count: dataset.feature_count,
        hidden: numbers(&case["hidden"]).iter().map(|&units| units as usize).collect(),
        output_count: dataset.task.output_count(),
        activation: named(activation::ALL, &case["activation"], |a| a.name()),
    };
    resumed(network, recipe, numbers(&case["parameters"]))
}

#[test]
fn whole_networks_have_the_loss_and_the_gradient_of_torch() {
    let file = parsed(include_str!("reference/networks.json"));
    for case in list(&file["cases"]) {
        let dataset = network_dataset(&file, case["loss"] == "cross_entropy");
        let trainer = network_trainer(&dataset, case);
        let mut scratch = Scratch::default();
        let found = trainer.gradient(&dataset, &mut scratch);
        let what = format!("{} under {}", case["activation"], case["loss"]);
        assert_near(&what, found, number(&case["value"]), ROUNDING);
        assert_all_near(&what, &scratch.gradient, &numbers(&case["gradient"]), ROUNDING);
    }
}

#[test]
fn a_whole_training_ends_where_torch_ends() {
    let file = parsed(include_str!("reference/networks.json"));
    let (dataset, case) = (network_dataset(&file, true), &file["training"]);
    let mut trainer = network_trainer(&dataset, case);
    let mut scratch = Scratch::default();
    let losses: Vec<f64> =
        (0..30).map(|_| trainer.epoch(&dataset, &mut scratch).expect("a finite loss")).collect();
    // Adam divides by √v, which starts near 0 and amplifies rounding; 30 steps of it.
    let tolerance = 1e-10;
    assert_all_near("losses", &losses, &numbers(&case["losses"]), tolerance);
    assert_all_near("parameters", &trainer.parameters, &numbers(&case["trained"]), tolerance);
}

/// Scores outputs by the road that studies take: a linear model whose weights are the identity, so that
/// its outputs are the stored ones, evaluated on the fold's validation rows.
fn scores_of(dataset: &Dataset, expected: &Value) {
    let count = dataset.feature_count;
    let identity = (0..(count + 1) * count).map(|i| f64::from(u8::from(i % count == i / count))).collect();
    let network = Network {
        input_count: count,
        hidden: Vec::new(),
        output_count: count,
        activation: activation::ALL[0],
    };
    let recipe = Recipe {
        optimizer: optimizer::ALL[0],
        optimizer_parameters: optimizer::ALL[0].defaults(),
        learning_rate: 0.1,
        lr_schedule: lr_schedule::ALL[0],
        lr_schedule_parameters: LrScheduleParameters::default(),
        loss: loss::ALL[0],
        loss_parameters: loss::LossParameters::default(),
        balanced: false,
        l2_penalty: 0.0,
        l1_penalty: 0.0,
        dropout: 0.0,
        input_dropout: 0.0,
        clip_norm: 0.0,
        initializer: initializer::ALL[0],
        batch_size: 1,
        max_epochs: 1,
        machine: None,
    };
    let evaluation = resumed(network, recipe, identity).evaluate(dataset, &mut Scratch::default(), true);
    let truth = Truth { dataset, fold: &dataset.folds[0] };
    for (name, score) in expected.as_object().expect("a score per name") {
        let metric = metric::find(name).expect("a metric of ours");
        assert!(metric.fits(dataset.task));
        assert_near(name, metric.score(&evaluation, truth), number(score), ROUNDING);
    }
}

#[test]
fn metrics_match_scikit_learn() {
    let file = parsed(include_str!("reference/metrics.json"));
    let (cases, regression) = (list(&file["cases"]), &file["regression"]);
    let stored =
        cases.iter().chain([regression]).flat_map(|c| c["scores"].as_object().expect("scores").keys());
    assert_all_stored(metric::ALL.iter().map(|m| m.name()), stored.map(String::as_str));
    for case in cases {
        let class_count = number(&case["class_count"]) as usize;
        let labels: Vec<u32> = numbers(&case["targets"]).iter().map(|&label| label as u32).collect();
        let fold = Fold {
            train: Vec::new(),
            validation: (0..labels.len() as u32).collect(),
            transforms: vec![Transform::IDENTITY; class_count],
            target: Transform::IDENTITY,
            balanced_weights: vec![1.0; class_count],
        };
        let dataset = Dataset {
            task: Task::Classification { class_count },
            feature_count: class_count,
            features: exact_rows(&case["outputs"]),
            targets: Targets::Classes(labels),
            folds: vec![fold],
        };
        scores_of(&dataset, &case["scores"]);
    }
}

/// The scores are in the target's own unit: value = centre + scale·stored, and a fold standardises again.
#[test]
fn regression_metrics_match_scikit_learn_in_the_unit_of_the_target() {
    let file = parsed(include_str!("reference/metrics.json"));
    let case = &file["regression"];
    let narrow = |value: &Value| numbers(value).iter().map(|&v| v as f32).collect::<Vec<f32>>();
    let stored = narrow(&case["stored"]);
    let (shift, scale) = (number(&case["shift"]) as f32, number(&case["fold_scale"]) as f32);
    let fold = Fold {
        train: Vec::new(),
        validation: (0..stored.len() as u32).collect(),
        transforms: vec![Transform::IDENTITY],
        target: Transform { shift, scale, fill: 0.0 },
        balanced_weights: Vec::new(),
    };
    let dataset = Dataset {
        task: Task::Regression,
        feature_count: 1,
        features: narrow(&case["outputs"]),
        targets: Targets::Values { stored, centre: number(&case["centre"]), scale: number(&case["scale"]) },
        folds: vec![fold],
    };
    scores_of(&dataset, &case["scores"]);
}
