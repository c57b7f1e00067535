//! A mixture of kernels and of the space's own distribution, the prior.

use super::kernels::Kernels;
use crate::search::frame::Member;
use crate::search::vectors::exp_of_negatives;

/// The weights of a mixture. The prior weighs 1 beside the kernels.
pub struct Weights {
    /// (kernel) the logarithm of its share; −∞ where it has none.
    logs: Vec<f64>,
    /// The logarithm of the prior's share.
    prior: f64,
    /// What every value of a choice has beside the kernel's own: the prior's weight, spread over all components.
    smoothing: f64,
}

impl Weights {
    /// Of kernels with these weights, not negative; those of weight 0 are not in the mixture.
    pub fn new(weights: &[f64]) -> Self {
        let whole = 1.0 + weights.iter().sum::<f64>();
        let components = 1 + weights.iter().filter(|weight| **weight > 0.0).count();
        Self {
            logs: weights.iter().map(|weight| libm::log(weight / whole)).collect(),
            prior: libm::log(1.0 / whole),
            smoothing: 1.0 / components as f64,
        }
    }

    /// The prior's weight, spread over all components.
    pub fn smoothing(&self) -> f64 {
        self.smoothing
    }

    /// The kernel that a uniform number in [0, 1) stands for; `None` for the prior.
    pub fn kernel(&self, uniform: f64) -> Option<usize> {
        let mut left = uniform;
        self.logs.iter().position(|log| {
            left -= libm::exp(*log);
            left < 0.0
        })
    }

    /// The logarithm of the mixture's density, relative to the prior, at a configuration.
    pub fn log_density(&self, kernels: &Kernels, member: &Member, sums: &mut Vec<f64>) -> f64 {
        sums.clone_from(&self.logs);
        kernels.add_logs(member, self.smoothing, sums);
        sums.push(self.prior);
        let largest = sums.iter().fold(self.prior, |largest, sum| largest.max(*sum));
        sums.iter_mut().for_each(|sum| *sum = largest - *sum);
        exp_of_negatives(sums);
        largest + libm::log(sums.iter().sum::<f64>())
    }
}
