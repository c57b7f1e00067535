//! The standard normal distribution, by libm alone: the same bits on every platform.

use rand::Rng;

/// A uniform number in [0, 1).
pub fn uniform(generator: &mut impl Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 * 2_f64.powi(-53)
}

/// A standard normal number (Box and Muller 1958).
pub fn draw(generator: &mut impl Rng) -> f64 {
    let (radius, angle) = (1.0 - uniform(generator), uniform(generator));
    (-2.0 * libm::log(radius)).sqrt() * libm::cos(std::f64::consts::TAU * angle)
}

/// The probability of more than `z`: Q(z) = erfc(z/√2)/2.
pub fn upper_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The probability between two numbers, low ≤ high.
pub fn mass(low: f64, high: f64) -> f64 {
    // The tails of the side that both lie on are small and exact; else what is outside of both.
    if low > 0.0 {
        upper_tail(low) - upper_tail(high)
    } else if high < 0.0 {
        upper_tail(-high) - upper_tail(-low)
    } else {
        1.0 - upper_tail(-low) - upper_tail(high)
    }
}

/// The z with this probability of more, for probabilities that an f64 can tell from 0 and 1.
pub fn upper_quantile(probability: f64) -> f64 {
    bisected(-40.0, 40.0, probability)
}

/// The number between two others that a uniform one stands for, of the distribution cut off at both; the end
/// nearer to 0 where neither has a probability that an f64 can hold.
pub fn between(low: f64, high: f64, share: f64) -> f64 {
    // The upper tail is exact far out, the lower one is not.
    if high < 0.0 {
        return -between(-high, -low, share);
    }
    let (most, least) = (upper_tail(low), upper_tail(high));
    bisected(low, high, most - share * (most - least))
}

/// Where Q falls to a probability between two numbers.
fn bisected(mut low: f64, mut high: f64, probability: f64) -> f64 {
    // 64 halvings reach the last bit of anything that is not next to 0.
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if upper_tail(middle) > probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.stats.norm.sf` and `isf`, `truncnorm.ppf`; bisection leaves some units of the last place of 40.
    #[test]
    fn tails_and_quantiles_are_those_of_scipy() {
        let tails = [
            (-1.0, 0.8413447460685429),
            (0.0, 0.5),
            (2.0, 0.022750131948179195),
            (9.0, 1.1285884059538324e-19),
        ];
        for (z, tail) in tails {
            let difference = (upper_tail(z) - tail).abs();
            assert!(difference <= 1e-14 * tail, "Q({z}): {difference:e}");
        }
        for (probability, z) in
            [(0.05, 1.6448536269514729), (0.9, -1.2815515655446004), (1e-9, 5.9978070150076865)]
        {
            let difference = (upper_quantile(probability) - z).abs();
            assert!(difference <= 1e-13, "quantile of {probability}: {difference:e}");
        }
        let cut = [
            ((-1.0, 2.0, 0.5), 0.17116391801782482),
            ((3.0, 4.0, 0.25), 3.084246748861947),
            ((-9.0, -7.0, 0.5), -7.096472643454135),
        ];
        for ((low, high, share), z) in cut {
            let difference = (between(low, high, share) - z).abs();
            assert!(difference <= 1e-12, "between {low} and {high}: {difference:e}");
        }
    }

    #[test]
    fn a_cut_without_probability_gives_its_nearer_end() {
        for share in [0.0, 0.3, 0.999] {
            assert!((between(60.0, 70.0, share) - 60.0).abs() <= 1e-12);
            assert!((between(-70.0, -60.0, share) + 60.0).abs() <= 1e-12);
        }
        assert!((between(1.0, 1.0, 0.5) - 1.0).abs() <= 1e-15);
    }

    /// `norm.cdf(high) - norm.cdf(low)`, in the upper tail by `norm.sf`.
    #[test]
    fn masses_are_those_of_scipy() {
        for (low, high, mass_) in [
            (-1.0, 2.0, 0.8185946141203637),
            (5.0, 6.0, 2.856649842341556e-07),
            (-9.0, -8.5, 9.366675981607867e-18),
            (-0.5, -0.25, 0.09275613559108942),
            (1.0, 1.0, 0.0),
        ] {
            let difference = (mass(low, high) - mass_).abs();
            assert!(difference <= 1e-13 * mass_, "from {low} to {high}: {difference:e}");
        }
    }

    /// Mean 0 within 4 standard deviations of 40,000 draws, variance 1 within 4 of its own.
    #[test]
    fn draws_are_standard_normal() {
        use crate::random::{Purpose, Stream};
        let mut generator = Stream::new(3, Purpose::Search, 18, 0, 0).reader();
        let drawn: Vec<f64> = (0..40_000).map(|_| draw(&mut generator)).collect();
        let mean = drawn.iter().sum::<f64>() / 40_000.0;
        let variance = drawn.iter().map(|z| z * z).sum::<f64>() / 40_000.0;
        assert!(mean.abs() < 4.0 / 200.0, "{mean}");
        assert!((variance - 1.0).abs() < 4.0 * 2_f64.sqrt() / 200.0, "{variance}");
        let beyond = drawn.iter().filter(|z| **z > 2.0).count() as f64 / 40_000.0;
        assert!((beyond - 0.02275).abs() < 4.0 * (0.02275_f64 / 40_000.0).sqrt(), "{beyond}");
    }
}
