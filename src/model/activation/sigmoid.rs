//! f(x) = 1/(1 + e^−x), formed from e^−|x|

use super::Formula;
use crate::model::real::Real;

/// f(x) = 1/(1 + e^−x), formed from e^−|x|
pub struct Sigmoid;

impl Formula for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const SUMMARY: &'static str = "f(x) = 1/(1 + e^−x), formed from e^−|x|";
    const SHADER: &'static str = include_str!("../../../shaders/activation/sigmoid.wgsl");
    const KINKS: &'static [f64] = &[];
    const STEEPEST: Option<f64> = Some(0.25);

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        let t = (-x.abs()).exp();
        let high = R::ONE / (R::ONE + t);
        let low = t * high;
        (if x < R::ZERO { low } else { high }, low * high)
    }
}
