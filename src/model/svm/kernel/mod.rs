//! Kernel functions: inner products in a feature space that is never built. One file each.
//!
//! Every kernel is a function of one number per pair of rows, its *base*: their squared distance or their inner
//! product. The matrix of bases knows no hyperparameter, so all members of a fold share it.

mod linear;
mod polynomial;
mod rbf;
mod sigmoid;

use super::smo::passes::Passes;

/// Every kernel.
pub static ALL: &[&dyn Kernel] = &[&rbf::Rbf, &linear::Linear, &polynomial::Polynomial, &sigmoid::Sigmoid];

/// The number of a pair of rows x, z that a kernel is a function of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Base {
    /// ‖x − z‖²
    SquaredDistance,
    /// x·z
    InnerProduct,
}

/// The numbers of a kernel; each reads those that it [uses](Kernel::uses).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KernelParameters {
    /// Scale of the base; above 0.
    pub gamma: f64,
    /// Added to the scaled inner product.
    pub coef0: f64,
    /// Power; at least 1.
    pub degree: u32,
}

impl Default for KernelParameters {
    /// As in LIBSVM, but for gamma, which there depends on the data.
    fn default() -> Self {
        Self { gamma: 1.0, coef0: 0.0, degree: 3 }
    }
}

/// Which of the numbers a kernel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uses {
    /// [`KernelParameters::gamma`]
    pub gamma: bool,
    /// [`KernelParameters::coef0`]
    pub coef0: bool,
    /// [`KernelParameters::degree`]
    pub degree: bool,
}

/// A kernel function.
pub trait Kernel: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// The name in a model file of LIBSVM.
    fn libsvm_name(&self) -> &'static str;
    /// The formula, on one line.
    fn summary(&self) -> &'static str;
    /// What it is a function of.
    fn base(&self) -> Base;
    /// Which numbers it reads.
    fn uses(&self) -> Uses;
    /// WGSL of `kernel_<name>`, of four bases at a time.
    fn shader(&self) -> &'static str;
    /// Replaces bases by kernel values, as the engine on the CPU computes them.
    fn values_f32(&self, parameters: &KernelParameters, bases: &mut [f32]);
    /// The same as the reference computes them.
    fn values_f64(&self, parameters: &KernelParameters, bases: &mut [f64]);
}

/// The kernel of this name.
pub fn find(name: &str) -> Option<&'static dyn Kernel> {
    ALL.iter().copied().find(|kernel| kernel.name() == name)
}

/// A number type that kernels are computed in.
pub trait KernelNumber: Passes {
    /// Replaces bases by kernel values.
    fn values(kernel: &dyn Kernel, parameters: &KernelParameters, bases: &mut [Self]);
}

impl KernelNumber for f32 {
    fn values(kernel: &dyn Kernel, parameters: &KernelParameters, bases: &mut [Self]) {
        kernel.values_f32(parameters, bases);
    }
}

impl KernelNumber for f64 {
    fn values(kernel: &dyn Kernel, parameters: &KernelParameters, bases: &mut [Self]) {
        kernel.values_f64(parameters, bases);
    }
}

/// Implements the slice methods of [`Kernel`] by `Self::values`, generic over the number type.
macro_rules! both_numbers {
    () => {
        fn values_f32(&self, parameters: &super::KernelParameters, bases: &mut [f32]) {
            <f32 as crate::model::real::Real>::vectorized(|| Self::values(parameters, bases));
        }
        fn values_f64(&self, parameters: &super::KernelParameters, bases: &mut [f64]) {
            Self::values(parameters, bases);
        }
    };
}
use both_numbers;
