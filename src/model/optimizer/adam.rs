//! Adam (Kingma and Ba, 2015), both moments corrected for their start at 0, ε outside the root.

use super::{CUSTOMARY, Formula, OptimizerParameters, StepScalars};
use crate::model::real::Real;

/// Adam (Kingma and Ba, 2015), both moments corrected for their start at 0, ε outside the root.
pub struct Adam;

impl Formula for Adam {
    const NAME: &'static str = "adam";
    const SUMMARY: &'static str = "m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w -= rate m^ / (sqrt v^ + epsilon), both bias-corrected";
    const SHADER: &'static str = include_str!("../../../shaders/optimizer/adam.wgsl");
    const STATE_COUNT: usize = 2;
    const DEFAULTS: OptimizerParameters = CUSTOMARY;

    #[inline(always)]
    fn update<R: Real>(s: &StepScalars<R>, w: R, g: R, m: &mut R, v: &mut R) -> R {
        *m = s.beta1 * *m + (R::ONE - s.beta1) * g;
        *v = s.beta2 * *v + (R::ONE - s.beta2) * g * g;
        let root = (*v * s.correction2).sqrt();
        w - s.rate * (*m * s.correction1) / (root + s.epsilon)
    }
}
