//! The `[data]` table of a study as meant: which file, which columns, how rows are divided.

use crate::error::cut;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Everything a study says about its data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataOptions {
    /// The file: CSV, IDX or LIBSVM, each also gzipped. Absolute, or relative to the current folder.
    pub path: PathBuf,
    /// The column to predict. IDX and LIBSVM have one of their own and need none.
    pub target: Option<ColumnRef>,
    /// The file of labels that belongs to an IDX file of images.
    pub labels: Option<PathBuf>,
    /// Whether the first record of a CSV file names the columns; `None`: guessed.
    pub has_header: Option<bool>,
    /// Columns that are not features.
    pub ignore: Vec<ColumnRef>,
    /// What a missing value looks like, whatever its case; an empty cell always is one. Where empty:
    /// [`DEFAULT_MISSING`].
    pub missing: Vec<String>,
    /// Classification or regression; `None`: regression where the target is numeric and has a fraction
    /// or more than 20 distinct values.
    pub task: Option<TaskKind>,
    /// How numeric features are scaled.
    pub scale: Scale,
    /// Column name → type, where the inferred one is wrong.
    pub column_types: BTreeMap<String, ColumnType>,
    /// How rows are divided.
    pub split: SplitOptions,
}

/// What a missing value looks like where a study does not say.
pub const DEFAULT_MISSING: [&str; 5] = ["", "NA", "NaN", "null", "?"];

/// A column, by name or by position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ColumnRef {
    /// The position; the first column is 0.
    Index(usize),
    /// The name in the header. Columns of a file without a header are named `column_0`, `column_1`, ….
    Name(String),
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) => write!(f, "\"{}\"", cut(name)),
        }
    }
}

impl From<&str> for ColumnRef {
    fn from(name: &str) -> Self {
        Self::Name(name.to_string())
    }
}

/// What is predicted, as a study may say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// One of several classes.
    Classification,
    /// A number.
    Regression,
}

/// How numeric features are scaled, learned from the training rows of each fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Mean 0, standard deviation 1.
    #[default]
    Standard,
    /// Smallest value 0, largest 1.
    Minmax,
    /// As they are.
    None,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Numbers.
    Numeric,
    /// One of several names; becomes one feature per name.
    Categorical,
    /// One of two values; becomes 0 or 1.
    Boolean,
}

/// How rows are divided into training, validation and test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SplitOptions {
    /// Number of folds of a cross-validation; not used with `validation` or `fold_column`.
    pub folds: usize,
    /// Instead of folds, one hold-out set: this fraction of the rows, above 0 and below 1.
    pub validation: Option<f64>,
    /// So many times over, each time with another division of the rows (that of a `fold_column` stays) and, as
    /// each fold has a number of its own, with other initial weights and minibatches.
    pub repeats: usize,
    /// A final test set that no fold holds: this fraction of the rows, taken first.
    pub test: Option<f64>,
    /// The user's own folds: each distinct value is one fold. Not a feature.
    pub fold_column: Option<ColumnRef>,
    /// Rows with equal values stay together. Not a feature.
    pub group_column: Option<ColumnRef>,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self { folds: 5, validation: None, repeats: 1, test: None, fold_column: None, group_column: None }
    }
}
