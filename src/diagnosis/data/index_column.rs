//! A number that says where a row stands in the file.

use crate::data::ColumnType;
use crate::diagnosis::{Column, Diagnosis, Finding, Patient, Severity};
use crate::error::Result;

/// Columns like an index.
pub struct IndexColumn;

/// The share of rows with a value of their own.
const DISTINCT: f64 = 0.99;
/// Fewest rows: of a handful, order is an accident.
const FEWEST_ROWS: usize = 20;

impl Diagnosis for IndexColumn {
    fn name(&self) -> &'static str {
        "index_column"
    }
    fn healthy(&self) -> &'static str {
        "no column counts the rows"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let numeric = patient.columns().iter().filter(|column| column.kind == ColumnType::Numeric);
        Ok(numeric.filter(|column| is_index(patient, column)).map(|column| self.finding(column)).collect())
    }
}

/// Whether a column's numbers rise or fall from row to row, hardly two of them alike.
fn is_index(patient: &Patient<'_>, column: &Column) -> bool {
    let dataset = patient.dataset();
    let count = dataset.row_count();
    if count < FEWEST_ROWS || (column.counts.len() as f64) < DISTINCT * count as f64 {
        return false;
    }
    let numbers: Vec<f32> = (0..count as u32).map(|row| dataset.row(row)[column.features.start]).collect();
    numbers.is_sorted() || numbers.is_sorted_by(|a, b| a >= b)
}

impl IndexColumn {
    fn finding(&self, column: &Column) -> Finding {
        Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: format!("column {}", column.name),
            seen: "its numbers are in the order of the rows, each with a value of its own".to_owned(),
            cause: "an identifier or a time: it tells rows apart that are known, and nothing of new ones"
                .to_owned(),
            advice: format!("ignore = [{:?}]; where it is a time, fold_column by period", column.name),
        }
    }
}
