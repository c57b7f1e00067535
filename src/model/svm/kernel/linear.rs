//! The kernel without a feature space of its own.

use super::{Base, Kernel, KernelParameters, Uses, both_numbers};
use crate::model::real::Real;

/// x·z
pub struct Linear;

impl Linear {
    #[inline(always)]
    fn values<R: Real>(_: &KernelParameters, _: &mut [R]) {}
}

impl Kernel for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }
    fn libsvm_name(&self) -> &'static str {
        "linear"
    }
    fn summary(&self) -> &'static str {
        "x . z"
    }
    fn base(&self) -> Base {
        Base::InnerProduct
    }
    fn uses(&self) -> Uses {
        Uses { gamma: false, coef0: false, degree: false }
    }
    fn shader(&self) -> &'static str {
        include_str!("../../../../shaders/svm/kernel/linear.wgsl")
    }
    both_numbers!();
}
