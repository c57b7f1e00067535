//! Every optimizer, step by step: each step is compared from the state the engine itself had before it,
//! so that no legitimate divergence of trajectories adds up.

use super::Plan;
use crate::model::optimizer::{self, Optimizer, OptimizerParameters};
use crate::model::trainer::Scratch;
use crate::verify::case::{Age, Case, Start, plain_member, smooth, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;
use crate::verify::track::resume;

/// (table, hidden widths, rows of the batch, epochs done, momentum, nesterov, weight decay)
type Shape = (usize, &'static [usize], usize, u32, f64, bool, f64);

const SHAPES: &[Shape] = &[
    (0, &[5], 5, 0, 0.5, false, 0.0),
    (1, &[3], 33, 3, 0.875, true, 2.0),
    (3, &[], 64, 1000, 0.0, false, 0.5),
    (2, &[7], 1, 0, 0.75, true, 0.0),
];

/// Cases for every optimizer.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let shapes = &SHAPES[..plan.by_level(2, SHAPES.len(), SHAPES.len())];
    let steps = plan.by_level(4, 20, 100);
    let mut cases = Vec::new();
    for optimizer in optimizer::ALL {
        let name = format!("optimizer/{}", optimizer.name());
        for (salt, &(table, hidden, batch, epoch, momentum, nesterov, weight_decay)) in
            shapes.iter().enumerate()
        {
            let job = &plan.jobs[table];
            let mut member = plain_member(job, fold_of(batch), hidden, smooth(), batch);
            let recipe = &mut member.recipe;
            recipe.optimizer = *optimizer;
            recipe.optimizer_parameters =
                OptimizerParameters { momentum, nesterov, weight_decay, ..recipe.optimizer_parameters };
            let start = Start::At(state(job, &member, Age::Young, epoch, 400 + salt as u32));
            cases.push(Case::new(name.clone(), Kind::Steps, table, member, start).epochs(steps));
        }
        cases.push(opposed(plan, *optimizer, &name));
        // With its customary numbers, from a fresh start: the step that users take first. One step to an
        // epoch: with a small epsilon, rounding decides which way a gradient near 0 goes.
        let job = &plan.jobs[0];
        let mut member = plain_member(job, fold_of(33), &[9], smooth(), 33);
        member.recipe.optimizer = *optimizer;
        member.recipe.optimizer_parameters = optimizer.defaults();
        cases.push(Case::new(name, Kind::Steps, 0, member, Start::Fresh).epochs(2));
    }
    cases
}

/// A first moment that all but cancels the gradient: β₁m + (1 − β₁)g is g·(1 − β₁)/512 of either sign. A
/// wrong β₁ turns the step around, which nothing else shows of an optimizer that only takes its sign.
fn opposed(plan: Plan<'_>, optimizer: &'static dyn Optimizer, name: &str) -> Case {
    let job = &plan.jobs[0];
    let mut member = plain_member(job, fold_of(33), &[7], smooth(), 33);
    member.recipe.optimizer = optimizer;
    let mut start = state(job, &member, Age::Young, 5, 450);
    let mut scratch = Scratch::default();
    resume(&member, job.seed, &start).gradient(&job.dataset, &mut scratch);
    let beta1 = member.recipe.optimizer_parameters.beta1;
    for (i, (m, gradient)) in start.m.iter_mut().zip(&*scratch.gradient).enumerate() {
        let excess = if i % 2 == 0 { 1.0 } else { -1.0 } / 512.0;
        *m = (-gradient * (1.0 - beta1) / beta1 * (1.0 + excess)) as f32;
    }
    Case::new(name.to_owned(), Kind::Steps, 0, member, Start::At(start)).without_differences()
}
