//! The rows of one fold as kernel machines see them: transformed, the training rows grouped by class, and the
//! matrices of bases that all machines of the fold share.

use super::base::{BaseMatrix, Columns};
use super::kernel::Base;
use crate::data::{self, Dataset, Task};
use crate::model::real::Real;
use std::ops::Range;
use std::sync::OnceLock;

/// What the training rows are to be taken for.
#[derive(Clone, Debug)]
pub enum SetTargets {
    /// (class) the rows of each class, which follow each other.
    Classes(Vec<Range<usize>>),
    /// (row) standardised values.
    Values(Vec<f64>),
}

/// One fold.
pub struct FoldSet<R> {
    /// Features of a row.
    pub feature_count: usize,
    /// (training row, feature)
    pub train: Vec<R>,
    /// Of the training rows.
    pub targets: SetTargets,
    /// (class) n/(K·n_k); empty for values.
    pub balanced_weights: Vec<f64>,
    /// (validation row, feature)
    pub validation: Vec<R>,
    /// Bytes of kernel rows that a problem may keep, where whole matrices do not fit. No result depends on it.
    pub cache_bytes: Option<u64>,
    train_bases: [OnceLock<BaseMatrix<R>>; 2],
    validation_bases: [OnceLock<BaseMatrix<R>>; 2],
    train_columns: OnceLock<Columns<R>>,
}

impl<R: Real> FoldSet<R> {
    /// The rows of a fold of a table.
    pub fn new(dataset: &Dataset, fold: usize) -> Self {
        let fold = &dataset.folds[fold];
        let mut rows = fold.train.clone();
        let targets = match (&dataset.targets, dataset.task) {
            (data::Targets::Classes(classes), Task::Classification { class_count }) => {
                // Stable: rows of a class stay in the order of the table.
                rows.sort_by_key(|&row| classes[row as usize]);
                let end = |class: usize| rows.partition_point(|&row| classes[row as usize] as usize <= class);
                let start = |class: usize| if class == 0 { 0 } else { end(class - 1) };
                SetTargets::Classes((0..class_count).map(|class| start(class)..end(class)).collect())
            }
            (data::Targets::Values { stored, .. }, _) => {
                let value = |&row: &u32| f64::from(fold.target.apply(stored[row as usize]));
                SetTargets::Values(rows.iter().map(value).collect())
            }
            (data::Targets::Classes(_), Task::Regression) => SetTargets::Values(vec![0.0; rows.len()]),
        };
        let read = |rows: &[u32]| -> Vec<R> {
            let row = |&row: &u32| dataset.row(row).iter().zip(&fold.transforms);
            let number =
                |(&stored, transform): (&f32, &data::Transform)| R::of(transform.apply(stored).into());
            rows.iter().flat_map(|at| row(at).map(number)).collect()
        };
        let weights = fold.balanced_weights.iter().map(|&weight| weight.into()).collect();
        Self::of_rows(dataset.feature_count, read(&rows), targets, weights, read(&fold.validation))
    }

    /// A fold of these rows, (row, feature), already transformed and grouped.
    pub fn of_rows(
        feature_count: usize,
        train: Vec<R>,
        targets: SetTargets,
        balanced_weights: Vec<f64>,
        validation: Vec<R>,
    ) -> Self {
        Self {
            feature_count,
            train,
            targets,
            balanced_weights,
            validation,
            cache_bytes: None,
            train_bases: Default::default(),
            validation_bases: Default::default(),
            train_columns: OnceLock::new(),
        }
    }

    /// The same where no whole matrix fits: problems keep so many bytes of kernel rows each.
    pub fn within(self, cache_bytes: Option<u64>) -> Self {
        Self { cache_bytes, ..self }
    }

    /// Number of training rows.
    pub fn train_count(&self) -> usize {
        self.train.len() / self.feature_count.max(1)
    }

    /// Number of validation rows.
    pub fn validation_count(&self) -> usize {
        self.validation.len() / self.feature_count.max(1)
    }

    /// The first class that has rows; 0 for values.
    pub fn only_class(&self) -> usize {
        match &self.targets {
            SetTargets::Classes(ranges) => ranges.iter().position(|rows| !rows.is_empty()).unwrap_or(0),
            SetTargets::Values(_) => 0,
        }
    }

    /// (training row, training row), computed when it is first asked for.
    pub fn train_bases(&self, base: Base) -> &BaseMatrix<R> {
        let columns = || Columns::of_rows(&self.train, self.feature_count);
        let make = || BaseMatrix::new(base, &self.train, &columns());
        self.train_bases[base as usize].get_or_init(make)
    }

    /// (validation row, training row), computed when it is first asked for.
    pub fn validation_bases(&self, base: Base) -> &BaseMatrix<R> {
        let columns = || Columns::of_rows(&self.train, self.feature_count);
        let make = || BaseMatrix::new(base, &self.validation, &columns());
        self.validation_bases[base as usize].get_or_init(make)
    }

    /// The training rows as columns, made when they are first asked for.
    pub fn train_columns(&self) -> &Columns<R> {
        self.train_columns.get_or_init(|| Columns::of_rows(&self.train, self.feature_count))
    }

    /// Some training rows as columns.
    pub fn columns_of(&self, rows: impl ExactSizeIterator<Item = usize>) -> Columns<R> {
        Columns::new(rows.map(|row| self.train_row(row)), self.feature_count)
    }

    /// The features of a training row.
    pub fn train_row(&self, row: usize) -> &[R] {
        &self.train[row * self.feature_count..(row + 1) * self.feature_count]
    }

    /// The bases of one validation row after the other with all training rows.
    pub fn each_validation_row(&self, base: Base, mut visit: impl FnMut(&mut [R])) {
        if self.cache_bytes.is_some() {
            return self.train_columns().each(base, &self.validation, visit);
        }
        let bases = self.validation_bases(base);
        let mut row = Vec::new();
        for at in 0..bases.row_count {
            row.clear();
            row.extend_from_slice(&bases.row(at)[..bases.column_count]);
            visit(&mut row);
        }
    }

    /// 1/(features · variance of all numbers of the training rows); 1 where they do not vary. What scikit-learn
    /// calls `scale`.
    pub fn scale_gamma(&self) -> f64 {
        let count = self.train.len().max(1) as f64;
        let mean = self.train.iter().map(|x| x.to_f64()).sum::<f64>() / count;
        let variance = self.train.iter().map(|x| (x.to_f64() - mean).powi(2)).sum::<f64>() / count;
        if variance > 0.0 { 1.0 / (self.feature_count as f64 * variance) } else { 1.0 }
    }
}
