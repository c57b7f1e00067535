//! Columns with many missing values, and values that are missing for a reason.

use super::percent;
use crate::data::{Dataset, Targets};
use crate::diagnosis::{Column, Diagnosis, Finding, Patient, Severity};
use crate::error::Result;

/// Patterns of missing values.
pub struct MissingValues;

/// The share from which a column is mostly missing.
const MOST: f64 = 0.5;
/// Standard errors by which targets of rows with and without a value differ, where that is no accident.
const FAR: f64 = 6.0;

impl Diagnosis for MissingValues {
    fn name(&self) -> &'static str {
        "missing_values"
    }
    fn healthy(&self) -> &'static str {
        "few values are missing, and none for a reason that shows"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let dataset = patient.dataset();
        let mut findings = Vec::new();
        for column in patient.columns() {
            let is_missing: Vec<bool> =
                (0..dataset.row_count() as u32).map(|row| is_missing(dataset, column, row)).collect();
            let count = is_missing.iter().filter(|is| **is).count();
            if count as f64 >= MOST * is_missing.len() as f64 && count > 0 {
                findings.push(self.mostly(column, count, is_missing.len()));
            }
            let distance = distance(dataset, &is_missing);
            if distance > FAR {
                findings.push(self.telling(column, count, distance));
            }
        }
        Ok(findings)
    }
}

fn is_missing(dataset: &Dataset, column: &Column, row: u32) -> bool {
    let features = dataset.row(row);
    match column.indicator {
        Some(indicator) => features[indicator] == 1.0,
        None => features[column.features.start].is_nan(),
    }
}

/// By how many standard errors the targets of rows with and without a value differ: the largest of all classes, or
/// that of the means.
fn distance(dataset: &Dataset, is_missing: &[bool]) -> f64 {
    let apart = |value: &dyn Fn(usize) -> f64| {
        let (mut count, mut sum, mut squares) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        for (row, &is) in is_missing.iter().enumerate() {
            let (side, x) = (usize::from(is), value(row));
            count[side] += 1.0;
            sum[side] += x;
            squares[side] += x * x;
        }
        if count[0] < 2.0 || count[1] < 2.0 {
            return 0.0;
        }
        let mean = [sum[0] / count[0], sum[1] / count[1]];
        let all = count[0] + count[1];
        let middle = (sum[0] + sum[1]) / all;
        let variance = (squares[0] + squares[1]) / all - middle * middle;
        let error = (variance / count[0] + variance / count[1]).sqrt();
        if error > 0.0 { (mean[0] - mean[1]).abs() / error } else { 0.0 }
    };
    match &dataset.targets {
        Targets::Values { stored, .. } => apart(&|row| f64::from(stored[row])),
        Targets::Classes(classes) => {
            let of = |class: u32| apart(&|row| f64::from(u8::from(classes[row] == class)));
            (0..dataset.task.output_count() as u32).map(of).fold(0.0, f64::max)
        }
    }
}

impl MissingValues {
    fn mostly(&self, column: &Column, count: usize, all: usize) -> Finding {
        Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: format!("column {}", column.name),
            seen: format!("{count} of {all} values ({}) are missing", percent(count, all)),
            cause: "a quantity that was hardly ever measured".to_owned(),
            advice: format!("ignore = [{:?}], and compare the scores", column.name),
        }
    }

    fn telling(&self, column: &Column, count: usize, distance: f64) -> Finding {
        Finding {
            name: self.name(),
            severity: Severity::Note,
            place: format!("column {}", column.name),
            seen: format!(
                "the {count} rows without a value have other targets, by {distance:.0} standard errors"
            ),
            cause: "values are missing for a reason that goes with the target".to_owned(),
            advice: "make sure that values will be missing for the same reason when predictions are made"
                .to_owned(),
        }
    }
}
