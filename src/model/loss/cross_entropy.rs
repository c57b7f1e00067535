//! L = −Σ_j t_j ln p_j with p = softmax(outputs), t = (1 − s)·onehot + s/K for smoothing s.

use super::{Formula, LossParameters, Target};
use crate::model::real::Real;

/// Cross-entropy on logits, with label smoothing (Szegedy et al., 2016, section 7).
///
/// With z = outputs − max and S = Σ e^z, the label's loss is ln S − z_y: formed from the sum of the
/// *other* exponentials where the label leads, so that small losses keep their digits. The gradient is
/// p_j − t_j, and for the label −Σ_{j≠y} p_j + s(K − 1)/K, which stays exact in saturation.
pub struct CrossEntropy;

impl Formula for CrossEntropy {
    const NAME: &'static str = "cross_entropy";
    const SUMMARY: &'static str =
        "-sum_j t_j ln softmax(outputs)_j, t = (1 - label_smoothing) onehot + label_smoothing / K";
    const SHADER: &'static str = include_str!("../../../shaders/loss/cross_entropy.wgsl");
    const CLASSIFIES: bool = true;

    fn row<R: Real>(parameters: &LossParameters, target: Target<R>, outputs: &mut [R]) -> R {
        let Target::Class(label) = target else {
            unreachable!("cross-entropy was given a value as its target")
        };
        let class_count = R::of(outputs.len() as f64);
        let smoothing = R::of(parameters.label_smoothing);
        let maximum = outputs.iter().copied().fold(outputs[0], |a, b| a.max(b));
        // NaN does not survive every maximum: the sum below carries it into the loss.
        let gap = maximum - outputs[label];
        let (mut others, mut shifted_sum) = (R::ZERO, R::ZERO);
        for (j, output) in outputs.iter_mut().enumerate() {
            let shifted = *output - maximum;
            shifted_sum += shifted;
            *output = shifted.exp();
            if j != label {
                others += *output;
            }
        }
        let own = outputs[label];
        let sum = others + own;
        let log_sum = if gap == R::ZERO && others <= R::ONE { others.ln_1p_unit() } else { sum.ln() };
        let hard = log_sum + gap;
        // Σ_j (ln S − z_j)/K: what an even target would cost.
        let even = log_sum - shifted_sum / class_count;
        for (j, output) in outputs.iter_mut().enumerate() {
            *output = if j == label {
                smoothing * (class_count - R::ONE) / class_count - others / sum
            } else {
                *output / sum - smoothing / class_count
            };
        }
        hard + smoothing * (even - hard)
    }
}
