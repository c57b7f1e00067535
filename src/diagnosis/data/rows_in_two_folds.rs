//! Validation rows that a model has trained on: copies in the training rows of the same fold.

use super::percent;
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;
use std::collections::HashSet;

/// Leakage by copies of rows.
pub struct RowsInTwoFolds;

/// Shares of a fold's validation rows from which scores are doubtful, and from which they mean nothing.
const DOUBTFUL: f64 = 0.01;
const WORTHLESS: f64 = 0.05;

impl Diagnosis for RowsInTwoFolds {
    fn name(&self) -> &'static str {
        "rows_in_two_folds"
    }
    fn healthy(&self) -> &'static str {
        "validation rows are new to the model, but for those that chance makes equal"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let (twins, is_distinctive) = (patient.first_twins(), patient.is_distinctive());
        let seen_in = |fold: &crate::data::Fold| -> Vec<u32> {
            let trained: HashSet<u32> = fold.train.iter().map(|&row| twins[row as usize]).collect();
            let is_seen = |&row: &u32| is_distinctive[row as usize] && trained.contains(&twins[row as usize]);
            fold.validation.iter().copied().filter(is_seen).collect()
        };
        let folds = patient.dataset().folds.iter().enumerate();
        let worst = folds
            .map(|(number, fold)| (number, fold.validation.len().max(1), seen_in(fold)))
            .max_by(|a, b| (a.2.len() * b.1).cmp(&(b.2.len() * a.1)).then(b.0.cmp(&a.0)));
        let Some((number, count, seen)) = worst else { return Ok(Vec::new()) };
        let share = seen.len() as f64 / count as f64;
        if share < DOUBTFUL {
            return Ok(Vec::new());
        }
        Ok(vec![Finding {
            name: self.name(),
            severity: if share < WORTHLESS { Severity::Warning } else { Severity::Error },
            place: format!("fold {number}: {}", patient.places_of(&seen)),
            seen: format!(
                "{} of {count} validation rows ({}) are among the training rows too, value for value",
                seen.len(),
                percent(seen.len(), count)
            ),
            cause: "copies of rows: scores measure memory there, and are too good".to_owned(),
            advice: "keep one of each copy; or group_column, so that copies stay in one fold".to_owned(),
        }])
    }
}
