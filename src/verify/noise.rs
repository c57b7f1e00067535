//! The noise of a computed function: how far its values scatter around the smooth function that they
//! should be. A device that computes the same bits twice shows none by repetition; nearby points do.
//!
//! ECnoise: Moré and Wild, "Estimating computational noise", SIAM J. Sci. Comput. 33 (2011). The k-th
//! differences of values at equally spaced points leave of a smooth function next to nothing, of noise of
//! standard deviation ε a spread of ε·√((2k)!/(k!)²).

/// Points of a table of differences.
pub const POINTS: usize = 9;

/// The noise of a function from its values at [`POINTS`] equally spaced points; `None` where the table
/// does not tell: points so near that most values are equal, or so far that the function itself shows.
pub fn estimate(values: &[f64; POINTS]) -> Option<f64> {
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
    let equal = values.windows(2).filter(|pair| pair[0] == pair[1]).count();
    if !(high - low).is_finite() || 2 * equal >= POINTS || high - low > 0.1 * high.abs().max(low.abs()) {
        return None;
    }
    let mut table = values.to_vec();
    let (mut levels, mut alternates) = (Vec::new(), Vec::new());
    let mut gamma = 1.0;
    for k in 1..POINTS - 1 {
        for i in 0..POINTS - k {
            table[i] = table[i + 1] - table[i];
        }
        gamma *= 0.5 * k as f64 / (2 * k - 1) as f64;
        let left = &table[..POINTS - k];
        let square = left.iter().map(|difference| difference * difference).sum::<f64>() / left.len() as f64;
        levels.push((gamma * square).sqrt());
        alternates.push(left.iter().any(|&d| d < 0.0) && left.iter().any(|&d| d > 0.0));
    }
    (0..levels.len() - 2).find_map(|k| {
        let three = &levels[k..k + 3];
        let (least, most) = three
            .iter()
            .fold((f64::MAX, 0.0), |(least, most): (f64, f64), &level| (least.min(level), most.max(level)));
        (most <= 4.0 * least && alternates[k]).then_some(levels[k])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Stream, uniform};

    fn values(function: impl Fn(f64) -> f64, spacing: f64) -> [f64; POINTS] {
        std::array::from_fn(|i| function(1.0 + spacing * i as f64))
    }

    #[test]
    fn noise_that_was_put_in_is_found() {
        for (seed, size) in [(1, 1e-3), (2, 1e-6), (3, 1e-9)] {
            let stream = Stream::new(seed, Purpose::Verify, 0, 0, 0);
            let found: Vec<f64> = (0..100_u32)
                .filter_map(|repeat| {
                    let noise = |i: u32| 2.0 * f64::from(uniform(stream.word(repeat * 16 + i))) - 1.0;
                    let mut noisy = values(|x| x.sin(), 1e-4 * size);
                    (0..).zip(&mut noisy).for_each(|(i, value)| *value += size * noise(i));
                    estimate(&noisy)
                })
                .collect();
            assert!(found.len() >= 80, "{} estimates", found.len());
            // Uniform noise of half width 1 has a standard deviation of 1/√3.
            let mut ratios: Vec<f64> = found.iter().map(|noise| noise / (size / 3_f64.sqrt())).collect();
            ratios.sort_by(f64::total_cmp);
            assert!((0.8..1.25).contains(&ratios[ratios.len() / 2]), "median {}", ratios[ratios.len() / 2]);
            assert!(ratios[0] > 0.2 && ratios[ratios.len() - 1] < 3.0);
        }
    }

    #[test]
    fn rounding_to_f32_shows_as_noise_of_its_size() {
        let noise = estimate(&values(|x| f64::from((x * 1.7).sin() as f32), 1e-6)).unwrap();
        // Rounded to nearest at a value in [½, 1): uniform of half width 2⁻²⁵.
        let expected = 2_f64.powi(-25) / 3_f64.sqrt();
        assert!((0.3 * expected..3.0 * expected).contains(&noise), "{noise:e} against {expected:e}");
    }

    #[test]
    fn a_table_that_does_not_tell_says_so() {
        assert_eq!(estimate(&[2.5; POINTS]), None);
        assert_eq!(estimate(&values(f64::exp, 0.5)), None);
        assert_eq!(estimate(&[f64::NAN; POINTS]), None);
    }
}
