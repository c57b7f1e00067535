//! L = −Σ_j t_j ln p_j with p = softmax(outputs), t = (1 − s)·onehot + s/K for smoothing s.

use super::{Formula, LANES, LossParameters, Targets};
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

    #[inline(always)]
    fn rows<R: Real>(
        parameters: &LossParameters,
        targets: &Targets<R>,
        outputs: &mut [[R; LANES]],
    ) -> [R; LANES] {
        let Targets::Classes(labels) = targets else {
            unreachable!("cross-entropy was given values as its targets")
        };
        let class_count = R::of(outputs.len() as f64);
        let smoothing = R::of(parameters.label_smoothing);
        let mut maximum = outputs[0];
        for output in &outputs[1..] {
            for row in 0..LANES {
                maximum[row] = maximum[row].max(output[row]);
            }
        }
        let [mut own, mut gap, mut others, mut shifted_sum] = [[R::ZERO; LANES]; 4];
        for (class, output) in outputs.iter_mut().enumerate() {
            for row in 0..LANES {
                let is_own = labels[row] == class as u32;
                let shifted = output[row] - maximum[row];
                output[row] = shifted.exp();
                // NaN does not survive every maximum: the sums carry it into the loss.
                shifted_sum[row] += shifted;
                others[row] += if is_own { R::ZERO } else { output[row] };
                own[row] = if is_own { output[row] } else { own[row] };
                gap[row] = if is_own { -shifted } else { gap[row] };
            }
        }
        for (class, output) in outputs.iter_mut().enumerate() {
            for row in 0..LANES {
                let sum = others[row] + own[row];
                let share = output[row] / sum - smoothing / class_count;
                let own_share = smoothing * (class_count - R::ONE) / class_count - others[row] / sum;
                output[row] = if labels[row] == class as u32 { own_share } else { share };
            }
        }
        let mut losses = [R::ZERO; LANES];
        for row in 0..LANES {
            let leads = gap[row] == R::ZERO && others[row] <= R::ONE;
            let (near, far) = (others[row].ln_1p_unit(), (others[row] + own[row]).ln());
            let log_sum = if leads { near } else { far };
            let hard = log_sum + gap[row];
            // Σ_j (ln S − z_j)/K: what an even target would cost.
            let even = log_sum - shifted_sum[row] / class_count;
            losses[row] = hard + smoothing * (even - hard);
        }
        losses
    }
}
