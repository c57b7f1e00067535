//! Results as targets of the Gaussian process.
//!
//! Larger is better. With the best value at 0 and u the distance below it, in units of the distance between the best
//! and the median, the target is
//!
//! g(u) = −c log(1 + u/c) for u ≥ 0, −u for u < 0,
//!
//! then of mean 0 and variance 1. Near the best it keeps distances; far below, orders of magnitude, so that a cliff
//! does not flatten what matters. c is one of [`SHAPES`], infinity (a straight line) first: the fit takes the most
//! likely (Snelson, Rasmussen and Ghahramani, "Warped Gaussian processes", 2003). A trial without a value counts as
//! the worst seen.

use crate::model::metric::Direction;
use crate::search::Told;

/// What c may be.
pub(super) const SHAPES: [f64; 8] = [f64::INFINITY, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01];

/// Values beyond this are divided by the largest, so that no square of a difference is infinite.
const HUGE: f64 = 1e150;

/// Turns values into targets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Warp {
    /// Values are multiplied by it: the sign makes larger better.
    factor: f64,
    best: f64,
    /// The unit of u.
    unit: f64,
    shape: f64,
    mean: f64,
    deviation: f64,
}

/// The finite value of a trial.
pub(super) fn value_of(told: &Told) -> Option<f64> {
    told.value.filter(|value| value.is_finite())
}

impl Warp {
    /// Of this shape, learnt from trials; and the logarithm of the product of its slopes at their values, but for
    /// a constant that all shapes share.
    pub(super) fn learn(told: &[&Told], direction: Direction, shape: f64) -> (Self, f64) {
        let mut values: Vec<f64> = told.iter().filter_map(|told| value_of(told)).collect();
        let largest = values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        let sign = if direction == Direction::Maximize { 1.0 } else { -1.0 };
        let factor = if largest > HUGE { sign / largest } else { sign };
        values.iter_mut().for_each(|value| *value *= factor);
        values.sort_by(f64::total_cmp);
        let best = values.last().copied().unwrap_or(0.0);
        let at = |index: usize| values.get(index).map_or(0.0, |value| best - value);
        let unit = [at(values.len() / 2), at(0)].into_iter().find(|unit| *unit > 0.0).unwrap_or(1.0);
        let mut warp = Self { factor, best, unit, shape, mean: 0.0, deviation: 1.0 };
        let targets = warp.targets(told);
        let count = targets.len().max(1) as f64;
        let mean = targets.iter().sum::<f64>() / count;
        let square = targets.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        let deviation = square.sqrt();
        (warp.mean, warp.deviation) = (mean, if deviation > 0.0 { deviation } else { 1.0 });
        let slopes: f64 = values.iter().map(|value| warp.log_slope((best - value) / unit)).sum();
        let scales = values.len() as f64 * libm::log(warp.deviation);
        (warp, slopes - scales)
    }

    /// The targets of trials, in their order.
    pub(super) fn targets(&self, told: &[&Told]) -> Vec<f64> {
        let targets: Vec<Option<f64>> =
            told.iter().map(|told| value_of(told).map(|value| self.target(value))).collect();
        let worst = targets.iter().flatten().copied().reduce(f64::min).unwrap_or(0.0);
        targets.into_iter().map(|target| target.unwrap_or(worst)).collect()
    }

    fn target(&self, value: f64) -> f64 {
        let below = (self.best - value * self.factor) / self.unit;
        let bent = below > 0.0 && self.shape.is_finite();
        let straight = if bent { self.shape * libm::log1p(below / self.shape) } else { below };
        (-straight - self.mean) / self.deviation
    }

    fn log_slope(&self, below: f64) -> f64 {
        if self.shape.is_finite() { -libm::log1p(below / self.shape) } else { 0.0 }
    }
}
