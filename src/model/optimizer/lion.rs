//! Lion (Chen et al., 2023): the sign of an interpolated momentum.

use super::{CUSTOMARY, Formula, OptimizerParameters, StepScalars};
use crate::model::real::Real;

/// Lion (Chen et al., 2023): the sign of an interpolated momentum.
pub struct Lion;

impl Formula for Lion {
    const NAME: &'static str = "lion";
    const SUMMARY: &'static str = "w -= rate sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g";
    const SHADER: &'static str = include_str!("../../../shaders/optimizer/lion.wgsl");
    const STATE_COUNT: usize = 1;
    const DEFAULTS: OptimizerParameters = OptimizerParameters { beta2: 0.99, ..CUSTOMARY };

    #[inline(always)]
    fn update<R: Real>(s: &StepScalars<R>, w: R, g: R, m: &mut R, _v: &mut R) -> R {
        let direction = s.beta1 * *m + (R::ONE - s.beta1) * g;
        *m = s.beta2 * *m + (R::ONE - s.beta2) * g;
        w - s.rate * direction.sign()
    }
}
