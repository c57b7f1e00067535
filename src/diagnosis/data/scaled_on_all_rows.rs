//! Columns that come scaled by what all rows said: whoever scaled them saw the validation rows.

use crate::data::ColumnType;
use crate::diagnosis::{Column, Diagnosis, Finding, Patient, Severity};
use crate::error::Result;
use std::collections::BTreeSet;

/// A scaling fitted on all rows.
pub struct ScaledOnAllRows;

/// How near 0 and 1 the mean and deviation of all rows must be: a file has three digits at least, and of columns that
/// nobody scaled, the mean of n rows misses 0 by 1/√n.
const NEAR: f64 = 2e-3;
/// The fewest columns of numbers, for means and deviations, and for ends: that one column of fractions goes from
/// exactly 0 to exactly 1 is no wonder.
const FEWEST_STANDARD: usize = 2;
const FEWEST_ENDS: usize = 3;
/// Values that a column of numbers has at least: of fewer, most rows are at the ends.
const FEWEST_VALUES: usize = 10;
/// Columns of a grid have so many times the values of one of them together, at most; numbers are equal to so many parts.
const TIMES: usize = 2;
const GRID: f64 = 1e5;
/// Rows at the ends, as a share, beyond which numbers are natural in 0..1: pixels and fractions have many zeros.
const AT_ENDS: f64 = 0.1;
/// Fewer rows have such means by chance.
const FEWEST_ROWS: usize = 20;

impl Diagnosis for ScaledOnAllRows {
    fn name(&self) -> &'static str {
        "scaled_on_all_rows"
    }
    fn healthy(&self) -> &'static str {
        "columns are not scaled by what all rows said"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let numeric = patient.columns().iter().filter(|column| column.kind == ColumnType::Numeric);
        let columns: Vec<(&Column, Facts)> = numeric
            .filter(|column| column.counts.len() >= FEWEST_VALUES)
            .map(|column| (column, Facts::of(patient, column)))
            .collect();
        if patient.dataset().row_count() < FEWEST_ROWS {
            return Ok(Vec::new());
        }
        let all = |fewest: usize, is: fn(&Facts) -> bool| {
            columns.len() >= fewest && columns.iter().all(|(_, facts)| is(facts))
        };
        let found = if all(FEWEST_STANDARD, Facts::is_standard) {
            Some((Severity::Warning, "have mean 0 and standard deviation 1 over all rows"))
        } else if all(FEWEST_ENDS, Facts::is_between_ends) && !have_one_grid(patient, &columns) {
            Some((Severity::Note, "go from exactly 0, or −1, to exactly 1 over all rows"))
        } else {
            None
        };
        let Some((severity, what)) = found else { return Ok(Vec::new()) };
        let names: Vec<&str> = columns.iter().take(4).map(|(column, _)| column.name.as_str()).collect();
        let more = if columns.len() > names.len() { ", …" } else { "" };
        Ok(vec![Finding {
            name: self.name(),
            severity,
            place: format!("columns {}{more}", names.join(", ")),
            seen: format!("all {} columns of numbers {what}", columns.len()),
            cause: "they were scaled before the rows were divided: validation rows had a say in what models train on"
                .to_owned(),
            advice: "the table as it was before scaling: each fold scales by its own training rows (data.scale)"
                .to_owned(),
        }])
    }
}

/// What all rows of a column say.
struct Facts {
    count: f64,
    mean: f64,
    deviation: f64,
    smallest: f64,
    largest: f64,
    /// Rows at one of the ends, as a share.
    at_ends: f64,
}

impl Facts {
    fn of(patient: &Patient<'_>, column: &Column) -> Self {
        let (dataset, feature, (centre, scale)) = (patient.dataset(), column.features.start, column.unit);
        let stored = (0..dataset.row_count() as u32).map(|row| f64::from(dataset.row(row)[feature]));
        let numbers: Vec<f64> = stored.filter(|x| !x.is_nan()).map(|x| centre + scale * x).collect();
        let count = numbers.len().max(1) as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let smallest = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let at_ends = numbers.iter().filter(|x| is_at(**x, smallest) || is_at(**x, largest)).count();
        Self { count, mean, deviation: variance.sqrt(), smallest, largest, at_ends: at_ends as f64 / count }
    }

    /// With the squares divided by n, or by n − 1.
    fn is_standard(&self) -> bool {
        let other = (1.0 - 1.0 / self.count).sqrt();
        let is_one = [1.0, other].iter().any(|one| (self.deviation - one).abs() <= NEAR);
        self.mean.abs() <= NEAR && is_one
    }

    fn is_between_ends(&self) -> bool {
        (is_at(self.smallest, 0.0) || is_at(self.smallest, -1.0))
            && is_at(self.largest, 1.0)
            && self.at_ends <= AT_ENDS
    }
}

/// Equal but for the rounding of f32, in which numbers are stored.
fn is_at(x: f64, end: f64) -> bool {
    (x - end).abs() <= 1e-6
}

/// Whether columns have the same values as each other, as pixels and grades do: what each was scaled by would show.
fn have_one_grid(patient: &Patient<'_>, columns: &[(&Column, Facts)]) -> bool {
    let dataset = patient.dataset();
    let most = columns.iter().map(|(column, _)| column.counts.len()).max().unwrap_or(0);
    let mut known = BTreeSet::new();
    for (column, _) in columns {
        let (feature, (centre, scale)) = (column.features.start, column.unit);
        let stored = (0..dataset.row_count() as u32).map(|row| f64::from(dataset.row(row)[feature]));
        known.extend(stored.filter(|x| !x.is_nan()).map(|x| ((centre + scale * x) * GRID).round() as i64));
    }
    known.len() <= TIMES * most
}
