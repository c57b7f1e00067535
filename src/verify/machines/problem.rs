//! The machines that are verified, and what the f64 reference says of each.

use super::kernel::Kernels;
use crate::engine::Job;
use crate::error::Result;
use crate::model::recipe::Member;
use crate::model::svm::kernel as kernels;
use crate::model::svm::pair::Pair;
use crate::model::svm::path::Shape;
use crate::model::svm::set::FoldSet;
use crate::model::svm::settings::{Gamma, Settings};
use crate::verify::Level;
use crate::verify::case::{plain_member, smooth};
use crate::verify::checks::Plan;
use crate::verify::tables::fold_of;

/// A machine to verify.
pub struct Subject {
    /// What an engine trains.
    pub member: Member,
    /// The machine of its recipe.
    pub settings: Settings,
    /// Its configuration in one phrase.
    pub text: String,
    /// The rows of its fold.
    pub set: FoldSet<f64>,
    /// One for each pair of classes, or one of values.
    pub problems: Vec<Problem>,
}

/// A dual problem of a subject.
pub struct Problem {
    /// Which rows.
    pub pair: Pair,
    /// Its variables, for C = 1.
    pub shape: Shape,
    /// Its kernel matrix.
    pub kernels: Kernels,
}

impl Subject {
    /// The reference's side of a member that is a kernel machine; `None` for a network.
    pub fn new(job: &Job, member: Member) -> Option<Self> {
        let settings = member.recipe.machine?;
        let set = FoldSet::<f64>::new(&job.dataset, member.fold);
        let choice = settings.choice(set.scale_gamma());
        let problem = |pair: Pair| {
            let rows: Vec<&[f64]> = pair.row_indices().map(|row| row_of(&set, row)).collect();
            let kernels = Kernels::new(&choice, &rows, &rows);
            Problem { shape: pair.shape(&set, &settings), kernels, pair }
        };
        let problems = Pair::all(&set).into_iter().map(problem).collect();
        let text = describe(&settings, choice.parameters.gamma, set.train_count());
        Some(Self { member, settings, text, set, problems })
    }
}

/// A training row.
fn row_of(set: &FoldSet<f64>, row: usize) -> &[f64] {
    &set.train[row * set.feature_count..][..set.feature_count]
}

/// A machine in one phrase: its kernel with the numbers that it reads, C, and the rows of its fold.
fn describe(settings: &Settings, gamma: f64, row_count: usize) -> String {
    let Settings { kernel, c, coef0, degree, epsilon, balanced, .. } = settings;
    let uses = kernel.uses();
    let mut text = format!("{}, C {c:e}", kernel.name());
    let numbers = [
        (uses.gamma, "gamma", gamma),
        (uses.coef0, "coef0", *coef0),
        (uses.degree, "degree", f64::from(*degree)),
        (*epsilon != 0.0, "epsilon", *epsilon),
    ];
    for (_, name, value) in numbers.into_iter().filter(|(is_used, ..)| *is_used) {
        text += &format!(", {name} {value:e}");
    }
    text + &format!("{}, {row_count} rows", if *balanced { ", balanced" } else { "" })
}

/// What differs from one case to the next; the rest is as in [`Case::new`].
struct Case {
    table: usize,
    rows: usize,
    settings: Settings,
}

impl Case {
    fn new(table: usize, rows: usize, kernel: &str, gamma: f64, c: f64) -> Result<Self> {
        let unknown = || crate::error::Error::check("verify", format!("there is no kernel {kernel}"));
        let kernel = kernels::find(kernel).ok_or_else(unknown)?;
        let (gamma, epsilon) = (Gamma::Value(gamma), 0.0);
        let (coef0, degree, balanced, probabilities) = (0.0, 3, false, false);
        Ok(Self {
            table,
            rows,
            settings: Settings { kernel, gamma, coef0, degree, c, epsilon, balanced, probabilities },
        })
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }
}

/// Tables of verify::tables by what they are.
const THREE_CLASSES: usize = 0;
const VALUES: usize = 1;
const TWO_CLASSES: usize = 2;
const TEN_CLASSES: usize = 3;
const MANY_FEATURES: usize = 4;

/// The machines of a level, by table.
pub fn subjects(plan: Plan<'_>, table: usize) -> Result<Vec<Subject>> {
    let mut cases = Vec::new();
    // Every kernel, whatever it reads, on classes and on values.
    for kernel in kernels::ALL {
        let every = |settings: &mut Settings| settings.coef0 = 0.5;
        cases.push(Case::new(THREE_CLASSES, 33, kernel.name(), 0.125, 1.0)?.with(every));
        cases.push(Case::new(VALUES, 33, kernel.name(), 0.0625, 0.5)?.with(|settings| {
            every(settings);
            settings.epsilon = 0.1;
        }));
    }
    // Where f32 would drift: C = 2¹⁵; kernel values near 0 and near 1; weights; no tube; few rows.
    cases.push(Case::new(THREE_CLASSES, 70, "rbf", 0.5, 32_768.0)?);
    cases.push(Case::new(THREE_CLASSES, 33, "rbf", 8.0, 8.0)?);
    cases.push(
        Case::new(THREE_CLASSES, 64, "rbf", 0.000_976_562_5, 0.25)?.with(|settings| settings.balanced = true),
    );
    cases
        .push(Case::new(THREE_CLASSES, 64, "rbf", 0.25, 2.0)?.with(|settings| settings.probabilities = true));
    cases.push(Case::new(VALUES, 64, "rbf", 0.5, 64.0)?);
    cases.push(Case::new(THREE_CLASSES, 5, "linear", 1.0, 1.0)?);
    cases.push(Case::new(THREE_CLASSES, 1, "rbf", 1.0, 1.0)?);
    if plan.level != Level::Quick {
        cases.push(Case::new(TWO_CLASSES, 130, "rbf", 4.0, 16.0)?);
        cases.push(
            Case::new(TWO_CLASSES, 33, "rbf", 0.5, 3.0)?.with(|settings| settings.probabilities = true),
        );
        cases.push(Case::new(TEN_CLASSES, 130, "rbf", 0.03125, 4.0)?);
        cases.push(
            Case::new(TEN_CLASSES, 70, "polynomial", 0.03125, 1.0)?.with(|settings| settings.coef0 = 1.0),
        );
        cases.push(
            Case::new(MANY_FEATURES, 130, "rbf", 0.015_625, 8.0)?.with(|settings| settings.epsilon = 0.05),
        );
    }
    if plan.level == Level::Full {
        for c in [0.031_25, 0.5, 128.0, 2048.0] {
            cases.push(Case::new(THREE_CLASSES, 130, "rbf", 0.125, c)?);
            cases.push(
                Case::new(MANY_FEATURES, 130, "rbf", 0.031_25, c)?.with(|settings| settings.epsilon = 0.2),
            );
        }
    }
    let job = &plan.jobs[table];
    let subject = |case: Case| {
        let mut member = plain_member(job, fold_of(case.rows), &[], smooth(), case.rows);
        member.recipe.machine = Some(case.settings);
        Subject::new(job, member)
    };
    let is_here = |case: &Case| case.table == table;
    Ok(cases.into_iter().filter(is_here).filter_map(subject).collect())
}

/// Tables that machines are verified on, at a level.
pub fn tables(level: Level) -> std::ops::RangeInclusive<usize> {
    match level {
        Level::Quick => THREE_CLASSES..=VALUES,
        _ => THREE_CLASSES..=MANY_FEATURES,
    }
}
