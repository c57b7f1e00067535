//! AdaGrad (Duchi et al., 2011).

use super::{CUSTOMARY, Formula, OptimizerParameters, StepScalars};
use crate::model::real::Real;

/// AdaGrad (Duchi et al., 2011).
pub struct AdaGrad;

impl Formula for AdaGrad {
    const NAME: &'static str = "adagrad";
    const SUMMARY: &'static str = "v += g^2; w -= rate g / (sqrt v + epsilon)";
    const SHADER: &'static str = include_str!("../../../shaders/optimizer/adagrad.wgsl");
    const STATE_COUNT: usize = 2;
    const DEFAULTS: OptimizerParameters = OptimizerParameters { epsilon: 1e-10, ..CUSTOMARY };

    #[inline(always)]
    fn update<R: Real>(s: &StepScalars<R>, w: R, g: R, _m: &mut R, v: &mut R) -> R {
        *v += g * g;
        w - s.rate * g / (v.sqrt() + s.epsilon)
    }
}
