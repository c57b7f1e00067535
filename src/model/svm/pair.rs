//! The dual problems of a fold: one for each pair of classes that have rows, or one of values.

use super::cache::Cached;
use super::dual::Dual;
use super::kernel::KernelNumber;
use super::path::{self, Shape, Solution};
use super::rows::{KernelChoice, Rows, Whole};
use super::set::{FoldSet, SetTargets};
use super::settings::Settings;
use super::smo::{self, Point, Problem};
use std::ops::Range;

/// The rows of one problem: those of the first class, which is the positive one, then those of the second.
/// Values have them all in the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Which classes; 0 and 0 for values.
    pub classes: [usize; 2],
    /// Their training rows.
    pub rows: [Range<usize>; 2],
}

impl Pair {
    /// The problems of a fold, in LIBSVM's order: (0, 1), (0, 2), …, (1, 2), …
    pub fn all<R>(set: &FoldSet<R>) -> Vec<Self> {
        match &set.targets {
            SetTargets::Values(values) => vec![Self { classes: [0, 0], rows: [0..values.len(), 0..0] }],
            SetTargets::Classes(ranges) => {
                let present = || (0..ranges.len()).filter(|&class| !ranges[class].is_empty());
                let pair = |first: usize, second: usize| Self {
                    classes: [first, second],
                    rows: [ranges[first].clone(), ranges[second].clone()],
                };
                let after = |first: usize| present().filter(move |&second| second > first);
                present().flat_map(|first| after(first).map(move |second| pair(first, second))).collect()
            }
        }
    }

    /// Number of its rows.
    pub fn row_count(&self) -> usize {
        self.rows[0].len() + self.rows[1].len()
    }

    /// The training rows of the fold, in the order of the problem.
    pub fn row_indices(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        self.rows[0].clone().chain(self.rows[1].clone())
    }

    /// Its dual problem.
    pub fn shape<R>(&self, set: &FoldSet<R>, settings: &Settings) -> Shape {
        match &set.targets {
            SetTargets::Values(values) => Shape::values(values, settings.epsilon),
            SetTargets::Classes(_) => {
                let weight = |class: usize| if settings.balanced { set.balanced_weights[class] } else { 1.0 };
                Shape::classes(self.rows.each_ref().map(Range::len), self.classes.map(weight))
            }
        }
    }

    /// Its kernel matrix.
    pub fn kernel_matrix<R: KernelNumber>(&self, set: &FoldSet<R>, choice: &KernelChoice) -> Whole<R> {
        let bases = set.train_bases(choice.kernel.base());
        Whole::gathered(choice, bases, &self.rows)
    }

    /// Solves it for each C; `None` where it was stopped.
    pub fn solve<R: KernelNumber>(
        &self,
        set: &FoldSet<R>,
        settings: &Settings,
        costs: &[f64],
        stop: &dyn Fn() -> bool,
    ) -> Option<Vec<Solution>> {
        let choice = settings.choice(set.scale_gamma());
        let shape = self.shape(set, settings);
        let Some(bytes) = set.cache_bytes else {
            return path::solve(&shape, &mut self.kernel_matrix(set, &choice), costs, stop);
        };
        if self.row_count() == set.train_count() {
            return path::solve(&shape, &mut Cached::new(choice, set.train_columns(), bytes), costs, stop);
        }
        let rows: Vec<usize> = self.row_indices().collect();
        let columns = Box::new(set.columns_of(rows.into_iter()));
        path::solve(&shape, &mut Cached::new(choice, columns, bytes), costs, stop)
    }

    /// Where its solver stands after so many steps at most: for the verifier.
    pub fn dual<R: KernelNumber>(&self, set: &FoldSet<R>, settings: &Settings, most_iterations: u64) -> Dual {
        let choice = settings.choice(set.scale_gamma());
        let mut rows = self.kernel_matrix(set, &choice);
        let shape = self.shape(set, settings);
        let solver = |problem: &Problem<'_>, point: &mut Point, left: u64| {
            smo::solve_within(problem, &mut rows, point, left, &|| false)
        };
        let stand = path::stand(&shape, settings.c, most_iterations, solver);
        let stand = stand.expect("nobody stops it");
        let count = self.row_count();
        let row =
            |row: usize| rows.row(row)[..count].iter().map(|value| value.to_f64()).collect::<Vec<f64>>();
        let kernel = (0..count).flat_map(row).collect();
        let (Point { a, f }, pair) = (stand.point, self.clone());
        Dual { pair, cost: stand.cost, iterations: stand.iterations, kernel, a, f }
    }
}

impl Pair {
    /// Decision values of `held` rows by a machine trained on the `kept` ones; both count within the problem,
    /// ascending, and both classes are kept. `None` where it was stopped.
    pub fn left_out<R: KernelNumber>(
        &self,
        set: &FoldSet<R>,
        settings: &Settings,
        kept: &[usize],
        held: &[usize],
        stop: &dyn Fn() -> bool,
    ) -> Option<Vec<f64>> {
        let rows: Vec<usize> = self.row_indices().collect();
        let of_set = |places: &[usize]| -> Vec<usize> { places.iter().map(|&place| rows[place]).collect() };
        let whole = self.shape(set, settings);
        let only = |numbers: &[f64]| -> Vec<f64> { kept.iter().map(|&row| numbers[row]).collect() };
        let shape = Shape {
            row_count: kept.len(),
            linear: only(&whole.linear),
            low: only(&whole.low),
            high: only(&whole.high),
        };
        let solver = LeftOut { set, settings, shape, kept: of_set(kept), held: of_set(held) };
        match set.cache_bytes {
            Some(bytes) => solver.cached(bytes, stop),
            None => solver.whole(stop),
        }
    }
}

/// A problem of some training rows of a set, whose solution decides on others.
struct LeftOut<'a, R> {
    set: &'a FoldSet<R>,
    settings: &'a Settings,
    shape: Shape,
    kept: Vec<usize>,
    held: Vec<usize>,
}

impl<R: KernelNumber> LeftOut<'_, R> {
    fn solution(&self, matrix: &mut impl Rows<R>, stop: &dyn Fn() -> bool) -> Option<Solution> {
        path::solve(&self.shape, matrix, &[self.settings.c], stop)?.pop()
    }

    fn whole(&self, stop: &dyn Fn() -> bool) -> Option<Vec<f64>> {
        let bases = self.set.train_bases(self.settings.kernel.base());
        let choice = self.settings.choice(self.set.scale_gamma());
        let values = |&row: &usize| -> Vec<R> {
            let mut values: Vec<R> = self.kept.iter().map(|&other| bases.row(row)[other]).collect();
            choice.apply(&mut values);
            values
        };
        let solution = self.solution(&mut Whole::of_rows(self.kept.iter().map(values)), stop)?;
        Some(self.held.iter().map(|row| decision(&solution, &values(row))).collect())
    }

    fn cached(&self, bytes: u64, stop: &dyn Fn() -> bool) -> Option<Vec<f64>> {
        let columns = self.set.columns_of(self.kept.iter().copied());
        let choice = self.settings.choice(self.set.scale_gamma());
        let solution = self.solution(&mut Cached::new(choice, &columns, bytes), stop)?;
        let held: Vec<R> = self.held.iter().flat_map(|&row| self.set.train_row(row)).copied().collect();
        let mut decisions = Vec::with_capacity(self.held.len());
        columns.each(self.settings.kernel.base(), &held, |kernel| {
            choice.apply(kernel);
            decisions.push(decision(&solution, kernel));
        });
        Some(decisions)
    }
}

/// Σ a k − ρ
fn decision<R: KernelNumber>(solution: &Solution, kernel: &[R]) -> f64 {
    let terms = solution.coefficients.iter().zip(kernel).map(|(a, k)| a * k.to_f64());
    terms.sum::<f64>() - solution.outcome.rho
}
