//! Two columns that say the same, row by row.

use crate::diagnosis::{Column, Diagnosis, Finding, Patient, Severity};
use crate::error::Result;

/// Most columns that are compared: pairs grow with their square.
const MOST: usize = 1024;

/// Columns whose values determine each other.
pub struct DuplicateColumns;

impl Diagnosis for DuplicateColumns {
    fn name(&self) -> &'static str {
        "duplicate_columns"
    }
    fn healthy(&self) -> &'static str {
        "no two columns say the same"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let mut groups: Vec<Vec<&Column>> = Vec::new();
        for column in patient.columns().iter().take(MOST) {
            match groups.iter_mut().find(|columns| columns[0].says_the_same(column)) {
                Some(columns) => columns.push(column),
                None => groups.push(vec![column]),
            }
        }
        groups.retain(|columns| columns.len() > 1);
        Ok(groups.iter().map(|columns| self.finding(columns)).collect())
    }
}

impl DuplicateColumns {
    fn finding(&self, columns: &[&Column]) -> Finding {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: format!("columns {}", names.join(", ")),
            seen: "each value of one goes with one value of the other, in every row".to_owned(),
            cause: "the same quantity in two spellings or units".to_owned(),
            advice: format!(
                "ignore = [{}]",
                names[1..].iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
            ),
        }
    }
}
