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

/// The table and the hidden layers that have more rows, inputs and outputs than a tile of any variant of the
/// kernels (`src/engine/gpu/variant.rs`), and no whole number of them.
const WIDE: (usize, [usize; 2]) = (4, [67, 69]);
const WIDE_BATCH: usize = 130;

/// Cases for every layer.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let shapes = &SHAPES[..plan.by_level(3, SHAPES.len(), SHAPES.len())];
    let mut cases = Vec::new();
    for layer in layer::ALL {
        let (hidden, input_dropout, dropout) = layer.probe();
        let every = shapes
            .iter()
            .map(|&(table, rows, batch, epoch, repeat)| (table, hidden.clone(), rows, batch, epoch, repeat));
        // Masks are made by the random streams; everything else of a layer is its own kernel.
        let masked = input_dropout > 0.0 || dropout > 0.0;
        let (table, wide) = WIDE;
        let wide = (!masked).then(|| (table, wide.to_vec(), WIDE_BATCH, WIDE_BATCH, 0, 0));
        let every = every.chain(wide);
        for (salt, (table, hidden, rows, batch, epoch, repeat)) in (0..).zip(every) {
            let job = &plan.jobs[table];
            let mut member = plain_member(job, fold_of(rows), &hidden, smooth(), batch);
            member.repeat = repeat;
            (member.recipe.input_dropout, member.recipe.dropout) = (input_dropout, dropout);
            let start = Start::At(state(job, &member, Age::Young, epoch, 200 + salt));
            let name = format!("layer/{}", layer.name());
            let host = format!("src/model/{name}.rs");
            let shader = if masked { "shaders/random.wgsl" } else { "shaders/layer/dense_forward.wgsl" };
            cases.push(Case::new(name, Kind::Kernels, table, member, start).formula(shader, &host));
        }
    }
    cases
}
