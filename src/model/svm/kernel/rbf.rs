//! The Gaussian kernel.

use super::{Base, Kernel, KernelParameters, Uses, both_numbers};
use crate::model::real::Real;

/// exp(−γ‖x − z‖²)
pub struct Rbf;

impl Rbf {
    #[inline(always)]
    fn values<R: Real>(parameters: &KernelParameters, bases: &mut [R]) {
        let factor = R::of(-parameters.gamma);
        bases.iter_mut().for_each(|base| *base = (factor * *base).exp());
    }
}

impl Kernel for Rbf {
    fn name(&self) -> &'static str {
        "rbf"
    }
    fn libsvm_name(&self) -> &'static str {
        "rbf"
    }
    fn summary(&self) -> &'static str {
        "exp(-gamma * |x - z|^2)"
    }
    fn base(&self) -> Base {
        Base::SquaredDistance
    }
    fn uses(&self) -> Uses {
        Uses { gamma: true, coef0: false, degree: false }
    }
    fn shader(&self) -> &'static str {
        include_str!("../../../../shaders/svm/kernel/rbf.wgsl")
    }
    both_numbers!();
}
