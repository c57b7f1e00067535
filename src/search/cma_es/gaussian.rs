//! The normal distribution N(m, σ²C) of CMA-ES in the unit cube: draws, and what a ranked generation teaches it.

use super::rates::Rates;
use crate::search::normal;
use rand::Rng;

/// The square of a step as good as none: small, and yet n times its inverse is finite.
const SMALLEST: f64 = 1e-60;
/// A condition number of C past which its numbers mean nothing: that of A is its root.
const MOST_CONDITION: f64 = 1e14;

/// A distribution over n coordinates.
///
/// C is factored as A·Aᵀ by Cholesky rather than by eigenvectors: A is as good a root (Krause, Arbonès and Igel,
/// "CMA-ES with optimal covariance update and storage complexity", NIPS 2016), costs less, and is the same on
/// every platform.
#[derive(Clone, Debug)]
pub struct Gaussian {
    /// m, (n).
    pub mean: Vec<f64>,
    /// σ, at most 1: the whole range.
    pub step: f64,
    /// C, (n, n).
    covariance: Vec<Vec<f64>>,
    /// A, (n, n), lower triangular.
    root: Vec<Vec<f64>>,
    /// p_σ, (n).
    step_path: Vec<f64>,
    /// p_c, (n).
    path: Vec<f64>,
    /// Generations learned from.
    generation: u32,
}

impl Gaussian {
    /// N(mean, step²·I).
    pub fn new(mean: Vec<f64>, step: f64) -> Self {
        let n = mean.len();
        let row = |i| (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect();
        let identity: Vec<Vec<f64>> = (0..n).map(row).collect();
        Self {
            mean,
            step,
            root: identity.clone(),
            covariance: identity,
            step_path: vec![0.0; n],
            path: vec![0.0; n],
            generation: 0,
        }
    }

    /// The standard deviation of a coordinate: σ·√Cⱼⱼ.
    pub fn deviation(&self, coordinate: usize) -> f64 {
        self.step * self.covariance[coordinate][coordinate].sqrt()
    }

    /// A point of the cube: m + σ·A·z, each coordinate moved to 0 or 1 where it lies outside.
    pub fn draw(&self, generator: &mut impl Rng) -> Vec<f64> {
        let z: Vec<f64> = self.mean.iter().map(|_| normal::draw(generator)).collect();
        let point = self.mean.iter().zip(&self.root).map(|(mean, row)| mean + self.step * dot(row, &z));
        point.map(|x| x.clamp(0.0, 1.0)).collect()
    }

    /// Learns from a generation, the best first, each with the weight of its rank, or with 0 where it is not to
    /// count.
    ///
    /// The members may come from another distribution than this: one of before, another strategy, or the edge of
    /// the cube. A step yᵢ = (xᵢ − m)/σ counts no longer than √n + 2n/(n+2) of its own deviations (Hansen,
    /// "Injecting external solutions into CMA-ES", 2011).
    pub fn learn(&mut self, ranked: &[Vec<f64>], weights: &[f64], rates: &Rates) {
        if self.mean.is_empty() {
            return;
        }
        let n = self.mean.len() as f64;
        let longest = n.sqrt() + 2.0 * n / (n + 2.0);
        let steps: Vec<Step> = ranked.iter().map(|point| self.step_to(point, longest)).collect();
        let mean_of = |part: fn(&Step) -> &[f64], i: usize| -> f64 {
            weights[..rates.parent_count].iter().zip(&steps).map(|(w, step)| w * part(step)[i]).sum()
        };
        let y: Vec<f64> = (0..self.mean.len()).map(|i| mean_of(|step| &step.y, i)).collect();
        let z: Vec<f64> = (0..self.mean.len()).map(|i| mean_of(|step| &step.z, i)).collect();
        self.mean.iter_mut().zip(&y).for_each(|(mean, y)| *mean = (*mean + self.step * y).clamp(0.0, 1.0));
        self.generation = self.generation.saturating_add(1);
        let is_calm = self.follow(&y, &z, rates);
        self.learn_covariance(&steps, weights, is_calm, rates);
        let stretch = norm(&self.step_path) / rates.length - 1.0;
        let growth = (rates.step_path / rates.damping * stretch).min(1.0);
        self.step = (self.step * libm::exp(growth)).min(1.0);
    }

    /// Moves both paths on; whether p_σ is of ordinary length, so that p_c may follow: h_σ.
    fn follow(&mut self, y: &[f64], z: &[f64], rates: &Rates) -> bool {
        advance(&mut self.step_path, z, rates.step_path, rates.effective);
        let n = self.mean.len() as f64;
        let age = 2.0 * f64::from(self.generation);
        let settled = (1.0 - libm::pow(1.0 - rates.step_path, age)).sqrt();
        let is_calm = norm(&self.step_path) / settled < (1.4 + 2.0 / (n + 1.0)) * rates.length;
        let nothing = vec![0.0; y.len()];
        advance(&mut self.path, if is_calm { y } else { &nothing }, rates.path, rates.effective);
        is_calm
    }

    /// C ← (1 + c₁δ − c₁ − c_μΣwᵢ)·C + c₁·p_c·p_cᵀ + c_μ·Σwᵢ°·yᵢ·yᵢᵀ, where wᵢ° is wᵢ, times n/‖zᵢ‖² where it
    /// is below 0, and δ makes up for a path that did not follow.
    fn learn_covariance(&mut self, steps: &[Step], weights: &[f64], is_calm: bool, rates: &Rates) {
        let n = self.mean.len() as f64;
        let lag = if is_calm { 0.0 } else { rates.path * (2.0 - rates.path) };
        let kept = 1.0 + rates.rank_one * (lag - 1.0) - rates.rank_mu * weights.iter().sum::<f64>();
        let weight = |(w, step): (&f64, &Step)| match *w >= 0.0 {
            true => rates.rank_mu * w,
            false => rates.rank_mu * w * n / dot(&step.z, &step.z).max(SMALLEST),
        };
        let weights: Vec<f64> = weights.iter().zip(steps).map(weight).collect();
        for i in 0..self.mean.len() {
            for j in 0..=i {
                let members: f64 = weights.iter().zip(steps).map(|(w, step)| w * step.y[i] * step.y[j]).sum();
                let learned = rates.rank_one * self.path[i] * self.path[j] + members;
                self.covariance[i][j] = kept * self.covariance[i][j] + learned;
                self.covariance[j][i] = self.covariance[i][j];
            }
        }
    }

    /// Widens the distribution where a generation had nothing to tell its members apart by.
    pub fn widen(&mut self, rates: &Rates) {
        self.step = (self.step * libm::exp(0.2 + rates.step_path / rates.damping)).min(1.0);
    }

    /// Multiplies the standard deviation of a coordinate.
    pub fn stretch(&mut self, coordinate: usize, factor: f64) {
        self.covariance[coordinate].iter_mut().for_each(|c| *c *= factor);
        self.covariance.iter_mut().for_each(|row| row[coordinate] *= factor);
    }

    /// Computes A from C; false where C is not positive definite, or nearly so.
    pub fn factor(&mut self) -> bool {
        let n = self.mean.len();
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for i in 0..n {
            for j in 0..i {
                let rest = self.covariance[i][j] - dot(&self.root[i][..j], &self.root[j][..j]);
                self.root[i][j] = rest / self.root[j][j];
            }
            let rest = self.covariance[i][i] - dot(&self.root[i][..i], &self.root[i][..i]);
            // Written so that NaN fails.
            if !(rest > 0.0) {
                return false;
            }
            self.root[i][i] = rest.sqrt();
            (least, most) = (least.min(rest), most.max(rest));
        }
        n == 0 || most < MOST_CONDITION * least
    }

    /// The way from the mean to a point, no longer than this many deviations.
    fn step_to(&self, point: &[f64], longest: f64) -> Step {
        let mut y: Vec<f64> = point.iter().zip(&self.mean).map(|(x, mean)| (x - mean) / self.step).collect();
        let mut z: Vec<f64> = Vec::with_capacity(y.len());
        for (i, row) in self.root.iter().enumerate() {
            z.push((y[i] - dot(&row[..i], &z)) / row[i]);
        }
        let excess = norm(&z) / longest;
        if excess > 1.0 {
            y.iter_mut().chain(&mut z).for_each(|x| *x /= excess);
        }
        Step { y, z }
    }
}

/// The way from the mean to a member: y = (x − m)/σ and z = A⁻¹y.
struct Step {
    y: Vec<f64>,
    z: Vec<f64>,
}

/// p ← (1 − c)·p + √(c(2 − c)μ_eff)·step.
fn advance(path: &mut [f64], step: &[f64], rate: f64, effective: f64) {
    let scale = (rate * (2.0 - rate) * effective).sqrt();
    path.iter_mut().zip(step).for_each(|(p, s)| *p = (1.0 - rate) * *p + scale * s);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    /// Sums of some hundred terms near 1, compounded over eight generations: 1e-10 leaves a factor of a thousand.
    fn assert_near(what: &str, found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found - expected).abs();
            assert!(difference <= 1e-10 * expected.abs().max(1.0), "{what}: {found:e} against {expected:e}");
        }
    }

    /// `tests/reference/make_cma_es.py`: numpy's matrices, checked against the `cmaes` package.
    #[test]
    fn generations_change_the_distribution_as_in_the_tutorial() {
        let file: Value = serde_json::from_str(include_str!("../../../tests/reference/cma_es.json")).unwrap();
        for course in file["courses"].as_array().unwrap() {
            let n = course["dimensions"].as_u64().unwrap() as usize;
            let rates = Rates::new(n, course["members"].as_u64().unwrap() as usize);
            assert_near("weights", &rates.weights, &numbers(&course["weights"]));
            let mut gaussian = Gaussian::new(vec![0.5; n], 0.125);
            for generation in course["generations"].as_array().unwrap() {
                let points: Vec<Vec<f64>> =
                    generation["points"].as_array().unwrap().iter().map(numbers).collect();
                gaussian.learn(&points, &rates.weights, &rates);
                assert!(gaussian.factor());
                assert_near("mean", &gaussian.mean, &numbers(&generation["mean"]));
                assert_near("step", &[gaussian.step], &[generation["step"].as_f64().unwrap()]);
                for (row, expected) in
                    gaussian.covariance.iter().zip(generation["covariance"].as_array().unwrap())
                {
                    assert_near("covariance", row, &numbers(expected));
                }
            }
        }
    }

    /// The covariance of 20,000 draws, each entry within 5 standard deviations of its own.
    #[test]
    fn draws_have_the_covariance_that_was_learned() {
        use crate::random::{Purpose, Stream};
        let mut gaussian = Gaussian::new(vec![0.5, 0.4], 0.02);
        gaussian.covariance = vec![vec![4.0, -1.8], vec![-1.8, 1.0]];
        assert!(gaussian.factor());
        let mut generator = Stream::new(7, Purpose::Search, 18, 0, 0).reader();
        let drawn: Vec<Vec<f64>> = (0..20_000).map(|_| gaussian.draw(&mut generator)).collect();
        for (i, j) in [(0, 0), (0, 1), (1, 1)] {
            let sum: f64 = drawn.iter().map(|x| (x[i] - gaussian.mean[i]) * (x[j] - gaussian.mean[j])).sum();
            let (found, expected) = (sum / 20_000.0 / 0.0004, gaussian.covariance[i][j]);
            let [a, b] = [i, j].map(|k| gaussian.covariance[k][k]);
            let deviation = ((a * b + expected * expected) / 20_000.0).sqrt();
            assert!((found - expected).abs() < 5.0 * deviation, "C[{i}][{j}]: {found} against {expected}");
        }
    }

    #[test]
    fn a_covariance_that_is_none_is_found_out() {
        for (covariance, sound) in [
            ([[1.0, 0.5], [0.5, 1.0]], true),
            ([[1.0, 1.0], [1.0, 1.0]], false),
            ([[1.0, 0.0], [0.0, -1.0]], false),
            ([[1.0, 0.0], [0.0, 1e-15]], false),
            ([[1.0, f64::NAN], [f64::NAN, 1.0]], false),
        ] {
            let mut gaussian = Gaussian::new(vec![0.5; 2], 0.1);
            gaussian.covariance = covariance.map(Vec::from).to_vec();
            assert_eq!(gaussian.factor(), sound, "{covariance:?}");
        }
    }
}
