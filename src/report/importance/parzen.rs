//! The density of a hyperparameter's values on a grid, a mixture of one kernel for each value seen and one wide one.
//!
//! As Optuna's `ScottParzenEstimator` has it: at most 50 grid points; kernels are normal distributions, cut off at the
//! ends and counted per grid point, as wide as Scott's rule says (*Multivariate Density Estimation*, 1992):
//! 1.059 · min(σ, IQR/1.34) · n^(−1/5), at least 0.5/1.64 so that 90 % of a kernel lie on its own point. The wide one
//! stands in the middle and is as wide as the grid. A choice has a kernel with most of its mass on itself.

use super::place;
use crate::search::normal;
use crate::space::{Domain, Value};

/// Grid points of a continuous range.
const MOST_POINTS: usize = 50;

/// A hyperparameter's values, counted on a grid.
pub struct Grid<'a> {
    domain: &'a Domain,
    /// Points, at least 2.
    pub size: usize,
}

impl<'a> Grid<'a> {
    /// The grid of a domain of two values or more.
    pub fn new(domain: &'a Domain) -> Self {
        let size = match domain {
            Domain::Fixed(_) => 1,
            Domain::Choice(values) => values.len(),
            Domain::Int { low, high, log: true, .. } => {
                let width = (i128::from(*high) - i128::from(*low) + 1) as f64;
                ((libm::log(width) / libm::log(2.0)).ceil() as usize + 1).min(MOST_POINTS)
            }
            _ => domain.size().map_or(MOST_POINTS, |size| size.min(MOST_POINTS as u128) as usize),
        };
        Self { domain, size: size.max(2) }
    }

    /// The point of a value; a value in the middle of two belongs to the lower one.
    fn point(&self, value: &Value) -> Option<usize> {
        if let Domain::Choice(_) = self.domain {
            return self.domain.index(value).map(|index| index as usize);
        }
        let last = self.size - 1;
        let at = place(self.domain, value)? * last as f64;
        Some(((at - 0.5).ceil().max(0.0) as usize).min(last))
    }

    /// (point) the density of these values, which adds up to 1.
    pub fn density<'v>(&self, values: impl Iterator<Item = &'v Value>) -> Vec<f64> {
        let mut counts = vec![0_u32; self.size];
        values.filter_map(|value| self.point(value)).for_each(|point| counts[point] += 1);
        let seen: Vec<(usize, f64)> = counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(point, &count)| (point, f64::from(count)))
            .collect();
        match (self.domain, seen.is_empty()) {
            (_, true) => vec![1.0 / self.size as f64; self.size],
            (Domain::Choice(_), false) => self.of_choices(&seen),
            _ => self.of_numbers(&seen),
        }
    }

    /// The wide kernel has the weight of one trial, the others those of theirs.
    fn mixture(&self, seen: &[(usize, f64)], kernels: &[Vec<f64>]) -> Vec<f64> {
        let weights = seen.iter().map(|(_, count)| *count).chain([1.0]);
        let whole: f64 = weights.clone().sum();
        let mut density = vec![0.0; self.size];
        for (weight, kernel) in weights.zip(kernels) {
            density.iter_mut().zip(kernel).for_each(|(sum, p)| *sum += weight / whole * p);
        }
        density
    }

    fn of_choices(&self, seen: &[(usize, f64)]) -> Vec<f64> {
        let count = self.size as f64;
        let smoothing = 1.0 / (seen.len() + 1) as f64;
        let whole = 1.0 + smoothing * count;
        let kernel = |&(own, _): &(usize, f64)| -> Vec<f64> {
            (0..self.size).map(|choice| (f64::from(choice == own) + smoothing) / whole).collect()
        };
        let wide = vec![1.0 / count; self.size];
        let kernels: Vec<Vec<f64>> = seen.iter().map(kernel).chain([wide]).collect();
        self.mixture(seen, &kernels)
    }

    fn of_numbers(&self, seen: &[(usize, f64)]) -> Vec<f64> {
        let width = scott(seen).max(0.5 / 1.64);
        let kernel = |center: f64, width: f64| -> Vec<f64> {
            let between = |low: f64, high: f64| normal::mass((low - center) / width, (high - center) / width);
            let whole = between(-0.5, self.size as f64 - 0.5);
            (0..self.size).map(|point| between(point as f64 - 0.5, point as f64 + 0.5) / whole).collect()
        };
        let narrow = seen.iter().map(|&(point, _)| kernel(point as f64, width));
        let wide = kernel((self.size - 1) as f64 / 2.0, self.size as f64);
        let kernels: Vec<Vec<f64>> = narrow.chain([wide]).collect();
        self.mixture(seen, &kernels)
    }
}

/// Scott's width of weighted points, which ascend.
fn scott(seen: &[(usize, f64)]) -> f64 {
    let whole: f64 = seen.iter().map(|(_, count)| count).sum();
    let mean = seen.iter().map(|&(point, count)| point as f64 * count).sum::<f64>() / whole;
    let squares: f64 = seen.iter().map(|&(point, count)| (point as f64 - mean).powi(2) * count).sum();
    let deviation = (squares / (whole - 1.0).max(1.0)).sqrt();
    // The first point at which so many are reached, and the first at which they are passed.
    let reached = |is: &dyn Fn(f64) -> bool| {
        let mut sum = 0.0;
        let at = seen.iter().position(|(_, count)| {
            sum += count;
            is(sum)
        });
        seen[at.unwrap_or(seen.len() - 1)].0 as f64
    };
    let (first, third) = ((whole / 4.0).floor(), (whole * 3.0 / 4.0).floor());
    let range = reached(&|sum| sum > third) - reached(&|sum| sum >= first);
    1.059 * deviation.min(range / 1.34) * whole.powf(-0.2)
}
