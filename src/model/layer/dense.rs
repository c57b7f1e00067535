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

/// sums (column) = Σ_rows of a row-major matrix.
fn sum_rows<R: Real>(matrix: &[R], sums: &mut [R]) {
    R::vectorized(
        #[inline(always)]
        || {
            sums.fill(R::ZERO);
            for row in matrix.chunks_exact(sums.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, &number)| *sum += number);
            }
        },
    );
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
