//! f(x) = x for x > 0, 0.01·x otherwise (Maas et al., 2013)

use super::Formula;
use crate::model::real::Real;

/// f(x) = x for x > 0, 0.01·x otherwise (Maas et al., 2013)
pub struct LeakyRelu;

impl Formula for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const SUMMARY: &'static str = "f(x) = x for x > 0, 0.01·x otherwise (Maas et al., 2013)";
    const SHADER: &'static str = include_str!("../../../shaders/activation/leaky_relu.wgsl");
    const KINKS: &'static [f64] = &[0.0];

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        let slope = if x > R::ZERO { R::ONE } else { R::of(0.01) };
        (x * slope, slope)
    }
}
