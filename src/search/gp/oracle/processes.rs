//! Posteriors, likelihoods and priors beside those of scikit-learn and SciPy.

use super::*;
use crate::search::gp::fit::log_likelihood;
use crate::search::gp::pool::Pool;
use crate::search::gp::surface::Surface;

/// K's condition number, 2e5 at the smallest noise, times its rounding: 1e-10 is some ten times that.
const TOLERANCE: f64 = 1e-10;

fn observations(stored: &Value) -> Observations {
    Observations {
        points: panels(&rows(&stored["points"])),
        owners: reals(&stored["owners"]).into_iter().map(|owner| owner as usize).collect(),
        targets: reals(&stored["targets"]),
    }
}

/// A surface behind the stored trials under way, whose means and variances at the stored points are checked with
/// and without those.
fn checked_surface(stored: &Value, case: &Value) -> Surface {
    let expected = &case["posterior"];
    let pending = rows(&stored["pending"]);
    let mut surface = Surface::new(&observations(stored), scales(&case["scales"]), pending.len());
    let queries = stretched(&surface, &rows(&stored["queries"]));
    assert_near(surface.best()[0], real(&expected["best"]), TOLERANCE);
    check(&surface, &queries, &[reals(&expected["mean"])], &reals(&expected["variance"]));
    check_acquisition(&surface, &queries, &reals(&expected["acquisition"]["alone"]));
    for (columns, normals) in pending.iter().zip(rows(&expected["normals"])) {
        surface.push(&surface.stretched(columns), normals);
    }
    let fantasies = &expected["fantasies"];
    check(&surface, &queries, &rows(&fantasies["means"]), &reals(&fantasies["variance"]));
    for (found, expected) in surface.best().iter().zip(reals(&fantasies["best"])) {
        assert_near(*found, expected, TOLERANCE);
    }
    check_acquisition(&surface, &queries, &reals(&expected["acquisition"]["beside"]));
    surface
}

fn stretched(surface: &Surface, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    rows.iter().map(|row| surface.stretched(row)).collect()
}

/// `means[f]` and `variances` hold a number a query.
fn check(surface: &Surface, queries: &[Vec<f64>], means: &[Vec<f64>], variances: &[f64]) {
    for (index, columns) in eights(queries).iter().enumerate() {
        let eight = surface.posterior(columns);
        let found = surface.fantasies(&eight);
        assert_eq!(found.len(), means.len());
        for query in index * LANES..queries.len().min(index * LANES + LANES) {
            assert_near(eight.variance.0[query % LANES], variances[query], TOLERANCE);
            for (found, expected) in found.iter().zip(means) {
                assert_near(found.0[query % LANES], expected[query], TOLERANCE);
            }
        }
    }
}

/// z²/2 is 300 at most, and its tolerance that times z's.
fn check_acquisition(surface: &Surface, queries: &[Vec<f64>], expected: &[f64]) {
    for (columns, expected) in eights(queries).iter().zip(expected.chunks(LANES)) {
        for (found, expected) in surface.values(columns).0.into_iter().zip(expected) {
            assert_near(found, *expected, 100.0 * TOLERANCE);
        }
    }
}

#[test]
fn posteriors_are_those_of_scikit_learn_also_beside_trials_under_way() {
    let stored = &stored()["processes"];
    for case in stored["cases"].as_array().unwrap() {
        let surface = checked_surface(stored, case);
        assert_eq!((surface.len(), surface.pending()), (22, 3));
    }
}

/// A pool takes trials in one by one, and knows what a surface that has them says.
#[test]
fn a_pool_is_kept_as_a_surface_says_it_is() {
    let stored = &stored()["processes"];
    let case = &stored["cases"][0];
    let pending = rows(&stored["pending"]);
    let mut surface = Surface::new(&observations(stored), scales(&case["scales"]), pending.len());
    let queries = stretched(&surface, &rows(&stored["queries"]));
    let mut pool = Pool::new(&surface, &queries, pending.len());
    let expected = &case["posterior"]["acquisition"];
    let near = |pool: &Pool, surface: &Surface, expected: &[f64]| {
        let found = pool.values(surface);
        assert_eq!(found.len(), expected.len());
        found.iter().zip(expected).for_each(|(found, own)| assert_near(*found, *own, 100.0 * TOLERANCE));
    };
    near(&pool, &surface, &reals(&expected["alone"]));
    for (columns, normals) in pending.iter().zip(rows(&case["posterior"]["normals"])) {
        surface.push(&surface.stretched(columns), normals);
        pool.update(&surface);
        let own: Vec<f64> = eights(&queries).iter().flat_map(|columns| surface.values(columns).0).collect();
        near(&pool, &surface, &own[..queries.len()]);
    }
    near(&pool, &surface, &reals(&expected["beside"]));
}

#[test]
fn likelihoods_and_their_slopes_are_those_of_scikit_learn() {
    let stored = &stored()["processes"];
    for case in stored["cases"].as_array().unwrap() {
        let (value, slope) = log_likelihood(&observations(stored), &scales(&case["scales"]));
        assert_near(value, real(&case["likelihood"]["value"]), TOLERANCE);
        let expected = reals(&case["likelihood"]["slope"]);
        assert_eq!(slope.len(), expected.len());
        slope.iter().zip(expected).for_each(|(found, own)| assert_near(*found, own, TOLERANCE));
    }
}

/// The density is known but for a constant: differences are compared.
#[test]
fn the_prior_is_that_of_three_gamma_distributions() {
    let stored = &stored()["processes"]["cases"];
    let cases: Vec<(f64, f64)> = stored
        .as_array()
        .unwrap()
        .iter()
        .map(|case| (scales(&case["scales"]).prior().0, real(&case["prior"])))
        .collect();
    for pair in cases.windows(2) {
        assert_near(pair[1].0 - pair[0].0, pair[1].1 - pair[0].1, 1e-13);
    }
}
