//! mean over the classes present of the share of their rows predicted right

use super::{Direction, Evaluation, Metric, Truth, classifies};
use crate::data::Task;

/// mean over the classes present of the share of their rows predicted right
pub struct BalancedAccuracy;

impl Metric for BalancedAccuracy {
    fn name(&self) -> &'static str {
        "balanced_accuracy"
    }
    fn summary(&self) -> &'static str {
        "mean over the classes present of the share of their rows predicted right"
    }
    fn direction(&self) -> Direction {
        Direction::Maximize
    }
    fn fits(&self, task: Task) -> bool {
        classifies(task)
    }
    fn score(&self, evaluation: &Evaluation, truth: Truth<'_>) -> f64 {
        let counts = truth.class_counts();
        let shares: Vec<f64> = (evaluation.correct.iter().zip(&counts))
            .filter(|(_, count)| **count > 0)
            .map(|(correct, count)| f64::from(*correct) / f64::from(*count))
            .collect();
        shares.iter().sum::<f64>() / shares.len() as f64
    }
}
