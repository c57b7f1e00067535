//! Proves the gradients right, on the device at hand, with the kernels that ship.
//!
//! Everything is driven through the public [`Engine`] trait: a model is restored in a known state,
//! trained for an epoch of one or a few steps, and read back. The trick that opens the inside: without
//! momentum, the first state number of gradient descent *is* the gradient of the step, penalties and
//! clipping included. So no kernel has a copy for tests, and every engine is verified alike.
//!
//! The ladder: the f64 reference against central differences of its own loss ([`differences`]); the
//! engine's forward, backward and steps against the f64 reference from the very same f32 state
//! ([`judge`]), each number with a tolerance of its own ([`rounding`]); differences of the engine's own
//! losses and outputs against its own gradient ([`mod@line`]); and the functions that kernels are made of
//! against f64, in units in the last place ([`checks::primitive`]).

pub mod case;
pub mod checks;
pub mod differences;
pub mod drive;
pub mod findings;
pub mod judge;
pub mod line;
pub mod machines;
pub mod noise;
pub mod outcome;
pub mod rounding;
pub mod study;
pub mod tables;
pub mod track;
pub mod uncertain;

pub use outcome::{Check, Kind, Outcome};
pub use study::members;

use crate::engine::{Engine, Job};
use crate::error::{Error, Result, unknown_name};
use case::Case;
use checks::{PROBES, Plan, Probe};
use drive::{Trace, drive};
use findings::Findings;
use judge::Judging;
use rayon::prelude::*;
use std::collections::BTreeSet;

/// How much is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Every member of every family, in few shapes: seconds.
    Quick,
    /// All shapes and states: under a minute.
    #[default]
    Normal,
    /// Larger networks, longer trajectories, more random networks.
    Full,
}

/// What a verification checks.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How much.
    pub level: Level,
    /// Only checks whose name contains this.
    pub only: Option<String>,
    /// Decides tables, states and random networks: the same seed repeats the same numbers.
    pub seed: u64,
}

/// Opens an engine on a job.
pub type Open<'a> = &'a dyn Fn(Job) -> Result<Box<dyn Engine>>;

/// Runs the checks on an engine.
///
/// A check that fails is in the outcome; an error is what kept checks from being run (an unknown `only`,
/// a device that is lost).
pub fn run(options: &Options, open: Open<'_>) -> Result<Outcome> {
    let jobs = tables::all(options.seed);
    let plan = Plan { jobs: &jobs, level: options.level };
    let cases: Vec<Case> = checks::ALL.iter().flat_map(|make| make(plan)).collect();
    let cases = selected(cases, options.only.as_deref())?;
    let wants = |name: &str| options.only.as_deref().is_none_or(|only| name.contains(only));
    let is_wanted = |probe: &&Probe| (probe.names)().iter().any(|name| wants(name));
    let mut findings = Findings::default();
    let mut device = String::new();
    for (table, job) in jobs.iter().enumerate() {
        let cases: Vec<&Case> = cases.iter().filter(|case| case.table == table).collect();
        let probes: Vec<&Probe> =
            PROBES.iter().filter(|probe| probe.tables.contains(&table)).filter(is_wanted).collect();
        if cases.is_empty() && probes.is_empty() {
            continue;
        }
        let mut engine = open(job.clone())?;
        device = describe_device(engine.as_ref());
        for probe in probes {
            (probe.check)(&mut findings, engine.as_mut(), plan, table, &wants)?;
        }
        if cases.is_empty() {
            continue;
        }
        let traces = drive(engine.as_mut(), &cases, &mut 0)?;
        checks::company::guards(&mut findings, engine.as_mut())?;
        let pairs: Vec<(&Case, Trace)> = cases.into_iter().zip(traces).collect();
        let kind = engine.kind();
        findings.merge(judged(&pairs, job, kind, plan.by_level(3, 10, 64)));
        // Alone in an engine that others have left, and on the first table in a new one.
        if table == 0 && options.level != Level::Quick {
            engine = open(job.clone())?;
        }
        checks::company::check(&mut findings, engine.as_mut(), job, &pairs, plan.by_level(3, 6, 24))?;
        checks::company::guards(&mut findings, engine.as_mut())?;
    }
    let outcome = outcome(device, findings, options.only.as_deref());
    // What looked at nothing has not passed: an engine without guards has no check of them, say.
    match &options.only {
        Some(only) if outcome.checks.is_empty() => {
            Err(Error::usage("--only", format!("\"{only}\" checks nothing on {}", outcome.device))
                .advice("another --only, or another --engine"))
        }
        _ => Ok(outcome),
    }
}

/// `gpu, NVIDIA H200` or `cpu, AMD …`.
fn describe_device(engine: &dyn Engine) -> String {
    format!("{}, {}", engine.kind().name(), engine.device())
}

/// Judges cases on all cores.
fn judged(
    pairs: &[(&Case, Trace)],
    job: &Job,
    engine: crate::engine::EngineKind,
    differences: usize,
) -> Findings {
    let judge = |(case, trace): &(&Case, Trace)| Judging { case, job, engine, differences }.judge(trace);
    pairs.par_iter().map(judge).reduce(Findings::default, |mut all, more| {
        all.merge(more);
        all
    })
}

/// Whether anything of networks is among the checks that are asked for.
pub fn wants_networks(options: &Options) -> bool {
    // All of them, then: no cases are made for this answer.
    let Some(only) = options.only.as_deref() else { return true };
    let jobs = tables::all(options.seed);
    let plan = Plan { jobs: &jobs, level: options.level };
    let cases = checks::ALL.iter().flat_map(|make| make(plan)).collect();
    selected(cases, Some(only)).is_ok()
}

/// Checks that every case has a part in.
const SHARED: [&str; 7] = [
    judge::SCORES,
    judge::SECOND,
    judge::UNDISTURBED,
    checks::company::ALONE,
    checks::company::KEPT,
    checks::company::RESUMED,
    checks::company::GUARDS,
];

/// The cases that the checks whose name contains `only` are made of.
fn selected(mut cases: Vec<Case>, only: Option<&str>) -> Result<Vec<Case>> {
    let Some(only) = only else { return Ok(cases) };
    if SHARED.iter().any(|name| name.contains(only)) {
        return Ok(cases);
    }
    let names = cases.iter().map(|case| case.name.clone());
    let names: BTreeSet<String> = names.chain(PROBES.iter().flat_map(|probe| (probe.names)())).collect();
    cases.retain(|case| case.name.contains(only));
    if !names.iter().any(|name| name.contains(only)) {
        let machines = machines::names();
        let all = names.iter().chain(&machines).map(String::as_str);
        let known: BTreeSet<&str> = all.chain(SHARED).collect();
        return Err(unknown_name("--only", "check", only, known));
    }
    Ok(cases)
}

fn outcome(device: String, findings: Findings, only: Option<&str>) -> Outcome {
    let mut checks = findings.into_checks();
    checks.retain(|check| only.is_none_or(|only| check.name.contains(only)));
    Outcome { device, passed: checks.iter().all(|check| check.passed), checks }
}

impl Outcome {
    /// An error of kind check (exit code 1) where something failed.
    pub fn into_result(self) -> Result<Self> {
        match self.failures().count() {
            0 => Ok(self),
            count => {
                Err(Error::check(&self.device, format!("{count} of {} checks failed", self.checks.len())))
            }
        }
    }
}
