//! The kernel's scales, by their most probable values.
//!
//! Observations are y = f(x) + noise, f a Gaussian process with the kernel s·m(r²), r² = Σ θ_d (x_d − x′_d)²
//! (θ = 1/ℓ², one a hyperparameter), noise of variance v. With K = s·M + v·I and α = K⁻¹·y,
//!
//! | | |
//! |---|---|
//! | log likelihood | −½ yᵀα − ½ log det K − n/2 log 2π |
//! | its slope by a number t | ½ Σ W ∂K/∂t, W = α·αᵀ − K⁻¹ |
//! | log prior | −Σ (0.1/θ + 0.1 θ) + log s − s + 0.1 log v − 30 v |
//!
//! (Rasmussen and Williams, 2006, eq. 5.9; the priors are those of Optuna 5: Gamma(2, 1) of the scale, Gamma(1.1,
//! 30) of the noise.) The search is over logarithms.

use super::descent::{Descent, Limits};
use super::kernel;
use super::lanes::{LANES, Lanes};
use super::linear::Factor;
use super::panels::Panels;

/// The smallest variance of noise, in units of the observations' own variance.
pub(super) const LEAST_NOISE: f64 = 1e-6;

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
    pub(super) fn start(count: usize) -> Self {
        Self { inverse_squares: vec![1.0; count], variance: 1.0, noise: 1e-4 }
    }

    fn from_logarithms(logarithms: &[f64]) -> Self {
        let mut values: Vec<f64> = logarithms.iter().map(|x| libm::exp(*x)).collect();
        let noise = values.pop().unwrap_or(LEAST_NOISE);
        let variance = values.pop().unwrap_or(1.0);
        Self { inverse_squares: values, variance, noise }
    }

    fn logarithms(&self) -> Vec<f64> {
        let all = self.inverse_squares.iter().chain([&self.variance, &self.noise]);
        all.map(|x| libm::log(*x)).collect()
    }

    /// The log prior and its slope by each logarithm.
    fn prior(&self) -> (f64, Vec<f64>) {
        let (mut value, mut slope) = (0.0, Vec::with_capacity(self.inverse_squares.len() + 2));
        let mode = super::var("GP_PRIOR", 0.0);
        let d = self.inverse_squares.len() as f64;
        for theta in &self.inverse_squares {
            if mode == 0.0 {
            value -= 0.1 / theta + 0.1 * theta;
            slope.push(0.1 / theta - 0.1 * theta);
            } else if mode == 1.0 {
                // log l ~ N(sqrt2 + ln d/2, sqrt3): log theta = -2 log l
                let m = -2.0 * (2f64.sqrt() + 0.5 * d.ln()); let v = 4.0 * 3.0;
                let u = theta.ln() - m; value -= 0.5 * u * u / v; slope.push(-u / v);
            } else if mode == 2.0 {
                // log l ~ N(ln 0.5 + ln d/2... , 1)
                let m = -2.0 * (0.5f64.ln() + 0.5 * d.ln() ); let v = 4.0 * 1.0;
                let u = theta.ln() - m; value -= 0.5 * u * u / v; slope.push(-u / v);
            } else {
                // gamma(3,6) on l, botorch old: 2 log l - 6 l ; l = theta^-1/2
                let l = 1.0 / theta.sqrt(); value += 2.0 * l.ln() - 6.0 * l; slope.push(-0.5 * (2.0 - 6.0 * l));
            }
        }
        value += libm::log(self.variance) - self.variance;
        slope.push(1.0 - self.variance);
        value += 0.1 * libm::log(self.noise) - 30.0 * self.noise;
        slope.push(0.1 - 30.0 * self.noise);
        (value, slope)
    }
}

/// Observations: points and their targets.
#[derive(Clone, Debug)]
pub(super) struct Observations {
    /// (point, column), unscaled.
    pub points: Panels,
    /// Which hyperparameter each column belongs to.
    pub owners: Vec<usize>,
    /// Of mean 0 and variance 1, larger is better.
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

/// The most probable scales.
pub(super) fn fit(observations: &Observations) -> Scales { fit_from(observations, None).0 }
pub(super) fn fit_from(observations: &Observations, from: Option<&Scales>) -> (Scales, f64) {
    let count = observations.owners.last().map_or(0, |last| last + 1);
    let mut bounds = vec![(libm::log(1e-3), libm::log(1e4)); count];
    bounds.push((libm::log(1e-3), libm::log(1e3)));
    bounds.push((libm::log(super::var("GP_FLOOR", LEAST_NOISE)), 0.0));
    let mut best: Option<(Vec<f64>, f64)> = None;
    let starts = super::var("GP_FITSTARTS", 1.0) as usize;
    for k in 0..starts {
    let mut start = Scales::start(count);
    if k == 1 { start.inverse_squares.fill(10.0); start.noise = 1e-2; }
    if k == 2 { start.inverse_squares.fill(0.1); start.noise = 1e-5; }
    if let Some(from) = from { start = from.clone(); }
    let start = start.logarithms();
    let limits = Limits { evaluations: super::var("GP_FITEVALS", 60.0) as usize, slope: 1e-3, gain: super::var("GP_FITGAIN", 1e-4) };
    let mut descent = Descent::new(&start, bounds.clone(), limits);
    while let Some(trial) = descent.trial() {
        let scales = Scales::from_logarithms(trial);
        let (value, slope) = log_posterior(observations, &scales);
        descent.tell(-value, &slope.iter().map(|x| -x).collect::<Vec<_>>());
    }
    if best.as_ref().is_none_or(|b| descent.best().1 < b.1) { best = Some((descent.best().0.to_vec(), descent.best().1)); }
    }
    let best = best.unwrap();
    (Scales::from_logarithms(&best.0), -best.1)
}

/// The log of the posterior density of scales, but for a constant, and its slope by each logarithm; minus
/// infinity where K is not positive definite.
pub(super) fn log_posterior(observations: &Observations, scales: &Scales) -> (f64, Vec<f64>) {
    let points = observations.scaled(scales);
    let count = points.row_count();
    let (gram, slopes) = gram(&points, observations.owners.len(), scales, true);
    let (prior, mut slope) = scales.prior();
    let Some(factor) = Factor::of(gram) else { return (f64::NEG_INFINITY, slope) };
    let mut weights = vec![Lanes::default(); count.next_multiple_of(LANES)];
    (0..count).for_each(|i| weights[i].0[0] = observations.targets[i]);
    factor.solve(&mut weights);
    let square: f64 = weights.iter().map(|x| x.0[0] * x.0[0]).sum();
    factor.solve_transposed(&mut weights);
    let weights: Vec<f64> = weights.iter().map(|x| x.0[0]).collect();
    let constant = 0.5 * count as f64 * libm::log(2.0 * std::f64::consts::PI);
    let likelihood = -0.5 * square - factor.half_log_determinant() - constant;
    let inverse = factor.inverse();
    let slopes = Slopes { observations, scales, points: &points, kernel: &slopes, weights: &weights, inverse: &inverse };
    slopes.add(&mut slope);
    (prior + likelihood, slope)
}

/// The lower triangle of K, in whole blocks of eight; and, where they are asked for, the slopes of m by r².
pub(super) fn gram(points: &Panels, width: usize, scales: &Scales, with_slopes: bool) -> (Panels, Panels) {
    let count = points.row_count();
    let mut gram = Panels::zeros(count, count);
    let mut slopes = if with_slopes { Panels::zeros(count, count) } else { Panels::default() };
    for index in 0..gram.len() {
        let start = index * LANES;
        let end = count.min(start + LANES);
        let values = &mut gram.panel_mut(index)[..end];
        match with_slopes {
            true => kernel::values_and_slopes(
                &points.panel(index)[..width],
                points,
                values,
                &mut slopes.panel_mut(index)[..end],
            ),
            false => kernel::values(&points.panel(index)[..width], points, values),
        }
        values.iter_mut().flat_map(|lanes| &mut lanes.0).for_each(|value| *value *= scales.variance);
        (start..end).for_each(|i| values[i].0[i - start] += scales.noise);
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
        let mut trace = 0.0;
        for i in 0..count {
            trace += self.weights[i] * self.weights[i] - self.inverse.at(i, i);
        }
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
        for (column, owner) in self.observations.owners.iter().enumerate() {
            let own = self.points.panel(index)[column];
            let mut sums = Lanes::default();
            for (j, pull) in pull.iter().enumerate() {
                let other = self.points.at(j, column);
                for r in 0..LANES {
                    let difference = own.0[r] - other;
                    sums.0[r] += pull.0[r] * (difference * difference);
                }
            }
            slope[*owner] += sums.0.iter().sum::<f64>();
        }
    }
}
