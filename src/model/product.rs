//! The f32 matrix product at the sizes of small networks: one kernel, tiled in registers, over SIMD
//! lanes of any width.
//!
//! A general library packs both operands and plans its cache blocks before it multiplies; at 32 × 16
//! times 16 × 32 that takes longer than the product. Here the operands are read where they lie; only
//! what does not lie side by side, does not fill a vector, or lies so that it crowds the first cache is
//! copied first.
//!
//! Every element is one sum in the order of `inner`, added to what the epilogue names last: its bits
//! depend on the sizes and on the processor's instructions alone.

mod copies;
mod dots;
#[cfg(test)]
mod tests;
mod tile;

use super::buffer::Buffer;
use super::real::{Epilogue, Matrix};
use super::team::{self, Parts};
use copies::{copy_panels, copy_strip, crowds, spills};
use dots::Dots;
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;
use tile::{Place, compute_tiles, tile_rows, tiles};

/// From so many rows on, columns are worth copying side by side.
const COPY_ROWS: usize = 48;

/// From so many multiplications on, some 50 µs of them, a product is worth splitting: handing over a part
/// takes 1.
const SPLIT: usize = 1 << 22;

/// Parts of fewer rows do not pay for copying the columns that each needs.
const FEWEST_ROWS: usize = 48;

/// Up to so many columns fit a vector of 256 bits, which some processors add twice as fast as one of 512.
const NARROW: usize = 8;

/// Up to so many columns are better each a dot product along `inner` (measured: 3 times faster for one
/// column, 1.6 times for two, level for four).
const DOTS: usize = 3;

/// Matrices of more elements outgrow the second cache, and blocking for it pays.
const LARGEST: usize = 1 << 20;

/// What a thread copies operands into: a strip of columns, panels of rows, a product on its side.
#[derive(Default)]
struct Buffers {
    strip: Buffer<f32>,
    panels: Buffer<f32>,
    turned: Buffer<f32>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::default();
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

    /// Computes the product; a large one together with the threads that are free. Its rows are split: no
    /// sum is, and with more than NARROW columns every part takes the same road.
    pub fn compute(self, arch: Arch) {
        let Self { rows, inner, columns, left, right, epilogue, out } = self;
        let hands = if columns > NARROW && rows * inner * columns >= SPLIT { team::hands() } else { 1 };
        if hands == 1 {
            return Product { rows, inner, columns, left, right, epilogue, out }.compute_here(arch);
        }
        // Two parts for each where there are rows enough: who is late, or is called away, takes fewer.
        let parts = if rows >= 2 * hands * FEWEST_ROWS { 2 * hands } else { hands };
        let height = rows.div_ceil(parts).next_multiple_of(4);
        let out = Parts::new(&mut out[..rows * columns]);
        team::run(rows.div_ceil(height), &|part| {
            let first = part * height;
            let rows = height.min(rows - first);
            let left = Matrix { data: &left.data[first * left.row_stride..], ..left };
            // SAFETY: parts have rows of their own.
            let out = unsafe { out.part(first * columns..(first + rows) * columns) };
            Product { rows, inner, columns, left, right, epilogue, out }.compute_here(arch);
        });
    }

    fn compute_here(self, arch: Arch) {
        BUFFERS.with_borrow_mut(|buffers| {
            // The gradient of a narrow layer: its transpose fills the vectors, the layer itself does not.
            if self.columns <= NARROW && self.columns < self.rows && self.left.row_stride == 1 {
                self.compute_transposed(arch, buffers);
            } else if self.left.column_stride == 1 && self.columns <= DOTS && self.inner >= 16 {
                let packed = dots::pack(&self, &mut buffers.panels);
                arch.dispatch(Dots { product: self, packed });
            } else {
                self.dispatch(arch, &mut buffers.strip, &mut buffers.panels);
            }
        });
    }

    fn compute_transposed(self, arch: Arch, buffers: &mut Buffers) {
        let Buffers { strip, panels, turned } = buffers;
        let Self { rows, inner, columns, left, right, epilogue, out } = self;
        turned.grow(rows * columns);
        let transposed = Product {
            rows: columns,
            inner,
            columns: rows,
            left: right.transposed(),
            right: left.transposed(),
            epilogue: Epilogue::Replace,
            out: turned,
        };
        transposed.dispatch(arch, strip, panels);
        for (row, out) in out.chunks_exact_mut(columns).take(rows).enumerate() {
            for (column, out) in out.iter_mut().enumerate() {
                *out = epilogue.apply(turned[column * rows + row], *out, column);
            }
        }
    }

    fn dispatch(self, arch: Arch, strip: &mut Buffer<f32>, panels: &mut Buffer<f32>) {
        assert!(!matches!(arch, Arch::Scalar), "blocks are turned by instructions that this processor lacks");
        assert!(self.left.covers(self.rows, self.inner) && self.right.covers(self.inner, self.columns));
        assert!(
            [self.left, self.right].iter().all(|operand| operand.row_stride.min(operand.column_stride) <= 1)
        );
        assert!(self.out.len() >= self.rows * self.columns);
        let narrow = self.columns <= NARROW;
        let kernel = Kernel { product: self, strip, panels };
        match arch {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(simd) if narrow => Simd::vectorize(*simd, kernel),
            arch => arch.dispatch(kernel),
        }
    }
}

/// A product on its way to the instructions that compute it.
struct Kernel<'a, 'b> {
    product: Product<'a>,
    strip: &'b mut Buffer<f32>,
    panels: &'b mut Buffer<f32>,
}

impl WithSimd for Kernel<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { mut product, strip: copy, panels } = self;
        let Product { rows, inner, columns, left, right, .. } = product;
        let strip_width = 2 * S::F32_LANES;
        let most_rows = tile_rows(S::REGISTER_COUNT);
        // Read once for each strip, and in steps of a row of the layer: copied where that happens often.
        let is_read_often = columns > strip_width;
        let copies_left = left.column_stride != 1 && is_read_often && crowds(left.column_stride, inner, 1);
        if copies_left {
            copy_panels(&product, most_rows, panels);
        }
        let moves = spills(right, inner, strip_width) || crowds(right.row_stride, inner, 2);
        let copies_right = rows >= COPY_ROWS && moves;
        let mut first = 0;
        while first < columns {
            let width = (columns - first).min(strip_width);
            let vectors = width.div_ceil(S::F32_LANES);
            let padded = vectors * S::F32_LANES;
            let in_place = right.column_stride == 1 && width == padded && !copies_right;
            let strip = if in_place {
                Matrix { data: &right.data[first..], ..right }
            } else {
                copy_strip::<S>(&product, first, width, padded, copy);
                Matrix::row_major(copy, padded)
            };
            for (row, height) in tiles(rows, most_rows) {
                let left = if copies_left {
                    Matrix { data: &panels[row * inner..], row_stride: 1, column_stride: height }
                } else {
                    Matrix { data: &left.data[row * left.row_stride..], ..left }
                };
                let place = Place { row, first, width };
                // SAFETY: `dispatch` asserted that the operands cover the sizes; `strip` holds `inner` rows
                // of whole vectors, by `in_place` or by `copy_strip`; the tile's rows are the product's.
                unsafe {
                    match vectors {
                        1 => compute_tiles::<S, 1>(simd, &mut product, left, strip, height, place),
                        _ => compute_tiles::<S, 2>(simd, &mut product, left, strip, height, place),
                    }
                }
            }
            first += width;
        }
    }
}
