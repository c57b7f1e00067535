//! Randomised Halton points (Halton 1960; Owen 2017): trial n is point n, even in every dimension whatever the
//! number of trials.

use super::sequence::{self, Sequence};
use super::{Settings, Strategy, StrategyKind, Unguided};
use crate::random::Permutation;
use crate::setting::Chosen;
use crate::space::Space;

/// Randomised Halton points.
pub struct HaltonSearch;

impl StrategyKind for HaltonSearch {
    fn name(&self) -> &'static str {
        "halton"
    }
    fn summary(&self) -> &'static str {
        "randomised Halton points: as random, but spread evenly, at any number of trials"
    }
    fn learns(&self, _: &Chosen) -> bool {
        false
    }
    fn unguided(&self, _: &Space, _: &Settings) -> Unguided {
        Unguided::Even
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(sequence::Points::new(settings, Halton::new))
    }
}

/// A randomised Halton sequence.
///
/// Dimension j of point n is Σₖ πⱼₖ(aₖ)·bⱼ⁻ᵏ⁻¹, where bⱼ is the j-th prime, a₀, a₁, … are the digits of n to that
/// base from the lowest on, zeros without end included, and πⱼₖ are random permutations of the digits (Owen,
/// "A randomized Halton algorithm in R", 2017).
struct Halton {
    /// A permutation per digit, by dimension; without any the digits stay as they are.
    digits: Vec<Vec<Permutation>>,
    bases: Vec<u32>,
}

impl Halton {
    /// The sequence of a seed in this many dimensions.
    fn new(dimensions: usize, seed: u64) -> Self {
        let bases = primes(dimensions);
        let permutations = |(dimension, base): (u32, &u32)| {
            // As many digits as an f64 can tell apart.
            let count = (53.0 / f64::from(*base).log2()).ceil() as u32;
            (0..count).map(|digit| Permutation::new(seed, dimension, digit, *base)).collect()
        };
        Self { digits: (0..).zip(&bases).map(permutations).collect(), bases }
    }

    /// The same without permutations, from (0, 0, …) and (1/2, 1/3, 1/5, …) on.
    #[cfg(test)]
    fn unscrambled(dimensions: usize) -> Self {
        Self { digits: vec![Vec::new(); dimensions], bases: primes(dimensions) }
    }
}

impl Sequence for Halton {
    fn point(&self, index: u64) -> Vec<f64> {
        self.digits.iter().zip(&self.bases).map(|(digits, base)| coordinate(index, *base, digits)).collect()
    }
}

/// The digits of a number behind the point, each permuted, those past the last permutation as they are.
fn coordinate(mut rest: u64, base: u32, permutations: &[Permutation]) -> f64 {
    let mut digits = Vec::with_capacity(64);
    while rest > 0 || digits.len() < permutations.len() {
        let digit = (rest % u64::from(base)) as u32;
        digits.push(permutations.get(digits.len()).map_or(digit, |permutation| permutation.at(digit)));
        rest /= u64::from(base);
    }
    let sum = digits.iter().rev().fold(0.0, |sum, digit| (sum + f64::from(*digit)) / f64::from(base));
    // A long row of the highest digit rounds to 1.
    sum.min(1.0 - f64::EPSILON / 2.0)
}

/// The first primes.
fn primes(count: usize) -> Vec<u32> {
    let mut primes: Vec<u32> = Vec::with_capacity(count);
    let mut candidate = 2;
    while primes.len() < count {
        if primes.iter().take_while(|prime| *prime * *prime <= candidate).all(|prime| candidate % prime != 0)
        {
            primes.push(candidate);
        }
        candidate += 1;
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SciPy adds the digits from the other end: 1e-15 leaves a few roundings of numbers below 1.
    #[test]
    fn unscrambled_points_are_those_of_scipy() {
        let stored: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/reference/sequences.json")).unwrap();
        for case in stored["halton"].as_array().unwrap() {
            let expected = case["point"].as_array().unwrap();
            let found = Halton::unscrambled(expected.len()).point(case["index"].as_u64().unwrap());
            for (found, expected) in found.iter().zip(expected) {
                let difference = (found - expected.as_f64().unwrap()).abs();
                assert!(difference <= 1e-15, "{found} of {case}");
            }
        }
    }

    #[test]
    fn coordinates_stay_below_one_for_any_number() {
        assert_eq!(coordinate(u64::MAX, 2, &[]), 1.0 - f64::EPSILON / 2.0);
        let halton = Halton::new(40, 5);
        for index in [0, 1, 1 << 53, u64::MAX] {
            assert!(halton.point(index).iter().all(|x| (0.0..1.0).contains(x)), "point {index}");
        }
    }
}
