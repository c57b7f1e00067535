//! The kernel's scales and the targets' warp, by their most probable values.
//!
//! Observations are y = f(x) + noise, f a Gaussian process with the kernel s·m(r²), r² = Σ θ_d (x_d − x′_d)²
//! (θ = 1/ℓ², one a hyperparameter), noise of variance v. With K = s·M + v·I and α = K⁻¹·y,
//!
//! | | |
//! |---|---|
//! | log likelihood | −½ yᵀα − ½ log det K − n/2 log 2π |
//! | its slope by a number t | ½ Σ W ∂K/∂t, W = α·αᵀ − K⁻¹ |
//! | log prior | Σ (2 log ℓ − 6 ℓ) + log s − s + 0.1 log v − 30 v |
//!
//! (Rasmussen and Williams, 2006, eq. 5.9.) The priors are Gamma(3, 6) of a length (BoTorch's for many years;
//! Balandat et al., 2020), Gamma(2, 1) of the scale and Gamma(1.1, 30) of the noise (Optuna 5). The search is over
//! logarithms. Every shape of the warp is fitted, each from where the one before ended.

use super::descent::{Descent, Limits};
use super::kernel;
use super::lanes::{LANES, Lanes};
use super::linear::Factor;
use super::panels::Panels;
use super::warp::{SHAPES, Warp};
use crate::model::metric::Direction;
use crate::search::Told;

/// The smallest variance of noise, in units of the targets' own variance.
const LEAST_NOISE: f64 = 1e-8;
/// Evaluations of the likelihood for a shape of the warp.
const EVALUATIONS: usize = 60;

/// The kernel's scales.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scales {
    /// θ of each coded hyperparameter.
    pub inverse_squares: Vec<f64>,
    /// The variance s of the function.
    pub variance: f64,
    /// The variance v of the noise.
    pub noise: f64,
}

impl Scales {
    /// Where a fit starts.
    fn start(count: usize) -> Self {
        Self { inverse_squares: vec![1.0; count], variance: 1.0, noise: 1e-4 }
    }

    pub(super) fn from_logarithms(logarithms: &[f64]) -> Self {
        let mut values: Vec<f64> = logarithms.iter().map(|x| libm::exp(*x)).collect();
        let noise = values.pop().unwrap_or(LEAST_NOISE);
        let variance = values.pop().unwrap_or(1.0);
        Self { inverse_squares: values, variance, noise }
    }

    pub(super) fn logarithms(&self) -> Vec<f64> {
        let all = self.inverse_squares.iter().chain([&self.variance, &self.noise]);
        all.map(|x| libm::log(*x)).collect()
    }

    /// The log prior and its slope by each logarithm.
    pub(super) fn prior(&self) -> (f64, Vec<f64>) {
        let (mut value, mut slope) = (0.0, Vec::with_capacity(self.inverse_squares.len() + 2));
        for theta in &self.inverse_squares {
            let length = 1.0 / theta.sqrt();
            value += 2.0 * libm::log(length) - 6.0 * length;
            slope.push(3.0 * length - 1.0);
        }
        value += libm::log(self.variance) - self.variance;
        slope.push(1.0 - self.variance);
        value += 0.1 * libm::log(self.noise) - 30.0 * self.noise;
        slope.push(0.1 - 30.0 * self.noise);
        (value, slope)
    }
}

/// Observations: points and their targets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Observations {
    /// (point, column), unscaled.
    pub points: Panels,
    /// Which hyperparameter each column belongs to.
    pub owners: Vec<usize>,
    /// Larger is better.
    pub targets: Vec<f64>,
}

impl Observations {
    /// Points whose columns are divided by their length scales.
    pub(super) fn scaled(&self, scales: &Scales) -> Panels {
        let mut points = self.points.clone();
        for index in 0..points.len() {
            for (column, owner) in self.owners.iter().enumerate() {
                let factor = scales.inverse_squares[*owner].sqrt();
                points.panel_mut(index)[column].0.iter_mut().for_each(|x| *x *= factor);
            }
        }
        points
    }
}

/// The most probable scales and warp of trials at these points.
pub(super) fn fit(told: &[&Told], points: &Panels, owners: &[usize], direction: Direction) -> (Scales, Warp) {
    let count = owners.last().map_or(0, |last| last + 1);
    let mut observations =
        Observations { points: points.clone(), owners: owners.to_vec(), targets: Vec::new() };
    let mut start = Scales::start(count).logarithms();
    let mut best: Option<(f64, Vec<f64>, Warp)> = None;
    for shape in SHAPES {
        let (warp, slopes) = Warp::learn(told, direction, shape);
        observations.targets = warp.targets(told);
        let (end, value) = climb(&observations, &start);
        if best.as_ref().is_none_or(|(most, ..)| value + slopes > *most) {
            best = Some((value + slopes, end.clone(), warp));
        }
        start = end;
    }
    match best {
        Some((_, logarithms, warp)) => (Scales::from_logarithms(&logarithms), warp),
        None => (Scales::start(count), Warp::learn(told, direction, SHAPES[0]).0),
    }
}

/// The logarithms of the most probable scales near a start, and their log posterior.
fn climb(observations: &Observations, start: &[f64]) -> (Vec<f64>, f64) {
    let mut bounds = vec![(libm::log(1e-3), libm::log(1e4)); start.len() - 2];
    bounds.push((libm::log(1e-3), libm::log(1e3)));
    bounds.push((libm::log(LEAST_NOISE), 0.0));
    let limits = Limits { evaluations: EVALUATIONS, slope: 1e-3, gain: 1e-4 };
    let mut descent = Descent::new(start, bounds, limits);
    while let Some(trial) = descent.trial() {
        let (value, slope) = log_posterior(observations, &Scales::from_logarithms(trial));
        descent.tell(-value, &slope.iter().map(|x| -x).collect::<Vec<_>>());
    }
    let (point, value) = descent.best();
    (point.to_vec(), -value)
}

/// The log of the posterior density of scales, but for a constant, and its slope by each logarithm; minus
/// infinity where K is not positive definite.
pub(super) fn log_posterior(observations: &Observations, scales: &Scales) -> (f64, Vec<f64>) {
    let (prior, mut slope) = scales.prior();
    let (likelihood, own) = log_likelihood(observations, scales);
    slope.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
    (prior + likelihood, slope)
}

pub(super) fn log_likelihood(observations: &Observations, scales: &Scales) -> (f64, Vec<f64>) {
    let points = observations.scaled(scales);
    let count = points.row_count();
    let (gram, kernel) = gram(&points, observations.owners.len(), scales, true);
    let mut slope = vec![0.0; scales.inverse_squares.len() + 2];
    let Some(factor) = Factor::of(gram) else { return (f64::NEG_INFINITY, slope) };
    let mut weights = vec![Lanes::default(); count.next_multiple_of(LANES)];
    (0..count).for_each(|i| weights[i].0[0] = observations.targets[i]);
    factor.solve(&mut weights);
    let square: f64 = weights.iter().map(|x| x.0[0] * x.0[0]).sum();
    factor.solve_transposed(&mut weights);
    let weights: Vec<f64> = weights.iter().map(|x| x.0[0]).collect();
    let constant = 0.5 * count as f64 * libm::log(2.0 * std::f64::consts::PI);
    let inverse = factor.inverse();
    Slopes { observations, scales, points: &points, kernel: &kernel, weights: &weights, inverse: &inverse }
        .add(&mut slope);
    (-0.5 * square - factor.half_log_determinant() - constant, slope)
}

/// The lower triangle of K, in whole blocks of eight; and, where they are asked for, the slopes of m by r².
pub(super) fn gram(points: &Panels, width: usize, scales: &Scales, with_slopes: bool) -> (Panels, Panels) {
    let count = points.row_count();
    let mut gram = Panels::zeros(count, count);
    let mut slopes = if with_slopes { Panels::zeros(count, count) } else { Panels::default() };
    for index in 0..gram.len() {
        let start = index * LANES;
        let end = count.min(start + LANES);
        let own = &points.panel(index)[..width];
        let values = &mut gram.panel_mut(index)[..end];
        match with_slopes {
            true => kernel::values_and_slopes(own, points, values, &mut slopes.panel_mut(index)[..end]),
            false => kernel::values(own, points, values),
        }
        values.iter_mut().flat_map(|lanes| &mut lanes.0).for_each(|value| *value *= scales.variance);
        (start..end).for_each(|i| values[i].0[i - start] += scales.noise);
        // Rows that the matrix does not have are zero, as those of its factor then are.
        values.iter_mut().for_each(|lanes| lanes.0[end - start..].fill(0.0));
    }
    (gram, slopes)
}

/// What the slope of the likelihood is made of.
struct Slopes<'a> {
    observations: &'a Observations,
    scales: &'a Scales,
    points: &'a Panels,
    kernel: &'a Panels,
    weights: &'a [f64],
    inverse: &'a Panels,
}

impl Slopes<'_> {
    /// Adds the slope by each logarithm.
    fn add(&self, slope: &mut [f64]) {
        let count = self.points.row_count();
        let (noise, variance) = (slope.len() - 1, slope.len() - 2);
        let trace: f64 = (0..count).map(|i| self.weights[i] * self.weights[i] - self.inverse.at(i, i)).sum();
        slope[noise] += 0.5 * self.scales.noise * trace;
        // y·α − n = Σ W K; what is not noise is proportional to the variance.
        let fit: f64 = self.weights.iter().zip(&self.observations.targets).map(|(w, y)| w * y).sum();
        slope[variance] += 0.5 * (fit - count as f64 - self.scales.noise * trace);
        for index in 0..self.points.len() {
            self.add_panel(index, slope);
        }
    }

    /// The part of eight rows in the slopes of the inverse squares.
    fn add_panel(&self, index: usize, slope: &mut [f64]) {
        let (start, count) = (index * LANES, self.points.row_count());
        let end = count.min(start + LANES);
        let (kernel, inverse) = (self.kernel.panel(index), self.inverse.panel(index));
        let mut pull = vec![Lanes::default(); end];
        for (j, pull) in pull.iter_mut().enumerate() {
            for r in 0..end - start {
                // The lower triangle counts twice; on the diagonal no distance changes.
                let own = self.weights[start + r] * self.weights[j] - inverse[j].0[r];
                let is_below = j < start + r;
                pull.0[r] = if is_below { own * kernel[j].0[r] * self.scales.variance } else { 0.0 };
            }
        }
        let own = &self.points.panel(index)[..self.observations.owners.len()];
        let sums = kernel::square_slopes(own, self.points, &pull);
        for (owner, sum) in self.observations.owners.iter().zip(sums) {
            slope[*owner] += sum.0.iter().sum::<f64>();
        }
    }
}
