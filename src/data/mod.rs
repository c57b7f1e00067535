//! Tables as models see them: one matrix of features for all members, folds as lists of rows, and per
//! fold the transforms learned from its training rows alone.
//!
//! From file to model: [`load`] reads columns of raw cells ([`Table`]), [`prepare`] tells what they hold,
//! encodes them and divides the rows ([`Prepared`]); the [`Encoder`] does the same to new rows.

mod cell;
mod csv;
mod encode;
mod fingerprint;
mod idx;
mod infer;
mod libsvm;
mod numbers;
mod options;
mod prepare;
mod sniff;
mod source;
pub mod split;
mod table;
mod target;
mod transform;

pub use cell::Cell;
pub use encode::{EncodedColumn, Encoder};
pub use fingerprint::of_bytes as checksum;
pub use options::{ColumnRef, ColumnType, DEFAULT_MISSING, DataOptions, Scale, SplitOptions, TaskKind};
pub use prepare::{Prepared, prepare, read};
pub use sniff::column_names;
pub use source::{load, load_for_prediction, missing_file_advice};
pub use split::MOST_FOLDS;
pub use table::{Format, MAX_COLUMNS, MAX_NUMBERS, Table};
pub use transform::TargetUnit;

/// What is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// One of so many classes.
    Classification {
        /// At least 2.
        class_count: usize,
    },
    /// A number.
    Regression,
}

impl Task {
    /// Width of the output layer.
    pub fn output_count(self) -> usize {
        match self {
            Self::Classification { class_count } => class_count,
            Self::Regression => 1,
        }
    }
}

/// The target of every row.
#[derive(Clone, Debug)]
pub enum Targets {
    /// The index of each row's class.
    Classes(Vec<u32>),
    /// Each row's value, brought near unit scale: value = centre + scale · stored.
    ///
    /// The same for every fold, chosen so that f32 keeps the digits; what a model trains on is this
    /// number after the fold's own [`Fold::target`] transform.
    Values {
        /// One per row.
        stored: Vec<f32>,
        /// In the target's own unit.
        centre: f64,
        /// In the target's own unit, above 0.
        scale: f64,
    },
}

/// How one stored number becomes the number a model reads: (x − shift)·scale, or `fill` where missing.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Transform {
    /// Subtracted first.
    pub shift: f32,
    /// Multiplied second; 0 for a column that is constant in the training rows.
    pub scale: f32,
    /// What a missing number (NaN) becomes, already scaled.
    pub fill: f32,
}

impl Transform {
    /// Leaves numbers as they are and missing ones at 0.
    pub const IDENTITY: Self = Self { shift: 0.0, scale: 1.0, fill: 0.0 };

    /// Applies the transform.
    #[inline(always)]
    pub fn apply(self, stored: f32) -> f32 {
        if stored.is_nan() { self.fill } else { (stored - self.shift) * self.scale }
    }
}

/// One way to divide the rows, with what was learned from its training rows.
#[derive(Clone, Debug)]
pub struct Fold {
    /// Rows trained on, ascending.
    pub train: Vec<u32>,
    /// Rows scored on, ascending; empty where a model is refitted on all rows.
    pub validation: Vec<u32>,
    /// (feature) one per column of the matrix.
    pub transforms: Vec<Transform>,
    /// For a regression target.
    pub target: Transform,
    /// (class) n/(K·n_k) over the training rows: weights whose mean over them is 1. Empty for regression.
    pub balanced_weights: Vec<f32>,
}

/// A table, encoded: what engines train on. Shared by all members of a study.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What is predicted.
    pub task: Task,
    /// Columns of `features`.
    pub feature_count: usize,
    /// (row, feature) row-major, before any fold's transform; missing numbers are NaN.
    pub features: Vec<f32>,
    /// (row)
    pub targets: Targets,
    /// The folds of the study; a fold's index is its number in the random streams.
    pub folds: Vec<Fold>,
}

impl Dataset {
    /// Number of rows.
    pub fn row_count(&self) -> usize {
        match &self.targets {
            Targets::Classes(classes) => classes.len(),
            Targets::Values { stored, .. } => stored.len(),
        }
    }

    /// The stored features of one row.
    pub fn row(&self, row: u32) -> &[f32] {
        let start = row as usize * self.feature_count;
        &self.features[start..start + self.feature_count]
    }
}
