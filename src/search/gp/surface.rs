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
use super::lanes::{LANES, Lanes, add_products, dot_and_square};
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
struct Eight {
    /// v, then zeros.
    solved: Vec<Lanes>,
    /// The kernel's slope by the squared distance from each point known.
    slopes: Vec<Lanes>,
    mean: Lanes,
    variance: Lanes,
}

/// Acquisition at eight points and its slope by each stretched column, (column, lane).
pub(super) struct Acquired {
    /// The acquisition.
    pub value: Lanes,
    /// Its slope by each column.
    pub slope: Vec<Lanes>,
}

impl Surface {
    /// Of observations, with room for so many points under way and so many fantasies.
    pub(super) fn new(observations: &Observations, scales: Scales, room: usize, fantasies: usize) -> Self {
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
        let mut best = means.fold(f64::NEG_INFINITY, f64::max);
        if super::var("GP_BEST", 0.0) > 0.0 { best = observations.targets.iter().copied().fold(f64::NEG_INFINITY, f64::max); }
        let stretch = observations.owners.iter().map(|owner| scales.inverse_squares[*owner].sqrt()).collect();
        Self {
            points: scaled.with_room(room),
            factor: factor.with_room(room),
            scales,
            stretch,
            observed,
            whitened: b,
            normals: Vec::new(),
            best: vec![best; fantasies],
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
        let lanes: Vec<Lanes> = columns.iter().map(|x| Lanes([*x; LANES])).collect();
        let eight = self.eight(&lanes, false);
        let pivot = eight.variance.0[0].sqrt();
        let solved: Vec<f64> = eight.solved.iter().map(|lanes| lanes.0[0]).collect();
        let own = self.fantasies(&eight);
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
    fn fantasies(&self, eight: &Eight) -> Vec<Lanes> {
        let mut means = vec![eight.mean; self.best.len()];
        add_products(&mut means, &eight.solved[self.observed..], &self.normals);
        means
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
        let least = LEAST_VARIANCE * self.scales.variance;
        let variance = Lanes(square.0.map(|square| (self.scales.variance - square).max(least)));
        Eight { solved, slopes, mean, variance }
    }

    fn improvement(&self, eight: &Eight, with_slopes: bool) -> Improvement {
        let deviation = Lanes(eight.variance.0.map(f64::sqrt));
        improvement(&self.fantasies(eight), &self.best, deviation, with_slopes)
    }

    /// The acquisition at eight points, given their stretched columns.
    pub(super) fn values(&self, columns: &[Lanes]) -> Lanes {
        self.improvement(&self.eight(columns, false), false).value
    }

    /// The acquisition at eight points and its slopes.
    pub(super) fn values_and_slopes(&self, columns: &[Lanes]) -> Acquired {
        let mut eight = self.eight(columns, true);
        let Improvement { value, by_mean, by_deviation } = self.improvement(&eight, true);
        // The slope by v, in place of v: Σ_f (slope by μ_f) b_f − (slope by σ) v/σ.
        let mut by_any_mean = Lanes::default();
        by_mean.iter().for_each(|slope| (0..LANES).for_each(|r| by_any_mean.0[r] += slope.0[r]));
        let by_square: [f64; LANES] =
            std::array::from_fn(|r| by_deviation.0[r] / eight.variance.0[r].sqrt());
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

/// Points that wait to be chosen, and what is known of each so far.
pub(super) struct Candidates {
    /// (point, column), stretched.
    points: Panels,
    /// v of each.
    solved: Panels,
    /// Eight points an element.
    variance: Vec<Lanes>,
    /// The mean in each fantasy, eight points after eight points.
    means: Vec<Lanes>,
}

impl Candidates {
    /// Of stretched columns, with room for so many points under way beside those known.
    pub(super) fn new(surface: &Surface, columns: &[Vec<f64>], room: usize) -> Self {
        let (count, known) = (columns.len(), surface.len());
        let mut points = Panels::zeros(count, surface.stretch.len());
        for (row, own) in columns.iter().enumerate() {
            own.iter().enumerate().for_each(|(column, x)| points.set(row, column, *x));
        }
        let mut solved = Panels::zeros(count, known + room);
        let width = surface.stretch.len();
        let (mut variance, mut means) = (Vec::new(), Vec::new());
        for index in 0..points.len() {
            let eight = surface.eight(&points.panel(index)[..width], false);
            solved.panel_mut(index)[..known].copy_from_slice(&eight.solved[..known]);
            means.extend(surface.fantasies(&eight));
            variance.push(eight.variance);
        }
        Self { points, solved, variance, means }
    }

    /// The acquisition of each.
    pub(super) fn values(&self, surface: &Surface) -> Vec<f64> {
        let fantasies = surface.best.len();
        let eights = self.means.chunks_exact(fantasies).zip(&self.variance);
        let values = eights.flat_map(|(means, variance)| {
            let deviation = Lanes(variance.0.map(f64::sqrt));
            improvement(means, &surface.best, deviation, false).value.0
        });
        values.take(self.points.row_count()).collect()
    }

    /// The squared distance of two, in length scales.
    pub(super) fn squared_distance(&self, one: usize, other: usize, width: usize) -> f64 {
        (0..width).map(|column| self.points.at(one, column) - self.points.at(other, column)).map(|x| x * x).sum()
    }

    /// Takes in the point that the surface took in last.
    pub(super) fn update(&mut self, surface: &Surface) {
        let last = surface.len() - 1;
        let lower = surface.factor.lower();
        let row: Vec<f64> = (0..=last).map(|column| lower.at(last, column)).collect();
        let own: Vec<f64> = (0..surface.stretch.len()).map(|column| surface.points.at(last, column)).collect();
        let normals = &surface.normals[surface.normals.len() - 1..];
        let least = LEAST_VARIANCE * surface.scales.variance;
        let fantasies = surface.best.len();
        for index in 0..self.points.len() {
            let mut sums = [kernel::values_with_one(&self.points.panel(index)[..own.len()], &own)];
            scale(&mut sums, surface.scales.variance);
            let panel = self.solved.panel_mut(index);
            let (product, _) = dot_and_square(&panel[..last], &row[..last]);
            let solved = Lanes(std::array::from_fn(|r| (sums[0].0[r] - product.0[r]) / row[last]));
            panel[last] = solved;
            let variance = &mut self.variance[index].0;
            (0..LANES).for_each(|r| variance[r] = (variance[r] - solved.0[r] * solved.0[r]).max(least));
            add_products(&mut self.means[index * fantasies..][..fantasies], &[solved], normals);
        }
    }
}

/// K's factor; where K is not positive definite in its digits, with ten times the noise, again and again.
fn factor_with_jitter(points: &Panels, width: usize, mut scales: Scales) -> (Factor, Scales) {
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
