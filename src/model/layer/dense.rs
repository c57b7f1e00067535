//! Z = X·W + b, and back: dW = Xᵀ·dZ, db = Σ_rows dZ, dX = dZ·Wᵀ.
//!
//! Shapes: X (row, input), W (input, output), b (output), Z (row, output), all row-major. The
//! parameters of a layer lie together: W, then b.

use super::Layer;
use crate::model::real::{Epilogue, Matrix, Real};

/// The fully connected layer.
pub struct Dense;

impl Layer for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }
    fn summary(&self) -> &'static str {
        "Z = X W + b; dW = X^T dZ, db = sum over rows of dZ, dX = dZ W^T"
    }
    fn probe(&self) -> (Vec<usize>, f64, f64) {
        (vec![9, 6], 0.0, 0.0)
    }
}

/// Z = X·W + b.
pub fn forward<R: Real>(rows: usize, x: &[R], parameters: &[R], outputs: usize, z: &mut [R]) {
    let (weights, bias) = parameters.split_at(parameters.len() - outputs);
    let inputs = weights.len() / outputs;
    let (x, weights) = (Matrix::row_major(x, inputs), Matrix::row_major(weights, outputs));
    R::product([rows, inputs, outputs], x, weights, Epilogue::Bias(bias), z);
}

/// dW = Xᵀ·dZ and db = Σ_rows dZ, written over `gradient` (laid out like the parameters).
pub fn backward_parameters<R: Real>(rows: usize, x: &[R], d_z: &[R], outputs: usize, gradient: &mut [R]) {
    let (d_weights, d_bias) = gradient.split_at_mut(gradient.len() - outputs);
    let inputs = d_weights.len() / outputs;
    let (x, d_z) = (Matrix::row_major(x, inputs).transposed(), Matrix::row_major(d_z, outputs));
    R::product([inputs, rows, outputs], x, d_z, Epilogue::Replace, d_weights);
    sum_rows(&d_z.data[..rows * outputs], d_bias);
}

/// From so many columns on, each row is added to all sums in turn: strips of them would go through the matrix too often.
const WIDE: usize = 160;

/// sums (column) = Σ_rows of a row-major matrix; each in the order of rows, whatever stands beside it.
fn sum_rows<R: Real>(matrix: &[R], sums: &mut [R]) {
    R::vectorized(
        #[inline(always)]
        || {
            if sums.len() >= WIDE {
                sums.fill(R::ZERO);
                for row in matrix.chunks_exact(sums.len()) {
                    sums.iter_mut().zip(row).for_each(|(sum, &number)| *sum += number);
                }
                return;
            }
            let mut first = 0;
            while first < sums.len() {
                first += match sums.len() - first {
                    32.. => sum_columns::<R, 32>(matrix, first, sums),
                    8.. => sum_columns::<R, 8>(matrix, first, sums),
                    2.. => sum_columns::<R, 2>(matrix, first, sums),
                    _ => sum_columns::<R, 1>(matrix, first, sums),
                };
            }
        },
    );
}

/// WIDTH columns from `first` on, whose sums stay in registers meanwhile; returns WIDTH.
#[inline(always)]
fn sum_columns<R: Real, const WIDTH: usize>(matrix: &[R], first: usize, sums: &mut [R]) -> usize {
    let mut totals = [R::ZERO; WIDTH];
    for row in matrix.chunks_exact(sums.len()) {
        let row = &row[first..][..WIDTH];
        for (total, &number) in totals.iter_mut().zip(row) {
            *total += number;
        }
    }
    sums[first..][..WIDTH].copy_from_slice(&totals);
    WIDTH
}

/// dX = dZ·Wᵀ, on its way into `below`, which holds the derivatives of the activation below (`Multiply`) or
/// its values (`Gate`): they become its dL/dz.
pub fn backward_input<R: Real>(
    rows: usize,
    d_z: &[R],
    parameters: &[R],
    outputs: usize,
    epilogue: Epilogue<'_, R>,
    below: &mut [R],
) {
    let weights = &parameters[..parameters.len() - outputs];
    let inputs = weights.len() / outputs;
    let transposed = Matrix::row_major(weights, outputs).transposed();
    let d_z = Matrix::row_major(d_z, outputs);
    R::product([rows, outputs, inputs], d_z, transposed, epilogue, below);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whichever strips a column falls into, its sum has the bits of one addition after the other.
    #[test]
    fn sums_of_columns_are_those_of_each_alone() {
        for columns in (1..=70).chain([WIDE - 1, WIDE, WIDE + 9]) {
            let matrix: Vec<f32> =
                (0..13 * columns).map(|i| ((i * 7919 % 1009) as f32 / 37.0).sin()).collect();
            let mut sums = vec![f32::NAN; columns];
            sum_rows(&matrix, &mut sums);
            for (column, sum) in sums.into_iter().enumerate() {
                let alone = matrix[column..].iter().step_by(columns).fold(0.0, |sum, number| sum + number);
                assert_eq!(sum.to_bits(), f32::to_bits(alone), "column {column} of {columns}");
            }
        }
    }
}
