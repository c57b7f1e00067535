//! How much a generation of CMA-ES counts: weights by rank, and how fast each part of the distribution learns.

/// The constants of Hansen, "The CMA evolution strategy: a tutorial" (arXiv:1604.00772, version 2 of 2023), table 1,
/// for n dimensions and generations of λ.
#[derive(Clone, Debug)]
pub struct Rates {
    /// wᵢ by rank, the best first: the first ⌊λ/2⌋ are above 0 with a sum of 1, the others at most 0.
    pub weights: Vec<f64>,
    /// How many of the weights are above 0: μ.
    pub parent_count: usize,
    /// μ_eff = 1/Σwᵢ² over the parents.
    pub effective: f64,
    /// c_σ: how fast the path of the step forgets.
    pub step_path: f64,
    /// d_σ: the damping of the step.
    pub damping: f64,
    /// c_c: how fast the path of the covariance forgets.
    pub path: f64,
    /// c₁: how fast the covariance learns from its path.
    pub rank_one: f64,
    /// c_μ: how fast the covariance learns from the members.
    pub rank_mu: f64,
    /// The mean length of a standard normal vector, √n·(1 − 1/4n + 1/21n²).
    pub length: f64,
}

impl Rates {
    /// For this many dimensions, at least 1, and members, at least 4.
    pub fn new(dimensions: usize, members: usize) -> Self {
        let n = dimensions as f64;
        let mut weights = parent_weights(members);
        let parent_count = weights.len();
        let effective = effective_count(&weights);
        let rank_one = 2.0 / ((n + 1.3) * (n + 1.3) + effective);
        let rank_mu = 2.0 * (0.25 + effective + 1.0 / effective - 2.0) / ((n + 2.0) * (n + 2.0) + effective);
        let rank_mu = rank_mu.min(1.0 - rank_one);
        let others: Vec<f64> = (parent_count..members).map(|rank| raw_weight(rank, members)).collect();
        let bounds = [
            1.0 + rank_one / rank_mu,
            1.0 + 2.0 * effective_count(&others) / (effective + 2.0),
            (1.0 - rank_one - rank_mu) / (n * rank_mu),
        ];
        let scale = bounds.into_iter().fold(f64::INFINITY, f64::min) / -others.iter().sum::<f64>();
        weights.extend(others.iter().map(|weight| scale * weight));
        let step_path = (effective + 2.0) / (n + effective + 5.0);
        let overshoot = (((effective - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0);
        Self {
            weights,
            parent_count,
            effective,
            step_path,
            damping: 1.0 + 2.0 * overshoot + step_path,
            path: (4.0 + effective / n) / (n + 4.0 + 2.0 * effective / n),
            rank_one,
            rank_mu,
            length: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        }
    }
}

/// The weights of the better half of some members, at least 1, by rank, with a sum of 1.
pub fn parent_weights(members: usize) -> Vec<f64> {
    let count = (members / 2).max(1);
    let raw: Vec<f64> = (0..count).map(|rank| raw_weight(rank, members.max(2))).collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|weight| weight / sum).collect()
}

/// ln((λ + 1)/2) − ln i, ranks i from 1 on.
fn raw_weight(rank: usize, members: usize) -> f64 {
    libm::log((members as f64 + 1.0) / 2.0) - libm::log(rank as f64 + 1.0)
}

/// (Σw)²/Σw².
fn effective_count(weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    sum * sum / weights.iter().map(|w| w * w).sum::<f64>()
}
