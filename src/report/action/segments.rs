//! Where the model is worst: its error among the rows that have the same category, or a number of the same range.
//!
//! Segments are ordered by the lower end of their interval: one of few rows is among the first only where it is bad
//! beyond chance. Among many segments some stand out by chance all the same.

use super::{Judged, Z, numbers_of, wilson};
use crate::data::{Cell, EncodedColumn, Targets};
use crate::report::number::significant;
use crate::sample::Sample;
use crate::study::outside::Outside;
use serde::Serialize;
use std::collections::BTreeMap;

/// Segments of fewer rows are not told.
const FEWEST_ROWS: u64 = 10;
/// Most segments that are told.
const MOST_SEGMENTS: usize = 40;
/// Columns that are looked at; wider tables have columns that say nothing alone.
const MOST_COLUMNS: usize = 200;
/// A column of so few different numbers has a segment for each; else for each quarter of the rows.
const FEW_NUMBERS: usize = 8;

/// The segments of a study's rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Segments {
    /// What an error is: `error_rate` or `mean_absolute_error`.
    pub measure: &'static str,
    /// Of all rows.
    pub overall: f64,
    /// The worst first.
    pub segments: Vec<Segment>,
}

/// Rows that are alike in one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Segment {
    /// The column.
    pub column: String,
    /// What they have there: `male`, `22 to 30`, `(missing)`.
    pub value: String,
    /// How many.
    pub rows: u64,
    /// Of these rows.
    pub error: f64,
    /// The 95 % interval of that error.
    pub interval: [f64; 2],
    /// Whether it is worse than all rows beyond that interval.
    pub stands_out: bool,
}

impl Segments {
    /// Of rows that the models had not trained on, at least one.
    pub fn new(outside: &Outside, judged: &Judged) -> Self {
        let is_of_classes = matches!(outside.dataset().targets, Targets::Classes(_));
        let errors: Vec<f64> = match is_of_classes {
            true => {
                let pairs = judged.labels().into_iter().zip(judged.predictions());
                pairs.map(|(own, said)| f64::from(own != said)).collect()
            }
            false => judged.numbers.iter().zip(&judged.own).map(|(said, own)| (said - own).abs()).collect(),
        };
        let overall = errors.iter().sum::<f64>() / errors.len() as f64;
        let mut segments: Vec<Segment> = Vec::new();
        for (index, column) in outside.encoder().columns().enumerate().take(MOST_COLUMNS) {
            let mut members: BTreeMap<(usize, String), Vec<f64>> = BTreeMap::new();
            let values = values(outside, judged, index, &column);
            values
                .into_iter()
                .zip(&errors)
                .for_each(|(value, error)| members.entry(value).or_default().push(*error));
            let is_all = members.len() < 2;
            for ((_, value), errors) in members.into_iter().filter(|_| !is_all) {
                segments.extend(segment(column.name, value, &errors, is_of_classes, overall));
            }
        }
        segments.sort_by(|a, b| b.interval[0].total_cmp(&a.interval[0]).then(b.rows.cmp(&a.rows)));
        segments.truncate(MOST_SEGMENTS);
        let measure = if is_of_classes { "error_rate" } else { "mean_absolute_error" };
        Self { measure, overall, segments }
    }
}

fn segment(column: &str, value: String, errors: &[f64], is_share: bool, overall: f64) -> Option<Segment> {
    let rows = errors.len() as u64;
    let sample = Sample::of(errors);
    let error = sample.mean;
    let interval = if is_share {
        wilson(errors.iter().filter(|error| **error > 0.0).count() as u64, rows)
    } else {
        let half = Z * sample.standard_error();
        [(error - half).max(0.0), error + half]
    };
    (rows >= FEWEST_ROWS).then(|| Segment {
        column: column.to_owned(),
        value,
        rows,
        error,
        interval,
        stands_out: interval[0] > overall,
    })
}

/// (row) which segment of a column it is in: its place among them and its name.
fn values(
    outside: &Outside,
    judged: &Judged,
    index: usize,
    column: &EncodedColumn<'_>,
) -> Vec<(usize, String)> {
    let (encoder, dataset) = (outside.encoder(), outside.dataset());
    let first = column.features.start;
    let cells: Vec<Cell<'_>> = judged
        .rows
        .iter()
        .map(|&row| encoder.cell(index, &dataset.row(row)[first..column.features.end]))
        .collect();
    let features: Vec<f32> = judged.rows.iter().flat_map(|&row| dataset.row(row)).copied().collect();
    let numbers = numbers_of(encoder, index, first, &features);
    let ranges = Ranges::of(&numbers);
    let names = encoder.names(index);
    let value = |cell: Cell<'_>| match cell {
        Cell::Number(number) => ranges.find(number),
        Cell::Name(name) => {
            (names.iter().position(|known| *known == name).unwrap_or(names.len()), name.to_owned())
        }
        Cell::Other => (names.len(), "(other)".to_owned()),
        Cell::Missing => (usize::MAX, "(missing)".to_owned()),
    };
    cells.into_iter().map(value).collect()
}

/// Ranges of numbers: each number alone where they are few, else quarters.
struct Ranges {
    /// Upper ends, ascending; each belongs to its range.
    ends: Vec<f64>,
    low: f64,
    is_alone: bool,
}

impl Ranges {
    fn of(ascending: &[f64]) -> Self {
        let mut ends = ascending.to_vec();
        ends.dedup();
        let is_alone = ends.len() <= FEW_NUMBERS;
        if !is_alone {
            let last = ascending.len() - 1;
            ends = (1..=4).map(|quarter| ascending[last * quarter / 4]).collect();
            ends.dedup();
        }
        Self { low: ascending.first().copied().unwrap_or(0.0), ends, is_alone }
    }

    fn find(&self, number: f64) -> (usize, String) {
        let at = self.ends.iter().position(|end| number <= *end).unwrap_or(self.ends.len() - 1);
        let text = |number: f64| significant(number, 4);
        let name = match (self.is_alone, at) {
            (true, _) => text(self.ends[at]),
            (false, 0) => format!("{} to {}", text(self.low), text(self.ends[0])),
            (false, _) => format!("above {}, up to {}", text(self.ends[at - 1]), text(self.ends[at])),
        };
        (at, name)
    }
}
