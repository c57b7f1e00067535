//! Rank statistics: whether one number goes with another, and whether some numbers are larger than others. Ties share
//! the mean of their ranks; tails are those of the normal limit, good to a few percent from about ten numbers on.

/// (element) Its rank from 1.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut begin = 0;
    while begin < order.len() {
        let equal =
            order[begin..].iter().take_while(|&&i| numbers[i] == numbers[order[begin]]).count().max(1);
        let mean = begin as f64 + (equal as f64 + 1.0) / 2.0;
        order[begin..begin + equal].iter().for_each(|&i| ranks[i] = mean);
        begin += equal;
    }
    ranks
}

/// How two things go together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// Spearman's coefficient; 0 where one does not vary.
    pub coefficient: f64,
    /// How often chance alone gives one as far from 0 (two-sided).
    pub p: f64,
}

/// Spearman's rank correlation of (x, y); z = r·√(n − 1).
pub fn correlation(pairs: &[(f64, f64)]) -> Correlation {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (x, y) = (ranks(&x), ranks(&y));
    let mean = (pairs.len() as f64 + 1.0) / 2.0;
    let product =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum() };
    let coefficient = product(&x, &y) / (product(&x, &x) * product(&y, &y)).sqrt();
    if !coefficient.is_finite() {
        return Correlation { coefficient: 0.0, p: 1.0 };
    }
    let z = coefficient.abs() * (pairs.len() as f64 - 1.0).sqrt();
    Correlation { coefficient, p: libm::erfc(z / std::f64::consts::SQRT_2) }
}

/// How often chance alone makes `these` as much larger than `others` as they are: Mann and Whitney's test (1947),
/// one-sided, without a correction for ties (which makes p larger than it is); 1 where one is empty.
pub fn larger(these: &[f64], others: &[f64]) -> f64 {
    if these.is_empty() || others.is_empty() {
        return 1.0;
    }
    let all: Vec<f64> = these.iter().chain(others).copied().collect();
    let (n, m) = (these.len() as f64, others.len() as f64);
    let sum: f64 = ranks(&all)[..these.len()].iter().sum();
    let u = sum - n * (n + 1.0) / 2.0;
    let z = (u - n * m / 2.0) / (n * m * (n + m + 1.0) / 12.0).sqrt();
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats 1.17.1: spearmanr([1,2,3,4,5], [5,6,7,8,7]) is 0.820782681668123;
    /// mannwhitneyu([19,22,16,29,24], [20,11,17,12], alternative="greater", method="asymptotic",
    /// use_continuity=False) has p = 0.04320536648685.
    #[test]
    fn ranks_are_those_of_scipy() {
        let pairs = [(1.0, 5.0), (2.0, 6.0), (3.0, 7.0), (4.0, 8.0), (5.0, 7.0)];
        assert!((correlation(&pairs).coefficient - 0.820_782_681_668_123).abs() < 1e-12);
        let p = larger(&[19.0, 22.0, 16.0, 29.0, 24.0], &[20.0, 11.0, 17.0, 12.0]);
        assert!((p - 0.043_205_366_486_85).abs() < 1e-12, "{p}");
    }

    #[test]
    fn what_does_not_vary_goes_with_nothing() {
        assert_eq!(correlation(&[(1.0, 1.0), (1.0, 2.0)]), Correlation { coefficient: 0.0, p: 1.0 });
        assert_eq!(correlation(&[]).p, 1.0);
        assert_eq!(larger(&[], &[1.0]), 1.0);
        assert!(larger(&[f64::NAN], &[1.0]).is_finite());
    }
}
