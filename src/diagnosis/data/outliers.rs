//! Numbers far from all others of their column.

use super::percent;
use crate::data::ColumnType;
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;

/// Numbers that scaling is at the mercy of.
pub struct Outliers;

/// How far, in standard deviations of the training rows, as a network reads it.
const FAR: f32 = 20.0;
/// How far from the median, in interquartile ranges: of few rows one number alone widens the standard deviation, to
/// at most √n.
const FAR_IN_RANGES: f32 = 30.0;

impl Diagnosis for Outliers {
    fn name(&self) -> &'static str {
        "outliers"
    }
    fn healthy(&self) -> &'static str {
        "no number lies far from the others of its column"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let dataset = patient.dataset();
        let Some(fold) = dataset.folds.first() else { return Ok(Vec::new()) };
        let numeric = patient.columns().iter().filter(|column| column.kind == ColumnType::Numeric);
        let mut findings = Vec::new();
        for column in numeric {
            let feature = column.features.start;
            let read = |row: u32| fold.transforms[feature].apply(dataset.row(row)[feature]);
            let (median, range) = quartiles(fold.train.iter().map(|&row| read(row)).collect());
            let is_far = |row: &u32| {
                let in_ranges = if range > 0.0 { (read(*row) - median).abs() / range } else { 0.0 };
                read(*row).abs() > FAR || in_ranges > FAR_IN_RANGES
            };
            let rows: Vec<u32> = (0..dataset.row_count() as u32).filter(is_far).collect();
            let Some(&farthest) = rows.iter().max_by(|&&a, &&b| read(a).abs().total_cmp(&read(b).abs()))
            else {
                continue;
            };
            findings.push(Finding {
                name: self.name(),
                severity: Severity::Warning,
                place: format!("column {}, {}", column.name, patient.places_of(&rows)),
                seen: format!(
                    "{} rows ({}) beyond {FAR} standard deviations or {FAR_IN_RANGES} interquartile ranges, the farthest \
                     {:.0} standard deviations away ({})",
                    rows.len(),
                    percent(rows.len(), dataset.row_count()),
                    read(farthest),
                    patient.place_of(farthest)
                ),
                cause:
                    "typing errors, a code for missing values (−999), or a quantity that wants a logarithm"
                        .to_owned(),
                advice: "data.missing for a code; correct the rows; or the logarithm of the column"
                    .to_owned(),
            });
        }
        Ok(findings)
    }
}

/// The median, and the distance between the quartiles.
fn quartiles(mut numbers: Vec<f32>) -> (f32, f32) {
    if numbers.is_empty() {
        return (0.0, 0.0);
    }
    numbers.sort_by(f32::total_cmp);
    let at = |quarter: usize| numbers[quarter * (numbers.len() - 1) / 4];
    (at(2), at(3) - at(1))
}
