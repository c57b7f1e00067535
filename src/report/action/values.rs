//! Predicted values against the actual ones, and what is left between them.

use super::{Judged, rounded, spread};
use serde::Serialize;

/// Most rows that are points of the plot.
const MOST_POINTS: usize = 1500;
/// Bins of the histogram of residuals.
const BIN_COUNT: usize = 30;

/// How well values are predicted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Values {
    /// √ of the mean of squared residuals, in the target's own unit; all scores are of all rows.
    pub rmse: f64,
    /// The mean of absolute residuals.
    pub mae: f64,
    /// 1 − Σ residual²/Σ (value − mean)²; `None` where all values are equal.
    pub r2: Option<f64>,
    /// The mean residual: above 0 where too much is predicted.
    pub bias: f64,
    /// A sample of the rows, spread evenly.
    pub points: Vec<Point>,
    /// The residuals of all rows, bins of equal width.
    pub residuals: Vec<Bin>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Of the data set.
    pub row: u32,
    /// Its own value.
    pub actual: f64,
    /// What is said of it.
    pub predicted: f64,
}

/// Residuals (predicted − actual) of a bin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// From here.
    pub low: f64,
    /// Up to here.
    pub high: f64,
    /// How many rows.
    pub count: u64,
}

impl Values {
    /// Of at least one row.
    pub fn new(judged: &Judged) -> Self {
        let residuals: Vec<f64> =
            judged.numbers.iter().zip(&judged.own).map(|(said, own)| said - own).collect();
        let count = residuals.len() as f64;
        let square =
            |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|number| number * number).sum::<f64>();
        let squares = square(&mut residuals.iter().copied());
        let mean = judged.own.iter().sum::<f64>() / count;
        let total = square(&mut judged.own.iter().map(|own| own - mean));
        let point = |at: usize| Point {
            row: judged.rows[at],
            actual: rounded(judged.own[at], 6),
            predicted: rounded(judged.numbers[at], 6),
        };
        Self {
            rmse: (squares / count).sqrt(),
            mae: residuals.iter().map(|residual| residual.abs()).sum::<f64>() / count,
            r2: (total > 0.0).then(|| 1.0 - squares / total),
            bias: residuals.iter().sum::<f64>() / count,
            points: spread(residuals.len(), MOST_POINTS).map(point).collect(),
            residuals: histogram(&residuals),
        }
    }
}

/// Finite numbers in bins from the least to the most.
fn histogram(numbers: &[f64]) -> Vec<Bin> {
    let finite = || numbers.iter().copied().filter(|number| number.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let width = (high - low) / BIN_COUNT as f64;
    if !(width > 0.0) {
        let count = finite().count() as u64;
        return if count > 0 { vec![Bin { low, high, count }] } else { Vec::new() };
    }
    let edge = |bin: usize| low + width * bin as f64;
    let mut bins: Vec<Bin> =
        (0..BIN_COUNT).map(|bin| Bin { low: edge(bin), high: edge(bin + 1), count: 0 }).collect();
    finite().for_each(|number| bins[(((number - low) / width) as usize).min(BIN_COUNT - 1)].count += 1);
    bins
}
