//! Kernels, improvements, posteriors and likelihoods beside mpmath's and scikit-learn's, stored by
//! `tests/reference/make_gp.py`; slopes beside differences; factors beside what they are factors of.

mod algebra;
mod bits;
mod climb;
mod encoding;
mod processes;
mod slopes;

use super::acquisition::improvement;
use super::fit::{Observations, Scales};
use super::kernel::matern;
use super::lanes::{LANES, Lanes};
use super::panels::Panels;
use crate::random::{Purpose, Stream};
use crate::search::normal;
use crate::search::vectors::exp_of_negative;
use serde_json::Value;

fn stored() -> Value {
    serde_json::from_str(include_str!("../../../../tests/reference/gp.json")).unwrap()
}

fn real(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn reals(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(real).collect()
}

fn rows(values: &Value) -> Vec<Vec<f64>> {
    values.as_array().unwrap().iter().map(reals).collect()
}

/// A matrix of these rows.
fn panels(rows: &[Vec<f64>]) -> Panels {
    let mut panels = Panels::zeros(rows.len(), rows[0].len());
    for (row, own) in rows.iter().enumerate() {
        own.iter().enumerate().for_each(|(column, x)| panels.set(row, column, *x));
    }
    panels
}

/// Rows eight at a time, column by column; the last is repeated to make eight.
fn eights(rows: &[Vec<f64>]) -> Vec<Vec<Lanes>> {
    let lane = |eight: &[Vec<f64>], r: usize, column: usize| eight[r.min(eight.len() - 1)][column];
    let columns = |eight: &[Vec<f64>]| -> Vec<Lanes> {
        (0..rows[0].len()).map(|column| Lanes(std::array::from_fn(|r| lane(eight, r, column)))).collect()
    };
    rows.chunks(LANES).map(columns).collect()
}

fn scales(stored: &Value) -> Scales {
    Scales {
        inverse_squares: reals(&stored["inverse_squares"]),
        variance: real(&stored["variance"]),
        noise: real(&stored["noise"]),
    }
}

/// Rows of numbers in [0, 1).
fn random_rows(count: usize, width: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut generator = Stream::new(seed, Purpose::Search, 90, 0, 0).reader();
    (0..count).map(|_| (0..width).map(|_| normal::uniform(&mut generator)).collect()).collect()
}

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64) {
    let difference = (found - expected).abs();
    let allowed = tolerance * expected.abs().max(1.0);
    assert!(difference <= allowed || found == expected, "{found} for {expected}: {difference:e} apart");
}

#[track_caller]
fn assert_relative(found: f64, expected: f64, tolerance: f64) {
    let difference = (found - expected).abs();
    assert!(difference <= tolerance * expected.abs(), "{found} for {expected}: {difference:e} apart");
}

/// 2 units in the last place are what is promised, 4.5e-16 of the value at most.
#[test]
fn exponentials_are_right_to_two_units_in_the_last_place() {
    for case in stored()["exponentials"].as_array().unwrap() {
        let (found, expected) = (exp_of_negative(real(&case["x"])), real(&case["value"]));
        let apart = found.to_bits().abs_diff(expected.to_bits());
        assert!(apart <= 2, "e^-{}: {found} for {expected}, {apart} units apart", case["x"]);
    }
    for x in [700.0, 700.1, 1e4, f64::MAX, f64::INFINITY] {
        assert_eq!(exp_of_negative(x), 0.0);
    }
    assert_eq!(exp_of_negative(0.0), 1.0);
}

/// √5 r is at most 697 here; its rounding, 1e-13 at 697, is that of the exponent.
#[test]
fn the_kernel_and_its_slope_are_those_of_matern() {
    for case in stored()["matern"].as_array().unwrap() {
        let squared = real(&case["squared"]);
        let (value, slope) = matern(squared);
        let tolerance = 2e-15 + 4e-16 * squared.sqrt();
        assert_relative(value, real(&case["value"]), tolerance);
        assert_relative(slope, real(&case["slope"]), tolerance);
    }
    assert_eq!(matern(1e6), (0.0, -0.0));
}

/// The rounding of z²/2 in the exponent, 1.1e-16 of it, cancels between the improvement and its slopes and is
/// below the last place of the logarithm.
#[test]
fn improvements_are_known_however_far_the_mean_lies_below_the_best() {
    let stored = stored();
    let cases = stored["scores"].as_array().unwrap();
    let (mut seen, mut least) = (0, f64::INFINITY);
    for eight in cases.chunks(LANES) {
        let z = |r: usize| real(&eight[r.min(eight.len() - 1)]["z"]);
        let means = [Lanes(std::array::from_fn(z))];
        let found = improvement(&means, &[0.0], Lanes::all(1.0), true);
        let alone = improvement(&means, &[0.0], Lanes::all(1.0), false);
        assert_eq!(alone.value, found.value);
        assert!(alone.by_mean.is_empty());
        for (r, case) in eight.iter().enumerate() {
            assert_near(found.value.0[r], real(&case["log"]), 8e-15);
            assert_relative(found.by_mean[0].0[r], real(&case["by_mean"]), 1e-14);
            // φ(40) is smaller than a relative tolerance of h means anything for: 0 from z²/2 = 700 on.
            let by_deviation = real(&case["by_deviation"]);
            let difference = (found.by_deviation.0[r] - by_deviation).abs();
            assert!(difference <= 1e-13 * by_deviation + 1e-300, "{case}: {difference:e}");
            (seen, least) = (seen + 1, least.min(z(r)));
        }
    }
    assert_eq!((seen, least), (cases.len(), -1e4));
    // Beyond what is stored: log φ(z) − 2 log |z|, the first term of its series.
    let found = improvement(&[Lanes::all(-1e100)], &[0.0], Lanes::all(1.0), true);
    assert_relative(found.value.0[0], -5e199, 1e-15);
    assert_relative(found.by_mean[0].0[0], 1e100, 1e-14);
}

#[test]
fn improvements_over_fantasies_are_means_of_improvements() {
    for case in stored()["improvements"].as_array().unwrap() {
        let means: Vec<Lanes> = reals(&case["means"]).into_iter().map(Lanes::all).collect();
        let deviation = Lanes::all(real(&case["deviation"]));
        let found = improvement(&means, &reals(&case["best"]), deviation, true);
        assert_eq!(found.value, Lanes::all(found.value.0[0]));
        assert_near(found.value.0[0], real(&case["value"]), 8e-15);
        // Fantasies are weighted by differences of z²/2, here up to 30,000, which round to 4e-12.
        let slopes = found.by_mean.iter().chain([&found.by_deviation]).map(|slope| slope.0[3]);
        let expected = reals(&case["by_mean"]).into_iter().chain([real(&case["by_deviation"])]);
        for (found, expected) in slopes.zip(expected) {
            let difference = (found - expected).abs();
            assert!(difference <= 1e-11 * expected + 1e-300, "{found} for {expected}");
        }
    }
}
