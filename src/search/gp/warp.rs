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

/// u is at most this far from 0: beyond it, squares of targets would not be finite.
const FAR: f64 = 1e100;

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
        let slopes: f64 = values.iter().map(|value| warp.log_slope(warp.below(*value))).sum();
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
        let below = self.below(value * self.factor);
        let bent = below > 0.0 && self.shape.is_finite();
        let straight = if bent { self.shape * libm::log1p(below / self.shape) } else { below };
        (-straight - self.mean) / self.deviation
    }

    /// u of a value times the factor.
    fn below(&self, value: f64) -> f64 {
        ((self.best - value) / self.unit).clamp(-FAR, FAR)
    }

    fn log_slope(&self, below: f64) -> f64 {
        if self.shape.is_finite() { -libm::log1p(below / self.shape) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Configuration;

    fn told(values: &[Option<f64>]) -> Vec<Told> {
        let told = |(number, value): (u64, &Option<f64>)| Told {
            number,
            configuration: Configuration::new(),
            value: *value,
            is_pruned: false,
        };
        (0..).zip(values).map(told).collect()
    }

    fn targets(values: &[Option<f64>], direction: Direction, shape: f64) -> Vec<f64> {
        let told = told(values);
        let told: Vec<&Told> = told.iter().collect();
        Warp::learn(&told, direction, shape).0.targets(&told)
    }

    const VALUES: [f64; 9] = [3.0, -2.0, 0.5, 100.0, 7.0, 2.9, -1.99, 1e4, 0.0];

    #[test]
    fn order_is_kept_and_targets_are_of_mean_0_and_variance_1() {
        let values = VALUES.map(Some);
        for shape in SHAPES {
            let found = targets(&values, Direction::Maximize, shape);
            for (one, value) in found.iter().zip(VALUES) {
                for (other, beside) in found.iter().zip(VALUES) {
                    assert_eq!(one.total_cmp(other), value.total_cmp(&beside), "{value} and {beside}");
                }
            }
            let mean = found.iter().sum::<f64>() / 9.0;
            let square = found.iter().map(|x| x * x).sum::<f64>() / 9.0;
            assert!(mean.abs() <= 1e-15 && (square - 1.0).abs() <= 1e-14, "{mean:e}, {square}");
            let other_way = targets(&values.map(|value| value.map(|y| -y)), Direction::Minimize, shape);
            assert_eq!(found, other_way);
        }
    }

    #[test]
    fn trials_without_a_finite_value_are_the_worst_seen() {
        let others = [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)];
        let values: Vec<Option<f64>> = VALUES.map(Some).into_iter().chain(others).collect();
        for (direction, worst) in [(Direction::Maximize, 1), (Direction::Minimize, 7)] {
            for shape in SHAPES {
                let found = targets(&values, direction, shape);
                let least = found.iter().copied().fold(f64::INFINITY, f64::min);
                assert!(found.iter().all(|target| target.is_finite()));
                assert_eq!(found[worst], least);
                assert_eq!(found[9..], [least; 4]);
            }
        }
        assert_eq!(targets(&[None, None], Direction::Maximize, 1.0), [0.0, 0.0]);
    }

    /// What a constant shares with all shapes is left out: differences are compared.
    #[test]
    fn slopes_are_those_of_the_warp() {
        let told = told(&VALUES.map(Some));
        let told: Vec<&Told> = told.iter().collect();
        let both = |shape| {
            let (warp, slopes) = Warp::learn(&told, Direction::Minimize, shape);
            // Of the best, −2, the slope to one side is that of the straight line: below it, a step of 1e-6.
            let own = |y: f64| (warp.target(y) - warp.target(y + 1e-6 * (3.0 + y))) / (1e-6 * (3.0 + y));
            (slopes, VALUES.map(own).iter().map(|slope| slope.ln()).sum::<f64>())
        };
        let straight = both(SHAPES[0]);
        for shape in &SHAPES[1..] {
            let bent = both(*shape);
            let (found, expected) = (bent.0 - straight.0, bent.1 - straight.1);
            assert!((found - expected).abs() <= 1e-3 * expected.abs(), "{shape}: {found} for {expected}");
        }
    }

    /// Near the best a warp keeps distances, far below orders of magnitude.
    #[test]
    fn far_below_the_best_orders_of_magnitude_count() {
        let found = targets(&[0.0, 1e-5, 2e-5, 1.0, 10.0, 100.0, 1e3].map(Some), Direction::Minimize, 0.01);
        let gap = |i: usize| found[i] - found[i + 1];
        assert!((gap(1) / gap(0) - 1.0).abs() < 0.01, "{found:?}");
        assert!((gap(5) / gap(4) - 1.0).abs() < 0.01, "{found:?}");
        assert_eq!(targets(&[Some(3.0); 4], Direction::Minimize, 1.0), [0.0; 4]);
        assert_eq!(targets(&[Some(3.0)], Direction::Minimize, 1.0), [0.0]);
    }

    #[test]
    fn targets_of_any_values_are_finite() {
        let (most, least) = (f64::MAX, f64::from_bits(1));
        let lists: [&[f64]; 7] = [
            &[most, -most, 0.0],
            &[most, 1.0, 2.0, 3.0],
            &[-1e149, 1e-300, 2e-300, 3e-300, 5e-300],
            &[1e149, 1e-300, 2e-300, 3e-300, 5e-300],
            &[0.0, least, 2.0 * least, 1.0, -1.0],
            &[1e150, -1e150, least, 0.0, -least],
            &[1e300, 1e300, 1e300, 1e-300],
        ];
        for values in lists {
            let values: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
            for direction in [Direction::Maximize, Direction::Minimize] {
                for shape in SHAPES {
                    let told = told(&values);
                    let told: Vec<&Told> = told.iter().collect();
                    let (warp, slopes) = Warp::learn(&told, direction, shape);
                    let found = warp.targets(&told);
                    assert!(found.iter().all(|target| target.is_finite()), "{values:?}, {shape}: {found:?}");
                    assert!(slopes.is_finite(), "{values:?}, {shape}: {slopes}");
                }
            }
        }
    }

    /// A warp is kept for some trials, of which one may be better than all before by any measure.
    #[test]
    fn a_value_beyond_all_that_a_warp_was_learnt_from_has_a_finite_target() {
        let known = told(&VALUES.map(Some));
        let known: Vec<&Told> = known.iter().collect();
        for direction in [Direction::Maximize, Direction::Minimize] {
            for shape in SHAPES {
                let (warp, _) = Warp::learn(&known, direction, shape);
                let values = [-f64::MAX, -1e5, 1e5, f64::MAX].map(|value| warp.target(value));
                let is_rising = values.is_sorted_by(|a, b| a < b);
                let is_falling = values.is_sorted_by(|a, b| a > b);
                assert!(values.iter().all(|target| (target * target).is_finite()), "{values:?}");
                assert!(if direction == Direction::Maximize { is_rising } else { is_falling }, "{values:?}");
            }
        }
    }
}
