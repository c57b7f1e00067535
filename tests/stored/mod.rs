//! Reading stored values of outside frameworks, and the tables they were made on.

#![allow(dead_code, reason = "each test binary uses its own part of this module")]

use manytune::data::{Dataset, Fold, Targets, Task, Transform};
use manytune::model::loss;
use manytune::model::recipe::{Member, Network, Recipe};
use manytune::model::trainer::Trainer;
use serde_json::Value;

/// Both sides compute in f64 with functions good to a few units of the last place, in sums of at most
/// some hundred terms: 1e-12 of the size of the terms leaves a factor of a hundred.
pub const ROUNDING: f64 = 1e-12;

#[track_caller]
pub fn assert_near(what: &str, found: f64, expected: f64, tolerance: f64) {
    let difference = (found - expected).abs();
    assert!(difference <= tolerance * expected.abs().max(1.0), "{what}: {found:e} against {expected:e}");
}

#[track_caller]
pub fn assert_all_near(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        assert_near(&format!("{what}, element {i}"), found, expected, tolerance);
    }
}

pub fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("a stored file is JSON")
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list"))
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

pub fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

/// Rows one after another, at the precision of tables; the script writes only what f32 holds exactly.
pub fn exact_rows(value: &Value) -> Vec<f32> {
    let narrow = |wide: f64| {
        assert_eq!(f64::from(wide as f32), wide);
        wide as f32
    };
    list(value).iter().flat_map(numbers).map(narrow).collect()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text"))
}

/// The member of a family that a case names.
pub fn named<T: Copy>(all: &[T], wanted: &Value, name: impl Fn(T) -> &'static str) -> T {
    let found = all.iter().copied().find(|&member| name(member) == text(wanted));
    found.unwrap_or_else(|| panic!("{wanted} is not in the family"))
}

/// Every member of a family must have a stored case, so that adding one asks for its outside value.
pub fn assert_all_stored<'a>(all: impl Iterator<Item = &'static str>, stored: impl Iterator<Item = &'a str>) {
    let stored: Vec<&str> = stored.collect();
    for name in all {
        assert!(stored.contains(&name), "{name} has no stored values: add it to tests/reference/make.py");
    }
}

pub fn loss_parameters(case: &Value) -> loss::LossParameters {
    loss::LossParameters {
        label_smoothing: number(&case["label_smoothing"]),
        huber_delta: number(&case["huber_delta"]),
    }
}

/// The table of the network cases; one batch holds it all, so that no order of rows is agreed on.
pub fn network_dataset(file: &Value, classifies: bool) -> Dataset {
    let features = exact_rows(&file["features"]);
    let labels: Vec<u32> = numbers(&file["labels"]).iter().map(|&label| label as u32).collect();
    let weights = numbers(&file["balanced_weights"]).iter().map(|&weight| weight as f32).collect();
    let (row_count, class_count) = (labels.len(), 3);
    let fold = Fold {
        train: (0..row_count as u32).collect(),
        validation: Vec::new(),
        transforms: vec![Transform::IDENTITY; features.len() / row_count],
        target: Transform::IDENTITY,
        balanced_weights: weights,
    };
    let stored = numbers(&file["values"]).iter().map(|&value| value as f32).collect();
    Dataset {
        task: if classifies { Task::Classification { class_count } } else { Task::Regression },
        feature_count: features.len() / row_count,
        features,
        targets: if classifies {
            Targets::Classes(labels)
        } else {
            Targets::Values { stored, centre: 0.0, scale: 1.0 }
        },
        folds: vec![fold],
    }
}

pub fn resumed(network: Network, recipe: Recipe, parameters: Vec<f64>) -> Trainer<f64> {
    let zeros = &vec![0.0; parameters.len()];
    let member = Member { fold: 0, repeat: 0, network, recipe };
    Trainer::resume(member, 1, [&parameters, zeros, zeros], 0)
}
