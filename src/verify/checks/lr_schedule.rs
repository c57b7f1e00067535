//! Every learning-rate schedule: the step taken at points all along it, with and without warm-up.

use super::Plan;
use crate::model::lr_schedule::{self, LrScheduleParameters};
use crate::verify::case::{Age, Case, Start, plain_member, smooth, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// (epochs done, of 40; warm-up epochs)
const POINTS: &[(u32, f64)] = &[
    (0, 0.0),
    (1, 2.5),
    (13, 0.0),
    (21, 1.0),
    (2, 2.5),
    (0, 1.0),
    (12, 0.0),
    (38, 0.0),
    (39, 3.0),
    (45, 0.0),
];

/// Cases for every schedule.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let points = &POINTS[..plan.by_level(4, POINTS.len(), POINTS.len())];
    let mut cases = Vec::new();
    for schedule in lr_schedule::ALL {
        for (salt, &(epoch, warmup_epochs)) in points.iter().enumerate() {
            // Six steps an epoch, the last of a short batch: more than one vec4 of rates.
            let job = &plan.jobs[1];
            let mut member = plain_member(job, fold_of(70), &[], smooth(), 13);
            member.recipe.learning_rate = 0.25;
            member.recipe.lr_schedule = *schedule;
            member.recipe.lr_schedule_parameters =
                LrScheduleParameters { warmup_epochs, step_epochs: 6.0, decay: 0.75 };
            let start = Start::At(state(job, &member, Age::Young, epoch, 500 + salt as u32));
            let name = format!("lr_schedule/{}", schedule.name());
            // All engines take it from the host.
            let file = format!("src/model/{name}.rs");
            cases.push(
                Case::new(name, Kind::Steps, 1, member, start)
                    .epochs(2)
                    .formula(&file, &file)
                    .without_differences(),
            );
        }
    }
    cases
}
