//! Scores a saved model on rows that no fold holds: the final test set.

use super::model::{Predictions, SavedModel};
use crate::data::{Dataset, Fold, Targets, Transform};
use crate::model::metric::{Evaluation, Metric, Truth, most_probable};

/// The score of a model, its folds averaged, on some rows of the table it was trained on.
pub fn on_rows(model: &SavedModel, dataset: &Dataset, rows: &[u32], metric: &dyn Metric) -> f64 {
    let features: Vec<f32> = rows.iter().flat_map(|&row| dataset.row(row)).copied().collect();
    let evaluation = match (&dataset.targets, model.predict(&features)) {
        (Targets::Classes(classes), Predictions::Probabilities(probabilities)) => {
            of_classes(rows.iter().map(|&row| classes[row as usize] as usize), &probabilities, dataset)
        }
        (Targets::Classes(classes), Predictions::Votes(votes)) => {
            let classes = rows.iter().map(|&row| classes[row as usize] as usize);
            // Votes choose a class; they are no probabilities to score.
            Evaluation { loss_sum: f64::NAN, ..of_classes(classes, &votes, dataset) }
        }
        (Targets::Values { stored, centre, scale }, Predictions::Values(values)) => {
            let errors = rows
                .iter()
                .zip(values)
                .map(|(&row, value)| (value - centre) / scale - f64::from(stored[row as usize]));
            of_values(errors)
        }
        _ => return f64::NAN,
    };
    // The metrics compare in the unit of a fold's standardised target: here the stored one.
    let fold = Fold {
        train: Vec::new(),
        validation: rows.to_vec(),
        transforms: Vec::new(),
        target: Transform::IDENTITY,
        balanced_weights: Vec::new(),
    };
    metric.score(&evaluation, Truth { dataset, fold: &fold })
}

/// Averaged probabilities have no logits of their own; their logarithms are logits that give them.
fn of_classes(classes: impl Iterator<Item = usize>, probabilities: &[f64], dataset: &Dataset) -> Evaluation {
    let class_count = dataset.task.output_count();
    let mut evaluation = Evaluation {
        correct: vec![0; class_count],
        predicted: vec![0; class_count],
        outputs: Some(probabilities.iter().map(|p| p.ln().max(f64::from(f32::MIN)) as f32).collect()),
        ..Default::default()
    };
    for (class, row) in classes.zip(probabilities.chunks_exact(class_count)) {
        let best = most_probable(row);
        evaluation.row_count += 1;
        evaluation.loss_sum -= row[class].ln();
        evaluation.predicted[best] += 1;
        evaluation.correct[class] += u32::from(best == class);
    }
    evaluation
}

fn of_values(errors: impl Iterator<Item = f64>) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for error in errors {
        evaluation.row_count += 1;
        evaluation.loss_sum += error * error;
        evaluation.absolute_error_sum += error.abs();
    }
    evaluation
}
