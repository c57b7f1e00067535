//! Rows of a kernel matrix, and a whole one; [`cache`](super::cache) is for those that do not fit.

use super::base::{BaseMatrix, PADDING};
use super::kernel::{Kernel, KernelNumber, KernelParameters};
use std::ops::Range;

/// A kernel with its numbers.
#[derive(Clone, Copy)]
pub struct KernelChoice {
    /// Which function.
    pub kernel: &'static dyn Kernel,
    /// Its numbers.
    pub parameters: KernelParameters,
}

impl KernelChoice {
    /// Replaces bases by kernel values.
    pub fn apply<R: KernelNumber>(&self, bases: &mut [R]) {
        R::values(self.kernel, &self.parameters, bases);
    }
}

/// The rows of a symmetric kernel matrix, padded with numbers that mean nothing to a multiple of
/// [`PADDING`](super::base::PADDING).
pub trait Rows<R> {
    /// K(row, row)
    fn diagonal(&self, row: usize) -> R;
    /// One row.
    fn row(&mut self, row: usize) -> &[R];
    /// Two rows.
    fn pair(&mut self, first: usize, second: usize) -> (&[R], &[R]);
}

/// A whole kernel matrix.
pub struct Whole<R> {
    stride: usize,
    values: Vec<R>,
}

impl<R: KernelNumber> Whole<R> {
    /// The kernel values of some rows with each other, of square bases.
    pub fn gathered(choice: &KernelChoice, bases: &BaseMatrix<R>, ranges: &[Range<usize>; 2]) -> Self {
        let count = ranges[0].len() + ranges[1].len();
        let stride = count.next_multiple_of(PADDING);
        let mut values = Vec::with_capacity(count * stride);
        for row in ranges.iter().cloned().flatten() {
            let start = values.len();
            ranges.iter().for_each(|range| values.extend_from_slice(&bases.row(row)[range.clone()]));
            choice.apply(&mut values[start..]);
            values.resize(start + stride, R::ZERO);
        }
        Self { stride, values }
    }

    /// A matrix of these rows.
    pub fn of_rows(rows: impl ExactSizeIterator<Item = Vec<R>>) -> Self {
        let stride = rows.len().next_multiple_of(PADDING);
        let padded = rows.flat_map(|mut row| {
            row.resize(stride, R::ZERO);
            row
        });
        Self { stride, values: padded.collect() }
    }

    /// Bytes of the matrix of so many rows.
    pub fn bytes(row_count: usize) -> u64 {
        let stride = row_count.next_multiple_of(PADDING);
        (row_count as u64).saturating_mul(stride as u64).saturating_mul(size_of::<R>() as u64)
    }
}

impl<R: KernelNumber> Rows<R> for Whole<R> {
    fn diagonal(&self, row: usize) -> R {
        self.values[row * self.stride + row]
    }
    fn row(&mut self, row: usize) -> &[R] {
        &self.values[row * self.stride..(row + 1) * self.stride]
    }
    fn pair(&mut self, first: usize, second: usize) -> (&[R], &[R]) {
        let row = |row: usize| &self.values[row * self.stride..(row + 1) * self.stride];
        (row(first), row(second))
    }
}
