//! Two numeric columns that are all but multiples of each other.

use crate::data::ColumnType;
use crate::diagnosis::{Column, Diagnosis, Finding, Patient, Severity};
use crate::error::Result;

/// Numeric columns with a correlation near 1 or −1.
pub struct NearDuplicateColumns;

/// |correlation| from which two columns are near duplicates: 0.2 % of the variance is their own.
const CORRELATION: f64 = 0.999;
/// Most columns: pairs grow with their square.
const COLUMNS: usize = 1024;

impl Diagnosis for NearDuplicateColumns {
    fn name(&self) -> &'static str {
        "near_duplicate_columns"
    }
    fn healthy(&self) -> &'static str {
        "no two numeric columns are multiples of each other"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let numeric = patient.columns().iter().filter(|column| column.kind == ColumnType::Numeric);
        let columns: Vec<&Column> = numeric.take(COLUMNS).collect();
        let mut findings = Vec::new();
        for (at, first) in columns.iter().enumerate() {
            for second in &columns[at + 1..] {
                let correlation = first.correlation(second);
                if correlation.abs() >= CORRELATION && !first.says_the_same(second) {
                    findings.push(self.finding(first, second, correlation));
                }
            }
        }
        Ok(findings)
    }
}

impl NearDuplicateColumns {
    fn finding(&self, first: &Column, second: &Column, correlation: f64) -> Finding {
        Finding {
            name: self.name(),
            severity: Severity::Note,
            place: format!("columns {} and {}", first.name, second.name),
            seen: format!("correlation {correlation:.5}"),
            cause: "one quantity measured or rounded twice".to_owned(),
            advice: format!("ignore = [{:?}], unless their difference matters", second.name),
        }
    }
}
