//! The innermost loops: a tile of sums that stays in registers.

use super::Product;
use crate::model::real::{Epilogue, Matrix};
use pulp::Simd;

/// Rows of a tile beside two vectors of columns: 24 sums of 32 registers, so that two loads a cycle feed two
/// fused multiply-adds; 12 sums where there are 16 registers.
pub(super) const fn tile_rows(registers: usize) -> usize {
    if registers >= 32 { 12 } else { 6 }
}

/// From so many places along `inner` on, two at once pay.
const FAR: usize = 48;

/// Where a tile lies: its first row, its first column, and how many columns count.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub row: usize,
    pub first: usize,
    pub width: usize,
}

/// Splits rows into as few tiles of at most `most` as there can be, of equal heights give or take one:
/// (first row, height).
#[inline(always)]
pub(super) fn tiles(rows: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = rows.div_ceil(most).max(1);
    let (height, taller) = (rows / count, rows % count);
    (0..count)
        .map(move |tile| (tile * height + tile.min(taller), height + usize::from(tile < taller)))
        .filter(|(_, height)| *height > 0)
}

/// Computes a tile of any height.
///
/// # Safety
/// See [`compute_tile`].
#[inline(always)]
pub(super) unsafe fn compute_tiles<S: Simd, const VECTORS: usize>(
    simd: S,
    product: &mut Product<'_>,
    left: Matrix<'_, f32>,
    strip: Matrix<'_, f32>,
    height: usize,
    place: Place,
) {
    macro_rules! of_height {
        ($($rows:literal)*) => {
            match height {
                // SAFETY: as the caller promises.
                $($rows if $rows <= tile_rows(S::REGISTER_COUNT) => unsafe {
                    if left.column_stride == 1 {
                        compute_tile::<S, $rows, VECTORS, true>(simd, product, left, strip, place);
                    } else {
                        compute_tile::<S, $rows, VECTORS, false>(simd, product, left, strip, place);
                    }
                },)*
                _ => unreachable!("tiles have at most {} rows", tile_rows(S::REGISTER_COUNT)),
            }
        };
    }
    of_height!(1 2 3 4 5 6 7 8 9 10 11 12);
}

/// The sums of ROWS × VECTORS registers. ALONG: the rows of the left operand lie along `inner`; else its
/// columns lie along the rows.
///
/// # Safety
/// `left` must begin at the tile and cover ROWS × inner, with steps of 1 along `inner` or along the rows as
/// ALONG says, and `strip` must hold `inner` rows of VECTORS vectors.
#[inline(always)]
unsafe fn compute_tile<S: Simd, const ROWS: usize, const VECTORS: usize, const ALONG: bool>(
    simd: S,
    product: &mut Product<'_>,
    left: Matrix<'_, f32>,
    strip: Matrix<'_, f32>,
    place: Place,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    let (mut right_at, mut left_at) = (strip.data.as_ptr(), left.data.as_ptr());
    let (row_step, inner_step) = if ALONG { (left.row_stride, 1) } else { (1, left.column_stride) };
    // Two places along `inner` at once halve the work on addresses, which is much where rows lie apart.
    let pairs = if ALONG && product.inner >= FAR { product.inner / 2 } else { 0 };
    for _ in 0..pairs {
        // SAFETY: two more places along `inner` are there, as `advance` demands of each.
        unsafe {
            advance::<S, ROWS, VECTORS, 2>(simd, &mut sums, left_at, row_step, right_at, strip.row_stride)
        };
        right_at = right_at.wrapping_add(2 * strip.row_stride);
        left_at = left_at.wrapping_add(2 * inner_step);
    }
    for _ in 2 * pairs..product.inner {
        // SAFETY: one more place along `inner` is there.
        unsafe {
            advance::<S, ROWS, VECTORS, 1>(simd, &mut sums, left_at, row_step, right_at, strip.row_stride)
        };
        right_at = right_at.wrapping_add(strip.row_stride);
        left_at = left_at.wrapping_add(inner_step);
    }
    match product.epilogue {
        Epilogue::Replace => store(simd, sums, product, place, None, |_, sum| sum),
        Epilogue::Add => store(simd, sums, product, place, None, |old, sum| simd.add_f32s(old, sum)),
        Epilogue::Multiply => store(simd, sums, product, place, None, |old, sum| simd.mul_f32s(old, sum)),
        Epilogue::Gate(factor) => {
            let (factor, zero) = (simd.splat_f32s(factor), simd.splat_f32s(0.0));
            store(simd, sums, product, place, None, |old, sum| {
                let open = simd.greater_than_f32s(old, zero);
                simd.select_f32s(open, simd.mul_f32s(factor, sum), zero)
            });
        }
        Epilogue::Bias(bias) => {
            store(simd, sums, product, place, Some(bias), |bias, sum| simd.add_f32s(bias, sum));
        }
    }
}

/// Adds PLACES places along `inner` to each sum, one after the other; PLACES > 1 only where they lie side by
/// side in `left`.
///
/// # Safety
/// At each place, `left` must have ROWS numbers in steps of `row_step`, and `right` VECTORS vectors.
#[inline(always)]
unsafe fn advance<S: Simd, const ROWS: usize, const VECTORS: usize, const PLACES: usize>(
    simd: S,
    sums: &mut [[S::f32s; VECTORS]; ROWS],
    left: *const f32,
    row_step: usize,
    right: *const f32,
    right_step: usize,
) {
    let right: [[S::f32s; VECTORS]; PLACES] = std::array::from_fn(|place| {
        // SAFETY: the vectors are there, as the caller promises; they need no alignment.
        std::array::from_fn(|vector| unsafe {
            right.add(place * right_step + vector * S::F32_LANES).cast::<S::f32s>().read_unaligned()
        })
    });
    for (row, sums) in sums.iter_mut().enumerate() {
        for (place, right) in right.iter().enumerate() {
            // SAFETY: so is the number of each row.
            let left = simd.splat_f32s(unsafe { *left.add(row * row_step + place) });
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_f32s(left, *right, *sum);
            }
        }
    }
}

/// Ends a tile of sums: each becomes `end`(what is there, or its bias; the sum).
#[inline(always)]
fn store<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    sums: [[S::f32s; VECTORS]; ROWS],
    product: &mut Product<'_>,
    Place { row, first, width }: Place,
    bias: Option<&[f32]>,
    end: impl Fn(S::f32s, S::f32s) -> S::f32s,
) {
    for (i, sums) in sums.into_iter().enumerate() {
        let start = (row + i) * product.columns + first;
        let out = &mut product.out[start..start + width];
        // Whole vectors in a branch of their own: all its lengths are constants.
        if width == VECTORS * S::F32_LANES {
            for (vector, sum) in sums.into_iter().enumerate() {
                let out = &mut out[vector * S::F32_LANES..][..S::F32_LANES];
                let old = bias.map_or(&*out, |bias| &bias[first + vector * S::F32_LANES..][..S::F32_LANES]);
                let old = bytemuck::pod_read_unaligned(bytemuck::cast_slice(old));
                out.copy_from_slice(bytemuck::cast_slice(&[end(old, sum)]));
            }
        } else {
            for (vector, sum) in sums.into_iter().enumerate() {
                let lanes = vector * S::F32_LANES..width.min((vector + 1) * S::F32_LANES);
                let old = bias.map_or(&out[lanes.clone()], |bias| &bias[first..][lanes.clone()]);
                let old = simd.partial_load_f32s(old);
                simd.partial_store_f32s(&mut out[lanes], end(old, sum));
            }
        }
    }
}
