//! L = (output − target)².

use super::{Formula, LANES, LossParameters, Targets};
use crate::model::real::Real;

/// The squared error of a standardised target.
pub struct MeanSquaredError;

impl Formula for MeanSquaredError {
    const NAME: &'static str = "mean_squared_error";
    const SUMMARY: &'static str = "(output - target)^2";
    const SHADER: &'static str = include_str!("../../../shaders/loss/mean_squared_error.wgsl");
    const CLASSIFIES: bool = false;

    #[inline(always)]
    fn rows<R: Real>(_: &LossParameters, targets: &Targets<R>, outputs: &mut [[R; LANES]]) -> [R; LANES] {
        let Targets::Values(values) = targets else { unreachable!("a regression loss was given classes") };
        let mut losses = [R::ZERO; LANES];
        for row in 0..LANES {
            let error = outputs[0][row] - values[row];
            outputs[0][row] = error + error;
            losses[row] = error * error;
        }
        losses
    }
}
