//! Wilcoxon's signed-rank test (1945), one-sided: how often chance alone gives differences as positive as these.

/// Up to so many differences the distribution is exact; beyond, its normal limit.
const MOST_EXACT: usize = 100;

/// p = P(T ≥ T⁺), T⁺ the sum of the ranks of |d| over the positive differences d, where every d that is not
/// zero has either sign with probability ½.
///
/// Equal |d| share the mean of their ranks. Zeros are ranked, and half of their ranks count as positive
/// (SciPy's `zero_method="zsplit"`). The distribution is that of the ranks at hand, so it is exact with ties too.
/// 1 for no difference at all, or for one that is not a number.
pub fn signed_rank(differences: &[f64]) -> f64 {
    if differences.iter().any(|difference| difference.is_nan()) {
        return 1.0;
    }
    let ranks = doubled_ranks(differences);
    let signed = || ranks.iter().zip(differences).filter(|(_, difference)| **difference != 0.0);
    let positive: u64 = signed().filter(|(_, difference)| **difference > 0.0).map(|(rank, _)| rank).sum();
    let free: Vec<u64> = signed().map(|(rank, _)| *rank).collect();
    // What zeros add to both sides of the comparison is left out of both.
    if differences.len() <= MOST_EXACT { exact(&free, positive) } else { normal(&free, positive) }
}

/// Twice the rank of each |d|, from 1 on: whole also where equal ones share it.
fn doubled_ranks(differences: &[f64]) -> Vec<u64> {
    let size = |index: usize| differences[index].abs();
    let mut order: Vec<usize> = (0..differences.len()).collect();
    order.sort_by(|&a, &b| size(a).total_cmp(&size(b)));
    let mut ranks = vec![0; differences.len()];
    let mut begin = 0;
    while begin < order.len() {
        let equal = order[begin..].iter().take_while(|&&index| size(index) == size(order[begin])).count();
        // The mean of the ranks begin + 1 … begin + equal.
        order[begin..begin + equal].iter().for_each(|&index| ranks[index] = (2 * begin + equal + 1) as u64);
        begin += equal;
    }
    ranks
}

/// P(Σ over a random half of the ranks ≥ `least`), summed over all sums there are.
fn exact(ranks: &[u64], least: u64) -> f64 {
    let total: u64 = ranks.iter().sum();
    // (sum) its probability
    let mut chances = vec![0.0; total as usize + 1];
    chances[0] = 1.0;
    let mut reached = 0;
    for rank in ranks.iter().map(|&rank| rank as usize) {
        for sum in (0..=reached).rev() {
            let half = 0.5 * chances[sum];
            chances[sum] = half;
            chances[sum + rank] += half;
        }
        reached += rank;
    }
    chances[least as usize..].iter().sum()
}

/// The same by the normal distribution of the same mean and variance.
fn normal(ranks: &[u64], least: u64) -> f64 {
    let mean = ranks.iter().sum::<u64>() as f64 / 2.0;
    let variance = ranks.iter().map(|&rank| (rank * rank) as f64).sum::<f64>() / 4.0;
    if variance == 0.0 {
        return 1.0;
    }
    0.5 * libm::erfc((least as f64 - mean) / (2.0 * variance).sqrt())
}
