//! Whether probabilities mean what they say: of the rows that are said to be so with 70 %, 7 of 10 should be.

use super::wilson;
use crate::model::metric::most_probable;
use serde::Serialize;

/// Bins of a curve, of equal width.
const BIN_COUNT: usize = 10;
/// Most classes that have a curve of their own.
const MOST_CLASSES: usize = 10;

/// How well probabilities are calibrated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// The expected calibration error: the mean over rows of |confidence − accuracy| of the row's bin (Guo et al., "On
    /// calibration of modern neural networks", ICML 2017).
    pub expected_error: f64,
    /// The mean of Σ (p − y)² over classes; of two classes half of that, which is the one of either.
    pub brier: f64,
    /// The mean of −ln p of the label, p at least the smallest step of an f64 from 1.
    pub log_loss: f64,
    /// The confidence in what is said; then each class against the rest (of two, the second), where there are more than
    /// ten the most frequent.
    pub curves: Vec<Curve>,
}

/// A reliability curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// The class; `None`: whatever is said.
    pub class: Option<String>,
    /// Those that have rows, ascending.
    pub bins: Vec<Bin>,
}

/// Rows of nearly the same probability.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Probabilities above this (the first bin: and this).
    pub low: f64,
    /// Probabilities up to this.
    pub high: f64,
    /// How many rows.
    pub count: u64,
    /// Their mean probability.
    pub probability: f64,
    /// The share of them that are so.
    pub frequency: f64,
    /// The 95 % interval of that share.
    pub interval: [f64; 2],
}

impl Calibration {
    /// Of (row) labels and (row, class) probabilities; at least one row and two classes.
    pub fn new(names: &[String], labels: &[usize], probabilities: &[f64]) -> Self {
        let rows: Vec<&[f64]> = probabilities.chunks_exact(names.len()).collect();
        let confidence = rows.iter().zip(labels).map(|(row, &label)| {
            let said = most_probable(row);
            (row[said], said == label)
        });
        let mut curves = vec![Curve::new(None, confidence)];
        let count = labels.len() as f64;
        let expected_error = curves[0]
            .bins
            .iter()
            .map(|bin| bin.count as f64 / count * (bin.probability - bin.frequency).abs())
            .sum();
        for class in shown(names.len(), labels) {
            let of_class = rows.iter().zip(labels).map(|(row, &label)| (row[class], label == class));
            curves.push(Curve::new(Some(names[class].clone()), of_class));
        }
        let square = |(row, &label): (&&[f64], &usize)| -> f64 {
            row.iter().enumerate().map(|(class, p)| (p - f64::from(class == label)).powi(2)).sum()
        };
        let halved = if names.len() == 2 { 0.5 } else { 1.0 };
        let brier = halved * rows.iter().zip(labels).map(square).sum::<f64>() / count;
        let loss = |(row, &label): (&&[f64], &usize)| -row[label].max(f64::EPSILON).ln();
        let log_loss = rows.iter().zip(labels).map(loss).sum::<f64>() / count;
        Self { expected_error, brier, log_loss, curves }
    }
}

/// The classes that have a curve, in order.
fn shown(class_count: usize, labels: &[usize]) -> Vec<usize> {
    if class_count == 2 {
        return vec![1];
    }
    let mut counts = vec![0_u64; class_count];
    labels.iter().for_each(|&label| counts[label] += 1);
    let mut classes: Vec<usize> = (0..class_count).collect();
    classes.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
    classes.truncate(MOST_CLASSES);
    classes.sort_unstable();
    classes
}

impl Curve {
    /// Of probabilities, and whether it is so.
    fn new(class: Option<String>, rows: impl Iterator<Item = (f64, bool)>) -> Self {
        let edge = |bin: usize| bin as f64 / BIN_COUNT as f64;
        let mut sums = [(0_u64, 0.0, 0_u64); BIN_COUNT];
        for (probability, is_so) in rows.filter(|(probability, _)| !probability.is_nan()) {
            let bin = (1..BIN_COUNT).filter(|&bin| edge(bin) < probability).count();
            let (count, sum, hits) = &mut sums[bin];
            (*count, *sum, *hits) = (*count + 1, *sum + probability, *hits + u64::from(is_so));
        }
        let filled = sums.iter().enumerate().filter(|(_, (count, _, _))| *count > 0);
        let bins = filled.map(|(bin, &(count, sum, hits))| Bin {
            low: edge(bin),
            high: edge(bin + 1),
            count,
            probability: sum / count as f64,
            frequency: hits as f64 / count as f64,
            interval: wilson(hits, count),
        });
        Self { class, bins: bins.collect() }
    }
}
