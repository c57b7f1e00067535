//! L = e²/2 for |e| ≤ δ, δ(|e| − δ/2) beyond, e = output − target.

use super::{Formula, LossParameters, Target};
use crate::model::real::Real;

/// The Huber loss (Huber, 1964): quadratic near the target, linear far from it.
pub struct Huber;

impl Formula for Huber {
    const NAME: &'static str = "huber";
    const SUMMARY: &'static str =
        "e^2/2 for |e| <= huber_delta, huber_delta (|e| - huber_delta/2) beyond, e = output - target";
    const SHADER: &'static str = include_str!("../../../shaders/loss/huber.wgsl");
    const CLASSIFIES: bool = false;

    fn row<R: Real>(parameters: &LossParameters, target: Target<R>, outputs: &mut [R]) -> R {
        let Target::Value(value) = target else { unreachable!("a regression loss was given a class") };
        let delta = R::of(parameters.huber_delta);
        let error = outputs[0] - value;
        let magnitude = error.abs();
        if magnitude > delta {
            outputs[0] = delta * error.sign();
            delta * (magnitude - R::of(0.5) * delta)
        } else {
            outputs[0] = error;
            R::of(0.5) * error * error
        }
    }
}
