//! Configurations as places, and how far apart they are.

use super::kernels::middle;
use crate::search::frame::Member;

/// The mean square of the difference of two uniform numbers: how far apart two values of a choice are, or a
/// hyperparameter and none.
const APART: f64 = 1.0 / 6.0;

/// The places of configurations: the middle of each number's cell, and the index of each choice's value.
#[derive(Clone)]
pub struct Places {
    numbers: Vec<Column>,
    choices: Vec<Column>,
}

/// One coordinate of all configurations; NaN where it is inactive.
#[derive(Clone, Default)]
struct Column {
    values: Vec<f64>,
    has_gaps: bool,
}

impl Places {
    /// None yet, of so many numbers and choices.
    pub fn new(number_count: usize, choice_count: usize) -> Self {
        Self {
            numbers: vec![Column::default(); number_count],
            choices: vec![Column::default(); choice_count],
        }
    }

    /// One configuration more.
    pub fn push(&mut self, member: &Member) {
        for (column, cell) in self.numbers.iter_mut().zip(&member.cells) {
            column.push(cell.map(middle));
        }
        for (column, value) in self.choices.iter_mut().zip(&member.values) {
            column.push(value.map(|value| value as f64));
        }
    }

    /// Squared distances of a configuration to those before `count`: the mean over coordinates of the squares of
    /// their differences, each number's divided by its scale.
    pub fn squares(&self, from: usize, count: usize, scales: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut sums = vec![0.0; count];
        for (column, scale) in self.numbers.iter().zip(scales) {
            column.add_differences(from, 1.0 / scale, &mut sums);
        }
        self.choices.iter().for_each(|column| column.add_unlike(from, &mut sums));
        let width = (self.numbers.len() + self.choices.len()) as f64;
        sums.iter_mut().for_each(|sum| *sum /= width);
        sums
    }
}

impl Column {
    fn push(&mut self, value: Option<f64>) {
        self.has_gaps |= value.is_none();
        self.values.push(value.unwrap_or(f64::NAN));
    }

    fn add_differences(&self, from: usize, inverse: f64, sums: &mut [f64]) {
        let from = self.values[from];
        let square = |value: f64| ((value - from) * inverse) * ((value - from) * inverse);
        for (sum, value) in sums.iter_mut().zip(&self.values) {
            *sum += match self.has_gaps && (value.is_nan() || from.is_nan()) {
                true => unlike(*value, from),
                false => square(*value),
            };
        }
    }

    fn add_unlike(&self, from: usize, sums: &mut [f64]) {
        let from = self.values[from];
        sums.iter_mut().zip(&self.values).for_each(|(sum, value)| *sum += unlike(*value, from));
    }
}

fn unlike(a: f64, b: f64) -> f64 {
    if a == b || a.is_nan() && b.is_nan() { 0.0 } else { APART }
}
