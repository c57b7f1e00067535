//! f(x) = λx for x > 0, λα(eˣ − 1) otherwise, λ = 1.0507, α = 1.6733 (Klambauer et al., 2017)

use super::Formula;
use crate::model::real::Real;

/// f(x) = λx for x > 0, λα(eˣ − 1) otherwise, λ = 1.0507, α = 1.6733 (Klambauer et al., 2017)
pub struct Selu;

impl Formula for Selu {
    const NAME: &'static str = "selu";
    const SUMMARY: &'static str =
        "f(x) = λx for x > 0, λα(eˣ − 1) otherwise, λ = 1.0507, α = 1.6733 (Klambauer et al., 2017)";
    const SHADER: &'static str = include_str!("../../../shaders/activation/selu.wgsl");
    const KINKS: &'static [f64] = &[0.0];

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        let (lambda, alpha) = (R::of(1.050_700_987_355_480_5), R::of(1.673_263_242_354_377_2));
        let below = lambda * alpha * x.exp_m1();
        if x > R::ZERO { (lambda * x, lambda) } else { (below, lambda * alpha * x.exp()) }
    }
}
