//! f(x) = max(x, 0); the derivative at 0 is taken as 0 (Nair and Hinton, 2010)

use super::Formula;
use crate::model::real::Real;

/// f(x) = max(x, 0); the derivative at 0 is taken as 0 (Nair and Hinton, 2010)
pub struct Relu;

impl Formula for Relu {
    const NAME: &'static str = "relu";
    const SUMMARY: &'static str =
        "f(x) = max(x, 0); the derivative at 0 is taken as 0 (Nair and Hinton, 2010)";
    const SHADER: &'static str = include_str!("../../../shaders/activation/relu.wgsl");
    const KINKS: &'static [f64] = &[0.0];
    const GATES: bool = true;

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        if x > R::ZERO { (x, R::ONE) } else { (x * R::ZERO, R::ZERO) }
    }
}
