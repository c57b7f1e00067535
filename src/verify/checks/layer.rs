//! Every layer, in the smallest training that exercises it: sizes of batch, a short last batch, and
//! later epochs (other minibatches, other masks).

use super::Plan;
use crate::model::layer;
use crate::verify::case::{Age, Case, Start, plain_member, smooth, state};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// (table, training rows, batch size, epochs done, repeat)
const SHAPES: &[(usize, usize, usize, u32, u16)] = &[
    (0, 33, 33, 0, 0),
    (1, 5, 5, 3, 1),
    (0, 70, 33, 1, 0),
    (2, 1, 1, 0, 0),
    (3, 2, 2, 11, 2),
    (4, 64, 64, 1, 0),
    (0, 5, 200, 0, 0),
];

/// Cases for every layer.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let shapes = &SHAPES[..plan.by_level(3, SHAPES.len(), SHAPES.len())];
    let mut cases = Vec::new();
    for layer in layer::ALL {
        let (hidden, input_dropout, dropout) = layer.probe();
        for (salt, &(table, rows, batch, epoch, repeat)) in shapes.iter().enumerate() {
            let job = &plan.jobs[table];
            let mut member = plain_member(job, fold_of(rows), &hidden, smooth(), batch);
            member.repeat = repeat;
            (member.recipe.input_dropout, member.recipe.dropout) = (input_dropout, dropout);
            let start = Start::At(state(job, &member, Age::Young, epoch, 200 + salt as u32));
            let name = format!("layer/{}", layer.name());
            let host = format!("src/model/{name}.rs");
            // Masks are made by the random streams; everything else of a layer is its own kernel.
            let masked = input_dropout > 0.0 || dropout > 0.0;
            let shader = if masked { "shaders/random.wgsl" } else { "shaders/layer/dense_forward.wgsl" };
            cases.push(Case::new(name, Kind::Kernels, table, member, start).formula(shader, &host));
        }
    }
    cases
}
