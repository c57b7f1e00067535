//! f(x) = x·Φ(x) with the normal distribution function Φ, the exact (erf) form (Hendrycks and Gimpel, 2016)

use super::Formula;
use crate::model::real::Real;

/// f(x) = x·Φ(x) with the normal distribution function Φ, the exact (erf) form (Hendrycks and Gimpel, 2016)
pub struct Gelu;

impl Formula for Gelu {
    const NAME: &'static str = "gelu";
    const SUMMARY: &'static str = "f(x) = x·Φ(x) with the normal distribution function Φ, the exact (erf) form (Hendrycks and Gimpel, 2016)";
    const SHADER: &'static str = include_str!("../../../shaders/activation/gelu.wgsl");
    const KINKS: &'static [f64] = &[];

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        let phi = R::of(0.5) * (x * R::of(-std::f64::consts::FRAC_1_SQRT_2)).erfc();
        let density = R::of(0.398_942_280_401_432_7) * (R::of(-0.5) * x * x).exp();
        (x * phi, phi + x * density)
    }
}
