//! Slopes beside central differences of fourth order.
//!
//! With a step of 1e-4 a difference is wrong by the fifth derivative times 3e-18, and by the rounding of the value
//! (1e-12 of it, with a condition number of some 1e4) divided by the step, 1e-8: 1e-6 leaves room for larger ones.

use super::*;
use crate::search::gp::encoding::Encoding;
use crate::search::gp::fit::log_posterior;
use crate::search::gp::surface::Surface;
use crate::space::{Dimension, Domain, Space, Value as Choice};

const STEP: f64 = 1e-4;
const TOLERANCE: f64 = 1e-6;

/// The slope of what depends on how far a point is moved.
fn slope_of(moved: impl Fn(f64) -> f64) -> f64 {
    let difference = |step: f64| moved(step) - moved(-step);
    (8.0 * difference(STEP) - difference(2.0 * STEP)) / (12.0 * STEP)
}

/// Numbers, a whole number, a choice; one number and one choice of these conditional.
fn mixed() -> Encoding {
    let float = |log| Domain::Float { low: 0.1, high: 10.0, log, step: None };
    let choice = |names: &[&str]| Domain::Choice(names.iter().map(|n| Choice::Text((*n).into())).collect());
    let space = Space::new(vec![
        Dimension::new("rate", float(true)),
        Dimension::new("kind", choice(&["a", "b", "c"])),
        Dimension::new("momentum", float(false)).when("kind", [Choice::Text("b".into())]),
        Dimension::new("order", choice(&["x", "y"])).when("kind", [Choice::Text("c".into())]),
        Dimension::new("width", Domain::Int { low: 1, high: 40, log: false, step: 1 }),
    ]);
    Encoding::new(&space.unwrap())
}

fn cube(count: usize) -> Encoding {
    let unit = Domain::Float { low: 0.0, high: 1.0, log: false, step: None };
    Encoding::new(
        &Space::new((0..count).map(|i| Dimension::new(format!("x{i}"), unit.clone())).collect()).unwrap(),
    )
}

/// Columns of random points.
fn columns(encoding: &Encoding, count: usize, seed: u64) -> Vec<Vec<f64>> {
    let place = |mut point: Vec<f64>| {
        let is_active = encoding.settle(&mut point);
        encoding.columns(&point, &is_active)
    };
    random_rows(count, encoding.space().dimensions.len(), seed).into_iter().map(place).collect()
}

fn observations(encoding: &Encoding, count: usize) -> Observations {
    let points = columns(encoding, count, 1);
    let target = |own: &Vec<f64>| own.iter().zip(1..).map(|(x, i)| (f64::from(i) * x).sin()).sum();
    Observations {
        targets: points.iter().map(target).collect(),
        points: panels(&points),
        owners: encoding.owners(),
    }
}

/// Scales that differ from one hyperparameter to the next.
fn scales_of(encoding: &Encoding) -> Scales {
    let count = encoding.coded.len();
    Scales { inverse_squares: (0..count).map(|i| 4.0 + i as f64).collect(), variance: 1.3, noise: 0.01 }
}

#[test]
fn the_slope_of_the_posterior_is_that_of_its_differences() {
    for encoding in [cube(1), cube(4), mixed()] {
        for count in [1, 8, 21] {
            let observations = observations(&encoding, count);
            let at = scales_of(&encoding).logarithms();
            let (_, slope) = log_posterior(&observations, &Scales::from_logarithms(&at));
            assert_eq!(slope.len(), at.len());
            for index in 0..at.len() {
                let moved = |by: f64| {
                    let mut at = at.clone();
                    at[index] += by;
                    log_posterior(&observations, &Scales::from_logarithms(&at)).0
                };
                assert_near(slope[index], slope_of(moved), TOLERANCE);
            }
        }
    }
}

#[test]
fn the_slope_of_the_prior_is_that_of_its_differences() {
    let at = [2.0, -3.0, 1.0, -5.0];
    let of = |at: &[f64]| Scales::from_logarithms(at).prior();
    for index in 0..4 {
        let moved = |by: f64| {
            let mut at = at;
            at[index] += by;
            of(&at).0
        };
        assert_near(of(&at).1[index], slope_of(moved), TOLERANCE);
    }
}

/// Compares where a hundredth of the variance is left, 0.013: below, it cancels too much for differences. Tells at
/// how many points that was.
fn check_surface(surface: &Surface, at: &[Vec<f64>]) -> usize {
    let mut compared = 0;
    for columns in eights(at) {
        let variance = surface.posterior(&columns).variance;
        let lanes: Vec<usize> = (0..LANES).filter(|r| variance.0[*r] > 0.013).collect();
        compared += lanes.len();
        let found = surface.values_and_slopes(&columns);
        assert_eq!(found.value, surface.values(&columns));
        for column in 0..columns.len() {
            let moved = |by: f64| {
                let mut columns = columns.clone();
                columns[column].0.iter_mut().for_each(|x| *x += by);
                surface.values(&columns).0
            };
            for &r in &lanes {
                assert_near(found.slope[column].0[r], slope_of(|by| moved(by)[r]), TOLERANCE);
            }
        }
    }
    compared
}

#[test]
fn the_slope_of_the_acquisition_is_that_of_its_differences() {
    for encoding in [cube(2), cube(4), mixed()] {
        let observations = observations(&encoding, 5);
        let mut surface = Surface::new(&observations, scales_of(&encoding), 4);
        let at = |surface: &Surface, seed| -> Vec<Vec<f64>> {
            columns(&encoding, 16, seed).iter().map(|own| surface.stretched(own)).collect()
        };
        assert!(check_surface(&surface, &at(&surface, 2)) >= 8);
        for (index, columns) in at(&surface, 3)[..4].iter().enumerate() {
            let normals = random_rows(1, 6, 4 + index as u64).remove(0);
            surface.push(columns, normals.iter().map(|u| 4.0 * u - 2.0).collect());
        }
        assert!(check_surface(&surface, &at(&surface, 5)) >= 8);
    }
}
