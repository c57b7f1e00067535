//! Columns that say nothing: empty, constant, text that hardly repeats, counters.

use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;

/// Columns that are not learned from.
pub struct LeftOutColumns;

impl Diagnosis for LeftOutColumns {
    fn name(&self) -> &'static str {
        "left_out_columns"
    }
    fn healthy(&self) -> &'static str {
        "every column is learned from"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        Ok(patient
            .prepared
            .left_out
            .iter()
            .map(|note| Finding {
                name: self.name(),
                severity: Severity::Note,
                place: String::new(),
                seen: note.clone(),
                cause: "a column without information about rows that are still to come".to_owned(),
                advice: "nothing, or name it under `ignore`; `types` has it read as something else"
                    .to_owned(),
            })
            .collect())
    }
}
