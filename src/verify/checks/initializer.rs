//! Every initializer: a new member has the numbers drawn on the host, to the bit, and trains from them.

use super::Plan;
use crate::model::initializer;
use crate::verify::case::{Case, Judge, Start, plain_member, smooth};
use crate::verify::outcome::Kind;
use crate::verify::tables::fold_of;

/// (table, hidden widths, repeat)
const SHAPES: &[(usize, &[usize], u16)] = &[(0, &[9, 5], 0), (2, &[], 3), (4, &[33], 1)];

/// Cases for every initializer.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let shapes = &SHAPES[..plan.by_level(1, SHAPES.len(), SHAPES.len())];
    let mut cases = Vec::new();
    for initializer in initializer::ALL {
        for &(table, hidden, repeat) in shapes {
            let mut member = plain_member(&plan.jobs[table], fold_of(33), hidden, smooth(), 33);
            member.repeat = repeat;
            member.recipe.initializer = *initializer;
            let name = format!("initializer/{}", initializer.name());
            // Both engines take it from the host.
            let file = format!("src/model/{name}.rs");
            let case = Case::new(name, Kind::Kernels, table, member, Start::Fresh).judged(Judge::Initial);
            cases.push(case.formula(&file, &file).without_differences());
        }
    }
    cases
}
