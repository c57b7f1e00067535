//! The f32 matrix product at the sizes of small networks: one kernel, tiled in registers, over SIMD
//! lanes of any width.
//!
//! A general library packs both operands and plans its cache blocks before it multiplies; at 32 × 16
//! times 16 × 32 that takes longer than the product. Here the operands are read where they lie; only
//! columns that do not fill a vector, or do not lie side by side, are copied first.
//!
//! Every element is one sum in the order of `inner`, added to what the epilogue names last: its bits
//! depend on the sizes and on the processor's instructions alone.

use super::real::{Epilogue, Matrix};
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

/// Rows of a tile: with two vectors of columns, 16 sums in registers, which hides the latency of the
/// fused multiply-add on every processor of the last ten years.
const TILE_ROWS: usize = 8;

/// Up to so many columns fit a vector of 256 bits, which some processors add twice as fast as one of 512.
const NARROW: usize = 8;

/// Up to so many columns are better each a dot product along `inner` (measured: 3 times faster for one
/// column, 1.6 times for two, level for four).
const DOTS: usize = 3;

/// Matrices of more elements outgrow the second cache, and blocking for it pays.
const LARGEST: usize = 1 << 19;

thread_local! {
    static BUFFERS: RefCell<(Vec<f32>, Vec<f32>)> = RefCell::default();
}

/// The sizes and operands of out = epilogue(left · right).
pub(super) struct Product<'a> {
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
    /// (row, inner)
    pub left: Matrix<'a, f32>,
    /// (inner, column)
    pub right: Matrix<'a, f32>,
    pub epilogue: Epilogue<'a, f32>,
    /// (row, column), row-major.
    pub out: &'a mut [f32],
}

impl Product<'_> {
    /// Whether this kernel is the better one here; else a general library is.
    pub fn is_small(&self, arch: Arch) -> bool {
        let Self { rows, inner, columns, .. } = *self;
        let largest = (rows * inner).max(inner * columns).max(rows * columns);
        largest <= LARGEST && !matches!(arch, Arch::Scalar)
    }

    /// Computes the product.
    pub fn compute(self, arch: Arch) {
        BUFFERS.with_borrow_mut(|(packed, turned)| {
            // The gradient of a narrow layer: its transpose fills the vectors, the layer itself does not.
            if self.columns <= NARROW && self.columns < self.rows && self.left.row_stride == 1 {
                self.compute_transposed(arch, packed, turned);
            } else if self.left.column_stride == 1 && self.columns <= DOTS && self.inner >= 16 {
                self.compute_dots(arch, packed);
            } else {
                self.dispatch(arch, packed);
            }
        });
    }

    fn compute_dots(self, arch: Arch, packed: &mut Vec<f32>) {
        packed.clear();
        for column in 0..self.columns {
            let Matrix { data, row_stride, column_stride } = self.right;
            packed.extend((0..self.inner).map(|k| data[k * row_stride + column * column_stride]));
        }
        arch.dispatch(Dots { product: self, packed });
    }

    fn compute_transposed(self, arch: Arch, packed: &mut Vec<f32>, turned: &mut Vec<f32>) {
        let Self { rows, inner, columns, left, right, epilogue, out } = self;
        turned.resize(rows * columns, 0.0);
        let transposed = Product {
            rows: columns,
            inner,
            columns: rows,
            left: right.transposed(),
            right: left.transposed(),
            epilogue: Epilogue::Replace,
            out: turned,
        };
        transposed.dispatch(arch, packed);
        for (row, out) in out.chunks_exact_mut(columns).take(rows).enumerate() {
            for (column, out) in out.iter_mut().enumerate() {
                *out = epilogue.apply(turned[column * rows + row], *out, column);
            }
        }
    }

    fn dispatch(self, arch: Arch, packed: &mut Vec<f32>) {
        assert!(self.left.covers(self.rows, self.inner) && self.right.covers(self.inner, self.columns));
        assert!(self.out.len() >= self.rows * self.columns);
        let narrow = self.columns <= NARROW;
        let kernel = Kernel { product: self, packed };
        match arch {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(simd) if narrow => Simd::vectorize(*simd, kernel),
            arch => arch.dispatch(kernel),
        }
    }
}

/// A product whose left operand has rows that lie together; `packed` is the right one, transposed.
struct Dots<'a, 'b> {
    product: Product<'a>,
    packed: &'b [f32],
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

/// A product on its way to the instructions that compute it.
struct Kernel<'a, 'b> {
    product: Product<'a>,
    packed: &'b mut Vec<f32>,
}

impl WithSimd for Kernel<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { mut product, packed } = self;
        let mut first = 0;
        while first < product.columns {
            let width = (product.columns - first).min(2 * S::F32_LANES);
            let vectors = width.div_ceil(S::F32_LANES);
            let in_place = product.right.column_stride == 1 && width == vectors * S::F32_LANES;
            let strip = if in_place {
                Matrix { data: &product.right.data[first..], ..product.right }
            } else {
                pack(&product, first, width, vectors * S::F32_LANES, packed);
                Matrix::row_major(packed, vectors * S::F32_LANES)
            };
            match vectors {
                1 => compute_strip::<S, 1>(simd, &mut product, strip, first, width),
                _ => compute_strip::<S, 2>(simd, &mut product, strip, first, width),
            }
            first += width;
        }
    }
}

/// Copies `width` columns of the right operand from `first` on into rows of `padded`, zeros behind.
#[inline(always)]
fn pack(product: &Product<'_>, first: usize, width: usize, padded: usize, packed: &mut Vec<f32>) {
    let Matrix { data, row_stride, column_stride } = product.right;
    packed.resize(product.inner * padded, 0.0);
    for (k, packed) in packed.chunks_exact_mut(padded).enumerate() {
        for (column, to) in packed[..width].iter_mut().enumerate() {
            *to = data[k * row_stride + (first + column) * column_stride];
        }
        packed[width..].fill(0.0);
    }
}

/// All rows of a strip of columns, `strip` holding them in whole vectors.
#[inline(always)]
fn compute_strip<S: Simd, const VECTORS: usize>(
    simd: S,
    product: &mut Product<'_>,
    strip: Matrix<'_, f32>,
    first: usize,
    width: usize,
) {
    let mut row = 0;
    while row < product.rows {
        let left = product.rows - row;
        // SAFETY: `dispatch` asserted that the operands cover the sizes; `strip` holds `inner` rows of
        // whole vectors, by `in_place` or by `pack`; each tile has no more rows than are left.
        row += unsafe {
            match left {
                TILE_ROWS.. if S::REGISTER_COUNT > (TILE_ROWS + 1) * VECTORS => {
                    compute_tile::<S, TILE_ROWS, VECTORS>(simd, product, strip, row, first, width)
                }
                4.. => compute_tile::<S, 4, VECTORS>(simd, product, strip, row, first, width),
                2.. => compute_tile::<S, 2, VECTORS>(simd, product, strip, row, first, width),
                _ => compute_tile::<S, 1, VECTORS>(simd, product, strip, row, first, width),
            }
        };
    }
}

/// The sums of ROWS × VECTORS registers; returns ROWS.
///
/// # Safety
/// The left operand must cover rows `row..row + ROWS`, and `strip` hold `inner` rows of VECTORS vectors.
#[inline(always)]
unsafe fn compute_tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    product: &mut Product<'_>,
    strip: Matrix<'_, f32>,
    row: usize,
    first: usize,
    width: usize,
) -> usize {
    let Matrix { data, row_stride, column_stride } = product.left;
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    for k in 0..product.inner {
        // SAFETY: row k of the strip holds VECTORS vectors; vectors need no alignment.
        let right: [S::f32s; VECTORS] = std::array::from_fn(|vector| unsafe {
            strip
                .data
                .as_ptr()
                .add(k * strip.row_stride + vector * S::F32_LANES)
                .cast::<S::f32s>()
                .read_unaligned()
        });
        for (i, sums) in sums.iter_mut().enumerate() {
            // SAFETY: row + i < rows and k < inner, which the left operand covers.
            let left =
                simd.splat_f32s(unsafe { *data.get_unchecked((row + i) * row_stride + k * column_stride) });
            for vector in 0..VECTORS {
                sums[vector] = simd.mul_add_f32s(left, right[vector], sums[vector]);
            }
        }
    }
    let from = (row, first, width);
    match product.epilogue {
        Epilogue::Replace => store(simd, sums, product, from, None, |_, sum| sum),
        Epilogue::Add => store(simd, sums, product, from, None, |old, sum| simd.add_f32s(old, sum)),
        Epilogue::Multiply => store(simd, sums, product, from, None, |old, sum| simd.mul_f32s(old, sum)),
        Epilogue::Bias(bias) => {
            store(simd, sums, product, from, Some(bias), |bias, sum| simd.add_f32s(bias, sum));
        }
    }
    ROWS
}

/// Ends a tile of sums whose first element is that of (`row`, `first`), and of whose columns `width`
/// count: each becomes `end`(what is there, or its bias; the sum).
#[inline(always)]
fn store<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    sums: [[S::f32s; VECTORS]; ROWS],
    product: &mut Product<'_>,
    (row, first, width): (usize, usize, usize),
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
