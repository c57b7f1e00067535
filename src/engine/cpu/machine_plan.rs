//! How kernel values are held within the memory that there is, planned before any of it is taken.
//!
//! | held | whole | cached |
//! |---|---|---|
//! | by all together | features of all folds; bases of training rows with each other and of validation rows with them | features of all folds, twice |
//! | by each thread | a problem's solver and its kernel matrix | its solver, its features, the kernel rows used last |
//! | by each member | its coefficients | the same |
//!
//! Whole where that fits, else cached; with fewer threads where not even [`FEWEST_ROWS`] rows fit for each. No
//! result depends on it.

use super::memory::{Memory, size};
use crate::data::{Dataset, Targets, Task};
use crate::engine::machines::MOST_MEMBERS;
use crate::error::Result;
use crate::model::svm::base::{BLOCK, BaseMatrix, Columns};
use crate::model::svm::cache::FEWEST_ROWS;
use crate::model::svm::path;

/// The part of the memory that solutions of members may take.
const SOLUTIONS: u64 = 8;

/// What the folds of a table take, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Needs {
    /// Features of all folds, row by row and in columns.
    features: u64,
    columns: u64,
    /// Bases of all folds.
    bases: u64,
    /// The largest problem: its solver and a block of validation rows, its columns, a row of its matrix, all of it.
    solver: u64,
    problem_columns: u64,
    row: u64,
    matrix: u64,
    /// Coefficients of a member.
    member: u64,
}

impl Needs {
    fn of(dataset: &Dataset) -> Self {
        let width = dataset.feature_count;
        let number = size_of::<f32>() as u64;
        let mut needs = Self::default();
        for fold in &dataset.folds {
            let (train, validation) = (fold.train.len(), fold.validation.len());
            let problem = Problem::largest(dataset, &fold.train);
            let rows = (train + validation) as u64;
            let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
            add(&mut needs.features, rows.saturating_mul(width as u64 * number));
            add(&mut needs.columns, Columns::<f32>::bytes(train, width));
            add(&mut needs.bases, BaseMatrix::<f32>::bytes(train + validation, train));
            let block = BaseMatrix::<f32>::bytes(BLOCK.min(validation), train);
            let most = |largest: &mut u64, one: u64| *largest = (*largest).max(one);
            most(&mut needs.solver, path::bytes(problem.variable_count).saturating_add(block));
            most(&mut needs.problem_columns, Columns::<f32>::bytes(problem.row_count, width));
            most(&mut needs.row, BaseMatrix::<f32>::bytes(1, problem.row_count));
            most(&mut needs.matrix, BaseMatrix::<f32>::bytes(problem.row_count, problem.row_count));
            most(&mut needs.member, (size_of::<f64>() * problem.coefficient_count) as u64);
        }
        needs
    }

    /// Of one thread that keeps so many bytes of kernel rows.
    fn cached_thread(&self, cache: u64) -> u64 {
        self.solver.saturating_add(self.problem_columns).saturating_add(cache)
    }
}

/// The sizes of a fold's problems.
struct Problem {
    /// Rows of the largest.
    row_count: usize,
    /// Its variables: one a row for classes, two for values.
    variable_count: usize,
    /// Rows of all.
    coefficient_count: usize,
}

impl Problem {
    fn largest(dataset: &Dataset, train: &[u32]) -> Self {
        let (Targets::Classes(classes), Task::Classification { class_count }) =
            (&dataset.targets, dataset.task)
        else {
            let rows = train.len();
            return Self { row_count: rows, variable_count: 2 * rows, coefficient_count: rows };
        };
        let mut counts = vec![0; class_count];
        train.iter().for_each(|&row| counts[classes[row as usize] as usize] += 1);
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let present = counts.iter().filter(|&&count| count > 0).count();
        let rows = counts.iter().take(2).sum();
        let coefficient_count = train.len() * present.saturating_sub(1);
        Self { row_count: rows, variable_count: rows, coefficient_count }
    }
}

/// What is held, and by how many threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachinePlan {
    /// Threads that solve problems.
    pub threads: usize,
    /// Bytes of kernel rows that a problem may keep; `None` where its matrix is whole.
    pub cache_bytes: Option<u64>,
    /// Most members at a time.
    pub most_members: usize,
    /// All that is held at a time, in bytes.
    bytes: u64,
    /// Bytes of whole matrices.
    whole: u64,
    /// (kept, all) rows of the largest matrix.
    rows: [u64; 2],
}

impl MachinePlan {
    /// The plan for a table, for so many threads at most, within so many bytes. Where nothing fits it takes more than
    /// those, and [`check`](Self::check) refuses it.
    pub fn new(dataset: &Dataset, threads: usize, limit: u64) -> Self {
        let needs = Needs::of(dataset);
        let folds = dataset.folds.len();
        let fitting = limit / SOLUTIONS / needs.member.max(1);
        let most_members =
            usize::try_from(fitting).unwrap_or(usize::MAX).clamp(folds, MOST_MEMBERS.max(folds));
        let shared = needs.features.saturating_add(needs.member.saturating_mul(most_members as u64));
        let each = |bytes: u64, threads: usize| bytes.saturating_mul(threads as u64);
        let matrices = needs.bases.saturating_add(each(needs.matrix, threads));
        let whole = shared.saturating_add(matrices).saturating_add(each(needs.solver, threads));
        let all = needs.matrix / needs.row.max(1);
        let plan =
            Self { threads, cache_bytes: None, most_members, bytes: whole, whole: matrices, rows: [all; 2] };
        if whole <= limit {
            return plan;
        }
        let shared = shared.saturating_add(needs.columns);
        let fewest = needs.row.saturating_mul(FEWEST_ROWS as u64).min(needs.matrix);
        let left = limit.saturating_sub(shared);
        let least = needs.cached_thread(fewest);
        let threads = usize::try_from(left / least.max(1)).unwrap_or(usize::MAX).clamp(1, threads);
        let cache =
            (left / threads as u64).saturating_sub(needs.cached_thread(0)).clamp(fewest, needs.matrix);
        Self {
            threads,
            cache_bytes: Some(cache),
            bytes: shared.saturating_add(each(needs.cached_thread(cache), threads)),
            rows: [cache / needs.row.max(1), all],
            ..plan
        }
    }

    /// Refuses what not even a few rows of a kernel matrix fit for.
    pub fn check(&self, memory: &Memory) -> Result<()> {
        let what =
            format!("the features, the solutions and {} of {} kernel rows", self.rows[0], self.rows[1]);
        memory.check_bytes(self.bytes, &what, "fewer rows, features or folds")
    }

    /// For `--explain`.
    pub fn explain(&self) -> String {
        let Self { threads, bytes, whole, rows: [kept, all], .. } = self;
        let threads = format!("{threads} thread{}", if *threads == 1 { "" } else { "s" });
        match self.cache_bytes {
            None => format!("{threads}, kernel matrices whole; {} planned", size(*bytes)),
            Some(cache) => format!(
                "{threads}, kernel rows on demand: whole matrices would take {}; each keeps the {kept} of {all} rows \
                 used last in {}; {} planned",
                size(*whole),
                size(cache),
                size(*bytes)
            ),
        }
    }
}
