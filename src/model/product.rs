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

use super::real::{Epilogue, Matrix};
use super::team::{self, Parts};
use pulp::{Arch, Simd, WithSimd};
use std::cell::RefCell;

/// Rows of a tile beside two vectors of columns: 24 sums of 32 registers, so that two loads a cycle feed two
/// fused multiply-adds; 12 sums where there are 16 registers.
const fn tile_rows(registers: usize) -> usize {
    if registers >= 32 { 12 } else { 6 }
}

/// From so many rows on, columns that crowd are worth copying side by side.
const COPY_ROWS: usize = 48;

/// From so many rows on, a line of cache for each and a strip beside them outgrow the first cache.
const LONG: usize = 170;

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

/// A line of cache: a vector that begins elsewhere takes two.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// What a thread copies operands into: a strip of columns, panels of rows, a product on its side.
#[derive(Default)]
struct Buffers {
    strip: Vec<Line>,
    panels: Vec<f32>,
    turned: Vec<f32>,
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
                self.compute_dots(arch, &mut buffers.panels);
            } else {
                self.dispatch(arch, &mut buffers.strip, &mut buffers.panels);
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

    fn compute_transposed(self, arch: Arch, buffers: &mut Buffers) {
        let Buffers { strip, panels, turned } = buffers;
        let Self { rows, inner, columns, left, right, epilogue, out } = self;
        if turned.len() < rows * columns {
            turned.resize(rows * columns, 0.0);
        }
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

    fn dispatch(self, arch: Arch, strip: &mut Vec<Line>, panels: &mut Vec<f32>) {
        assert!(self.left.covers(self.rows, self.inner) && self.right.covers(self.inner, self.columns));
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
    strip: &'b mut Vec<Line>,
    panels: &'b mut Vec<f32>,
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
        let worth_copying = columns > strip_width && (inner >= LONG || crowds(left.column_stride, inner, 1));
        let copies_left = left.column_stride != 1 && (left.row_stride != 1 || worth_copying);
        if copies_left {
            copy_panels(&product, most_rows, panels);
        }
        let copies_right = rows >= COPY_ROWS && crowds(right.row_stride, inner, 2);
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
                Matrix::row_major(bytemuck::cast_slice(copy), padded)
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

/// Whether so many rows, so far apart, push each other out of the caches while `lines` lines of each are read
/// again and again: addresses a power of two apart share a few of the 64 sets of the first cache, and far
/// apart each takes an entry of the 64 or so of the translation buffer. Twice what both hold still streams
/// from the next (measured).
#[inline(always)]
fn crowds(stride: usize, rows: usize, lines: usize) -> bool {
    const LINE: usize = 64;
    const PERIOD: usize = 4096;
    let bytes = stride * size_of::<f32>();
    let apart = (1 << bytes.trailing_zeros().min(12)).max(LINE);
    rows * lines > 16 * (PERIOD / apart) || bytes >= PERIOD / 2 && rows > 128
}

/// Where a tile lies: its first row, its first column, and how many columns count.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    first: usize,
    width: usize,
}

/// Splits rows into as few tiles of at most `most` as there can be, of equal heights give or take one:
/// (first row, height).
#[inline(always)]
fn tiles(rows: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = rows.div_ceil(most).max(1);
    let (height, taller) = (rows / count, rows % count);
    (0..count)
        .map(move |tile| (tile * height + tile.min(taller), height + usize::from(tile < taller)))
        .filter(|(_, height)| *height > 0)
}

/// Copies the left operand into a panel for each tile, (inner, row of the tile).
#[inline(always)]
fn copy_panels(product: &Product<'_>, most_rows: usize, panels: &mut Vec<f32>) {
    let Product { rows, inner, left: Matrix { data, row_stride, column_stride }, .. } = *product;
    if panels.len() < rows * inner {
        panels.resize(rows * inner, 0.0);
    }
    for (row, height) in tiles(rows, most_rows) {
        let panel = &mut panels[row * inner..][..height * inner];
        if row_stride != 1 {
            for (k, panel) in panel.chunks_exact_mut(height).enumerate() {
                let from = &data[row * row_stride + k * column_stride..];
                panel.iter_mut().enumerate().for_each(|(i, to)| *to = from[i * row_stride]);
            }
            continue;
        }
        let from = &data[row..];
        macro_rules! of_height {
            ($($rows:literal)*) => {
                match height {
                    $($rows => copy_panel::<$rows>(from, column_stride, panel),)*
                    _ => unreachable!("tiles have at most 12 rows"),
                }
            };
        }
        of_height!(1 2 3 4 5 6 7 8 9 10 11 12);
    }
}

/// ROWS numbers of each column; the length is a constant, so that no call copies so few.
#[inline(always)]
fn copy_panel<const ROWS: usize>(from: &[f32], column_stride: usize, panel: &mut [f32]) {
    let (panel, _) = panel.as_chunks_mut::<ROWS>();
    for (k, to) in panel.iter_mut().enumerate() {
        to.copy_from_slice(&from[k * column_stride..][..ROWS]);
    }
}

/// Copies `width` columns of the right operand from `first` on into rows of `padded`, zeros behind.
#[inline(always)]
fn copy_strip<S: Simd>(
    product: &Product<'_>,
    first: usize,
    width: usize,
    padded: usize,
    strip: &mut Vec<Line>,
) {
    let Product { inner, right: Matrix { data, row_stride, column_stride }, .. } = *product;
    if strip.len() * 16 < inner * padded {
        strip.resize((inner * padded).div_ceil(16), Line([0.0; 16]));
    }
    let strip = &mut bytemuck::cast_slice_mut(strip)[..inner * padded];
    if column_stride == 1 && width == 2 * S::F32_LANES {
        for (k, strip) in strip.chunks_exact_mut(2 * S::F32_LANES).enumerate() {
            let from = &data[k * row_stride + first..][..2 * S::F32_LANES];
            strip.copy_from_slice(from);
        }
        return;
    }
    if column_stride == 1 {
        for (k, strip) in strip.chunks_exact_mut(padded).enumerate() {
            let from = &data[k * row_stride + first..][..width];
            strip[..width].iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            strip[width..].fill(0.0);
        }
        return;
    }
    let whole = if row_stride == 1 { (width / 4 * 4, inner / 4 * 4) } else { (0, 0) };
    for k in (0..whole.1).step_by(4) {
        for column in (0..whole.0).step_by(4) {
            turn_block(
                &data[(first + column) * column_stride + k..],
                column_stride,
                &mut strip[k * padded + column..],
                padded,
            );
        }
    }
    for (k, strip) in strip.chunks_exact_mut(padded).enumerate() {
        let done = if k < whole.1 { whole.0 } else { 0 };
        for (column, to) in strip[..width].iter_mut().enumerate().skip(done) {
            *to = data[k * row_stride + (first + column) * column_stride];
        }
        strip[width..].fill(0.0);
    }
}

/// Writes four rows of four numbers as four columns.
#[inline(always)]
#[cfg(target_arch = "x86_64")]
fn turn_block(from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
    use std::arch::x86_64::{_MM_TRANSPOSE4_PS, _mm_loadu_ps, _mm_storeu_ps};
    assert!(from.len() >= 3 * from_stride + 4 && to.len() >= 3 * to_stride + 4);
    // SAFETY: every x86-64 has these instructions, and the assertion keeps the four rows inside.
    unsafe {
        let row = |i: usize| _mm_loadu_ps(from.as_ptr().add(i * from_stride));
        let (mut a, mut b, mut c, mut d) = (row(0), row(1), row(2), row(3));
        _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
        for (i, column) in [a, b, c, d].into_iter().enumerate() {
            _mm_storeu_ps(to.as_mut_ptr().add(i * to_stride), column);
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn turn_block(from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
    for i in 0..4 {
        let row = &from[i * from_stride..][..4];
        row.iter().enumerate().for_each(|(j, &number)| to[j * to_stride + i] = number);
    }
}

/// Computes a tile of any height.
///
/// # Safety
/// See [`compute_tile`].
#[inline(always)]
unsafe fn compute_tiles<S: Simd, const VECTORS: usize>(
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
    for _ in 0..product.inner {
        // SAFETY: the strip holds VECTORS vectors here; vectors need no alignment.
        let right: [S::f32s; VECTORS] = std::array::from_fn(|vector| unsafe {
            right_at.add(vector * S::F32_LANES).cast::<S::f32s>().read_unaligned()
        });
        for (i, sums) in sums.iter_mut().enumerate() {
            let step = if ALONG { i * left.row_stride } else { i };
            // SAFETY: row i < ROWS of the tile at this place along `inner`, which `left` covers.
            let left = simd.splat_f32s(unsafe { *left_at.add(step) });
            for vector in 0..VECTORS {
                sums[vector] = simd.mul_add_f32s(left, right[vector], sums[vector]);
            }
        }
        right_at = right_at.wrapping_add(strip.row_stride);
        left_at = left_at.wrapping_add(if ALONG { 1 } else { left.column_stride });
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
