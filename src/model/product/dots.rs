//! Products of few columns: each element a dot product along `inner`, in SIMD lanes.

use super::Product;
use crate::model::buffer::Buffer;
use crate::model::real::Matrix;
use pulp::{Simd, WithSimd};

/// Copies the right operand so that each of its columns lies together.
pub(super) fn pack<'a>(product: &Product<'_>, packed: &'a mut Buffer<f32>) -> &'a [f32] {
    let Product { inner, columns, right: Matrix { data, row_stride, column_stride }, .. } = *product;
    packed.grow(inner * columns);
    for (column, packed) in packed.chunks_exact_mut(inner).take(columns).enumerate() {
        let place = |k| data[k * row_stride + column * column_stride];
        packed.iter_mut().enumerate().for_each(|(k, to)| *to = place(k));
    }
    packed
}

/// A product whose left operand has rows that lie together; `packed` is the right one, as [`pack`] left it.
pub(super) struct Dots<'a, 'b> {
    pub product: Product<'a>,
    pub packed: &'b [f32],
}

impl WithSimd for Dots<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { mut product, packed } = self;
        let mut row = 0;
        while row < product.rows {
            row += match product.rows - row {
                4.. => compute_dots::<S, 4>(simd, &mut product, packed, row),
                _ => compute_dots::<S, 1>(simd, &mut product, packed, row),
            };
        }
    }
}

/// ROWS rows by dot products; returns ROWS.
#[inline(always)]
fn compute_dots<S: Simd, const ROWS: usize>(
    simd: S,
    product: &mut Product<'_>,
    packed: &[f32],
    row: usize,
) -> usize {
    let Product { inner, columns, left, epilogue, ref mut out, .. } = *product;
    for column in 0..columns {
        let right = &packed[column * inner..][..inner];
        let mut sums = [simd.splat_f32s(0.0); ROWS];
        for k in (0..inner).step_by(S::F32_LANES) {
            let lanes = k..inner.min(k + S::F32_LANES);
            let right = load(simd, &right[lanes.clone()]);
            for (i, sum) in sums.iter_mut().enumerate() {
                let left = load(simd, &left.data[(row + i) * left.row_stride..][lanes.clone()]);
                *sum = simd.mul_add_f32s(left, right, *sum);
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            let out = &mut out[(row + i) * columns + column];
            *out = epilogue.apply(simd.reduce_sum_f32s(sum), *out, column);
        }
    }
    ROWS
}

/// Up to a vector of numbers, zeros behind.
#[inline(always)]
fn load<S: Simd>(simd: S, from: &[f32]) -> S::f32s {
    if from.len() == S::F32_LANES {
        bytemuck::pod_read_unaligned(bytemuck::cast_slice(from))
    } else {
        simd.partial_load_f32s(from)
    }
}
