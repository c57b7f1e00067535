//! Proves kernel machines right: their kernel values, the gradient of their dual problem, every condition of its
//! optimum, each step on the way, and what is made of the solution.
//!
//! Everything goes through the public [`Engine`] trait: [`duals`](Engine::duals) shows where the solver stands after
//! so many steps, a training shows what comes of it. The f64 reference makes kernel values and gradients anew from the
//! rows; the rest is judged by the kernel values that the solver itself works with, so that their rounding is in no
//! other comparison.
//!
//! | check | what must hold |
//! |---|---|
//! | `kernel/…` | kernel values, against f64 |
//! | [`GRADIENT`] | F = p − Ka at every step |
//! | [`BOX`] | low ≤ a ≤ high |
//! | [`BALANCE`] | Σa = 0 |
//! | [`MONOTONE`] | the dual objective never grows |
//! | [`WORKING_SET`], [`STEP`] | two variables move, by the second-order rule, as far as is best |
//! | [`OPTIMALITY`] | m − M ≤ 10⁻³ at the end, by a gradient made anew |
//! | [`OUTCOME`], [`OBJECTIVE`] | what is reported; the optimum of the reference's own solver |
//! | [`DECISIONS`], [`PROBABILITIES`] | scores of the validation rows, by the machine that was kept |
//! | [`ALONE`] | the same bits alone and in company |

mod kernel;
mod problem;
mod solution;
mod solver;
mod steps;

use super::checks::Plan;
use super::findings::Findings;
use super::outcome::Kind;
use super::{Level, Open, Options, Outcome, describe_device, outcome, tables};
use crate::engine::{Engine, Job, MemberId, Report, Snapshot};
use crate::error::{Error, Result};
use crate::model::metric::Evaluation;
use crate::model::recipe::Member;
use crate::model::svm::dual::Dual;
use crate::model::svm::kernel as kernels;
use crate::model::svm::pair::Pair;
use problem::Subject;
use solver::Standing;
use std::fmt;

/// F = p − Ka
pub const GRADIENT: &str = "solver/gradient";
/// low ≤ a ≤ high
pub const BOX: &str = "solver/box";
/// Σa = 0
pub const BALANCE: &str = "solver/balance";
/// The objective falls.
pub const MONOTONE: &str = "solver/monotone";
/// The two variables of a step.
pub const WORKING_SET: &str = "solver/working_set";
/// Its length.
pub const STEP: &str = "solver/step";
/// m − M at the end.
pub const OPTIMALITY: &str = "solver/optimality";
/// What is reported of a solution.
pub const OUTCOME: &str = "solver/outcome";
/// The optimum.
pub const OBJECTIVE: &str = "solver/objective";
/// Scores of validation rows.
pub const DECISIONS: &str = "machine/decisions";
/// Probabilities of classes.
pub const PROBABILITIES: &str = "machine/probabilities";
/// The same bits alone and in company.
pub const ALONE: &str = "machine/alone";

const CHECKS: [&str; 12] = [
    GRADIENT,
    BOX,
    BALANCE,
    MONOTONE,
    WORKING_SET,
    STEP,
    OPTIMALITY,
    OUTCOME,
    OBJECTIVE,
    DECISIONS,
    PROBABILITIES,
    ALONE,
];

/// Steps after which a solver is looked at; where one follows another, the step between is checked.
const STEPS: [u64; 12] = [0, 1, 2, 3, 7, 8, 20, 21, 60, 61, 200, 201];

/// Where a comparison was made.
#[derive(Clone, Copy)]
pub(super) struct Label<'a> {
    subject: &'a Subject,
    pair: &'a Pair,
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second] = self.pair.classes;
        let rows = self.pair.row_count();
        match first == second {
            true => write!(f, "[values, {rows} rows; {}]", self.subject.text),
            false => write!(f, "[class {first} against {second}, {rows} rows; {}]", self.subject.text),
        }
    }
}

/// The names of all checks.
pub fn names() -> Vec<String> {
    let kernels = kernels::ALL.iter().map(|kernel| kernel::name_of(kernel.name()));
    kernels.chain(CHECKS.map(str::to_owned)).collect()
}

/// Whether any of these checks is among those that are asked for.
pub fn are_wanted(options: &Options) -> bool {
    options.only.as_deref().is_none_or(|only| names().iter().any(|name| name.contains(only)))
}

/// Verifies machines of every kernel on the engine that `open` gives for a job.
pub fn run(options: &Options, open: Open<'_>) -> Result<Outcome> {
    let jobs = tables::all(options.seed);
    let plan = Plan { jobs: &jobs, level: options.level };
    let (mut findings, mut device) = (Findings::default(), String::new());
    for table in problem::tables(options.level) {
        let subjects = problem::subjects(plan, table)?;
        device = verify(&mut findings, &jobs[table], &subjects, options.level, open)?;
    }
    Ok(outcome(device, findings, options.only.as_deref()))
}

/// Training and validation rows of each fold on which the machines of a study are verified.
const STUDY_ROWS: [usize; 2] = [128, 64];

/// Verifies exactly these machines, on rows of a study's own table: some of each fold.
pub fn members(options: &Options, job: &Job, members: &[Member], open: Open<'_>) -> Result<Outcome> {
    let mut dataset = (*job.dataset).clone();
    for fold in &mut dataset.folds {
        for (rows, most) in [&mut fold.train, &mut fold.validation].into_iter().zip(STUDY_ROWS) {
            let every = rows.len().div_ceil(most).max(1);
            *rows = rows.iter().copied().step_by(every).collect();
        }
    }
    let job = Job { dataset: dataset.into(), seed: job.seed, with_outputs: true };
    let subjects: Vec<Subject> =
        members.iter().filter_map(|member| Subject::new(&job, member.clone())).collect();
    let mut findings = Findings::default();
    let device = verify(&mut findings, &job, &subjects, options.level, open)?;
    Ok(outcome(device, findings, options.only.as_deref()))
}

/// Verifies machines of one job, and says on what device.
fn verify(
    findings: &mut Findings,
    job: &Job,
    subjects: &[Subject],
    level: Level,
    open: Open<'_>,
) -> Result<String> {
    let mut engine = open(job.clone())?;
    let engine = engine.as_mut();
    for subject in subjects {
        engine.check(&subject.member)?;
    }
    let all: Vec<&Subject> = subjects.iter().collect();
    let trained = train(engine, &all)?;
    for (subject, (report, kept)) in subjects.iter().zip(&trained) {
        let duals = duals(engine, subject, u64::MAX)?;
        kernel::check(findings, subject, &duals);
        walk(findings, engine, subject, &duals)?;
        let ends: Vec<Option<Standing<'_>>> =
            subject.problems.iter().zip(&duals).map(|(problem, dual)| Standing::new(problem, dual)).collect();
        for (problem, end) in subject.problems.iter().zip(&ends) {
            let label = Label { subject, pair: &problem.pair };
            if let Some(end) = end {
                solver::check_optimality(findings, subject, label, end);
            }
        }
        solution::check_outcomes(findings, subject, report, &ends);
        solution::check_scores(findings, subject, job, report, kept);
    }
    let few = if level == Level::Quick { 3 } else { subjects.len() };
    for (subject, (report, kept)) in subjects.iter().zip(&trained).take(few) {
        let mut other = open(job.clone())?;
        let alone = train(other.as_mut(), &[subject])?.pop();
        let is_same = alone.is_some_and(|(one, snapshot)| snapshot == *kept && have_equal_bits(&one, report));
        findings.add_exact(ALONE, Kind::Exact, usize::from(!is_same), || {
            format!("state, scores and report alone and in company [{}]", subject.text)
        });
    }
    Ok(describe_device(engine))
}

/// Whether two trainings came to the same scores; votes have a log loss that is not a number.
fn have_equal_bits(one: &Report, other: &Report) -> bool {
    let bits = |report: &Report| report.evaluation.as_ref().map(|scores| scores.loss_sum.to_bits());
    let rest = |report: &Report| {
        let scores = report.evaluation.clone();
        scores.map(|scores| Evaluation { loss_sum: 0.0, ..scores })
    };
    bits(one) == bits(other) && rest(one) == rest(other) && one.solver == other.solver
}

/// Trains all together: their reports and their states.
fn train(engine: &mut dyn Engine, subjects: &[&Subject]) -> Result<Vec<(Report, Snapshot)>> {
    let mut outcomes = Vec::with_capacity(subjects.len());
    while outcomes.len() < subjects.len() {
        let mut ids: Vec<MemberId> = Vec::new();
        for subject in &subjects[outcomes.len()..] {
            if engine.room(&subject.member) == 0 {
                break;
            }
            let id = (outcomes.len() + ids.len()) as MemberId;
            engine.admit(id, subject.member.clone())?;
            ids.push(id);
        }
        engine.train(&ids)?;
        let mut reports: Vec<Report> = Vec::new();
        while reports.len() < ids.len() {
            let news = engine.wait()?;
            if news.is_empty() {
                let found =
                    format!("{} of {} machines were never reported", ids.len() - reports.len(), ids.len());
                return Err(Error::check(engine.device(), found));
            }
            reports.extend(news);
        }
        reports.sort_by_key(|report| report.id);
        let snapshots = engine.snapshot(&ids)?;
        engine.retire(&ids);
        outcomes.extend(reports.into_iter().zip(snapshots));
    }
    Ok(outcomes)
}

/// Where a subject's solvers stand; an error where the engine does not give one for each problem.
fn duals(engine: &mut dyn Engine, subject: &Subject, most_iterations: u64) -> Result<Vec<Dual>> {
    let duals = engine.duals(&subject.member, most_iterations)?;
    let is_whole = duals.len() == subject.problems.len()
        && duals.iter().zip(&subject.problems).all(|(dual, problem)| dual.pair == problem.pair);
    if is_whole {
        return Ok(duals);
    }
    let found = format!("{} problems instead of {} [{}]", duals.len(), subject.problems.len(), subject.text);
    Err(Error::check(engine.device(), found).advice("report this with the device's name"))
}

/// Follows the solvers of a subject step by step.
fn walk(findings: &mut Findings, engine: &mut dyn Engine, subject: &Subject, ends: &[Dual]) -> Result<()> {
    let mut all = STEPS.iter().map(|&steps| duals(engine, subject, steps)).collect::<Result<Vec<_>>>()?;
    all.push(ends.to_vec());
    for (at, problem) in subject.problems.iter().enumerate() {
        let label = Label { subject, pair: &problem.pair };
        let mut before: Option<Standing<'_>> = None;
        for dual in all.iter().map(|duals| &duals[at]) {
            let Some(standing) = Standing::new(problem, dual) else {
                let place = || format!("numbers of a, F or kernel values {label}");
                findings.add_worst(GRADIENT, Kind::Kernels, f64::NAN, 0.0, place);
                continue;
            };
            solver::check_standing(findings, label, &standing);
            if let Some(before) = before.filter(|before| before.dual.cost == dual.cost) {
                solver::check_monotone(findings, label, &before, &standing);
                if dual.iterations == before.dual.iterations + 1 {
                    steps::check(findings, problem, label, &before, &standing);
                }
            }
            before = Some(standing);
        }
    }
    Ok(())
}
