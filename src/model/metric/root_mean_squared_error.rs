//! root of the mean squared error, in the target's unit

use super::{Direction, Evaluation, Metric, Truth};
use crate::data::Task;

/// root of the mean squared error, in the target's unit
pub struct RootMeanSquaredError;

impl Metric for RootMeanSquaredError {
    fn name(&self) -> &'static str {
        "rmse"
    }
    fn summary(&self) -> &'static str {
        "root of the mean squared error, in the target's unit"
    }
    fn direction(&self) -> Direction {
        Direction::Minimize
    }
    fn fits(&self, task: Task) -> bool {
        task == Task::Regression
    }
    fn score(&self, evaluation: &Evaluation, truth: Truth<'_>) -> f64 {
        (evaluation.loss_sum / evaluation.row_count as f64).sqrt() * truth.target_unit()
    }
}
