//! `manytune gradcheck` (also `manytune --gradcheck`): verifies the kernels of the engine at hand.

use super::output;
use crate::data;
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::plan::Plans;
use crate::engine::{self, Engine, EngineChoice, EngineKind, Job, Opened};
use crate::error::{Error, Result};
use crate::model::hyperparameter::{self, SVM};
use crate::model::recipe::Member;
use crate::search::{self, Trials};
use crate::study::plan::{Overrides, Plan, device_beside_cpu};
use crate::verify::{self, Level, Options, Outcome};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::{Arc, Once};

/// Verify the engine's kernels against an f64 reference, and the reference against finite differences
///
/// With a study file, exactly the shapes and families of that study are verified, on its data. Exit code 1
/// when a check fails. `manytune --gradcheck` is the same.
#[derive(clap::Args)]
pub struct Arguments {
    /// A study file (.toml) whose configurations are verified
    study: Option<PathBuf>,
    /// Every member of every family in few shapes: seconds
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Larger networks, longer trajectories, more random networks
    #[arg(long)]
    full: bool,
    /// Only the checks whose name contains this
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Seeds tables, states and random networks [default: 0]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    seed: u64,
    /// auto, gpu or cpu [default: auto, a real GPU where there is one]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// The graphics adapter: its index or a part of its name; see `manytune devices`
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// table or json
    #[arg(long, value_enum, default_value_t = Format::Table, hide_default_value = true)]
    format: Format,
}

/// Most configurations of a study of kernel machines that its verification chooses among.
const MOST_CELLS: usize = 1024;

/// How the outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One line per check.
    Table,
    /// One object.
    Json,
}

/// Runs the checks and prints their outcome; an error of kind check when one failed.
pub fn run(arguments: &Arguments) -> Result<()> {
    let level = match (arguments.quick, arguments.full) {
        (true, _) => Level::Quick,
        (_, true) => Level::Full,
        _ => Level::Normal,
    };
    let options = Options { level, only: arguments.only.clone(), seed: arguments.seed };
    if let Some(study) = &arguments.study {
        let overrides = Overrides {
            engine: arguments.engine.clone(),
            device: arguments.device.clone(),
            ..Overrides::default()
        };
        return verify_study(Plan::from_study_file(study, &overrides)?, &options, arguments.format);
    }
    let choice = EngineChoice::named("--engine", arguments.engine.as_deref().unwrap_or("auto"))?;
    if let Some(device) = arguments.device.as_ref().filter(|_| choice == EngineChoice::Cpu) {
        return Err(device_beside_cpu("--device", device));
    }
    let device = arguments.device.as_deref();
    let mut parts = Vec::new();
    // Whatever is not known is refused there.
    if verify::wants_networks(&options) || !verify::machines::are_wanted(&options) {
        parts.push(verify_networks(&options, choice, device)?);
    }
    if verify::machines::are_wanted(&options) {
        let open = |job: Job| open_machines(choice, device, job);
        parts.push(verify::machines::run(&options, &open)?);
    }
    let outcome = parts.into_iter().reduce(Outcome::joined);
    outcome.map_or(Ok(()), |outcome| conclude(outcome, arguments.format))
}

/// Verifies networks by every plan of the engine.
fn verify_networks(options: &Options, choice: EngineChoice, device: Option<&str>) -> Result<Outcome> {
    let verify_by = |plans: Plans| {
        let kind = Cell::new(EngineKind::Cpu);
        let open = |job: Job| {
            let engine = open(choice, device, plans, job)?;
            kind.set(engine.kind());
            Ok(engine)
        };
        verify::run(options, &open).map(|outcome| (outcome, kind.get()))
    };
    let (outcome, kind) = verify_by(Plans::Tiled)?;
    Ok(match kind {
        EngineKind::Cpu => outcome,
        EngineKind::Gpu => {
            let (resident, _) = verify_by(Plans::Resident)?;
            Outcome::of_plans(vec![("tiled", outcome), ("resident", resident)])
        }
    })
}

/// Verifies configurations drawn from a study's space, on its data and its engine.
pub fn verify_study(mut plan: Plan, options: &Options, format: Format) -> Result<()> {
    let (_, prepared) = data::read(&plan.data, plan.seed).map_err(|error| plan.locate(error))?;
    let dataset = prepared.dataset;
    plan.settle(dataset.task, dataset.row_count(), dataset.feature_count)?;
    let space = plan.space.clone().unwrap_or_default();
    let settings = search::Settings::new(plan.seed, plan.metric(dataset.task)?.direction());
    let count = match options.level {
        Level::Quick => 8,
        Level::Normal => 32,
        Level::Full => 128,
    };
    let is_of_machines = plan.model == SVM;
    // A grid begins with its least C and gamma: machines are taken from all of it.
    let asked = if is_of_machines { MOST_CELLS } else { count };
    let configurations =
        search::create(&plan.strategy, &settings)?.ask(&space, Trials::default(), 0, asked)?;
    let every = configurations.len().div_ceil(count).max(1);
    let mut members = Vec::new();
    for (number, configuration) in configurations.iter().step_by(every).enumerate() {
        let (network, recipe) =
            hyperparameter::build(configuration, dataset.task, dataset.feature_count, plan.max_epochs)?;
        members.push(Member { fold: number % dataset.folds.len(), repeat: 0, network, recipe });
    }
    let choice = EngineChoice::named("engine.kind", &plan.engine.kind)?;
    let job = Job { dataset: Arc::new(dataset), seed: plan.seed, with_outputs: true };
    if is_of_machines {
        let open = |job: Job| open_machines(choice, plan.engine.device.as_deref(), job);
        return conclude(verify::machines::members(options, &job, &members, &open)?, format);
    }
    // Whatever is verified, the reference computes it in this machine's memory.
    let host = CpuEngine::new(job.clone(), None)?;
    members.iter().try_for_each(|member| host.check(member))?;
    let open = |job: Job| open(choice, plan.engine.device.as_deref(), Plans::Fastest, job);
    conclude(verify::members(options, &job, &members, &open)?, format)
}

/// Opens an engine with guards.
fn open(choice: EngineChoice, device: Option<&str>, plans: Plans, job: Job) -> Result<Box<dyn Engine>> {
    engine::open_guarded(choice, device, plans, job).map(announced)
}

/// Opens an engine of kernel machines.
fn open_machines(choice: EngineChoice, device: Option<&str>, job: Job) -> Result<Box<dyn Engine>> {
    engine::open_machines(choice, device, None, job).map(announced)
}

/// Says once which engine it is and why: `auto` may have fallen back to the processor.
fn announced(opened: Opened) -> Box<dyn Engine> {
    static SAID: Once = Once::new();
    SAID.call_once(|| output::note(&opened.why));
    opened.engine
}

fn conclude(outcome: Outcome, format: Format) -> Result<()> {
    let text = match format {
        Format::Table => outcome.to_string(),
        Format::Json => serde_json::to_string(&outcome).map_err(|error| {
            Error::check("gradcheck", format!("the outcome is not JSON: {error}")).advice("--format table")
        })?,
    };
    output::print(&format!("{text}\n"))?;
    outcome.into_result().map(|_| ())
}
