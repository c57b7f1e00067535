//! The kernel named after neural networks; not positive semidefinite in general (Lin and Lin 2003).

use super::{Base, Kernel, KernelParameters, Uses, both_numbers};
use crate::model::real::Real;

/// tanh(γ x·z + c₀)
pub struct Sigmoid;

impl Sigmoid {
    #[inline(always)]
    fn values<R: Real>(parameters: &KernelParameters, bases: &mut [R]) {
        let (gamma, coef0) = (R::of(parameters.gamma), R::of(parameters.coef0));
        bases.iter_mut().for_each(|base| *base = (gamma * *base + coef0).tanh());
    }
}

impl Kernel for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }
    fn libsvm_name(&self) -> &'static str {
        "sigmoid"
    }
    fn summary(&self) -> &'static str {
        "tanh(gamma * x . z + coef0)"
    }
    fn base(&self) -> Base {
        Base::InnerProduct
    }
    fn uses(&self) -> Uses {
        Uses { gamma: true, coef0: true, degree: false }
    }
    fn shader(&self) -> &'static str {
        include_str!("../../../../shaders/svm/kernel/sigmoid.wgsl")
    }
    both_numbers!();
}
