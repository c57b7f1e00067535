//! Every activation: as that of all hidden layers, through outputs and gradients, from one unit to more
//! than a tile, young, trained, saturated, near 0 and exactly there.

use super::Plan;
use crate::model::activation::{self, Activation};
use crate::verify::case::{Age, Case, Start, plain_member, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// (table, hidden widths, rows of the batch, age)
const SHAPES: &[(usize, &[usize], usize, Age)] = &[
    (0, &[7, 3], 5, Age::Young),
    (0, &[33], 33, Age::Saturated),
    (1, &[5, 4], 33, Age::Trained),
    (1, &[6], 2, Age::Faint),
    (0, &[9], 5, Age::Extreme),
    (1, &[1], 1, Age::Young),
    (2, &[3, 7, 3], 2, Age::Saturated),
    (3, &[65], 64, Age::Young),
    (4, &[17, 33], 64, Age::Trained),
];

/// Cases for every activation.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let shapes = &SHAPES[..plan.by_level(5, SHAPES.len(), SHAPES.len())];
    let mut cases = Vec::new();
    for activation in activation::ALL {
        for (salt, &(table, hidden, batch, age)) in shapes.iter().enumerate() {
            let job = &plan.jobs[table];
            let member = plain_member(job, fold_of(batch), hidden, *activation, batch);
            let start = Start::At(state(job, &member, age, 0, salt as u32));
            let name = format!("activation/{}", activation.name());
            let case = Case::new(name, Kind::Kernels, table, member, start);
            // There the differences would need steps below their own noise.
            cases.push(if age == Age::Extreme { case.without_differences() } else { case });
        }
        cases.push(at_zero(plan, *activation));
    }
    cases
}

/// The first unit has weights and a bias of 0, so a pre-activation of exactly 0 in any arithmetic: there
/// the derivative is what the formula says, kink or not.
fn at_zero(plan: Plan<'_>, activation: &'static dyn Activation) -> Case {
    let job = &plan.jobs[0];
    let member = plain_member(job, fold_of(5), &[4], activation, 5);
    let mut start = state(job, &member, Age::Young, 0, 50);
    let (inputs, units) = (member.network.input_count, member.network.hidden[0]);
    start.parameters.iter_mut().take((inputs + 1) * units).step_by(units).for_each(|into| *into = 0.0);
    let name = format!("activation/{}", activation.name());
    Case::new(name, Kind::Kernels, 0, member, Start::At(start)).without_differences()
}
