//! 2 precision recall / (precision + recall): of the second class for two classes, mean over classes for more

use super::{Direction, Evaluation, Metric, Truth, classifies};
use crate::data::Task;

/// 2 precision recall / (precision + recall): of the second class for two classes, mean over classes for more
pub struct F1;

impl Metric for F1 {
    fn name(&self) -> &'static str {
        "f1"
    }
    fn summary(&self) -> &'static str {
        "2 precision recall / (precision + recall): of the second class for two classes, mean over classes for more"
    }
    fn direction(&self) -> Direction {
        Direction::Maximize
    }
    fn fits(&self, task: Task) -> bool {
        classifies(task)
    }
    fn score(&self, evaluation: &Evaluation, truth: Truth<'_>) -> f64 {
        let counts = truth.class_counts();
        let of_class = |k: usize| {
            let denominator = f64::from(evaluation.predicted[k] + counts[k]);
            if denominator == 0.0 { 0.0 } else { 2.0 * f64::from(evaluation.correct[k]) / denominator }
        };
        match counts.len() {
            2 => of_class(1),
            class_count => {
                let present: Vec<usize> =
                    (0..class_count).filter(|&k| counts[k] + evaluation.predicted[k] > 0).collect();
                present.iter().map(|&k| of_class(k)).sum::<f64>() / present.len() as f64
            }
        }
    }
}
