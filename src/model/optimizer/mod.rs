//! Optimizers: one file each, with its update per parameter; one shader each under the same stem in
//! `shaders/optimizer/`.
//!
//! All of them share the order of a step: gradient of the loss, plus the penalties' gradients, clipped
//! by its global norm, then decoupled weight decay w ← (1 − η·weight_decay)·w, then the update below.
//! Penalties and decay act on weights, never on biases.

mod adagrad;
mod adam;
mod adamw;
mod lion;
mod rmsprop;
mod sgd;

use super::real::Real;

/// Every optimizer, in the order of their codes on the device.
pub static ALL: &[&dyn Optimizer] =
    &[&sgd::Sgd, &rmsprop::RmsProp, &adagrad::AdaGrad, &adam::Adam, &adamw::AdamW, &lion::Lion];

/// The numbers of an optimizer that do not change from step to step; each reads those it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimizerParameters {
    /// Momentum of sgd and rmsprop; 0 is none.
    pub momentum: f64,
    /// Whether sgd looks ahead along its momentum (Nesterov).
    pub nesterov: bool,
    /// Decay rate of the first moment.
    pub beta1: f64,
    /// Decay rate of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
}

/// Everything one step needs, computed once per step in f64 and shared by all parameters.
#[derive(Clone, Copy, Debug)]
pub struct StepScalars<R> {
    /// The learning rate η of this step.
    pub rate: R,
    /// 1 − η·weight_decay, for weights; biases take 1.
    pub decay: R,
    /// See [`OptimizerParameters::momentum`].
    pub momentum: R,
    /// 1 for Nesterov's momentum, else 0.
    pub nesterov: R,
    /// See [`OptimizerParameters::beta1`].
    pub beta1: R,
    /// See [`OptimizerParameters::beta2`].
    pub beta2: R,
    /// See [`OptimizerParameters::epsilon`].
    pub epsilon: R,
    /// 1/(1 − β₁ᵗ) with t = step + 1.
    pub correction1: R,
    /// 1/(1 − β₂ᵗ).
    pub correction2: R,
}

impl OptimizerParameters {
    /// The scalars of step `step` (from 0) at learning rate `rate`.
    pub fn scalars<R: Real>(&self, rate: f64, step: u64) -> StepScalars<R> {
        let t = (step + 1) as f64;
        StepScalars {
            rate: R::of(rate),
            decay: R::of(1.0 - rate * self.weight_decay),
            momentum: R::of(self.momentum),
            nesterov: if self.nesterov { R::ONE } else { R::ZERO },
            beta1: R::of(self.beta1),
            beta2: R::of(self.beta2),
            epsilon: R::of(self.epsilon),
            correction1: R::of(1.0 / (1.0 - self.beta1.powf(t))),
            correction2: R::of(1.0 / (1.0 - self.beta2.powf(t))),
        }
    }
}

/// What the author of an optimizer writes: its facts and its formula, once for both precisions.
pub trait Formula: Sync + 'static {
    /// The name in a study file.
    const NAME: &'static str;
    /// The formula and its source, on one line.
    const SUMMARY: &'static str;
    /// The WGSL function `optimizer_<name>`.
    const SHADER: &'static str;
    /// How many of the two state numbers per parameter it uses.
    const STATE_COUNT: usize;
    /// Its customary numbers, taken where a study says nothing.
    const DEFAULTS: OptimizerParameters;

    /// The new value of parameter `w` (already decayed) under gradient `g`; updates its state m, v.
    fn update<R: Real>(s: &StepScalars<R>, w: R, g: R, m: &mut R, v: &mut R) -> R;
}

/// A run of parameters that are stepped alike, with their gradients and state. All of one length.
pub struct Slices<'a, R> {
    /// The parameters, updated.
    pub parameters: &'a mut [R],
    /// Their gradients.
    pub gradients: &'a [R],
    /// First state number of each.
    pub m: &'a mut [R],
    /// Second state number of each.
    pub v: &'a mut [R],
}

/// An optimizer, whatever its formula.
pub trait Optimizer: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// The formula and its source, on one line.
    fn summary(&self) -> &'static str;
    /// The WGSL source of `optimizer_<name>`.
    fn shader(&self) -> &'static str;
    /// How many of the two state numbers per parameter it uses.
    fn state_count(&self) -> usize;
    /// Its customary numbers.
    fn defaults(&self) -> OptimizerParameters;
    /// One step of a run of parameters, each multiplied by `decay` first.
    fn step_f32(&self, scalars: &StepScalars<f32>, decay: f32, slices: Slices<'_, f32>);
    /// The same at f64.
    fn step_f64(&self, scalars: &StepScalars<f64>, decay: f64, slices: Slices<'_, f64>);
}

impl<F: Formula> Optimizer for F {
    fn name(&self) -> &'static str {
        F::NAME
    }
    fn summary(&self) -> &'static str {
        F::SUMMARY
    }
    fn shader(&self) -> &'static str {
        F::SHADER
    }
    fn state_count(&self) -> usize {
        F::STATE_COUNT
    }
    fn defaults(&self) -> OptimizerParameters {
        F::DEFAULTS
    }
    fn step_f32(&self, scalars: &StepScalars<f32>, decay: f32, slices: Slices<'_, f32>) {
        step::<f32, F>(scalars, decay, slices);
    }
    fn step_f64(&self, scalars: &StepScalars<f64>, decay: f64, slices: Slices<'_, f64>) {
        step::<f64, F>(scalars, decay, slices);
    }
}

fn step<R: Real, F: Formula>(scalars: &StepScalars<R>, decay: R, slices: Slices<'_, R>) {
    let s = *scalars;
    let Slices { parameters, gradients, m, v } = slices;
    R::vectorized(
        #[inline(always)]
        || {
            for (((w, &g), m), v) in parameters.iter_mut().zip(gradients).zip(m).zip(v) {
                *w = F::update(&s, *w * decay, g, m, v);
            }
        },
    );
}

/// The numbers that most optimizers share; each file overrides its own.
const CUSTOMARY: OptimizerParameters = OptimizerParameters {
    momentum: 0.0,
    nesterov: false,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.0,
};
