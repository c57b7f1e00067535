//! What no learning comes to: the score of the commonest class, or of the mean, on the same folds by the same metric.

use crate::data::{Dataset, Encoder, Fold, Targets};
use crate::model::metric::{Evaluation, Metric, Truth};
use serde_json::{Value, json};

/// The baseline's name and its score, the mean over folds.
pub(super) fn baseline(dataset: &Dataset, encoder: &Encoder, metric: &dyn Metric) -> Value {
    let scores: Vec<f64> = dataset
        .folds
        .iter()
        .map(|fold| metric.score(&evaluation(dataset, fold), Truth { dataset, fold }))
        .collect();
    let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    let name = match &dataset.targets {
        Targets::Classes(classes) => {
            let counts = counts(classes.iter().copied(), dataset.task.output_count());
            let name = encoder.class_names().get(commonest(&counts)).map_or("", String::as_str);
            format!("always the commonest class, {name}")
        }
        Targets::Values { .. } => "always the mean of the training rows".to_owned(),
    };
    json!({ "name": name, "value": mean })
}

/// What a metric sees of predictions that know the training rows' targets alone.
fn evaluation(dataset: &Dataset, fold: &Fold) -> Evaluation {
    let row_count = fold.validation.len();
    match &dataset.targets {
        Targets::Classes(classes) => {
            let class_count = dataset.task.output_count();
            let of = |rows: &[u32]| counts(rows.iter().map(|&row| classes[row as usize]), class_count);
            let (train, validation) = (of(&fold.train), of(&fold.validation));
            let said = commonest(&train);
            // Shares of classes that no training row has are not zero: their logarithm must be a number.
            let total = fold.train.len() as f64 + class_count as f64;
            let logits: Vec<f64> =
                train.iter().map(|&count| ((f64::from(count) + 1.0) / total).ln()).collect();
            let sum: f64 =
                validation.iter().zip(&logits).map(|(&count, logit)| -f64::from(count) * logit).sum();
            let only = |count: u32| -> Vec<u32> {
                (0..class_count).map(|class| if class == said { count } else { 0 }).collect()
            };
            Evaluation {
                row_count,
                loss_sum: sum,
                absolute_error_sum: 0.0,
                correct: only(validation[said]),
                predicted: only(row_count as u32),
                outputs: Some(
                    (0..row_count).flat_map(|_| logits.iter().map(|&logit| logit as f32)).collect(),
                ),
            }
        }
        Targets::Values { stored, .. } => {
            // The fold's standardised target has mean 0 over its training rows.
            let errors =
                fold.validation.iter().map(|&row| f64::from(fold.target.apply(stored[row as usize])));
            let (mut squares, mut absolute) = (0.0, 0.0);
            errors.for_each(|error| {
                squares += error * error;
                absolute += error.abs();
            });
            Evaluation { row_count, loss_sum: squares, absolute_error_sum: absolute, ..Evaluation::default() }
        }
    }
}

fn counts(classes: impl Iterator<Item = u32>, class_count: usize) -> Vec<u32> {
    let mut counts = vec![0; class_count];
    classes.for_each(|class| counts[class as usize] += 1);
    counts
}

/// The first of the classes with most rows.
fn commonest(counts: &[u32]) -> usize {
    (0..counts.len()).rev().max_by_key(|&class| counts[class]).unwrap_or(0)
}
