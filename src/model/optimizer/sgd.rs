//! Stochastic gradient descent with momentum (Polyak, 1964) and Nesterov's look-ahead (Sutskever et al., 2013).

use super::{CUSTOMARY, Formula, OptimizerParameters, StepScalars};
use crate::model::real::Real;

/// Stochastic gradient descent with momentum (Polyak, 1964) and Nesterov's look-ahead (Sutskever et al., 2013).
pub struct Sgd;

impl Formula for Sgd {
    const NAME: &'static str = "sgd";
    const SUMMARY: &'static str = "m = momentum m + g; w -= rate m, or rate (g + momentum m) with nesterov";
    const SHADER: &'static str = include_str!("../../../shaders/optimizer/sgd.wgsl");
    const STATE_COUNT: usize = 1;
    const DEFAULTS: OptimizerParameters = CUSTOMARY;

    #[inline(always)]
    fn update<R: Real>(s: &StepScalars<R>, w: R, g: R, m: &mut R, _v: &mut R) -> R {
        *m = s.momentum * *m + g;
        let ahead = g + s.momentum * *m;
        w - s.rate * (s.nesterov * ahead + (R::ONE - s.nesterov) * *m)
    }
}
