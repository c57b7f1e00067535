//! A group of members on its way: what has come of its problems so far.

use super::problem::{Owner, Problem};
use crate::engine::machines::{Asked, Fold};
use crate::model::metric::Evaluation;
use crate::model::svm::group::{Group, PairResult};
use crate::model::svm::pair::Pair;
use crate::model::svm::path::Solution;
use crate::model::svm::platt::{self, Part};
use crate::model::svm::smo::{Outcome, Point};
use std::sync::Arc;

/// What has come of one pair.
struct PairWork {
    pair: Pair,
    solutions: Vec<Solution>,
    /// The parts of its cross-validation, where probabilities are asked for.
    parts: Vec<Part>,
    /// (C, row) decision values of machines that had not trained on the row.
    left_out: Vec<Vec<f64>>,
}

/// A problem to solve for every C of a group.
pub struct Task {
    /// The pair among those of the fold.
    pub at: usize,
    /// Which that is.
    pub pair: Pair,
    /// The part of its cross-validation, where it is one of those.
    pub part: Option<usize>,
    /// The rows that this leaves out.
    pub held: Vec<usize>,
}

/// A group.
pub struct Work {
    /// Its members.
    pub asked: Asked,
    pairs: Vec<PairWork>,
    /// (C) (validation row, pair) decision values.
    decisions: Vec<Vec<f64>>,
    /// Problems that are not through.
    left: usize,
}

impl Work {
    /// A group before its first problem.
    pub fn new(asked: Asked, fold: &Fold) -> Self {
        let set = &fold.set;
        let (costs, is_classes) = (asked.costs.len(), !set.balanced_weights.is_empty());
        let has_parts = asked.settings.probabilities && is_classes;
        let of_pair = |pair: Pair| {
            let parts = if has_parts { platt::parts(&pair) } else { Vec::new() };
            let mut decisions = vec![0.0; pair.row_count()];
            for Part { held, constant, .. } in &parts {
                held.iter().for_each(|&row| decisions[row] = constant.unwrap_or(0.0));
            }
            PairWork { pair, solutions: Vec::new(), parts, left_out: vec![decisions; costs] }
        };
        let pairs: Vec<PairWork> = Pair::all(set).into_iter().map(of_pair).collect();
        let decisions = vec![vec![0.0; set.validation_count() * pairs.len()]; costs];
        Self { asked, pairs, decisions, left: 0 }
    }

    /// What it asks to solve.
    pub fn tasks(&mut self) -> Vec<Task> {
        let mut tasks = Vec::new();
        for (at, PairWork { pair, parts, .. }) in self.pairs.iter().enumerate() {
            let task = |part: Option<usize>, held: &[usize]| Task {
                at,
                pair: pair.clone(),
                part,
                held: held.to_vec(),
            };
            tasks.push(task(None, &[]));
            let of_parts = parts.iter().enumerate().filter(|(_, part)| part.constant.is_none());
            tasks.extend(of_parts.map(|(number, part)| task(Some(number), &part.held)));
        }
        self.left = tasks.len();
        tasks
    }

    /// Takes in the solution of one C: by the places of the costs it is for.
    pub fn solved(
        &mut self,
        owner: Owner,
        costs: &[usize],
        (point, outcome): (&Point, &Outcome),
        linear: &[f64],
        decisions: Option<Vec<f64>>,
    ) {
        let count = self.pairs.len();
        let work = &mut self.pairs[owner.pair];
        for &cost in costs {
            match owner.part {
                // Rows that may not count have no a: what is left of p is their decision value.
                Some(part) => work.parts[part].held.iter().for_each(|&row| {
                    work.left_out[cost][row] = linear[row] - point.f[row] - outcome.rho;
                }),
                None => {
                    for (row, sum) in decisions.iter().flatten().enumerate() {
                        self.decisions[cost][row * count + owner.pair] = sum - outcome.rho;
                    }
                }
            }
        }
    }

    /// Takes in a problem that is through. Says whether it was the last.
    pub fn through(&mut self, problem: Problem) -> bool {
        self.left -= 1;
        if problem.owner.part.is_none() {
            self.pairs[problem.owner.pair].solutions = problem.course.solutions().unwrap_or_default();
        }
        self.left == 0
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.left == 0
    }

    /// The group, with its scores.
    pub fn finish(self, fold: &Fold, with_outputs: bool) -> (Asked, Arc<Group>, Vec<Evaluation>) {
        let result = |work: PairWork| {
            let of_cost = |decisions: &Vec<f64>| {
                (!work.parts.is_empty()).then(|| platt::of_decisions(&work.pair, decisions))
            };
            let sigmoids = work.left_out.iter().map(of_cost).collect();
            (work.pair.clone(), PairResult::new(work.solutions, sigmoids))
        };
        let (pairs, results) = self.pairs.into_iter().map(result).unzip();
        let group = Group::new(self.asked.settings, pairs, results);
        let evaluations = group.evaluations_of(&fold.set, &fold.truth, self.decisions, with_outputs);
        (self.asked, Arc::new(group), evaluations)
    }
}
