//! f(x) = x for x > 0, eˣ − 1 otherwise (Clevert et al., 2016)

use super::Formula;
use crate::model::real::Real;

/// f(x) = x for x > 0, eˣ − 1 otherwise (Clevert et al., 2016)
pub struct Elu;

impl Formula for Elu {
    const NAME: &'static str = "elu";
    const SUMMARY: &'static str = "f(x) = x for x > 0, eˣ − 1 otherwise (Clevert et al., 2016)";
    const SHADER: &'static str = include_str!("../../../shaders/activation/elu.wgsl");
    const KINKS: &'static [f64] = &[0.0];

    #[inline(always)]
    fn value_and_derivative<R: Real>(x: R) -> (R, R) {
        let below = x.exp_m1();
        if x > R::ZERO { (x, R::ONE) } else { (below, x.exp()) }
    }
}
