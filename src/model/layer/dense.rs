//! Z = X·W + b, and back: dW = Xᵀ·dZ, db = Σ_rows dZ, dX = dZ·Wᵀ.
//!
//! Shapes: X (row, input), W (input, output), b (output), Z (row, output), all row-major. The
//! parameters of a layer lie together: W, then b.

use super::Layer;
use crate::model::real::{Matrix, Real};

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
    for row in z.chunks_exact_mut(outputs).take(rows) {
        row.copy_from_slice(bias);
    }
    let (x, weights) = (Matrix::row_major(x, inputs), Matrix::row_major(weights, outputs));
    R::matmul(rows, inputs, outputs, x, weights, z, true);
}

/// dW = Xᵀ·dZ and db = Σ_rows dZ, written over `gradient` (laid out like the parameters).
pub fn backward_parameters<R: Real>(rows: usize, x: &[R], d_z: &[R], outputs: usize, gradient: &mut [R]) {
    let (d_weights, d_bias) = gradient.split_at_mut(gradient.len() - outputs);
    let inputs = d_weights.len() / outputs;
    let x = Matrix::row_major(x, inputs).transposed();
    R::matmul(inputs, rows, outputs, x, Matrix::row_major(d_z, outputs), d_weights, false);
    d_bias.fill(R::ZERO);
    R::vectorized(
        #[inline(always)]
        || {
            for row in d_z.chunks_exact(outputs).take(rows) {
                d_bias.iter_mut().zip(row).for_each(|(sum, &d)| *sum += d);
            }
        },
    );
}

/// dX = dZ·Wᵀ.
pub fn backward_input<R: Real>(rows: usize, d_z: &[R], parameters: &[R], outputs: usize, d_x: &mut [R]) {
    let weights = &parameters[..parameters.len() - outputs];
    let inputs = weights.len() / outputs;
    let transposed = Matrix::row_major(weights, outputs).transposed();
    R::matmul(rows, outputs, inputs, Matrix::row_major(d_z, outputs), transposed, d_x, false);
}
