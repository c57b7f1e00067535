//! The tables that kernels of kernel machines read: twins of the structs in `shaders/svm/tables.wgsl`, which says
//! what each field means. A test compares their offsets.

use super::super::tables::table;
use bytemuck::{Pod, Zeroable};

table! {
    /// What a dispatch is for.
    MachinesRow {
        seal: u32, count: u32, start: u32,
        column_count: u32, validation_at: u32, feature_count: u32, is_product: u32,
        row_start: u32, row_end: u32, padding0: u32, padding1: u32, padding2: u32,
    }
}

table! {
    /// One dual problem.
    ProblemRow {
        first_at: u32, first_count: u32, second_at: u32, quad_count: u32, layer_count: u32,
        state_at: u32, bounds_at: u32, sets_at: u32, progress_at: u32,
        most_iterations: u32, budget: u32, outcomes_at: u32,
        kernel: u32, gamma: f32, coef0: f32, degree: u32,
    }
}

table! {
    /// How far a problem has come.
    ProgressRow { status: u32, iterations: u32, iterations_since: u32, rebuilt: u32, }
}

/// What [`ProgressRow::status`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its budget ran out.
    Running,
    /// Its gap is within the tolerance.
    Solved,
    /// Its iterations ran out.
    Stopped,
    /// A number was not finite.
    Broken,
}

impl ProgressRow {
    /// The status.
    pub fn status(&self) -> Status {
        match self.status {
            0 => Status::Running,
            1 => Status::Solved,
            2 => Status::Stopped,
            _ => Status::Broken,
        }
    }
}
