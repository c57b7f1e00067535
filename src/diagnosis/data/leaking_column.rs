//! One column that gives the target away.

use crate::data::{ColumnType, Dataset, Fold, Targets};
use crate::diagnosis::{Column, Diagnosis, Finding, Patient, Severity};
use crate::error::Result;
use std::collections::HashMap;

/// A column that alone predicts the target.
pub struct LeakingColumn;

/// Shares of the errors without any column that are left with one: below it is too good to be true.
const LEFT: f64 = 0.02;

impl Diagnosis for LeakingColumn {
    fn name(&self) -> &'static str {
        "leaking_column"
    }
    fn healthy(&self) -> &'static str {
        "no column alone gives the target away"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        // Where there is but one column it is no wonder.
        if patient.columns().len() < 2 {
            return Ok(Vec::new());
        }
        let dataset = patient.dataset();
        let leaks = patient.columns().iter().filter_map(|column| {
            let (errors, without) = errors_of(dataset, column);
            (without > 0.0 && errors <= LEFT * without).then(|| self.finding(column, errors / without))
        });
        Ok(leaks.collect())
    }
}

impl LeakingColumn {
    fn finding(&self, column: &Column, left: f64) -> Finding {
        Finding {
            name: self.name(),
            severity: Severity::Error,
            place: format!("column {}", column.name),
            seen: format!(
                "alone it predicts rows that it was not learned from: {:.1} % of the errors are left",
                100.0 * left
            ),
            cause: "it was made from the target, or is known only after it".to_owned(),
            advice: format!(
                "ignore = [{:?}], unless it will be there when predictions are made",
                column.name
            ),
        }
    }
}

/// Errors on validation rows by what training rows with a value like theirs have, and those by what all training rows
/// have: rows of another class, or squares.
fn errors_of(dataset: &Dataset, column: &Column) -> (f64, f64) {
    let mut sums = (0.0, 0.0);
    for fold in &dataset.folds {
        let guesses: Vec<(f64, f64)> = match (&dataset.targets, column.kind) {
            (Targets::Classes(classes), ColumnType::Numeric) => {
                near(dataset, column, fold, |rows| most_frequent(classes, rows))
            }
            (Targets::Classes(classes), _) => alike(column, fold, |rows| most_frequent(classes, rows)),
            (Targets::Values { stored, .. }, ColumnType::Numeric) => {
                near(dataset, column, fold, |rows| mean(stored, rows))
            }
            (Targets::Values { stored, .. }, _) => alike(column, fold, |rows| mean(stored, rows)),
        };
        for (&row, (with, without)) in fold.validation.iter().zip(guesses) {
            match &dataset.targets {
                Targets::Classes(classes) => {
                    let class = f64::from(classes[row as usize]);
                    sums.0 += f64::from(u8::from(with != class));
                    sums.1 += f64::from(u8::from(without != class));
                }
                Targets::Values { stored, .. } => {
                    let value = f64::from(stored[row as usize]);
                    sums.0 += (value - with).powi(2);
                    sums.1 += (value - without).powi(2);
                }
            }
        }
    }
    sums
}

fn most_frequent(classes: &[u32], rows: &[u32]) -> f64 {
    let mut counts: HashMap<u32, u32> = HashMap::new();
    rows.iter().for_each(|&row| *counts.entry(classes[row as usize]).or_default() += 1);
    counts
        .into_iter()
        .max_by_key(|&(class, count)| (count, std::cmp::Reverse(class)))
        .map_or(0.0, |(class, _)| f64::from(class))
}

fn mean(stored: &[f32], rows: &[u32]) -> f64 {
    rows.iter().map(|&row| f64::from(stored[row as usize])).sum::<f64>() / rows.len().max(1) as f64
}

/// (validation row) What training rows with the same value have, and what all have.
fn alike(column: &Column, fold: &Fold, guess: impl Fn(&[u32]) -> f64) -> Vec<(f64, f64)> {
    let mut rows: HashMap<u32, Vec<u32>> = HashMap::new();
    fold.train.iter().for_each(|&row| rows.entry(column.values[row as usize]).or_default().push(row));
    let all = guess(&fold.train);
    let by_value: HashMap<u32, f64> = rows.into_iter().map(|(value, rows)| (value, guess(&rows))).collect();
    let of = |row: &u32| by_value.get(&column.values[*row as usize]).copied().unwrap_or(all);
    fold.validation.iter().map(|row| (of(row), all)).collect()
}

/// (validation row) What the training rows on both sides of its number have, and what all have. A missing number
/// stands before all others.
fn near(dataset: &Dataset, column: &Column, fold: &Fold, guess: impl Fn(&[u32]) -> f64) -> Vec<(f64, f64)> {
    const SIDE: usize = 2;
    let number = |row: u32| {
        let x = dataset.row(row)[column.features.start];
        if x.is_nan() { f32::NEG_INFINITY } else { x }
    };
    let mut sorted = fold.train.clone();
    sorted.sort_by(|&a, &b| number(a).total_cmp(&number(b)));
    let all = guess(&fold.train);
    let of = |&row: &u32| {
        let (low, high) = (
            sorted.partition_point(|&other| number(other) < number(row)),
            sorted.partition_point(|&other| number(other) <= number(row)),
        );
        // All that have the very number, else its neighbours.
        let range = match low < high {
            true => low..high,
            false => low.saturating_sub(SIDE)..sorted.len().min(high + SIDE),
        };
        guess(&sorted[range])
    };
    let mut known: HashMap<u32, f64> = HashMap::new();
    let mut guess_of = |row: &u32| *known.entry(column.values[*row as usize]).or_insert_with(|| of(row));
    fold.validation.iter().map(|row| (guess_of(row), all)).collect()
}
