//! The kernels of kernel machines: their WGSL, assembled from `shaders/svm/`, and what they bind.

use super::super::device::GpuDevice;
use super::super::pipelines::{Pipeline, compile_bound};
use super::super::sources::{DOUBLE_SINGLE, NUMERICS, Source, family};
use crate::error::Result;
use crate::model::svm::kernel;

const TABLES: &str = include_str!("../../../../shaders/svm/tables.wgsl");
const FEATURES: &str = include_str!("../../../../shaders/svm/features.wgsl");
const STORED: &str = include_str!("../../../../shaders/svm/stored.wgsl");
const PROBLEM: &str = include_str!("../../../../shaders/svm/problem.wgsl");
const PASSES: &str = include_str!("../../../../shaders/svm/passes.wgsl");

/// What a dispatch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineKernel {
    /// Computes some rows of a fold's matrix of bases.
    Matrix,
    /// Solves problems, some steps further.
    Solve,
    /// Decides for validation rows.
    Decide,
    /// Computes a problem's kernel values.
    Values,
}

/// Where kernels find bases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bases {
    /// In a matrix.
    Stored,
    /// In the features, each time anew: the same bits, by the same function.
    Computed,
}

impl MachineKernel {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Matrix, Self::Solve, Self::Decide, Self::Values];

    /// What stands at bindings 1, 2, … behind the row of [`MachinesRow`](super::tables::MachinesRow) at 0; `true` is
    /// written to.
    pub fn written(self) -> &'static [bool] {
        match self {
            Self::Matrix => &[true, false],
            Self::Solve => &[false, false, false, true, true, true],
            Self::Decide => &[false, false, false, true],
            Self::Values => &[false, false, true],
        }
    }

    /// Its WGSL. The matrix of bases is always computed.
    pub fn source(self, bases: Bases) -> Source {
        let bases = if bases == Bases::Stored && self != Self::Matrix { STORED } else { FEATURES };
        let kernels = family("kernel", kernel::ALL.iter().map(|kernel| (kernel.name(), kernel.shader())));
        let common = [TABLES, NUMERICS, DOUBLE_SINGLE, bases];
        let source = |name, parts: &[&str]| Source { name, wgsl: [&common, parts].concat().join("\n") };
        match self {
            Self::Matrix => source("svm_matrix", &[include_str!("../../../../shaders/svm/matrix.wgsl")]),
            Self::Solve => {
                let solve = include_str!("../../../../shaders/svm/solve.wgsl");
                source("svm_solve", &[&kernels, PROBLEM, PASSES, solve])
            }
            Self::Decide => source(
                "svm_decide",
                &[&kernels, PROBLEM, include_str!("../../../../shaders/svm/decide.wgsl")],
            ),
            Self::Values => source(
                "svm_values",
                &[&kernels, PROBLEM, include_str!("../../../../shaders/svm/values.wgsl")],
            ),
        }
    }
}

/// Compiles kernels, unless they were before.
#[derive(Default)]
pub struct Kernels {
    /// A text of the shaders and what stands in its place.
    fault: Option<[String; 2]>,
}

impl Kernels {
    /// Kernels with a text replaced wherever it stands: for the verifier's planted faults.
    pub fn with_fault(from: &str, to: &str) -> Self {
        Self { fault: Some([from.to_owned(), to.to_owned()]) }
    }

    /// One of them. `threads` are those of a workgroup that solves.
    pub fn compiled(
        &self,
        gpu: &GpuDevice,
        kernel: MachineKernel,
        bases: Bases,
        threads: u32,
    ) -> Result<Pipeline> {
        let constants = [("threads", f64::from(threads))];
        let constants: &[(&str, f64)] = if kernel == MachineKernel::Solve { &constants } else { &[] };
        let mut source = kernel.source(bases);
        if let Some([from, to]) = &self.fault {
            source.wgsl = source.wgsl.replace(from, to);
        }
        compile_bound(gpu, kernel.written(), &source, constants)
    }
}
