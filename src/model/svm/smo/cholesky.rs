//! The Cholesky factor of a symmetric matrix, by blocks, and the solutions that it gives.

/// Columns of a block: a block of as many rows fits the first cache.
const BLOCK: usize = 48;
/// Rows of a strip, whose update is one product. A multiple of [`BLOCK`].
const STRIP: usize = 4 * BLOCK;

/// The lower half of a symmetric matrix, in strips of rows: each strip as wide as its last row is long, so that all
/// take half the room of a square and some more.
pub struct Lower {
    size: usize,
    /// (strip, row, column)
    values: Vec<f64>,
}

impl Lower {
    /// A matrix of so many rows, all 0.
    pub fn zeros(size: usize) -> Self {
        Self { size, values: vec![0.0; count(size)] }
    }

    /// Bytes of so many rows, with what the factor takes beside them.
    pub fn bytes(size: usize) -> u64 {
        ((count(size) + size * BLOCK) * size_of::<f64>()) as u64
    }

    /// One row, up to its diagonal.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        let start = start(row, self.size);
        &mut self.values[start..=start + row]
    }

    fn row(&self, row: usize) -> &[f64] {
        let start = start(row, self.size);
        &self.values[start..=start + row]
    }

    /// Replaces the matrix by L with LLᵀ = A. Returns whether A is positive definite, as far as rounding lets it be
    /// seen.
    pub fn factor(&mut self) -> bool {
        let size = self.size;
        let mut panel = vec![0.0; size * BLOCK];
        for first in (0..size).step_by(BLOCK) {
            let end = size.min(first + BLOCK);
            for row in first..size {
                if !self.eliminate(row, first..end) {
                    return false;
                }
            }
            let width = end - first;
            for (row, out) in (end..size).zip(panel.chunks_exact_mut(width)) {
                out.copy_from_slice(&self.row(row)[first..end]);
            }
            let mut row = end;
            while row < size {
                let last = size.min((row / STRIP + 1) * STRIP);
                self.subtract([row, last, end], &panel, width);
                row = last;
            }
        }
        true
    }

    /// The columns of a block in one row, of which all columns before are known and subtracted.
    fn eliminate(&mut self, row: usize, columns: std::ops::Range<usize>) -> bool {
        let size = self.size;
        let (above, below) = self.values.split_at_mut(start(row, size));
        for column in columns.start..columns.end.min(row) {
            let other = &above[start(column, size)..];
            let known: f64 = (columns.start..column).map(|k| below[k] * other[k]).sum();
            below[column] = (below[column] - known) / other[column];
        }
        if row < columns.end {
            let known: f64 = below[columns.start..row].iter().map(|l| l * l).sum();
            let pivot = below[row] - known;
            if !(pivot > 0.0) {
                return false;
            }
            below[row] = pivot.sqrt();
        }
        true
    }

    /// Rows `first..last` of one strip, columns `origin..last`: minus the product of the panel's rows, which begin at
    /// `origin`.
    fn subtract(&mut self, [first, last, origin]: [usize; 3], panel: &[f64], width: usize) {
        let stride = strip_width(first, self.size);
        assert!(origin <= first && first < last && last <= stride && panel.len() >= (last - origin) * width);
        let out = &mut self.values[start(first, self.size)..];
        assert!(out.len() >= (last - first - 1) * stride + last);
        let left = &panel[(first - origin) * width..];
        // SAFETY: the assertions keep every access inside its slice; the panel is no part of the matrix.
        unsafe {
            gemm::gemm(
                last - first,
                last - origin,
                width,
                out.as_mut_ptr().add(origin),
                1,
                stride as isize,
                true,
                left.as_ptr(),
                1,
                width as isize,
                panel.as_ptr(),
                width as isize,
                1,
                1.0,
                -1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }

    /// Solves LLᵀx = b in place, where this is the factor L.
    pub fn solve(&self, b: &mut [f64]) {
        for row in 0..self.size {
            let l = self.row(row);
            let known: f64 = l[..row].iter().zip(&*b).map(|(l, x)| l * x).sum();
            b[row] = (b[row] - known) / l[row];
        }
        for row in (0..self.size).rev() {
            let l = self.row(row);
            b[row] /= l[row];
            let x = b[row];
            b[..row].iter_mut().zip(l).for_each(|(b, l)| *b -= l * x);
        }
    }
}

/// Numbers of a row of the strip that a row is in.
fn strip_width(row: usize, size: usize) -> usize {
    size.min((row / STRIP + 1) * STRIP)
}

/// Where a row begins.
fn start(row: usize, size: usize) -> usize {
    let strip = row / STRIP;
    STRIP * STRIP * (strip * (strip + 1) / 2) + row % STRIP * strip_width(row, size)
}

/// Numbers of all strips.
fn count(size: usize) -> usize {
    if size == 0 { 0 } else { start(size - 1, size) + size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_solves_systems_of_several_strips() {
        for size in [1, BLOCK, STRIP, STRIP + 1, 2 * STRIP + BLOCK + 5] {
            let entry = |i: usize, j: usize| {
                (-0.01 * (i as f64 - j as f64).powi(2)).exp() + f64::from(u8::from(i == j))
            };
            let mut matrix = Lower::zeros(size);
            for i in 0..size {
                matrix.row_mut(i).iter_mut().enumerate().for_each(|(j, out)| *out = entry(i, j));
            }
            let x: Vec<f64> = (0..size).map(|i| (i as f64 * 0.7).sin()).collect();
            let mut b: Vec<f64> = (0..size).map(|i| (0..size).map(|j| entry(i, j) * x[j]).sum()).collect();
            assert!(matrix.factor());
            matrix.solve(&mut b);
            assert!(b.iter().zip(&x).all(|(found, x)| (found - x).abs() <= 1e-12), "{size}");
        }
    }

    #[test]
    fn the_largest_takes_little_more_than_half_a_square() {
        let bytes = Lower::bytes(4096);
        assert!(bytes > 64 << 20 && bytes < 70 << 20, "{bytes}");
    }

    #[test]
    fn an_indefinite_matrix_is_told() {
        let mut matrix = Lower::zeros(2);
        matrix.row_mut(0).copy_from_slice(&[1.0]);
        matrix.row_mut(1).copy_from_slice(&[2.0, 1.0]);
        assert!(!matrix.factor());
    }
}
