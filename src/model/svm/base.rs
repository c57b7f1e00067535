//! The matrix of squared distances or inner products that all members of a fold share.
//!
//! Sums are formed in f64 and rounded once: ‖x‖² + ‖z‖² − 2 x·z cancels, and exp(−γ·d²) with a large γ magnifies
//! what it loses.

use super::kernel::Base;
use crate::model::real::Real;

/// Numbers of a row are padded to a multiple of this, so that loops over a row have no rest.
pub const PADDING: usize = 32;

/// Rows of a block: with a few thousand columns its f64 products stay in the cache.
const BLOCK: usize = 32;

/// (row, column) bases of two sets of rows, each row padded with zeros to a multiple of [`PADDING`].
pub struct BaseMatrix<R> {
    /// Number of rows.
    pub row_count: usize,
    /// Number of columns, without padding.
    pub column_count: usize,
    /// (row, padded column)
    pub values: Vec<R>,
}

impl<R: Real> BaseMatrix<R> {
    /// Bases of every row of `left` (row, feature) with every row of `right`. Where both are the same slice the
    /// squared distance of a row to itself is exactly 0.
    pub fn new(base: Base, left: &[R], right: &[R], feature_count: usize) -> Self {
        let is_same = std::ptr::eq(left, right);
        let (left, right) = (wide(left), wide(right));
        let count = |rows: &[f64]| rows.len() / feature_count.max(1);
        let (row_count, column_count) = (count(&left), count(&right));
        let stride = column_count.next_multiple_of(PADDING);
        let mut values = vec![R::ZERO; row_count * stride];
        let (left_norms, right_norms) = (norms(&left, feature_count), norms(&right, feature_count));
        let mut products = vec![0.0; BLOCK * column_count];
        for start in (0..row_count).step_by(BLOCK) {
            let rows = start..row_count.min(start + BLOCK);
            let part = &left[rows.start * feature_count..rows.end * feature_count];
            inner_products(part, &right, feature_count, [rows.len(), column_count], &mut products);
            for (row, products) in rows.zip(products.chunks_exact(column_count.max(1))) {
                let out = &mut values[row * stride..][..column_count];
                R::vectorized(|| finish(base, products, left_norms[row], &right_norms, out));
                if is_same && base == Base::SquaredDistance {
                    out[row] = R::ZERO;
                }
            }
        }
        Self { row_count, column_count, values }
    }

    /// Length of a row with its padding.
    pub fn stride(&self) -> usize {
        self.column_count.next_multiple_of(PADDING)
    }

    /// One row, padded.
    pub fn row(&self, row: usize) -> &[R] {
        let stride = self.stride();
        &self.values[row * stride..(row + 1) * stride]
    }
}

fn wide<R: Real>(numbers: &[R]) -> Vec<f64> {
    numbers.iter().map(|number| number.to_f64()).collect()
}

fn norms(rows: &[f64], feature_count: usize) -> Vec<f64> {
    rows.chunks_exact(feature_count.max(1)).map(|row| row.iter().map(|x| x * x).sum()).collect()
}

#[inline(always)]
fn finish<R: Real>(base: Base, products: &[f64], norm: f64, norms: &[f64], out: &mut [R]) {
    for ((out, &product), &other) in out.iter_mut().zip(products).zip(norms) {
        let value = match base {
            Base::SquaredDistance => ((norm + other) - 2.0 * product).max(0.0),
            Base::InnerProduct => product,
        };
        *out = R::of(value);
    }
}

/// (row, column) left · rightᵀ
fn inner_products(
    left: &[f64],
    right: &[f64],
    feature_count: usize,
    [rows, columns]: [usize; 2],
    out: &mut [f64],
) {
    assert!(left.len() >= rows * feature_count && right.len() >= columns * feature_count);
    assert!(out.len() >= rows * columns);
    if rows == 0 || columns == 0 {
        return;
    }
    // SAFETY: the assertions keep every access of the three matrices inside its slice, and `out` is borrowed
    // mutably, so it overlaps neither operand.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            feature_count,
            out.as_mut_ptr(),
            1,
            columns as isize,
            false,
            left.as_ptr(),
            1,
            feature_count as isize,
            right.as_ptr(),
            feature_count as isize,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
