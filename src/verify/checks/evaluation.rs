//! Scores where a rule decides them, not a number: outputs that are equal.
//!
//! Sums, counts and outputs of ordinary models are compared in every case of every family.

use super::Plan;
use crate::engine::Snapshot;
use crate::verify::case::{Case, Start, plain_member, smooth};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// Models whose parameters are 0 and stay so: all outputs are equal, and the first class is predicted.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let make = |(table, job)| {
        let mut member = plain_member(job, fold_of(70), &[], smooth(), 64);
        member.recipe.learning_rate = 0.0;
        let zeros = vec![0.0; member.network.parameter_count()];
        let start = Start::At(Snapshot::fresh(zeros));
        let case = Case::new("evaluation/ties".to_owned(), Kind::Kernels, table, member, start);
        case.formula("shaders/kernel/loss.wgsl", "src/model/trainer.rs").without_differences()
    };
    plan.jobs.iter().enumerate().take(plan.general_tables()).map(make).collect()
}
