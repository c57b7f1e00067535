//! mean over rows of -ln of the probability given to the right class

use super::{Direction, Evaluation, Metric, Truth, classifies};
use crate::data::Task;

/// mean over rows of -ln of the probability given to the right class
pub struct LogLoss;

impl Metric for LogLoss {
    fn name(&self) -> &'static str {
        "log_loss"
    }
    fn summary(&self) -> &'static str {
        "mean over rows of -ln of the probability given to the right class"
    }
    fn direction(&self) -> Direction {
        Direction::Minimize
    }
    fn fits(&self, task: Task) -> bool {
        classifies(task)
    }
    fn score(&self, evaluation: &Evaluation, _truth: Truth<'_>) -> f64 {
        evaluation.loss_sum / evaluation.row_count as f64
    }
}
