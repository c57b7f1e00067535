//! Rows that stand in the table more than once, target included.

use super::percent;
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;

/// Rows like an earlier one in every column.
pub struct DuplicateRows;

/// The share of rows from which copies are worth a finding.
const SHARE: f64 = 0.01;

impl Diagnosis for DuplicateRows {
    fn name(&self) -> &'static str {
        "duplicate_rows"
    }
    fn healthy(&self) -> &'static str {
        "hardly a row stands there twice, but by chance"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let (twins, is_distinctive) = (patient.first_twins(), patient.is_distinctive());
        let count = twins.len();
        let is_copy = |&row: &u32| {
            let first = twins[row as usize];
            first != row && is_distinctive[row as usize] && patient.target_of(first) == patient.target_of(row)
        };
        let copies: Vec<u32> = (0..count as u32).filter(is_copy).collect();
        if (copies.len() as f64) < SHARE * count as f64 || copies.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: patient.places_of(&copies),
            seen: format!(
                "{} of {count} rows ({}) repeat an earlier row",
                copies.len(),
                percent(copies.len(), count)
            ),
            cause: "files that were joined twice, or rows drawn with replacement".to_owned(),
            advice: "keep one of each; or group_column, so that copies stay in one fold".to_owned(),
        }])
    }
}
