//! mean absolute error, in the target's unit

use super::{Direction, Evaluation, Metric, Truth};
use crate::data::Task;

/// mean absolute error, in the target's unit
pub struct MeanAbsoluteError;

impl Metric for MeanAbsoluteError {
    fn name(&self) -> &'static str {
        "mae"
    }
    fn summary(&self) -> &'static str {
        "mean absolute error, in the target's unit"
    }
    fn direction(&self) -> Direction {
        Direction::Minimize
    }
    fn fits(&self, task: Task) -> bool {
        task == Task::Regression
    }
    fn score(&self, evaluation: &Evaluation, truth: Truth<'_>) -> f64 {
        evaluation.absolute_error_sum / evaluation.row_count as f64 * truth.target_unit()
    }
}
