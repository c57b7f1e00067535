//! Area under the ROC curve; for more than two classes the mean over classes of one against the rest.

use super::{Direction, Evaluation, Metric, Truth, classifies};
use crate::data::{Targets, Task};

/// The probability that a row of a class is scored above a row outside it (Hanley and McNeil, 1982),
/// ties counting half; one against the rest, averaged over the classes present.
pub struct RocAuc;

impl Metric for RocAuc {
    fn name(&self) -> &'static str {
        "roc_auc"
    }
    fn summary(&self) -> &'static str {
        "area under the ROC curve; one class against the rest, averaged, for more than two"
    }
    fn direction(&self) -> Direction {
        Direction::Maximize
    }
    fn fits(&self, task: Task) -> bool {
        classifies(task)
    }
    fn needs_outputs(&self) -> bool {
        true
    }

    fn score(&self, evaluation: &Evaluation, truth: Truth<'_>) -> f64 {
        let (Some(outputs), Targets::Classes(classes)) = (&evaluation.outputs, &truth.dataset.targets) else {
            return f64::NAN;
        };
        let class_count = truth.dataset.task.output_count();
        let labels: Vec<usize> =
            truth.fold.validation.iter().map(|&row| classes[row as usize] as usize).collect();
        let scored = if class_count == 2 { 1..2 } else { 0..class_count };
        let areas: Vec<f64> = scored
            .filter_map(|class| {
                let score = |row: &[f32]| log_odds(row, class);
                let scores: Vec<f64> = outputs.chunks_exact(class_count).map(score).collect();
                area(&scores, |row| labels[row] == class)
            })
            .collect();
        areas.iter().sum::<f64>() / areas.len() as f64
    }
}

/// ln p − ln(1 − p) of one class: ranks rows as its probability does, without saturating.
fn log_odds(row: &[f32], class: usize) -> f64 {
    let others = || row.iter().enumerate().filter(|(k, _)| *k != class).map(|(_, &z)| f64::from(z));
    let maximum = others().fold(f64::NEG_INFINITY, f64::max);
    f64::from(row[class]) - maximum - others().map(|z| (z - maximum).exp()).sum::<f64>().ln()
}

/// The rank-sum form of the area; `None` where one side is empty.
fn area(scores: &[f64], positive: impl Fn(usize) -> bool) -> Option<f64> {
    if scores.iter().any(|score| score.is_nan()) {
        return Some(f64::NAN);
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut rank_sum, mut positives, mut start) = (0.0, 0_usize, 0);
    while start < order.len() {
        let tied = order[start..].iter().take_while(|&&row| scores[row] == scores[order[start]]).count();
        let mean_rank = start as f64 + (tied as f64 + 1.0) / 2.0;
        let positives_here = order[start..start + tied].iter().filter(|&&row| positive(row)).count();
        rank_sum += mean_rank * positives_here as f64;
        positives += positives_here;
        start += tied;
    }
    let negatives = scores.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let below = rank_sum - (positives * (positives + 1)) as f64 / 2.0;
    Some(below / (positives as f64 * negatives as f64))
}
