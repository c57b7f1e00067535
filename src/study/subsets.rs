//! Folds with a part of their training rows: for curves over the number of rows.

use crate::data::{Dataset, Targets};
use crate::random::{Purpose, Stream};
use std::collections::HashMap;

/// The smallest share of the training rows is one of so many halvings.
const HALVINGS: u32 = 6;
/// Fewest training rows, and for each class.
const FEWEST_ROWS: usize = 16;
const FEWEST_OF_CLASS: usize = 2;

/// A share of the training rows of every fold.
pub struct Subset {
    /// Of the training rows.
    pub share: f64,
    /// How many they are, in the first fold.
    pub rows: usize,
    /// Its folds in the data set, in the order of the study's.
    pub folds: Vec<usize>,
}

/// Appends folds with 1/64, 1/32 … 1/2 of the training rows to a data set, as far as those are rows enough, and names
/// them and the folds that there were, the smallest first. Validation rows stay the same.
///
/// Each part holds the smaller ones, and as many rows of each class as its share of them; the seed alone decides which.
pub fn halved(dataset: &mut Dataset, seed: u64) -> Vec<Subset> {
    let count = dataset.folds.len();
    let orders: Vec<Vec<u32>> = (0..count).map(|fold| order(dataset, fold, seed)).collect();
    let smallest = orders.iter().map(Vec::len).min().unwrap_or(0);
    let fewest = FEWEST_ROWS.max(FEWEST_OF_CLASS * dataset.task.output_count());
    let shares = (1..=HALVINGS).rev().map(|halving| 0.5_f64.powi(halving as i32));
    let mut subsets = Vec::new();
    for share in shares.filter(|share| (share * smallest as f64) as usize >= fewest) {
        let part = |fold: usize| {
            let mut train = orders[fold][..(share * orders[fold].len() as f64).round() as usize].to_vec();
            train.sort_unstable();
            (train, dataset.folds[fold].validation.clone())
        };
        let parts: Vec<(Vec<u32>, Vec<u32>)> = (0..count).map(part).collect();
        let rows = parts.first().map_or(0, |(train, _)| train.len());
        let first = dataset.append_folds(parts);
        subsets.push(Subset { share, rows, folds: (first..first + count).collect() });
    }
    let rows = orders.first().map_or(0, Vec::len);
    subsets.push(Subset { share: 1.0, rows, folds: (0..count).collect() });
    subsets
}

/// The training rows of a fold so that the first so many have their share of every class: those of a class stand at
/// even distances, in a random order.
fn order(dataset: &Dataset, fold: usize, seed: u64) -> Vec<u32> {
    let stream = Stream::new(seed, Purpose::Report, 0, 0, fold as u32);
    let mut rows = dataset.folds[fold].train.clone();
    rows.sort_by_key(|&row| (stream.word(row), row));
    let class = |row: u32| match &dataset.targets {
        Targets::Classes(classes) => classes[row as usize],
        Targets::Values { .. } => 0,
    };
    let mut counts: HashMap<u32, f64> = HashMap::new();
    rows.iter().for_each(|&row| *counts.entry(class(row)).or_default() += 1.0);
    let mut seen: HashMap<u32, f64> = HashMap::new();
    let mut placed: Vec<(f64, u32)> = Vec::with_capacity(rows.len());
    for &row in &rows {
        let before = seen.entry(class(row)).or_default();
        placed.push(((*before + 0.5) / counts[&class(row)], row));
        *before += 1.0;
    }
    // Of equals the one that was drawn first: the sort is stable.
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    placed.into_iter().map(|(_, row)| row).collect()
}
