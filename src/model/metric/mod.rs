//! Scores of a trained model on rows it has not seen: one file each.

mod accuracy;
mod balanced_accuracy;
mod f1;
mod log_loss;
mod mean_absolute_error;
mod r2;
mod roc_auc;
mod root_mean_squared_error;

use crate::data::{Dataset, Fold, Targets, Task};

/// Every metric.
pub static ALL: &[&dyn Metric] = &[
    &accuracy::Accuracy,
    &balanced_accuracy::BalancedAccuracy,
    &log_loss::LogLoss,
    &roc_auc::RocAuc,
    &f1::F1,
    &root_mean_squared_error::RootMeanSquaredError,
    &mean_absolute_error::MeanAbsoluteError,
    &r2::R2,
];

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Larger is better.
    Maximize,
    /// Smaller is better.
    Minimize,
}

impl Direction {
    /// The name in a study file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Maximize => "maximize",
            Self::Minimize => "minimize",
        }
    }

    /// Orders the better value first; NaN last whatever the direction.
    pub fn compare(self, a: f64, b: f64) -> std::cmp::Ordering {
        a.is_nan().cmp(&b.is_nan()).then_with(|| match self {
            Self::Maximize => b.total_cmp(&a),
            Self::Minimize => a.total_cmp(&b),
        })
    }

    /// Whether `a` is strictly better than `b`; a NaN is better than nothing.
    pub fn better(self, a: f64, b: f64) -> bool {
        self.compare(a, b).is_lt()
    }
}

/// The first of the most probable classes of a row: of `probabilities`, votes, or anything that rises with them.
pub fn most_probable(probabilities: &[f64]) -> usize {
    let all = 0..probabilities.len();
    all.rev().max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b])).unwrap_or(0)
}

/// What an engine measured on the validation rows of a fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// Rows scored.
    pub row_count: usize,
    /// Sum over rows of the cross-entropy (no smoothing, no class weights), or of the squared error of
    /// the standardised target.
    pub loss_sum: f64,
    /// Sum over rows of the absolute error of the standardised target; 0 for classes.
    pub absolute_error_sum: f64,
    /// (class) rows of this class that were predicted right. Empty for regression.
    pub correct: Vec<u32>,
    /// (class) rows predicted to be of this class.
    pub predicted: Vec<u32>,
    /// (row, output) raw outputs in the order of the fold's validation rows, where asked for.
    pub outputs: Option<Vec<f32>>,
}

/// The rows an [`Evaluation`] was made on.
#[derive(Clone, Copy)]
pub struct Truth<'a> {
    /// The table.
    pub dataset: &'a Dataset,
    /// The fold whose validation rows were scored.
    pub fold: &'a Fold,
}

impl Truth<'_> {
    /// (class) number of validation rows of each class.
    fn class_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.dataset.task.output_count()];
        if let Targets::Classes(classes) = &self.dataset.targets {
            for &row in &self.fold.validation {
                counts[classes[row as usize] as usize] += 1;
            }
        }
        counts
    }

    /// How many of the target's own units one unit of the standardised target is.
    fn target_unit(&self) -> f64 {
        match &self.dataset.targets {
            Targets::Values { scale, .. } => scale / f64::from(self.fold.target.scale),
            Targets::Classes(_) => 1.0,
        }
    }
}

/// A score.
pub trait Metric: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// The formula, on one line.
    fn summary(&self) -> &'static str;
    /// Which way is better.
    fn direction(&self) -> Direction;
    /// Whether it fits this task.
    fn fits(&self, task: Task) -> bool;
    /// Whether it needs [`Evaluation::outputs`].
    fn needs_outputs(&self) -> bool {
        false
    }
    /// The score, in the target's own unit and sign; NaN where it is undefined.
    fn score(&self, evaluation: &Evaluation, truth: Truth<'_>) -> f64;
}

/// The metric of this name.
pub fn find(name: &str) -> Option<&'static dyn Metric> {
    ALL.iter().copied().find(|metric| metric.name() == name)
}

/// The default objective of a task: accuracy for classes, rmse for values.
pub fn default_for(task: Task) -> &'static dyn Metric {
    match task {
        Task::Classification { .. } => &accuracy::Accuracy,
        Task::Regression => &root_mean_squared_error::RootMeanSquaredError,
    }
}

/// What breaks ties between trials of equal objective: log loss for classes, rmse for values.
pub fn tie_breaker(task: Task) -> &'static dyn Metric {
    match task {
        Task::Classification { .. } => &log_loss::LogLoss,
        Task::Regression => &root_mean_squared_error::RootMeanSquaredError,
    }
}

/// Whether the task has classes; for the metrics' `fits`.
fn classifies(task: Task) -> bool {
    matches!(task, Task::Classification { .. })
}
