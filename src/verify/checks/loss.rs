//! Every loss on every table it fits: sizes of batch, label smoothing, class weights, linear and not.

use super::Plan;
use crate::data::Targets;
use crate::engine::Job;
use crate::model::loss::{self, Loss};
use crate::verify::case::{Age, Case, Start, plain_member, smooth, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// (hidden widths, rows of the batch, label smoothing, balanced, where huber turns, age)
type Shape = (&'static [usize], usize, f64, bool, f64, Age);

const SHAPES: &[Shape] = &[
    (&[], 5, 0.0, false, 1.0, Age::Young),
    (&[5], 33, 0.125, true, 0.5, Age::Trained),
    (&[], 1, 0.0, false, 0.25, Age::Saturated),
    (&[3], 2, 0.0, true, 0.5, Age::Young),
    (&[], 64, 0.25, true, 1.0, Age::Saturated),
];

/// Cases for every loss.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let shapes = &SHAPES[..plan.by_level(2, SHAPES.len(), SHAPES.len())];
    let mut cases = Vec::new();
    for loss in loss::ALL {
        for table in 0..plan.general_tables() {
            let job = &plan.jobs[table];
            if !loss.fits(job.dataset.task) {
                continue;
            }
            for (salt, &(hidden, batch, smoothing, balanced, delta, age)) in shapes.iter().enumerate() {
                let mut member = plain_member(job, fold_of(batch), hidden, smooth(), batch);
                member.recipe.loss = *loss;
                member.recipe.loss_parameters.label_smoothing = smoothing;
                member.recipe.loss_parameters.huber_delta = delta;
                member.recipe.balanced = balanced;
                let start = Start::At(state(job, &member, age, 0, 100 + salt as u32));
                let name = format!("loss/{}", loss.name());
                cases.push(Case::new(name, Kind::Kernels, table, member, start));
            }
            match &job.dataset.targets {
                Targets::Classes(classes) => cases.push(sure(job, table, *loss, classes)),
                Targets::Values { stored, .. } => {
                    cases.extend([0.995, 1.005].map(|share| turning(job, table, *loss, (stored, share))));
                }
            }
        }
    }
    cases
}

/// One row whose class leads by about 10: the gradient is 10⁻⁴ of 1, and p − 1 would round it away.
fn sure(job: &Job, table: usize, loss: &'static dyn Loss, classes: &[u32]) -> Case {
    let fold = fold_of(1);
    let mut member = plain_member(job, fold, &[], smooth(), 1);
    member.recipe.loss = loss;
    let mut start = state(job, &member, Age::Faint, 0, 150);
    let class = classes[job.dataset.folds[fold].train[0] as usize] as usize;
    let bias = start.parameters.len() - job.dataset.task.output_count();
    start.parameters[bias + class] = 10.0;
    Case::new(format!("loss/{}", loss.name()), Kind::Kernels, table, member, Start::At(start))
}

/// One row whose error is so much of huber_delta: a loss that turns a little too soon or too late is wrong
/// there alone.
fn turning(job: &Job, table: usize, loss: &'static dyn Loss, (stored, share): (&[f32], f64)) -> Case {
    let fold = fold_of(1);
    let mut member = plain_member(job, fold, &[], smooth(), 1);
    member.recipe.loss = loss;
    let mut start = state(job, &member, Age::Faint, 0, 160);
    start.parameters.fill(0.0);
    let target = job.dataset.folds[fold].target.apply(stored[job.dataset.folds[fold].train[0] as usize]);
    let error = share * member.recipe.loss_parameters.huber_delta;
    if let Some(bias) = start.parameters.last_mut() {
        *bias = (f64::from(target) + error) as f32;
    }
    Case::new(format!("loss/{}", loss.name()), Kind::Kernels, table, member, Start::At(start))
}
