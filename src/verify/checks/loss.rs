//! Every loss on every table it fits: sizes of batch, label smoothing, class weights, linear and not.

use super::Plan;
use crate::model::loss;
use crate::verify::case::{Age, Case, Start, plain_member, smooth, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// (hidden widths, rows of the batch, label smoothing, balanced, where huber turns, age)
type Shape = (&'static [usize], usize, f64, bool, f64, Age);

const SHAPES: &[Shape] = &[
    (&[], 5, 0.0, false, 1.0, Age::Young),
    (&[5], 33, 0.125, true, 0.5, Age::Trained),
    (&[], 1, 0.125, false, 0.25, Age::Saturated),
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
        }
    }
    cases
}
