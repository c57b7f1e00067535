//! L = (output − target)².

use super::{Formula, LossParameters, Target};
use crate::model::real::Real;

/// The squared error of a standardised target.
pub struct MeanSquaredError;

impl Formula for MeanSquaredError {
    const NAME: &'static str = "mean_squared_error";
    const SUMMARY: &'static str = "(output - target)^2";
    const SHADER: &'static str = include_str!("../../../shaders/loss/mean_squared_error.wgsl");
    const CLASSIFIES: bool = false;

    fn row<R: Real>(_: &LossParameters, target: Target<R>, outputs: &mut [R]) -> R {
        let Target::Value(value) = target else { unreachable!("a regression loss was given a class") };
        let error = outputs[0] - value;
        outputs[0] = error + error;
        error * error
    }
}
