//! AdamW (Loshchilov and Hutter, 2019): Adam with decoupled weight decay.

use super::adam::Adam;
use super::{CUSTOMARY, Formula, OptimizerParameters, StepScalars};
use crate::model::real::Real;

/// AdamW (Loshchilov and Hutter, 2019).
///
/// `weight_decay` is decoupled for every optimizer here, so the update is Adam's; what differs is that
/// the decay is on unless a study says otherwise.
pub struct AdamW;

impl Formula for AdamW {
    const NAME: &'static str = "adamw";
    const SUMMARY: &'static str = "adam with decoupled weight_decay, 0.01 unless set";
    const SHADER: &'static str = include_str!("../../../shaders/optimizer/adamw.wgsl");
    const STATE_COUNT: usize = Adam::STATE_COUNT;
    const DEFAULTS: OptimizerParameters = OptimizerParameters { weight_decay: 0.01, ..CUSTOMARY };

    #[inline(always)]
    fn update<R: Real>(s: &StepScalars<R>, w: R, g: R, m: &mut R, v: &mut R) -> R {
        Adam::update(s, w, g, m, v)
    }
}
