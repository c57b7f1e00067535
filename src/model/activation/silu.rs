//! f(x) = x/(1 + e^−x), also called swish (Elfwing et al., 2018)

use super::Formula;
use crate::model::real::Real;

/// f(x) = x/(1 + e^−x), also called swish (Elfwing et al., 2018)
pub struct Silu;

impl Formula for Silu {
    const NAME: &'static str = "silu";
    const SUMMARY: &'static str = "f(x) = x/(1 + e^−x), also called swish (Elfwing et al., 2018)";
    const SHADER: &'static str = include_str!("../../../shaders/activation/silu.wgsl");
    const KINKS: &'static [f64] = &[];

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        let t = (-x.abs()).exp();
        let high = R::ONE / (R::ONE + t);
        let low = t * high;
        let sigmoid = if x < R::ZERO { low } else { high };
        (x * sigmoid, sigmoid + x * (low * high))
    }
}
