//! What a Gaussian process says of points, given observations and the fantasies of trials under way, and the
//! expected improvement there.
//!
//! With K = L·Lᵀ over the observed points, b = L⁻¹y and v = L⁻¹k(x): mean v·b, variance s − v·v. A trial under way
//! adds a row to L, without noise; its value in fantasy f is drawn by setting element n + j of b to a normal number
//! z_jf, so all fantasies share L and differ in the last elements of b alone. The acquisition is
//!
//! log(1/F Σ_f EI(μ_f, σ, best_f)), best_f = the best of the observed and of fantasy f's own values
//!
//! (sequentially greedy q-logEI: Wilson, Hutter and Deisenroth, "Maximizing acquisition functions for Bayesian
//! optimization", 2018; Ament et al., 2023).

use super::acquisition::{Improvement, improvement};
use super::fit::{self, Observations, Scales};
use super::kernel;
use super::lanes::{LANES, Lanes, add_products, dot_and_square, roots};
use super::linear::Factor;
use super::panels::Panels;

/// The smallest part of the function's variance that a point keeps beside those known.
const LEAST_VARIANCE: f64 = 1e-12;

/// The posterior of a Gaussian process and its fantasies.
#[derive(Clone, Debug)]
pub(super) struct Surface {
    scales: Scales,
    /// √θ of each column.
    stretch: Vec<f64>,
    /// Observed points, then those under way, stretched.
    points: Panels,
    factor: Factor,
    observed: usize,
    /// b of the observed points, then zeros.
    whitened: Vec<f64>,
    /// z of each point under way: one number a fantasy.
    normals: Vec<Vec<f64>>,
    /// The best value of each fantasy.
    best: Vec<f64>,
}

/// The posterior at eight points.
pub(super) struct Eight {
    /// v, then zeros.
    pub solved: Vec<Lanes>,
    /// The kernel's slope by the squared distance from each point known.
    slopes: Vec<Lanes>,
    mean: Lanes,
    /// The variance of the function.
    pub variance: Lanes,
}

/// Acquisition at eight points and its slope by each stretched column, (column, lane).
pub(super) struct Acquired {
    /// The acquisition.
    pub value: Lanes,
    /// Its slope by each column.
    pub slope: Vec<Lanes>,
}

impl Surface {
    /// Of observations, with room for so many points under way. Before the first of those there is one fantasy,
    /// behind it as many as it has normal numbers.
    pub(super) fn new(observations: &Observations, scales: Scales, room: usize) -> Self {
        let scaled = observations.scaled(&scales);
        let (factor, scales) = factor_with_jitter(&scaled, observations.owners.len(), scales);
        let observed = scaled.row_count();
        let mut whitened = vec![Lanes::default(); observed.next_multiple_of(LANES)];
        (0..observed).for_each(|i| whitened[i].0[0] = observations.targets[i]);
        factor.solve(&mut whitened);
        let b: Vec<f64> = whitened[..observed].iter().map(|x| x.0[0]).collect();
        factor.solve_transposed(&mut whitened);
        // The posterior mean at an observed point is its target less what is taken for noise.
        let means = observations.targets.iter().zip(&whitened).map(|(y, a)| y - scales.noise * a.0[0]);
        let best = means.fold(f64::NEG_INFINITY, f64::max);
        let stretch = observations.owners.iter().map(|owner| scales.inverse_squares[*owner].sqrt()).collect();
        Self {
            points: scaled.with_room(room),
            factor: factor.with_room(room),
            scales,
            stretch,
            observed,
            whitened: b,
            normals: Vec::new(),
            best: vec![best],
        }
    }

    /// How many points are known, observed and under way.
    pub(super) fn len(&self) -> usize {
        self.factor.len()
    }

    /// How many of them are under way.
    pub(super) fn pending(&self) -> usize {
        self.normals.len()
    }

    /// The best value of each fantasy.
    pub(super) fn best(&self) -> &[f64] {
        &self.best
    }

    /// The variance of the function where nothing is known.
    pub(super) fn function_variance(&self) -> f64 {
        self.scales.variance
    }

    /// The last point known: its row of L, its stretched columns and its normal numbers.
    pub(super) fn last(&self) -> (Vec<f64>, Vec<f64>, &[Vec<f64>]) {
        let last = self.len() - 1;
        let row = (0..=last).map(|column| self.factor.lower().at(last, column)).collect();
        let columns = (0..self.stretch.len()).map(|column| self.points.at(last, column)).collect();
        (row, columns, &self.normals[self.normals.len() - 1..])
    }

    /// Columns as distances are taken of.
    pub(super) fn stretched(&self, columns: &[f64]) -> Vec<f64> {
        columns.iter().zip(&self.stretch).map(|(x, stretch)| x * stretch).collect()
    }

    /// √θ of each column.
    pub(super) fn stretch(&self) -> &[f64] {
        &self.stretch
    }

    /// Takes in a trial under way, of these stretched columns; `normals` holds one number a fantasy.
    pub(super) fn push(&mut self, columns: &[f64], normals: Vec<f64>) {
        let lanes: Vec<Lanes> = columns.iter().map(|x| Lanes::all(*x)).collect();
        let eight = self.posterior(&lanes);
        let pivot = eight.variance.0[0].sqrt();
        let solved: Vec<f64> = eight.solved.iter().map(|lanes| lanes.0[0]).collect();
        let mut own = self.fantasies(&eight);
        if self.normals.is_empty() {
            self.best = vec![self.best[0]; normals.len()];
            own = vec![own[0]; normals.len()];
        }
        for ((best, value), z) in self.best.iter_mut().zip(own).zip(&normals) {
            *best = best.max(value.0[0] + pivot * z);
        }
        let row = self.len();
        self.factor.push(&solved, pivot);
        self.points.push_row();
        columns.iter().enumerate().for_each(|(column, x)| self.points.set(row, column, *x));
        self.normals.push(normals);
        self.whitened.push(0.0);
    }

    /// The means in every fantasy at eight points.
    pub(super) fn fantasies(&self, eight: &Eight) -> Vec<Lanes> {
        let mut means = vec![eight.mean; self.best.len()];
        add_products(&mut means, &eight.solved[self.observed..], &self.normals);
        means
    }

    /// The posterior at eight points, given their stretched columns.
    pub(super) fn posterior(&self, columns: &[Lanes]) -> Eight {
        self.eight(columns, false)
    }

    fn eight(&self, columns: &[Lanes], with_slopes: bool) -> Eight {
        let count = self.len();
        let mut solved = vec![Lanes::default(); count.next_multiple_of(LANES)];
        let mut slopes = vec![Lanes::default(); if with_slopes { count } else { 0 }];
        match with_slopes {
            true => kernel::values_and_slopes(columns, &self.points, &mut solved[..count], &mut slopes),
            false => kernel::values(columns, &self.points, &mut solved[..count]),
        }
        scale(&mut solved, self.scales.variance);
        self.factor.solve(&mut solved);
        let (mean, square) = dot_and_square(&solved[..count], &self.whitened);
        let least = least_variance(self.scales.variance);
        let variance = Lanes(square.0.map(|square| (self.scales.variance - square).max(least)));
        Eight { solved, slopes, mean, variance }
    }

    fn improvement(&self, eight: &Eight, with_slopes: bool) -> Improvement {
        improvement(&self.fantasies(eight), &self.best, roots(eight.variance), with_slopes)
    }

    /// The acquisition at eight points, given their stretched columns.
    pub(super) fn values(&self, columns: &[Lanes]) -> Lanes {
        self.improvement(&self.posterior(columns), false).value
    }

    /// The acquisition at eight points and its slopes.
    pub(super) fn values_and_slopes(&self, columns: &[Lanes]) -> Acquired {
        let mut eight = self.eight(columns, true);
        let Improvement { value, by_mean, by_deviation } = self.improvement(&eight, true);
        // The slope by v, in place of v: Σ_f (slope by μ_f) b_f − (slope by σ) v/σ.
        let mut by_any_mean = Lanes::default();
        by_mean.iter().for_each(|slope| (0..LANES).for_each(|r| by_any_mean.0[r] += slope.0[r]));
        let by_square: [f64; LANES] = std::array::from_fn(|r| by_deviation.0[r] / eight.variance.0[r].sqrt());
        let (observed, under_way) = eight.solved[..self.factor.len()].split_at_mut(self.observed);
        for (v, b) in observed.iter_mut().zip(&self.whitened) {
            (0..LANES).for_each(|r| v.0[r] = by_any_mean.0[r] * b - by_square[r] * v.0[r]);
        }
        for (v, normals) in under_way.iter_mut().zip(&self.normals) {
            let mut sum = Lanes::default();
            for (slope, z) in by_mean.iter().zip(normals) {
                (0..LANES).for_each(|r| sum.0[r] += slope.0[r] * z);
            }
            (0..LANES).for_each(|r| v.0[r] = sum.0[r] - by_square[r] * v.0[r]);
        }
        self.factor.solve_transposed(&mut eight.solved);
        scale(&mut eight.solved, 2.0 * self.scales.variance);
        let mut slope = vec![Lanes::default(); columns.len()];
        kernel::add_slopes(columns, &self.points, &eight.solved, &eight.slopes, &mut slope);
        Acquired { value, slope }
    }
}

/// The least variance that is left to a point.
pub(super) fn least_variance(function_variance: f64) -> f64 {
    LEAST_VARIANCE * function_variance
}

/// K's factor; where K is not positive definite in its digits, with ten times the noise, again and again.
pub(super) fn factor_with_jitter(points: &Panels, width: usize, mut scales: Scales) -> (Factor, Scales) {
    loop {
        let (gram, _) = fit::gram(points, width, &scales, false);
        match Factor::of(gram) {
            Some(factor) => return (factor, scales),
            None => scales.noise = 10.0 * scales.noise.max(1e-12),
        }
    }
}

fn scale(lanes: &mut [Lanes], factor: f64) {
    lanes.iter_mut().flat_map(|lanes| &mut lanes.0).for_each(|value| *value *= factor);
}
