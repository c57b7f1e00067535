//! Every activation: as that of all hidden layers, through outputs and gradients, from one unit to more
//! than a tile, young, trained and saturated.

use super::Plan;
use crate::model::activation;
use crate::verify::case::{Age, Case, Start, plain_member, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// (table, hidden widths, rows of the batch, age)
const SHAPES: &[(usize, &[usize], usize, Age)] = &[
    (0, &[7, 3], 5, Age::Young),
    (0, &[33], 33, Age::Saturated),
    (1, &[5, 4], 33, Age::Trained),
    (1, &[1], 1, Age::Young),
    (2, &[3, 7, 3], 2, Age::Saturated),
    (3, &[65], 64, Age::Young),
    (4, &[17, 33], 64, Age::Trained),
];

/// Cases for every activation.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let shapes = &SHAPES[..plan.by_level(3, SHAPES.len(), SHAPES.len())];
    let mut cases = Vec::new();
    for activation in activation::ALL {
        for (salt, &(table, hidden, batch, age)) in shapes.iter().enumerate() {
            let job = &plan.jobs[table];
            let member = plain_member(job, fold_of(batch), hidden, *activation, batch);
            let start = Start::At(state(job, &member, age, 0, salt as u32));
            let name = format!("activation/{}", activation.name());
            cases.push(Case::new(name, Kind::Kernels, table, member, start));
        }
    }
    cases
}
