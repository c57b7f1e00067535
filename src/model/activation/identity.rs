//! f(x) = x

use super::Formula;
use crate::model::real::Real;

/// f(x) = x
pub struct Identity;

impl Formula for Identity {
    const NAME: &'static str = "identity";
    const SUMMARY: &'static str = "f(x) = x";
    const SHADER: &'static str = include_str!("../../../shaders/activation/identity.wgsl");
    const KINKS: &'static [f64] = &[];

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        (x, R::ONE)
    }
}
