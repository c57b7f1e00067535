//! RMSProp (Tieleman and Hinton, 2012), with momentum on the scaled gradient; β₂ is its smoothing constant.

use super::{CUSTOMARY, Formula, OptimizerParameters, StepScalars};
use crate::model::real::Real;

/// RMSProp (Tieleman and Hinton, 2012), with momentum on the scaled gradient; β₂ is its smoothing constant.
pub struct RmsProp;

impl Formula for RmsProp {
    const NAME: &'static str = "rmsprop";
    const SUMMARY: &'static str =
        "v = beta2 v + (1 - beta2) g^2; m = momentum m + g / (sqrt v + epsilon); w -= rate m";
    const SHADER: &'static str = include_str!("../../../shaders/optimizer/rmsprop.wgsl");
    const STATE_COUNT: usize = 2;
    const DEFAULTS: OptimizerParameters = OptimizerParameters { beta2: 0.99, ..CUSTOMARY };

    #[inline(always)]
    fn update<R: Real>(s: &StepScalars<R>, w: R, g: R, m: &mut R, v: &mut R) -> R {
        *v = s.beta2 * *v + (R::ONE - s.beta2) * g * g;
        *m = s.momentum * *m + g / (v.sqrt() + s.epsilon);
        w - s.rate * *m
    }
}
