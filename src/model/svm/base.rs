//! Squared distances or inner products of rows: what kernels are functions of, and no hyperparameter is in.
//!
//! Sums are formed in f64 and rounded once: ‖x‖² + ‖z‖² − 2 x·z cancels, and exp(−γ·d²) with a large γ magnifies
//! what it loses. Every inner product is one sum in the order of the features, whether a whole matrix is formed or
//! a row of it on demand: how much memory there is changes no bit.

use super::kernel::Base;
use crate::model::real::{Real, has_fused_multiply_add};

/// Numbers of a row are padded to a multiple of this, so that loops over a row have no rest.
pub const PADDING: usize = 32;

/// Columns that are summed side by side.
const LANES: usize = PADDING;
/// Rows that are summed side by side: with 32 columns 24 of AVX-512's 32 registers.
const TILE: usize = 6;
/// Rows of a block: with tens of features they stay in the first cache.
pub const BLOCK: usize = 8 * TILE;

/// Rows, laid out as the columns of a matrix of bases.
pub struct Columns<R> {
    /// Number of rows.
    pub count: usize,
    /// Features of a row.
    pub feature_count: usize,
    /// (block, feature, lane); zeros where the last block has no row.
    values: Vec<[R; LANES]>,
    /// (block, lane) ‖x‖²
    norms: Vec<[f64; LANES]>,
}

impl<R: Real> Columns<R> {
    /// These rows, each of so many features.
    pub fn new<'a>(rows: impl ExactSizeIterator<Item = &'a [R]>, feature_count: usize) -> Self {
        let count = rows.len();
        let blocks = count.div_ceil(LANES);
        let mut columns = Self {
            count,
            feature_count,
            values: vec![[R::ZERO; LANES]; blocks * feature_count],
            norms: vec![[0.0; LANES]; blocks],
        };
        for (at, row) in rows.enumerate() {
            let (block, lane) = (at / LANES, at % LANES);
            let values = &mut columns.values[block * feature_count..][..feature_count];
            values.iter_mut().zip(row).for_each(|(values, &x)| values[lane] = x);
            columns.norms[block][lane] = norm(row);
        }
        columns
    }

    /// Of rows (row, feature).
    pub fn of_rows(rows: &[R], feature_count: usize) -> Self {
        Self::new(rows.chunks_exact(feature_count.max(1)), feature_count)
    }

    /// Bytes of so many rows.
    pub fn bytes(row_count: usize, feature_count: usize) -> u64 {
        let row = feature_count as u64 * size_of::<R>() as u64 + size_of::<f64>() as u64;
        (row_count.next_multiple_of(LANES) as u64).saturating_mul(row)
    }

    /// Length of a row of bases with its padding.
    pub fn stride(&self) -> usize {
        self.count.next_multiple_of(PADDING)
    }

    /// Writes one row (feature).
    pub fn read(&self, row: usize, out: &mut Vec<R>) {
        let values = &self.values[row / LANES * self.feature_count..][..self.feature_count];
        out.clear();
        out.extend(values.iter().map(|values| values[row % LANES]));
    }

    /// The base of a row with itself: a squared distance is 0, and an inner product the sum that
    /// [`bases`](Self::bases) forms.
    pub fn own(&self, base: Base, row: usize) -> R {
        match base {
            Base::SquaredDistance => R::ZERO,
            Base::InnerProduct => R::of(self.norms[row / LANES][row % LANES]),
        }
    }

    /// (row, padded column) bases of rows (row, feature) with all columns; the padding is left as it is.
    pub fn bases(&self, base: Base, rows: &[R], out: &mut [R]) {
        let (row, stride) = (self.feature_count.max(1), self.stride().max(1));
        let is_fused = size_of::<R>() < size_of::<f64>() && has_fused_multiply_add();
        let mut wide = Vec::new();
        for (rows, out) in rows.chunks(BLOCK * row).zip(out.chunks_mut(BLOCK * stride)) {
            wide.clear();
            wide.extend(rows.iter().map(|x| x.to_f64()));
            R::vectorized(
                #[inline(always)]
                || match is_fused {
                    true => self.block::<true>(base, &wide, out),
                    false => self.block::<false>(base, &wide, out),
                },
            );
        }
    }

    /// The same of one row after the other, without padding; a block of rows is in memory at a time.
    pub fn each(&self, base: Base, rows: &[R], mut visit: impl FnMut(&mut [R])) {
        let (row, stride) = (self.feature_count.max(1), self.stride().max(1));
        let mut block = vec![R::ZERO; BLOCK.min(rows.len() / row) * stride];
        for rows in rows.chunks(BLOCK * row) {
            let block = &mut block[..rows.len() / row * stride];
            self.bases(base, rows, block);
            block.chunks_exact_mut(stride).for_each(|row| visit(&mut row[..self.count]));
        }
    }

    /// A few rows with all columns.
    #[inline(always)]
    fn block<const FUSED: bool>(&self, base: Base, rows: &[f64], out: &mut [R]) {
        let (width, stride) = (self.feature_count.max(1), self.stride());
        for (block, (values, norms)) in self.values.chunks_exact(width).zip(&self.norms).enumerate() {
            let columns = block * LANES..self.count.min((block + 1) * LANES);
            for (tile, rows) in rows.chunks(TILE * width).enumerate() {
                let mut sums = [[0.0; LANES]; TILE];
                if rows.len() == TILE * width {
                    sums = products::<R, TILE, FUSED>(rows, values);
                } else {
                    // Loops, no closures: those would be compiled for any processor, with a call for each sum.
                    for (row, sums) in rows.chunks_exact(width).zip(&mut sums) {
                        [*sums] = products::<R, 1, FUSED>(row, values);
                    }
                }
                for ((row, sums), at) in rows.chunks_exact(width).zip(&sums).zip(tile * TILE..) {
                    let out = &mut out[at * stride..][columns.clone()];
                    finish(base, sums, norm(row), norms, out);
                }
            }
        }
    }
}

/// ‖x‖², the sum that [`products`] forms of a row with itself: a row's squared distance to itself is exactly 0.
#[inline(always)]
fn norm<R: Real>(row: &[R]) -> f64 {
    let mut sum = 0.0;
    for x in row {
        sum += x.to_f64() * x.to_f64();
    }
    sum
}

/// (row, lane) Σ x z over the features, in their order. Products of f32 are exact in f64, so that a fused sum has
/// the same bits; those of f64 are rounded, and must not be fused.
#[inline(always)]
fn products<R: Real, const ROWS: usize, const FUSED: bool>(
    rows: &[f64],
    columns: &[[R; LANES]],
) -> [[f64; LANES]; ROWS] {
    let mut parts = [rows; ROWS];
    for (row, part) in parts.iter_mut().enumerate() {
        *part = &rows[row * columns.len()..(row + 1) * columns.len()];
    }
    let mut sums = [[0.0; LANES]; ROWS];
    for (feature, column) in columns.iter().enumerate() {
        for row in 0..ROWS {
            let x = parts[row][feature];
            for lane in 0..LANES {
                let (z, sum) = (column[lane].to_f64(), sums[row][lane]);
                sums[row][lane] = if FUSED { x.mul_add(z, sum) } else { sum + x * z };
            }
        }
    }
    sums
}

#[inline(always)]
fn finish<R: Real>(base: Base, products: &[f64; LANES], norm: f64, norms: &[f64; LANES], out: &mut [R]) {
    for ((out, &product), &other) in out.iter_mut().zip(products).zip(norms) {
        let value = match base {
            Base::SquaredDistance => ((norm + other) - 2.0 * product).max(0.0),
            Base::InnerProduct => product,
        };
        *out = R::of(value);
    }
}

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
    /// Bases of every row (row, feature) with every column. The squared distance of a row to itself is exactly 0.
    pub fn new(base: Base, rows: &[R], columns: &Columns<R>) -> Self {
        let row_count = rows.len() / columns.feature_count.max(1);
        let mut values = vec![R::ZERO; row_count * columns.stride()];
        columns.bases(base, rows, &mut values);
        Self { row_count, column_count: columns.count, values }
    }

    /// Bytes of a matrix.
    pub fn bytes(row_count: usize, column_count: usize) -> u64 {
        let stride = column_count.next_multiple_of(PADDING);
        (row_count as u64).saturating_mul(stride as u64).saturating_mul(size_of::<R>() as u64)
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
