//! More than a hundred steps without looking in between: gradient descent on smooth networks, one row to
//! a step, so that the order of rows, masks, clipping, penalties and rates are all in the end state.
//!
//! Other optimizers are compared step by step (see [`super::optimizer`]): where a step divides by a root
//! near 0 or takes a sign, rounding alone may part two right trajectories.

use super::Plan;
use crate::model::lr_schedule::{self, LrScheduleParameters};
use crate::model::recipe::Recipe;
use crate::verify::case::{Age, Case, Start, plain_member, smooth, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// Rows of the fold, and steps of the epoch.
const STEPS: usize = 130;

/// Sets what is unlike plain descent.
type Set = fn(&mut Recipe);

const RECIPES: &[(&str, Set)] = &[
    ("momentum", |recipe| recipe.optimizer_parameters.momentum = 0.875),
    ("everything", |recipe| {
        recipe.optimizer_parameters.nesterov = true;
        recipe.optimizer_parameters.weight_decay = 0.125;
        recipe.l2_penalty = 0.0625;
        recipe.dropout = 0.25;
        recipe.input_dropout = 0.125;
        recipe.clip_norm = 0.5;
        recipe.lr_schedule_parameters = LrScheduleParameters { warmup_epochs: 0.5, ..Default::default() };
    }),
    ("dropout", |recipe| recipe.dropout = 0.5),
    ("clip_norm", |recipe| recipe.clip_norm = 0.25),
    ("l2_penalty", |recipe| recipe.l2_penalty = 0.25),
    ("weight_decay", |recipe| recipe.optimizer_parameters.weight_decay = 1.0),
];

/// Trajectories of each recipe, then of each learning-rate schedule over an epoch that is all there is.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let recipes = &RECIPES[..plan.by_level(2, RECIPES.len(), RECIPES.len())];
    let mut cases: Vec<Case> =
        recipes.iter().map(|(name, set)| case(plan, name, &|recipe| set(recipe))).collect();
    for schedule in lr_schedule::ALL.iter().take(plan.by_level(0, usize::MAX, usize::MAX)) {
        cases.push(case(plan, schedule.name(), &|recipe| {
            (recipe.lr_schedule, recipe.max_epochs) = (*schedule, 1);
            recipe.lr_schedule_parameters.warmup_epochs = 0.25;
        }));
    }
    cases
}

fn case(plan: Plan<'_>, name: &str, set: &dyn Fn(&mut Recipe)) -> Case {
    let (table, job) = (1, &plan.jobs[1]);
    let mut member = plain_member(job, fold_of(STEPS), &[6], smooth(), 1);
    // The last row's gradient alone may be next to nothing.
    member.recipe.optimizer_parameters.momentum = 0.5;
    set(&mut member.recipe);
    // A quarter of a time constant in all: where a trajectory may part, tolerances grow with e to that.
    member.recipe.learning_rate = (1.0 - member.recipe.optimizer_parameters.momentum) / 512.0;
    let start = Start::At(state(job, &member, Age::Young, 0, 900));
    Case::new(format!("trajectory/{name}"), Kind::Steps, table, member, start)
        .formula("shaders/layer/dense_backward_parameters.wgsl", "src/model/trainer.rs")
        .without_differences()
}
