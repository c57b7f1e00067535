//! f(x) = ln(1 + eˣ), formed as max(x, 0) + ln(1 + e^−|x|) (Dugas et al., 2001)

use super::Formula;
use crate::model::real::Real;

/// f(x) = ln(1 + eˣ), formed as max(x, 0) + ln(1 + e^−|x|) (Dugas et al., 2001)
pub struct Softplus;

impl Formula for Softplus {
    const NAME: &'static str = "softplus";
    const SUMMARY: &'static str =
        "f(x) = ln(1 + eˣ), formed as max(x, 0) + ln(1 + e^−|x|) (Dugas et al., 2001)";
    const SHADER: &'static str = include_str!("../../../shaders/activation/softplus.wgsl");
    const KINKS: &'static [f64] = &[];

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        let t = (-x.abs()).exp();
        let high = R::ONE / (R::ONE + t);
        let positive = if x > R::ZERO { x } else { x * R::ZERO };
        (positive + t.ln_1p_unit(), if x < R::ZERO { t * high } else { high })
    }
}
