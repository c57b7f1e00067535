//! Losses: one file each, with its formula and gradient per row; one shader each under the same stem
//! in `shaders/loss/`.

mod cross_entropy;
mod huber;
mod mean_squared_error;

use super::real::Real;
use crate::data::Task;

/// Every loss, in the order of their codes on the device.
pub static ALL: &[&dyn Loss] =
    &[&cross_entropy::CrossEntropy, &mean_squared_error::MeanSquaredError, &huber::Huber];

/// The loss that scores class probabilities, whatever a model was trained with.
pub fn cross_entropy() -> &'static dyn Loss {
    &cross_entropy::CrossEntropy
}

/// The numbers of a loss; each loss reads those it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossParameters {
    /// Share of the target spread evenly over all classes (Szegedy et al., 2016).
    pub label_smoothing: f64,
    /// Where the Huber loss turns from quadratic to linear, in units of the standardised target.
    pub huber_delta: f64,
}

impl Default for LossParameters {
    fn default() -> Self {
        Self { label_smoothing: 0.0, huber_delta: 1.0 }
    }
}

/// What one row should give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<R> {
    /// The index of its class.
    Class(usize),
    /// Its value, standardised.
    Value(R),
}

/// Rows scored side by side: an f32 register of the widest processors.
pub const LANES: usize = 16;

/// What LANES rows should give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Targets<R> {
    /// The indices of their classes.
    Classes([u32; LANES]),
    /// Their values, standardised.
    Values([R; LANES]),
}

/// What the author of a loss writes: its facts and its formula, once for both precisions.
pub trait Formula: Sync + 'static {
    /// The name in a study file.
    const NAME: &'static str;
    /// The formula and its source, on one line.
    const SUMMARY: &'static str;
    /// The WGSL function `loss_<name>`.
    const SHADER: &'static str;
    /// Whether it trains classes (or values).
    const CLASSIFIES: bool;

    /// The losses of LANES rows of `outputs` (output, row), whose gradients replace the outputs.
    fn rows<R: Real>(
        parameters: &LossParameters,
        targets: &Targets<R>,
        outputs: &mut [[R; LANES]],
    ) -> [R; LANES];
}

/// A loss, whatever its formula.
pub trait Loss: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// The formula and its source, on one line.
    fn summary(&self) -> &'static str;
    /// The WGSL source of `loss_<name>`.
    fn shader(&self) -> &'static str;
    /// Whether it fits this task.
    fn fits(&self, task: Task) -> bool;
    /// The loss of one row; its gradient with respect to the outputs replaces the outputs.
    fn row_f32(&self, parameters: &LossParameters, target: Target<f32>, outputs: &mut [f32]) -> f32;
    /// The same at f64.
    fn row_f64(&self, parameters: &LossParameters, target: Target<f64>, outputs: &mut [f64]) -> f64;
    /// The losses of LANES rows, side by side; `outputs` (output, row) become their gradients.
    fn rows_f32(
        &self,
        parameters: &LossParameters,
        targets: &Targets<f32>,
        outputs: &mut [[f32; LANES]],
    ) -> [f32; LANES];
    /// The same at f64.
    fn rows_f64(
        &self,
        parameters: &LossParameters,
        targets: &Targets<f64>,
        outputs: &mut [[f64; LANES]],
    ) -> [f64; LANES];
}

impl<F: Formula> Loss for F {
    fn name(&self) -> &'static str {
        F::NAME
    }
    fn summary(&self) -> &'static str {
        F::SUMMARY
    }
    fn shader(&self) -> &'static str {
        F::SHADER
    }
    fn fits(&self, task: Task) -> bool {
        F::CLASSIFIES == matches!(task, Task::Classification { .. })
    }
    fn row_f32(&self, parameters: &LossParameters, target: Target<f32>, outputs: &mut [f32]) -> f32 {
        row::<f32, F>(parameters, target, outputs)
    }
    fn row_f64(&self, parameters: &LossParameters, target: Target<f64>, outputs: &mut [f64]) -> f64 {
        row::<f64, F>(parameters, target, outputs)
    }
    fn rows_f32(
        &self,
        parameters: &LossParameters,
        targets: &Targets<f32>,
        outputs: &mut [[f32; LANES]],
    ) -> [f32; LANES] {
        rows::<f32, F>(parameters, targets, outputs)
    }
    fn rows_f64(
        &self,
        parameters: &LossParameters,
        targets: &Targets<f64>,
        outputs: &mut [[f64; LANES]],
    ) -> [f64; LANES] {
        rows::<f64, F>(parameters, targets, outputs)
    }
}

fn rows<R: Real, F: Formula>(
    parameters: &LossParameters,
    targets: &Targets<R>,
    outputs: &mut [[R; LANES]],
) -> [R; LANES] {
    R::vectorized(
        #[inline(always)]
        || F::rows(parameters, targets, outputs),
    )
}

/// One row, in all lanes.
fn row<R: Real, F: Formula>(parameters: &LossParameters, target: Target<R>, outputs: &mut [R]) -> R {
    let targets = match target {
        Target::Class(class) => Targets::Classes([class as u32; LANES]),
        Target::Value(value) => Targets::Values([value; LANES]),
    };
    let mut lanes: Vec<[R; LANES]> = outputs.iter().map(|&output| [output; LANES]).collect();
    let losses = rows::<R, F>(parameters, &targets, &mut lanes);
    outputs.iter_mut().zip(lanes).for_each(|(output, lane)| *output = lane[0]);
    losses[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gradient_is_the_slope_of_its_loss() {
        let parameters = LossParameters { label_smoothing: 0.1, huber_delta: 0.7 };
        for loss in ALL {
            let classifies = loss.fits(Task::Classification { class_count: 4 });
            let target = if classifies { Target::Class(2) } else { Target::Value(0.4) };
            let outputs = if classifies { vec![0.3, -1.2, 2.1, 0.7] } else { vec![2.3] };
            let mut gradient = outputs.clone();
            loss.row_f64(&parameters, target, &mut gradient);
            for i in 0..outputs.len() {
                let at = |h: f64| {
                    let mut moved = outputs.clone();
                    moved[i] += h;
                    loss.row_f64(&parameters, target, &mut moved)
                };
                let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((gradient[i] - slope).abs() < 1e-9, "{} output {i}", loss.name());
            }
        }
    }

    /// At a logit gap of 16 the gradient of the label is 1e-7 of 1: p − 1 would round it away.
    #[test]
    fn cross_entropy_keeps_its_gradient_in_saturation() {
        let loss = ALL[0];
        let parameters = LossParameters::default();
        let (mut exact, mut found) = ([16.0, 0.0, 0.0], [16.0_f32, 0.0, 0.0]);
        let exact_loss = loss.row_f64(&parameters, Target::Class(0), &mut exact);
        let found_loss = loss.row_f32(&parameters, Target::Class(0), &mut found);
        for (found, exact) in found.iter().zip(exact).chain([(&found_loss, exact_loss)]) {
            assert!((f64::from(*found) / exact - 1.0).abs() < 1e-6, "{found} against {exact}");
        }
    }
}
