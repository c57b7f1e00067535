//! The Cholesky factor of a symmetric matrix, by blocks, and the solutions that it gives.

/// Columns of a block: a block of as many rows fits the first cache.
const BLOCK: usize = 48;
/// Rows whose update is one product.
const ROWS: usize = 192;

/// Replaces the lower half of a symmetric matrix (row, column), of `size` rows, by L with LLᵀ = A. Returns
/// whether A is positive definite, as far as rounding lets it be seen.
pub fn factor(matrix: &mut [f64], size: usize) -> bool {
    let mut panel = vec![0.0; size * BLOCK];
    for start in (0..size).step_by(BLOCK) {
        let end = size.min(start + BLOCK);
        for row in start..size {
            let (above, below) = matrix.split_at_mut(row * size);
            for column in start..end.min(row) {
                let other = &above[column * size..];
                let known: f64 = (start..column).map(|k| below[k] * other[k]).sum();
                below[column] = (below[column] - known) / other[column];
            }
            if row < end {
                let known: f64 = (start..row).map(|k| below[k] * below[k]).sum();
                let pivot = below[row] - known;
                if !(pivot > 0.0) {
                    return false;
                }
                below[row] = pivot.sqrt();
            }
        }
        let width = end - start;
        for (row, out) in (end..size).zip(panel.chunks_exact_mut(width)) {
            out.copy_from_slice(&matrix[row * size + start..][..width]);
        }
        for first in (end..size).step_by(ROWS) {
            let last = size.min(first + ROWS);
            subtract(matrix, size, [first, last, end], &panel, width);
        }
    }
    true
}

/// Rows `first..last`, columns `origin..last`: minus the product of the panel's rows, which begin at `origin`.
fn subtract(matrix: &mut [f64], size: usize, [first, last, origin]: [usize; 3], panel: &[f64], width: usize) {
    assert!(origin <= first && first < last && last <= size);
    assert!(matrix.len() >= size * size && panel.len() >= (last - origin) * width);
    let left = &panel[(first - origin) * width..];
    // SAFETY: the assertions keep every access inside its slice; the panel is no part of the matrix.
    unsafe {
        gemm::gemm(
            last - first,
            last - origin,
            width,
            matrix.as_mut_ptr().add(first * size + origin),
            1,
            size as isize,
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

/// Solves LLᵀx = b in place.
pub fn solve(factor: &[f64], size: usize, b: &mut [f64]) {
    for row in 0..size {
        let known: f64 = factor[row * size..][..row].iter().zip(&*b).map(|(l, x)| l * x).sum();
        b[row] = (b[row] - known) / factor[row * size + row];
    }
    for row in (0..size).rev() {
        b[row] /= factor[row * size + row];
        let x = b[row];
        b[..row].iter_mut().zip(&factor[row * size..]).for_each(|(b, l)| *b -= l * x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_solves_systems_of_several_blocks() {
        let size = 3 * BLOCK + ROWS + 5;
        let entry =
            |i: usize, j: usize| (-0.01 * (i as f64 - j as f64).powi(2)).exp() + f64::from(u8::from(i == j));
        let mut matrix: Vec<f64> = (0..size * size).map(|at| entry(at / size, at % size)).collect();
        let x: Vec<f64> = (0..size).map(|i| (i as f64 * 0.7).sin()).collect();
        let mut b: Vec<f64> = (0..size).map(|i| (0..size).map(|j| entry(i, j) * x[j]).sum()).collect();
        assert!(factor(&mut matrix, size));
        solve(&matrix, size, &mut b);
        assert!(b.iter().zip(&x).all(|(found, x)| (found - x).abs() <= 1e-12));
    }

    #[test]
    fn an_indefinite_matrix_is_told() {
        assert!(!factor(&mut [1.0, 2.0, 2.0, 1.0], 2));
    }
}
