//! L = e²/2 for |e| ≤ δ, δ(|e| − δ/2) beyond, e = output − target.

use super::{Formula, LANES, LossParameters, Targets};
use crate::model::real::Real;

/// The Huber loss (Huber, 1964): quadratic near the target, linear far from it.
pub struct Huber;

impl Formula for Huber {
    const NAME: &'static str = "huber";
    const SUMMARY: &'static str =
        "e^2/2 for |e| <= huber_delta, huber_delta (|e| - huber_delta/2) beyond, e = output - target";
    const SHADER: &'static str = include_str!("../../../shaders/loss/huber.wgsl");
    const CLASSIFIES: bool = false;

    #[inline(always)]
    fn rows<R: Real>(
        parameters: &LossParameters,
        targets: &Targets<R>,
        outputs: &mut [[R; LANES]],
    ) -> [R; LANES] {
        let Targets::Values(values) = targets else { unreachable!("a regression loss was given classes") };
        let delta = R::of(parameters.huber_delta);
        let mut losses = [R::ZERO; LANES];
        for row in 0..LANES {
            let error = outputs[0][row] - values[row];
            let magnitude = error.abs();
            let (near, far) = (R::of(0.5) * error * error, delta * (magnitude - R::of(0.5) * delta));
            let is_far = magnitude > delta;
            outputs[0][row] = if is_far { delta * error.sign() } else { error };
            losses[row] = if is_far { far } else { near };
        }
        losses
    }
}
