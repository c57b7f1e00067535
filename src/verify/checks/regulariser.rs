//! Every regulariser of a recipe: alone, off the gradient of any other, then all together.

use super::Plan;
use crate::model::recipe::Recipe;
use crate::verify::case::{Age, Case, Start, plain_member, smooth, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// Sets one regulariser.
type Set = fn(&mut Recipe);

const UPDATE: &str = "shaders/layer/dense_backward_parameters.wgsl";
const CLIP: &str = "shaders/kernel/clip_apply.wgsl";
const LOSS: &str = "shaders/kernel/loss.wgsl";

/// Name, the shader that applies it, and how it is switched on.
const REGULARISERS: &[(&str, &str, Set)] = &[
    ("none", UPDATE, |_| {}),
    ("l1_penalty", UPDATE, |recipe| recipe.l1_penalty = 0.03125),
    ("l2_penalty", UPDATE, |recipe| recipe.l2_penalty = 0.25),
    ("weight_decay", UPDATE, |recipe| recipe.optimizer_parameters.weight_decay = 2.0),
    ("clip_norm", CLIP, |recipe| recipe.clip_norm = 0.0625),
    ("clip_norm_not_reached", CLIP, |recipe| recipe.clip_norm = 1024.0),
    ("dropout", "shaders/layer/dense_forward.wgsl", |recipe| recipe.dropout = 0.25),
    ("input_dropout", "shaders/kernel/gather.wgsl", |recipe| recipe.input_dropout = 0.375),
    ("label_smoothing", LOSS, |recipe| recipe.loss_parameters.label_smoothing = 0.125),
    ("balanced", LOSS, |recipe| recipe.balanced = true),
    ("all", UPDATE, |recipe| {
        recipe.l1_penalty = 0.015625;
        recipe.l2_penalty = 0.125;
        recipe.optimizer_parameters.weight_decay = 1.0;
        recipe.clip_norm = 0.125;
        recipe.dropout = 0.5;
        recipe.input_dropout = 0.125;
        recipe.balanced = true;
    }),
];

/// (table, hidden widths, training rows, batch size)
const SHAPES: &[(usize, &[usize], usize, usize)] =
    &[(0, &[9], 33, 33), (1, &[6, 5], 70, 33), (3, &[], 64, 64), (2, &[3], 2, 2), (4, &[35], 5, 5)];

/// Cases for every regulariser.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let shapes = &SHAPES[..plan.by_level(2, SHAPES.len(), SHAPES.len())];
    let mut cases = Vec::new();
    for (name, shader, set) in REGULARISERS {
        for (salt, &(table, hidden, rows, batch)) in shapes.iter().enumerate() {
            let job = &plan.jobs[table];
            let mut member = plain_member(job, fold_of(rows), hidden, smooth(), batch);
            set(&mut member.recipe);
            let start = Start::At(state(job, &member, Age::Young, 2, 300 + salt as u32));
            let name = format!("regulariser/{name}");
            let case = Case::new(name, Kind::Steps, table, member, start);
            cases.push(case.formula(shader, "src/model/trainer.rs"));
        }
    }
    cases
}
