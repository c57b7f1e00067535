//! Rows that are equal in all but the target.

use super::percent;
use crate::data::Targets;
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;

/// Equal features with different targets.
pub struct ConflictingLabels;

/// The share of rows from which conflicts are worth a finding.
const SHARE: f64 = 0.01;
/// Stored values are near unit scale: values nearer than this are no conflict.
const NEAR: f64 = 0.5;

impl Diagnosis for ConflictingLabels {
    fn name(&self) -> &'static str {
        "conflicting_labels"
    }
    fn healthy(&self) -> &'static str {
        "rows that are too alike for chance have equal targets"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let (twins, is_distinctive) = (patient.first_twins(), patient.is_distinctive());
        let near = if matches!(patient.dataset().targets, Targets::Classes(_)) { 0.0 } else { NEAR };
        let count = twins.len();
        let conflicts = |&row: &u32| {
            let distance = (patient.target_of(twins[row as usize]) - patient.target_of(row)).abs();
            is_distinctive[row as usize] && distance > near
        };
        let rows: Vec<u32> = (0..count as u32).filter(conflicts).collect();
        if (rows.len() as f64) < SHARE * count as f64 || rows.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: patient.places_of(&rows),
            seen: format!(
                "{} of {count} rows ({}) have the features of an earlier row and another target",
                rows.len(),
                percent(rows.len(), count)
            ),
            cause: "labels that were mixed up, or a column that tells these rows apart is missing".to_owned(),
            advice: "look at these rows; no model can be right about both".to_owned(),
        }])
    }
}
