//! 1 - squared error / squared deviation from the mean of the scored rows

use super::{Direction, Evaluation, Metric, Truth};
use crate::data::{Targets, Task};

/// 1 - squared error / squared deviation from the mean of the scored rows
pub struct R2;

impl Metric for R2 {
    fn name(&self) -> &'static str {
        "r2"
    }
    fn summary(&self) -> &'static str {
        "1 - squared error / squared deviation from the mean of the scored rows"
    }
    fn direction(&self) -> Direction {
        Direction::Maximize
    }
    fn fits(&self, task: Task) -> bool {
        task == Task::Regression
    }
    fn score(&self, evaluation: &Evaluation, truth: Truth<'_>) -> f64 {
        let Targets::Values { stored, scale, .. } = &truth.dataset.targets else { return f64::NAN };
        let values = || truth.fold.validation.iter().map(|&row| f64::from(stored[row as usize]) * scale);
        let mean = values().sum::<f64>() / evaluation.row_count as f64;
        let deviation: f64 = values().map(|value| (value - mean).powi(2)).sum();
        1.0 - evaluation.loss_sum * truth.target_unit().powi(2) / deviation
    }
}
