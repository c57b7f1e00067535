//! Which trials did well, and how much each of them counts.

use crate::model::metric::Direction;
use crate::search::Told;
use std::cmp::Ordering;

/// How many of `told` trials are the good ones: min(⌈told/10⌉, 25), at least 1 (Optuna's `default_gamma`).
pub fn good_count(told: usize) -> usize {
    told.div_ceil(10).clamp(1, 25)
}

/// Positions of the good trials, the best first. Trials that were pruned are behind all that were not, since
/// their values are of less training; those without a value are never good.
pub fn good(told: &[Told], direction: Direction) -> Vec<usize> {
    let mut order: Vec<usize> = (0..told.len()).filter(|&index| has_value(&told[index])).collect();
    order.sort_by(|&a, &b| compare(&told[a], &told[b], direction));
    order.truncate(good_count(told.len()));
    order
}

/// Whether a trial came to a number.
pub fn has_value(told: &Told) -> bool {
    told.value.is_some_and(|value| !value.is_nan())
}

/// The better first; of equals the one that was told first stays first.
fn compare(a: &Told, b: &Told, direction: Direction) -> Ordering {
    let value = |told: &Told| told.value.unwrap_or(f64::NAN);
    a.is_pruned.cmp(&b.is_pruned).then_with(|| direction.compare(value(a), value(b)))
}

/// Weights by rank, best first: ln(m + ½) − ln(rank), scaled to a sum of m.
///
/// These are the recombination weights of CMA-ES (Hansen 2016, equation 49) for m parents. Watanabe ("Tree-structured
/// Parzen estimator: understanding its algorithm components", 2023) weighs good trials by their improvement;
/// ranks do the same for values of any scale, and for any monotone transformation of them.
pub fn weights(count: usize) -> Vec<f64> {
    let m = count as f64;
    let raw: Vec<f64> = (1..=count).map(|rank| libm::log(m + 0.5) - libm::log(rank as f64)).collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|weight| weight * m / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Configuration;

    fn told(value: Option<f64>, is_pruned: bool) -> Told {
        Told { number: 0, configuration: Configuration::new(), value, is_pruned }
    }

    #[test]
    fn a_tenth_is_good_and_at_most_twenty_five() {
        let counts = [1, 10, 11, 20, 21, 100, 240, 241, 251, 10_000].map(good_count);
        assert_eq!(counts, [1, 1, 2, 2, 3, 10, 24, 25, 25, 25]);
    }

    #[test]
    fn good_trials_are_complete_before_pruned_and_never_without_a_value() {
        let values = [Some(5.0), None, Some(1.0), Some(9.0), Some(1.0), Some(f64::NAN)];
        let mut all: Vec<Told> = values.map(|value| told(value, false)).into();
        all[3].is_pruned = true;
        all.extend((0..50).map(|_| told(None, false)));
        assert_eq!(good(&all, Direction::Maximize), [0, 2, 4, 3]);
        assert_eq!(good(&all, Direction::Minimize), [2, 4, 0, 3]);
        assert_eq!(good(&all[..3], Direction::Minimize), [2]);
        assert!(good(&all[1..2], Direction::Minimize).is_empty());
    }

    /// CMA-ES weights of four parents, `ln(4.5) - ln([1, 2, 3, 4])` over their mean by NumPy.
    #[test]
    fn weights_fall_with_the_rank_and_sum_to_the_count() {
        let expected = [2.1197207379151166, 1.1428571428571428, 0.5714285714285713, 0.16599354779916886];
        for (found, expected) in weights(4).iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-12, "{found} for {expected}");
        }
        assert_eq!(weights(1), [1.0]);
        assert!(weights(0).is_empty());
    }
}
