//! Which rows are drawn at which step: read from the gradient.
//!
//! The rows of this table are unit vectors, so the gradient of weight r of a linear model is that of row
//! r alone. With weights 0, learning rate 0 and momentum ½, m after an epoch is, for row r drawn at step
//! k of S in a batch of b, ½^(S−1−k)·L′(−t)/b: a number from which k is read.

use super::Plan;
use crate::data::{Dataset, Fold, Targets, Task, Transform};
use crate::engine::{Job, Snapshot};
use crate::model::loss::Target;
use crate::verify::case::{Case, Judge, Start, plain_member, setting, smooth};
use crate::verify::findings::Findings;
use crate::verify::outcome::Kind;
use crate::verify::tables::UNIT_ROWS;

/// Rows of the table, and columns.
pub const ROWS: usize = 17;

const MOMENTUM: f64 = 0.5;

/// The table of unit rows; targets are ±1 in an order without a period.
pub fn unit_rows() -> Dataset {
    let features = (0..ROWS * ROWS).map(|i| f32::from(u8::from(i / ROWS == i % ROWS))).collect();
    let stored = (0..ROWS).map(|row| if row * row % 7 < 3 { 1.0 } else { -1.0 }).collect();
    let fold = Fold {
        train: (0..ROWS as u32).collect(),
        validation: vec![3, 16],
        transforms: vec![Transform::IDENTITY; ROWS],
        target: Transform::IDENTITY,
        balanced_weights: Vec::new(),
    };
    Dataset {
        task: Task::Regression,
        feature_count: ROWS,
        features,
        targets: Targets::Values { stored, centre: 0.0, scale: 1.0 },
        folds: vec![fold],
    }
}

/// (batch size, epochs done, repeat)
const SHAPES: &[(usize, u32, u16)] = &[(4, 0, 0), (3, 300, 2), (17, 2, 0), (1, 1, 0), (16, 7, 1), (40, 0, 0)];

/// Cases for the order of rows.
pub fn cases(plan: Plan<'_>) -> Vec<Case> {
    let shapes = &SHAPES[..plan.by_level(2, SHAPES.len(), SHAPES.len())];
    let job = &plan.jobs[UNIT_ROWS];
    let make = |&(batch, epoch, repeat): &(usize, u32, u16)| {
        let mut member = plain_member(job, 0, &[], smooth(), batch);
        member.repeat = repeat;
        member.recipe.learning_rate = 0.0;
        member.recipe.optimizer_parameters.momentum = MOMENTUM;
        let (_, steps) = member.recipe.steps(ROWS);
        let zeros = vec![0.0; member.network.parameter_count()];
        let start = Snapshot { epoch, step: u64::from(epoch) * steps, ..Snapshot::fresh(zeros) };
        let case = Case::new("minibatch/order".to_owned(), Kind::Steps, UNIT_ROWS, member, Start::At(start));
        case.judged(Judge::Order).formula("shaders/random.wgsl", "src/random.rs").without_differences()
    };
    shapes.iter().map(make).collect()
}

/// Reads from the engine's m at which step each row was drawn, and compares with the permutation.
pub fn judge(
    findings: &mut Findings,
    case: &Case,
    job: &Job,
    before: &Snapshot,
    after: &Snapshot,
    suffix: &str,
) {
    let setting = setting(job, &case.member);
    let (_, steps) = case.member.recipe.steps(ROWS);
    let batches: Vec<Vec<u32>> = (0..steps).map(|step| setting.rows(before.step + step)).collect();
    let weight_of =
        |step: usize| MOMENTUM.powi((batches.len() - 1 - step) as i32) / batches[step].len() as f64;
    let mut wrong = Vec::new();
    for row in 0..ROWS as u32 {
        let Target::Value(target) = setting.target(row) else { continue };
        let mut slope = [0.0];
        let recipe = &case.member.recipe;
        recipe.loss.row_f64(&recipe.loss_parameters, Target::Value(target), &mut slope);
        let share = f64::from(after.m[row as usize]) / slope[0];
        let found = (0..batches.len()).find(|&step| (share / weight_of(step) - 1.0).abs() < 1e-3);
        let expected = batches.iter().position(|batch| batch.contains(&row));
        if found != expected {
            wrong.push(format!("row {row} was drawn at step {found:?}, expected {expected:?}"));
        }
    }
    findings.add_exact(&case.name, Kind::Exact, wrong.len(), || {
        let first = wrong.first().map_or("every row was drawn at its step", String::as_str);
        format!("{first} {suffix}")
    });
}
