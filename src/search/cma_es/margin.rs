//! Keeps whole numbers and steps from freezing: the values next to the mean's keep a probability.
//!
//! Hamano, Saito, Nomura and Shirakawa, "CMA-ES with margin: lower-bounding marginal probability for mixed-integer
//! black-box optimization", GECCO 2022. Without it a coordinate whose deviation has fallen far below one value
//! takes the same value for ever. Their matrix of scales is multiplied into C here.

use super::gaussian::Gaussian;
use crate::search::frame::Frame;
use crate::search::normal::{upper_quantile, upper_tail};

/// Gives the values beside the mean's a probability of `least`, at most 1/4, in every coordinate that is not
/// continuous: by a larger deviation, or where there is but one such value, by a mean nearer to it.
pub fn keep_margin(gaussian: &mut Gaussian, frame: &Frame, least: f64) {
    for coordinate in 0..frame.number_count() {
        if frame.is_continuous(coordinate) {
            continue;
        }
        let (low, high) = frame.cell(coordinate, gaussian.mean[coordinate]);
        match (low > 0.0, high < 1.0) {
            (true, true) => widen(gaussian, coordinate, (low, high), least),
            (true, false) => approach(gaussian, coordinate, low, least),
            (false, true) => approach(gaussian, coordinate, high, least),
            (false, false) => {}
        }
    }
}

/// Moves the mean towards the end of its cell until the value behind has the probability.
fn approach(gaussian: &mut Gaussian, coordinate: usize, end: f64, least: f64) {
    let farthest = gaussian.deviation(coordinate) * upper_quantile(least);
    let mean = &mut gaussian.mean[coordinate];
    *mean = end + (*mean - end).clamp(-farthest, farthest);
}

/// Sets deviation and mean so that the values on both sides together have the probability, each at least half
/// of it.
fn widen(gaussian: &mut Gaussian, coordinate: usize, (low, high): (f64, f64), least: f64) {
    let (mean, deviation) = (gaussian.mean[coordinate], gaussian.deviation(coordinate));
    let below = upper_tail((mean - low) / deviation);
    let above = upper_tail((high - mean) / deviation);
    let inside = 1.0 - below - above;
    if below >= least / 2.0 && above >= least / 2.0 {
        return;
    }
    let raised = (below.max(least / 2.0), above.max(least / 2.0));
    let sum = raised.0 + raised.1 + inside;
    // What was added is taken from what is above its bound, so that the sum is 1 again.
    let share = (1.0 - sum) / (sum - 1.5 * least);
    let settled = |probability: f64| upper_quantile(probability + share * (probability - least / 2.0));
    let (to_low, to_high) = (settled(raised.0), settled(raised.1));
    gaussian.stretch(coordinate, (high - low) / (to_low + to_high) / deviation);
    gaussian.mean[coordinate] = (low * to_high + high * to_low) / (to_low + to_high);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{Dimension, Domain, Space};

    const LEAST: f64 = 0.05;

    /// The probabilities of the values below and above the mean's own, after the margin was kept.
    fn tails(high: i64, mean: f64, deviation: f64) -> (f64, f64) {
        let domain = Domain::Int { low: 0, high, log: false, step: 1 };
        let frame = Frame::new(&Space::new(vec![Dimension::new("k", domain)]).unwrap());
        let mut gaussian = Gaussian::new(vec![mean], deviation);
        let cell = frame.cell(0, mean);
        keep_margin(&mut gaussian, &frame, LEAST);
        let (mean, deviation) = (gaussian.mean[0], gaussian.deviation(0));
        assert!(cell.0 <= mean && mean <= cell.1, "the mean left its cell");
        (upper_tail((mean - cell.0) / deviation), upper_tail((cell.1 - mean) / deviation))
    }

    /// Bounds that are met exactly: 1e-12 is what bisection and the roots leave.
    #[test]
    fn values_beside_the_mean_keep_their_probability() {
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-12;
        // The first of ten values, a deviation of a hundredth of it: the second is kept within reach.
        assert!(near(tails(9, 0.03, 0.001).1, LEAST));
        assert!(near(tails(9, 0.97, 0.001).0, LEAST));
        // In the middle both sides have half of it, near an end the farther side has.
        let (below, above) = tails(9, 0.45, 0.001);
        assert!(near(below, LEAST / 2.0) && near(above, LEAST / 2.0), "{below} {above}");
        let (below, above) = tails(9, 0.401, 0.001);
        assert!(below > 0.1 && near(above, LEAST / 2.0), "{below} {above}");
        // A yes or no.
        assert!(near(tails(1, 0.2, 0.01).1, LEAST));
    }

    #[test]
    fn a_wide_distribution_is_left_alone() {
        let (below, above) = tails(9, 0.45, 0.1);
        let expected = upper_tail(0.05 / 0.1);
        assert!((below - expected).abs() <= 1e-12 && (above - expected).abs() <= 1e-12);
    }
}
