//! Machines of one fold that differ in C alone: they share kernel values, and each C's solution is the next one's
//! beginning.

use super::kernel::KernelNumber;
use super::machine::{Machine, Solved, voted};
use super::pair::Pair;
use super::path::Solution;
use super::platt::{self, Sigmoid};
use super::set::{FoldSet, SetTargets};
use super::settings::Settings;
use crate::model::metric::{Evaluation, most_probable};
use crate::model::real::Real;
use std::ops::Range;

/// What came of one pair: for each C a solution, and what makes probabilities of it where those were asked for.
pub struct PairResult {
    solutions: Vec<Solution>,
    sigmoids: Vec<Option<Sigmoid>>,
}

impl PairResult {
    /// Of as many solutions as sigmoids.
    pub fn new(solutions: Vec<Solution>, sigmoids: Vec<Option<Sigmoid>>) -> Self {
        Self { solutions, sigmoids }
    }
}

/// Machines of one fold, all solved.
pub struct Group {
    settings: Settings,
    pairs: Vec<Pair>,
    /// (pair)
    results: Vec<PairResult>,
}

impl Group {
    /// Solves one pair for every C of a group; `None` where it was stopped.
    pub fn solve_pair<R: KernelNumber>(
        set: &FoldSet<R>,
        pair: &Pair,
        settings: &Settings,
        costs: &[f64],
        stop: &dyn Fn() -> bool,
    ) -> Option<PairResult> {
        let solutions = pair.solve(set, settings, costs, stop)?;
        let classes = matches!(set.targets, SetTargets::Classes(_));
        let sigmoid = |&c: &f64| match settings.probabilities && classes {
            true => platt::cross_validated(pair, set, &Settings { c, ..*settings }, stop).map(Some),
            false => Some(None),
        };
        Some(PairResult { solutions, sigmoids: costs.iter().map(sigmoid).collect::<Option<_>>()? })
    }

    /// A group of what its pairs came to, in their order.
    pub fn new(settings: Settings, pairs: Vec<Pair>, results: Vec<PairResult>) -> Self {
        Self { settings, pairs, results }
    }

    /// How the decision functions of one C were found.
    pub fn solutions(&self, cost: usize) -> impl Iterator<Item = (&Pair, &Solution)> {
        self.pairs.iter().zip(self.results.iter().map(move |result| &result.solutions[cost]))
    }

    /// The machine of one C.
    pub fn machine(&self, set: &FoldSet<f32>, cost: usize) -> Machine {
        let solved = self.pairs.iter().zip(&self.results).map(|(pair, result)| Solved {
            pair,
            solution: &result.solutions[cost],
            sigmoid: result.sigmoids[cost],
        });
        let class_count = match &set.targets {
            SetTargets::Classes(ranges) => ranges.len(),
            SetTargets::Values(_) => 0,
        };
        Machine::new(self.settings.choice(set.scale_gamma()), class_count, set, &solved.collect::<Vec<_>>())
    }

    /// (C, validation row, decision function) decision values of the validation rows.
    fn decisions<R: KernelNumber>(&self, set: &FoldSet<R>, cost_count: usize) -> Vec<Vec<f64>> {
        let choice = self.settings.choice(set.scale_gamma());
        let mut all = vec![Vec::with_capacity(set.validation_count() * self.pairs.len()); cost_count];
        set.each_validation_row(self.settings.kernel.base(), |kernel| {
            choice.apply(kernel);
            for (cost, values) in all.iter_mut().enumerate() {
                values.extend(self.solutions(cost).map(|(pair, solution)| {
                    let (first, second) = solution.coefficients.split_at(pair.rows[0].len());
                    let part = |rows: &Range<usize>, a: &[f64]| product(&kernel[rows.clone()], a);
                    part(&pair.rows[0], first) + part(&pair.rows[1], second) - solution.outcome.rho
                }));
            }
        });
        all
    }

    /// (C) scores of the validation rows, whose classes or standardised values are `truth`.
    pub fn evaluations<R: KernelNumber>(
        &self,
        set: &FoldSet<R>,
        truth: &SetTruth,
        cost_count: usize,
        with_outputs: bool,
    ) -> Vec<Evaluation> {
        self.evaluations_of(set, truth, self.decisions(set, cost_count), with_outputs)
    }

    /// The same by decision values, (C) (validation row, decision function), that were found elsewhere.
    pub fn evaluations_of<R: KernelNumber>(
        &self,
        set: &FoldSet<R>,
        truth: &SetTruth,
        decisions: Vec<Vec<f64>>,
        with_outputs: bool,
    ) -> Vec<Evaluation> {
        let evaluate = |(cost, decisions): (usize, Vec<f64>)| match truth {
            SetTruth::Values(values) => of_values(&decisions, values, with_outputs),
            SetTruth::Classes { class_count, classes } => {
                let rows = decisions.chunks(self.pairs.len().max(1));
                // Where the training rows have one class there is no decision function, and no row of decisions.
                let rows = rows.chain(std::iter::repeat(&[][..])).zip(classes);
                self.of_classes(set, cost, rows, *class_count, with_outputs)
            }
        };
        decisions.into_iter().enumerate().map(evaluate).collect()
    }

    fn of_classes<'a, R: KernelNumber>(
        &self,
        set: &FoldSet<R>,
        cost: usize,
        rows: impl Iterator<Item = (&'a [f64], &'a usize)>,
        class_count: usize,
        with_outputs: bool,
    ) -> Evaluation {
        let mut evaluation = Evaluation {
            correct: vec![0; class_count],
            predicted: vec![0; class_count],
            ..Evaluation::default()
        };
        let mut outputs = Vec::new();
        let sigmoids: Option<Vec<Sigmoid>> =
            self.results.iter().map(|result| result.sigmoids[cost]).collect();
        let sigmoids = sigmoids.filter(|_| self.settings.probabilities);
        let classes = || self.pairs.iter().map(|pair| pair.classes);
        for (decisions, &class) in rows {
            let pairs = classes().zip(decisions.iter().copied());
            let predicted = match &sigmoids {
                Some(sigmoids) => {
                    let p =
                        platt::of_pairs(class_count, set.only_class(), pairs.zip(sigmoids.iter().copied()));
                    evaluation.loss_sum -= p[class].ln();
                    outputs.extend(p.iter().map(|p| p.ln().max(f64::from(f32::MIN)) as f32));
                    most_probable(&p)
                }
                None => {
                    // Votes are no probabilities.
                    evaluation.loss_sum = f64::NAN;
                    outputs.extend(scores(class_count, pairs.clone()));
                    voted(class_count, set.only_class(), pairs)
                }
            };
            evaluation.row_count += 1;
            evaluation.predicted[predicted] += 1;
            evaluation.correct[class] += u32::from(predicted == class);
        }
        evaluation.outputs = with_outputs.then_some(outputs);
        evaluation
    }
}

/// What validation rows are.
pub enum SetTruth {
    /// The class of each row.
    Classes {
        /// Number of classes.
        class_count: usize,
        /// (row)
        classes: Vec<usize>,
    },
    /// (row) standardised values.
    Values(Vec<f64>),
}

fn of_values(decisions: &[f64], values: &[f64], with_outputs: bool) -> Evaluation {
    let errors = || decisions.iter().zip(values).map(|(decision, value)| decision - value);
    Evaluation {
        row_count: values.len(),
        loss_sum: errors().map(|error| error * error).sum(),
        absolute_error_sum: errors().map(f64::abs).sum(),
        outputs: with_outputs.then(|| decisions.iter().map(|&decision| decision as f32).collect()),
        ..Evaluation::default()
    }
}

/// (class) scores that rank rows: for two classes half the decision value each way; for more the votes, and
/// within equal votes the sum of decision values, pressed into (−1/3, 1/3), as in scikit-learn.
fn scores(class_count: usize, decisions: impl Iterator<Item = ([usize; 2], f64)>) -> Vec<f32> {
    let (mut votes, mut sums) = (vec![0.0; class_count], vec![0.0; class_count]);
    for ([first, second], value) in decisions {
        votes[if value > 0.0 { first } else { second }] += 1.0;
        sums[first] += value;
        sums[second] -= value;
    }
    let score = |(vote, sum): (&f64, &f64)| match class_count {
        2 => sum / 2.0,
        _ => vote + sum / (3.0 * (sum.abs() + 1.0)),
    };
    votes.iter().zip(&sums).map(|pair| score(pair) as f32).collect()
}

/// Σ k·a, in lanes of a fixed number.
fn product<R: Real>(kernel: &[R], a: &[f64]) -> f64 {
    const LANES: usize = 16;
    R::vectorized(
        #[inline(always)]
        || {
            let mut sums = [0.0; LANES];
            let (kernel, kernel_rest) = kernel.as_chunks::<LANES>();
            let (a, a_rest) = a.as_chunks::<LANES>();
            for (kernel, a) in kernel.iter().zip(a) {
                for lane in 0..LANES {
                    sums[lane] += kernel[lane].to_f64() * a[lane];
                }
            }
            let rest: f64 = kernel_rest.iter().zip(a_rest).map(|(k, a)| k.to_f64() * a).sum();
            sums.iter().sum::<f64>() + rest
        },
    )
}
