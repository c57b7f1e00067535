//! What a configuration says of a kernel machine.

use super::kernel::{Kernel, KernelParameters};
use super::rows::KernelChoice;

/// The scale of a kernel's base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gamma {
    /// 1/(features · variance) of a fold's training rows.
    Scale,
    /// This number.
    Value(f64),
}

/// One kernel machine, all but its data.
#[derive(Clone, Copy)]
pub struct Settings {
    /// The kernel.
    pub kernel: &'static dyn Kernel,
    /// Its scale.
    pub gamma: Gamma,
    /// Its constant.
    pub coef0: f64,
    /// Its power.
    pub degree: u32,
    /// What an error costs; above 0.
    pub c: f64,
    /// For values: errors below it cost nothing, in standard deviations of the target.
    pub epsilon: f64,
    /// Whether errors cost by class, n/(K·n_k).
    pub balanced: bool,
    /// For classes: whether probabilities are fitted (Platt), by cross-validation.
    pub probabilities: bool,
}

impl Settings {
    /// The kernel with its numbers, for a fold whose `scale` is this.
    pub fn choice(&self, scale_gamma: f64) -> KernelChoice {
        let gamma = match self.gamma {
            Gamma::Scale => scale_gamma,
            Gamma::Value(gamma) => gamma,
        };
        let parameters = KernelParameters { gamma, coef0: self.coef0, degree: self.degree };
        KernelChoice { kernel: self.kernel, parameters }
    }
}
