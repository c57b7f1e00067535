//! The kernel of all monomials up to a degree.

use super::{Base, Kernel, KernelParameters, Uses, both_numbers};
use crate::model::real::Real;

/// (γ x·z + c₀)^degree
pub struct Polynomial;

impl Polynomial {
    #[inline(always)]
    fn values<R: Real>(parameters: &KernelParameters, bases: &mut [R]) {
        let (gamma, coef0) = (R::of(parameters.gamma), R::of(parameters.coef0));
        // The powers in the outer loop would need the bases again: a few at a time keep both in registers.
        for bases in bases.chunks_mut(16) {
            let mut powers = [R::ONE; 16];
            bases.iter_mut().for_each(|base| *base = gamma * *base + coef0);
            for _ in 0..parameters.degree {
                powers.iter_mut().zip(&*bases).for_each(|(power, &base)| *power *= base);
            }
            bases.copy_from_slice(&powers[..bases.len()]);
        }
    }
}

impl Kernel for Polynomial {
    fn name(&self) -> &'static str {
        "polynomial"
    }
    fn libsvm_name(&self) -> &'static str {
        "polynomial"
    }
    fn summary(&self) -> &'static str {
        "(gamma * x . z + coef0)^degree"
    }
    fn base(&self) -> Base {
        Base::InnerProduct
    }
    fn uses(&self) -> Uses {
        Uses { gamma: true, coef0: true, degree: true }
    }
    fn shader(&self) -> &'static str {
        include_str!("../../../../shaders/svm/kernel/polynomial.wgsl")
    }
    both_numbers!();
}
