//! Operands copied side by side, where reading them where they lie costs more.

use super::Product;
use super::tile::tiles;
use crate::model::buffer::{Buffer, Line};
use crate::model::real::Matrix;
use pulp::Simd;

/// Sides of the blocks in which a matrix is turned.
const BLOCK: usize = if cfg!(target_arch = "x86_64") { 8 } else { 4 };

/// Lines of the first cache, of 32 KiB at least.
const FIRST_CACHE: usize = 512;

/// Numbers in a line of the cache.
const IN_LINE: usize = size_of::<Line>() / size_of::<f32>();

/// Whether so many rows, so far apart, push each other out of the caches while `lines` lines of each are read
/// again and again: addresses a power of two apart share a few of the 64 sets of the first cache, and far
/// apart each takes an entry of the 64 or so of the translation buffer. Twice what both hold still streams
/// from the next (measured).
#[inline(always)]
pub(super) fn crowds(stride: usize, rows: usize, lines: usize) -> bool {
    const PERIOD: usize = 4096;
    let bytes = stride * size_of::<f32>();
    let apart = (1 << bytes.trailing_zeros().min(12)).max(size_of::<Line>());
    rows * lines > 16 * (PERIOD / apart) || bytes >= PERIOD / 2 && rows > 128
}

/// Whether a strip of so many columns, of `rows` rows, outgrows the first cache because its rows begin inside
/// lines and each takes one more.
#[inline(always)]
pub(super) fn spills(matrix: Matrix<'_, f32>, rows: usize, width: usize) -> bool {
    let in_lines =
        matrix.row_stride.is_multiple_of(IN_LINE) && matrix.data.as_ptr().cast::<Line>().is_aligned();
    !in_lines && rows * (width.div_ceil(IN_LINE) + 1) > FIRST_CACHE
}

/// Copies the left operand, whose columns lie together, into a panel for each tile, (inner, row of the tile).
#[inline(always)]
pub(super) fn copy_panels(product: &Product<'_>, most_rows: usize, panels: &mut Buffer<f32>) {
    let Product { rows, inner, left: Matrix { data, column_stride, .. }, .. } = *product;
    panels.grow(rows * inner);
    for (row, height) in tiles(rows, most_rows) {
        let panel = &mut panels[row * inner..][..height * inner];
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
pub(super) fn copy_strip<S: Simd>(
    product: &Product<'_>,
    first: usize,
    width: usize,
    padded: usize,
    strip: &mut Buffer<f32>,
) {
    let Product { inner, right: Matrix { data, row_stride, column_stride }, .. } = *product;
    assert!(padded.is_multiple_of(BLOCK), "vectors are whole blocks");
    strip.grow(inner * padded);
    let strip = &mut strip[..inner * padded];
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
    if inner < BLOCK {
        for (k, strip) in strip.chunks_exact_mut(padded).enumerate() {
            for (column, to) in strip[..width].iter_mut().enumerate() {
                *to = data[k * row_stride + (first + column) * column_stride];
            }
            strip[width..].fill(0.0);
        }
        return;
    }
    for k in (0..inner).step_by(BLOCK) {
        for column in (0..padded).step_by(BLOCK) {
            let from = &data[((first + column) * column_stride + k).min(data.len())..];
            let to = &mut strip[k * padded + column..];
            let (lines, length) = (width.saturating_sub(column).min(BLOCK), (inner - k).min(BLOCK));
            if lines == BLOCK && length == BLOCK {
                turn_block(from, column_stride, to, padded);
                continue;
            }
            let (mut edge, mut turned) = ([0.0; BLOCK * BLOCK], [0.0; BLOCK * BLOCK]);
            for (line, edge) in edge.chunks_exact_mut(BLOCK).take(lines).enumerate() {
                let from = &from[line * column_stride..][..length];
                edge.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
            turn_block(&edge, BLOCK, &mut turned, BLOCK);
            for (turned, to) in turned.chunks_exact(BLOCK).take(length).zip(to.chunks_mut(padded)) {
                to[..BLOCK].copy_from_slice(turned);
            }
        }
    }
}

/// Writes BLOCK rows of as many numbers as columns.
///
/// The halves of rows i and i + 4 meet in a register as they are loaded; two rounds of shuffles within
/// halves then turn both 4 × 4 blocks of each.
#[inline(always)]
#[cfg(target_arch = "x86_64")]
fn turn_block(from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
    use std::arch::x86_64::{
        _mm_loadu_ps, _mm256_castps128_ps256, _mm256_insertf128_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
        _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };
    assert!(from.len() >= 7 * from_stride + 8 && to.len() >= 7 * to_stride + 8);
    // SAFETY: every processor with SIMD lanes here has AVX (`Product::dispatch` refuses others), and the
    // assertion keeps the eight rows inside.
    unsafe {
        let half = |i: usize, j: usize| _mm_loadu_ps(from.as_ptr().add(i * from_stride + 4 * j));
        for j in 0..2 {
            let pair =
                |i: usize| _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(half(i, j)), half(i + 4, j));
            let (a, b, c, d) = (pair(0), pair(1), pair(2), pair(3));
            let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
            let (ab_high, cd_high) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
            let columns = [
                _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
                _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
                _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
                _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
            ];
            for (i, column) in columns.into_iter().enumerate() {
                _mm256_storeu_ps(to.as_mut_ptr().add((4 * j + i) * to_stride), column);
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn turn_block(from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize) {
    for i in 0..BLOCK {
        let row = &from[i * from_stride..][..BLOCK];
        row.iter().enumerate().for_each(|(j, &number)| to[j * to_stride + i] = number);
    }
}
