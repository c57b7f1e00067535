//! Factors beside what they are factors of.

use super::*;
use crate::search::gp::fit::gram;
use crate::search::gp::linear::Factor;
use crate::search::gp::surface::factor_with_jitter;

const SIZES: [usize; 41] = {
    let mut sizes = [0; 41];
    let mut i = 0;
    while i < 33 {
        sizes[i] = i + 1;
        i += 1;
    }
    let more = [39, 41, 63, 64, 65, 95, 96, 97];
    while i < 41 {
        sizes[i] = more[i - 33];
        i += 1;
    }
    sizes
};

fn own_scales(noise: f64) -> Scales {
    Scales { inverse_squares: vec![1.0; 3], variance: 1.7, noise }
}

/// Rows of points, and their kernel matrix: all of it.
fn covariance(rows: &[Vec<f64>], noise: f64) -> Vec<Vec<f64>> {
    let squared = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    let value =
        |i: usize, j: usize| 1.7 * matern(squared(&rows[i], &rows[j])).0 + if i == j { noise } else { 0.0 };
    (0..rows.len()).map(|i| (0..rows.len()).map(|j| value(i, j)).collect()).collect()
}

fn factor(rows: &[Vec<f64>], noise: f64) -> Option<Factor> {
    Factor::of(gram(&panels(rows), 3, &own_scales(noise), false).0)
}

fn lower(factor: &Factor, row: usize, column: usize) -> f64 {
    if column <= row { factor.lower().at(row, column) } else { 0.0 }
}

/// The condition number is 1e4 times the size: an inverse is right to some 1e-10.
#[test]
fn a_factor_times_itself_is_the_matrix_and_the_inverse_undoes_it() {
    for count in SIZES {
        let rows = random_rows(count, 3, count as u64);
        let (matrix, factor) = (covariance(&rows, 1e-3), factor(&rows, 1e-3).unwrap());
        assert_eq!(factor.len(), count);
        let inverse = factor.inverse();
        let inverse = |i: usize, j: usize| inverse.at(i.max(j), i.min(j));
        for i in 0..count {
            for (j, column) in matrix[..=i].iter().enumerate() {
                let product: f64 = (0..count).map(|k| lower(&factor, i, k) * lower(&factor, j, k)).sum();
                assert_near(product, column[i], 1e-14);
                let unit: f64 = (0..count).map(|k| inverse(i, k) * column[k]).sum();
                assert_near(unit, f64::from(u8::from(i == j)), 1e-9);
            }
        }
        let half: f64 = (0..count).map(|i| factor.lower().at(i, i).ln()).sum();
        assert_near(factor.half_log_determinant(), half, 1e-14);
    }
}

#[test]
fn solves_are_undone_by_the_factor() {
    for count in SIZES {
        let factor = factor(&random_rows(count, 3, count as u64), 1e-3).unwrap();
        let right = random_rows(LANES, count, 70);
        let mut lanes = vec![Lanes::default(); count.next_multiple_of(LANES)];
        (0..count).for_each(|k| lanes[k] = Lanes(std::array::from_fn(|r| right[r][k])));
        let mut transposed = lanes.clone();
        factor.solve(&mut lanes);
        factor.solve_transposed(&mut transposed);
        for (r, right) in right.iter().enumerate() {
            for (k, right) in right.iter().enumerate() {
                // x·Lᵀ and x·L, element k.
                let product: f64 = (0..=k).map(|c| lanes[c].0[r] * lower(&factor, k, c)).sum();
                assert_near(product, *right, 1e-12);
                let product: f64 = (k..count).map(|c| transposed[c].0[r] * lower(&factor, c, k)).sum();
                assert_near(product, *right, 1e-10);
            }
        }
        assert!(lanes[count..].iter().all(|lanes| *lanes == Lanes::default()));
    }
}

/// A row at a time, from every size on: the factor of the whole, in the same bits but for the pivot, whose sum is
/// taken in another order.
#[test]
fn rows_that_are_added_are_those_of_the_whole_factor() {
    let rows = random_rows(33, 3, 7);
    let whole = factor(&rows, 1e-3).unwrap();
    let matrix = covariance(&rows, 1e-3);
    for first in [1, 7, 8, 9, 16, 30] {
        let mut grown = factor(&rows[..first], 1e-3).unwrap().with_room(33 - first);
        for row in first..33 {
            let mut own = vec![Lanes::default(); row.next_multiple_of(LANES)];
            (0..row).for_each(|k| own[k] = Lanes::all(matrix[row][k]));
            grown.solve(&mut own);
            let solved: Vec<f64> = own.iter().map(|lanes| lanes.0[0]).collect();
            let square: f64 = solved[..row].iter().map(|x| x * x).sum();
            grown.push(&solved, (matrix[row][row] - square).sqrt());
            assert_eq!(grown.len(), row + 1);
        }
        for row in 0..33 {
            for column in 0..=row {
                assert_near(grown.lower().at(row, column), whole.lower().at(row, column), 1e-12);
            }
        }
        assert_near(grown.half_log_determinant(), whole.half_log_determinant(), 1e-12);
    }
}

#[test]
fn what_is_not_positive_definite_has_no_factor() {
    let mut rows = random_rows(20, 3, 8);
    assert!(factor(&rows, -2.0).is_none());
    for noise in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(factor(&rows, noise).is_none());
    }
    // Far apart, so that the matrix is all but diagonal: the negative pivot is in the last row alone.
    rows.iter_mut().zip(0..).for_each(|(row, i)| row[0] = 100.0 * f64::from(i));
    for last in [0, 7, 8, 19] {
        let (mut matrix, _) = gram(&panels(&rows), 3, &own_scales(0.0), false);
        assert!(Factor::of(matrix.clone()).is_some());
        matrix.set(last, last, -1e-3);
        assert!(Factor::of(matrix).is_none());
    }
}

/// The same point many times, and no noise: noise is added until there is a factor, and no more.
#[test]
fn identical_points_have_a_factor_with_some_noise() {
    for count in [2, 9, 64] {
        let mut rows = vec![vec![0.3, 0.4, 0.5]; count];
        rows[count - 1][2] = 0.9;
        let (factor, scales) = factor_with_jitter(&panels(&rows), 3, own_scales(0.0));
        assert_eq!(factor.len(), count);
        assert!(scales.noise <= 1e-10, "{}", scales.noise);
        assert_eq!(scales, Scales { noise: scales.noise, ..own_scales(0.0) });
    }
    let (_, kept) = factor_with_jitter(&panels(&random_rows(20, 3, 1)), 3, own_scales(1e-3));
    assert_eq!(kept, own_scales(1e-3));
}
