//! f(x) = tanh x; the derivative is formed as sech²x = 4t/(1 + t)², t = e^−2|x|, exact in saturation

use super::Formula;
use crate::model::real::Real;

/// f(x) = tanh x; the derivative is formed as sech²x = 4t/(1 + t)², t = e^−2|x|, exact in saturation
pub struct Tanh;

impl Formula for Tanh {
    const NAME: &'static str = "tanh";
    const SUMMARY: &'static str =
        "f(x) = tanh x; the derivative is formed as sech²x = 4t/(1 + t)², t = e^−2|x|, exact in saturation";
    const SHADER: &'static str = include_str!("../../../shaders/activation/tanh.wgsl");
    const KINKS: &'static [f64] = &[];
    const STEEPEST: Option<f64> = Some(1.0);

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        let t = (R::of(-2.0) * x.abs()).exp();
        let sum = R::ONE + t;
        (x.tanh(), R::of(4.0) * t / (sum * sum))
    }
}
