//! Models that learn their training rows and nothing of the others, or the others better than their own.

use super::capacity;
use super::record::{Record, median};
use super::{Diagnosis, Losses};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;

/// Training and validation rows that do not seem to be of one kind.
pub struct Mismatch;

/// Share of the trials that must show it: what a bad configuration does is no mismatch.
const MOST_TRIALS: f64 = 0.9;
/// A training loss that has learned.
const LEARNED: f64 = 0.5;
/// A validation loss that has not, at its best.
const NOT_LEARNED: f64 = 0.97;
/// A validation loss that is so much less than the training loss is no chance.
const MUCH_BETTER: f64 = 0.5;
const BETTER_BY: f64 = 0.15;

impl Diagnosis for Mismatch {
    fn name(&self) -> &'static str {
        "mismatch"
    }
    fn healthy(&self) -> &'static str {
        "what is learned from training rows holds for validation rows"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.curves().next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let all: Vec<&Losses> = record.curves().map(|(_, losses)| losses).collect();
        let learned: Vec<&&Losses> = all.iter().filter(|losses| losses.train_at_end() <= LEARNED).collect();
        let is_useless = |losses: &&&&Losses| losses.least() >= NOT_LEARNED;
        let useless = learned.iter().filter(is_useless).count();
        let is_shown = |count: usize, of: usize| count > 0 && count as f64 >= MOST_TRIALS * of as f64;
        let better = |losses: &&&Losses| {
            let (train, validation) = (losses.train_at_best(), losses.least());
            !losses.is_raised && validation < MUCH_BETTER * train && train - validation > BETTER_BY
        };
        let comparable = all.iter().filter(|losses| !losses.is_raised).count();
        let better = all.iter().filter(better).count();
        let mut findings = Vec::new();
        if is_shown(useless, learned.len()) {
            let train = median(learned.iter().map(|losses| losses.train_at_end()));
            let validation = median(learned.iter().map(|losses| losses.least()));
            findings.push(Finding {
                name: self.name(),
                severity: Severity::Warning,
                place: String::new(),
                seen: format!(
                    "{useless} of the {} trials that learned their training rows (loss {train:.2} of that of always \
                     saying the same) never did better than that on validation rows ({validation:.2})",
                    learned.len()
                ),
                cause: "labels that have nothing to do with the features (shuffled, of other rows); or rows that are \
                        prepared otherwise for validation"
                    .to_owned(),
                advice: format!(
                    "check that rows and labels belong together, and that folds are alike; manytune doctor on the data; \
                     if both are right, far smaller models: {}",
                    capacity::less(record)
                ),
            });
        }
        if is_shown(better, comparable) {
            findings.push(Finding {
                name: self.name(),
                severity: Severity::Warning,
                place: String::new(),
                seen: format!(
                    "in {better} of {comparable} trials the validation loss is less than half the training loss"
                ),
                cause: "validation rows that are easier than training rows, or stand among them".to_owned(),
                advice: "other folds (a fold_column or group_column that fits the data); manytune doctor on the data"
                    .to_owned(),
            });
        }
        Ok(findings)
    }
}
