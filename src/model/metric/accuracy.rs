//! share of rows predicted right

use super::{Direction, Evaluation, Metric, Truth, classifies};
use crate::data::Task;

/// share of rows predicted right
pub struct Accuracy;

impl Metric for Accuracy {
    fn name(&self) -> &'static str {
        "accuracy"
    }
    fn summary(&self) -> &'static str {
        "share of rows predicted right"
    }
    fn direction(&self) -> Direction {
        Direction::Maximize
    }
    fn fits(&self, task: Task) -> bool {
        classifies(task)
    }
    fn score(&self, evaluation: &Evaluation, _truth: Truth<'_>) -> f64 {
        f64::from(evaluation.correct.iter().sum::<u32>()) / evaluation.row_count as f64
    }
}
