//! How far the mean over folds may lie from what the configuration comes to on other data of the same kind.

use crate::sample::Sample;

/// P(T ≤ t) = 0.975 of Student's t with 1, 2, … 30 degrees of freedom.
const QUANTILES: [f64; 30] = [
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604,
    2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
    2.0518, 2.0484, 2.0452, 2.0423,
];

/// The half width of the 95 % interval around the mean of the scores of J folds:
///
/// t(0.975; J − 1) · s · √(1/J + n_test/n_train)
///
/// `test_to_train` is n_test/n_train. The second term is what folds owe each other by sharing training rows; without it
/// the interval is too narrow by half and more (Nadeau and Bengio, "Inference for the generalization error", Machine
/// Learning 52, 2003). `None` of fewer than two folds, or where one has no score.
pub fn interval(values: &[f64], test_to_train: f64) -> Option<f64> {
    if values.len() < 2 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let Sample { count, variance, .. } = Sample::of(values);
    Some(quantile(count - 1) * (variance * (1.0 / count as f64 + test_to_train)).sqrt())
}

/// P(T ≤ t) = 0.975; beyond the table by the expansion around the normal quantile (Abramowitz and Stegun 26.7.5), which
/// is right to four digits there.
fn quantile(freedom: usize) -> f64 {
    const Z: f64 = 1.959_964;
    let n = freedom as f64;
    let expansion =
        || Z + (Z.powi(3) + Z) / (4.0 * n) + (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / (96.0 * n * n);
    QUANTILES.get(freedom - 1).copied().unwrap_or_else(expansion)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_goes_on_where_the_table_ends() {
        // SciPy: t.ppf(0.975, 31), t.ppf(0.975, 99)
        for (freedom, expected) in [(4, 2.7764), (31, 2.0395), (99, 1.9842)] {
            assert!((quantile(freedom) - expected).abs() <= 1e-4, "{freedom}: {}", quantile(freedom));
        }
    }

    #[test]
    fn folds_that_share_rows_widen_the_interval() {
        let values = [0.9, 0.92, 0.94, 0.96, 0.98];
        // s = 0.031623; t = 2.7764; √(1/5 + 1/4) = 0.670820.
        let half = interval(&values, 0.25).unwrap();
        assert!((half - 0.058_897).abs() <= 1e-5, "{half}");
        assert_eq!(interval(&values[..1], 0.25), None);
        assert_eq!(interval(&[0.5, f64::NAN], 0.25), None);
    }
}
