//! `manytune bench`: throughput, and how far it is from what the device can do at most.

use super::{amount, interrupt, output};
use crate::benchmark::compare::{self, Old, Ratio};
use crate::benchmark::record::{self, Record};
use crate::benchmark::workload::{self, Workload};
use crate::benchmark::{Bench, REAL_JOB, Settings};
use crate::engine::gpu::plan::Plans;
use crate::engine::{self, Engine, EngineChoice, EngineKind, Job};
use crate::error::{Error, Result, unknown_name};
use crate::study::plan::{Overrides, Plan, device_beside_cpu};
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// Stands for every workload.
const EVERY: &str = "all";
/// The plan that a study is trained by.
const FASTEST: &str = "fastest";

/// Measure throughput, and how far it is from this device's limit
///
/// First measures what the device can do at most: fused multiply-adds, and a copy in memory. Then trains each
/// workload, and prints a time only where the results match the f64 reference (else exit code 1). With a study
/// or data file, times that instead, on configurations as the strategy random proposes them.
#[derive(clap::Args)]
pub struct Arguments {
    /// A study file (.toml), or a data file, to time instead of the workloads
    study: Option<PathBuf>,
    /// The column to predict, of a data file
    #[arg(long, value_name = "COLUMN", requires = "study")]
    target: Option<String>,
    /// Some of W1, W2, W3, W4, W7, separated by commas, or all [default: W1,W2,W3,W4]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "study")]
    workload: Vec<String>,
    /// Train so many members at once [default: by workload and engine]
    #[arg(long, value_name = "N")]
    members: Option<usize>,
    /// Timed runs, of which the median is taken
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Length of a run at least, in seconds; W7 is as long as it takes
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, allow_negative_numbers = true)]
    seconds: f64,
    /// auto, gpu or cpu [default: auto, a real GPU where there is one]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// The graphics adapter: its index or a part of its name; see `manytune devices`
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// fastest, tiled, resident or a variant of it, for a graphics device [default: fastest]
    #[arg(long, value_name = "PLAN", default_value = FASTEST, hide_default_value = true)]
    plan: String,
    /// Most memory to take, such as 512MiB or 80%
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    memory: Option<String>,
    /// table or json
    #[arg(long, value_enum, default_value_t = Format::Table, hide_default_value = true)]
    format: Format,
    /// How many times faster than the results in this file, printed by --format json
    #[arg(long, value_name = "OLD.json")]
    compare: Option<PathBuf>,
    /// Cost against the number of members: 1, 4, 16, … 4,096, or up to --members
    #[arg(long, conflicts_with = "study")]
    curve: bool,
    /// Write tables, initial weights, minibatches and losses for other programs to do the same; time nothing
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["study", "compare", "curve"])]
    export: Option<PathBuf>,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One row each.
    Table,
    /// A list of objects.
    Json,
}

/// One of those that `--workload` names.
#[derive(Clone, Copy)]
enum Named {
    Members(&'static Workload),
    RealJob,
}

impl Named {
    fn name(self) -> &'static str {
        match self {
            Self::Members(workload) => workload.name,
            Self::RealJob => REAL_JOB,
        }
    }
}

/// Measures, and prints what was measured.
pub fn run(arguments: &Arguments) -> Result<()> {
    let overrides = Overrides {
        target: arguments.target.clone(),
        engine: arguments.engine.clone(),
        device: arguments.device.clone(),
        memory: arguments.memory.clone(),
        ..Overrides::default()
    };
    let Wanted { plan, named, old } = wanted(arguments, &overrides)?;
    // What a study file says of its engine counts where the command line says nothing.
    let asked = plan.as_ref().map(|plan| plan.engine.clone());
    let (kind, device, memory) = match asked {
        Some(engine) => (Some(engine.kind), engine.device, engine.memory),
        None => (arguments.engine.clone(), arguments.device.clone(), arguments.memory.clone()),
    };
    let choice = EngineChoice::named("--engine", kind.as_deref().unwrap_or("auto"))?;
    if let Some(device) = device.as_ref().filter(|_| choice == EngineChoice::Cpu) {
        return Err(device_beside_cpu("--device", device));
    }
    let place = if arguments.memory.is_some() { "--memory" } else { "engine.memory" };
    let memory = memory.as_deref().map(|text| amount::memory(place, text)).transpose()?;
    let plans = Plans::named(&arguments.plan)?;
    let names_plan = arguments.plan != FASTEST;
    if names_plan && choice == EngineChoice::Cpu {
        return Err(plan_beside_cpu(&arguments.plan));
    }
    let is_said = Cell::new(arguments.quiet);
    let open = |job: Job| -> Result<Box<dyn Engine>> {
        let opened = engine::open_by(choice, device.as_deref(), memory, plans, job)?;
        if !is_said.replace(true) {
            output::note(&opened.why);
            if names_plan && opened.engine.kind() == EngineKind::Cpu {
                output::note(&format!("--plan {} has no effect on the engine cpu", arguments.plan));
            }
        }
        Ok(opened.engine)
    };
    interrupt::install()?;
    let bench = Bench {
        open: &open,
        overrides,
        memory,
        settings: settings(arguments)?,
        say: &|line| {
            if !arguments.quiet {
                output::note(line);
            }
        },
        stopped: &interrupt::is_asked,
        ceilings: Cell::new(None),
    };
    if let Some(folder) = &arguments.export {
        return export(&bench, &named, folder);
    }
    let mut records = Vec::new();
    match plan {
        Some(plan) => records.push(bench.study(plan)?),
        None => {
            for named in named {
                records.extend(measure(&bench, named, arguments.curve)?);
            }
        }
    }
    print(&records, old.as_ref(), arguments.format)
}

/// What is to be measured, and beside what.
struct Wanted {
    plan: Option<Plan>,
    named: Vec<Named>,
    old: Option<Old>,
}

/// Reads files and names, and refuses what could not be measured or compared, before any time is spent.
fn wanted(arguments: &Arguments, overrides: &Overrides) -> Result<Wanted> {
    let plan = arguments.study.as_deref().map(|study| Plan::from_file(study, overrides)).transpose()?;
    let named = workloads(&arguments.workload)?;
    if arguments.curve && named.iter().any(|named| matches!(named, Named::RealJob)) {
        return Err(Error::usage("--curve", format!("{REAL_JOB} is one study of one size"))
            .allowed("workloads of members: W1, W2, W3, W4")
            .advice("--curve without it"));
    }
    if arguments.plan != FASTEST && named.iter().any(|named| matches!(named, Named::RealJob)) {
        return Err(Error::usage(
            "--plan",
            format!("{REAL_JOB} runs as `manytune tune` does, by the fastest plan"),
        )
        .allowed("workloads of members: W1, W2, W3, W4; or a study")
        .advice("--plan without it"));
    }
    let old = arguments.compare.as_deref().map(Old::open).transpose()?;
    if let Some(old) = &old {
        let names: Vec<&str> = match &plan {
            Some(plan) => vec![plan.name.as_str()],
            None => named.iter().map(|named| named.name()).collect(),
        };
        old.expect_any(&names)?;
    }
    Ok(Wanted { plan, named, old })
}

fn plan_beside_cpu(plan: &str) -> Error {
    Error::usage("--plan", format!("{plan} beside the engine cpu, which has one way to train"))
        .allowed("a plan for the engines gpu and auto")
        .advice("--plan left out, or --engine gpu")
}

fn settings(arguments: &Arguments) -> Result<Settings> {
    let Arguments { members, rounds, seconds, .. } = *arguments;
    let at_least_one =
        |flag: &str, advice: &str| Err(Error::usage(flag, "0").allowed("at least 1").advice(advice));
    if members == Some(0) {
        return at_least_one("--members", "leave --members out for the customary number");
    }
    if rounds == 0 {
        return at_least_one("--rounds", "leave --rounds out for 5, whose median says more");
    }
    if !(seconds > 0.0 && seconds <= 3600.0) {
        return Err(Error::usage("--seconds", seconds)
            .allowed("above 0, at most 3600")
            .advice("leave --seconds out for 1"));
    }
    Ok(Settings { members, rounds, seconds })
}

/// The workloads of these names, in the order of the list, each once.
fn workloads(names: &[String]) -> Result<Vec<Named>> {
    let every = || workload::ALL.iter().map(Named::Members).chain([Named::RealJob]);
    let known: Vec<&str> = every().map(Named::name).chain([EVERY]).collect();
    let is_named = |one: &str| names.iter().any(|name| name.trim().eq_ignore_ascii_case(one));
    if let Some(unknown) =
        names.iter().find(|name| !known.iter().any(|k| k.eq_ignore_ascii_case(name.trim())))
    {
        return Err(unknown_name("--workload", "workload", unknown, known));
    }
    Ok(match names {
        [] => workload::ALL.iter().map(Named::Members).collect(),
        _ if is_named(EVERY) => every().collect(),
        _ => every().filter(|named| is_named(named.name())).collect(),
    })
}

fn measure(bench: &Bench<'_>, named: Named, is_curve: bool) -> Result<Vec<Record>> {
    match named {
        Named::Members(workload) if is_curve => bench.curve(workload),
        Named::Members(workload) => Ok(vec![bench.workload(workload)?]),
        Named::RealJob => Ok(vec![bench.real_job(&bench.real_job_size()?)?]),
    }
}

/// Writes what peers need, and prints the paths.
fn export(bench: &Bench<'_>, named: &[Named], folder: &Path) -> Result<()> {
    for named in named {
        let paths = match named {
            Named::Members(workload) => bench.export(workload, folder)?,
            Named::RealJob => bench.export_real_job(&bench.real_job_size()?, folder)?,
        };
        let lines: Vec<String> = paths.iter().map(|path| format!("{}\n", path.display())).collect();
        output::print(&lines.concat())?;
    }
    Ok(())
}

fn print(records: &[Record], old: Option<&Old>, format: Format) -> Result<()> {
    let ratios: Option<Vec<Ratio>> = old.map(|old| records.iter().map(|record| old.ratio(record)).collect());
    let text = match format {
        Format::Table => {
            let compared = ratios.as_ref().map(|ratios| format!("\n{}", compare::table(records, ratios)));
            format!("{}{}", record::table(records), compared.unwrap_or_default())
        }
        Format::Json => {
            let mut list: Vec<serde_json::Value> = records.iter().map(Record::to_json).collect();
            for (row, ratio) in list.iter_mut().zip(ratios.iter().flatten()) {
                row["ratio"] = ratio.outcome.as_ref().ok().copied().into();
                if let Err(why) = &ratio.outcome {
                    row["not_compared"] = why.as_str().into();
                }
            }
            format!("{}\n", serde_json::Value::Array(list))
        }
    };
    output::print(&text)?;
    match (old, ratios) {
        (Some(old), Some(ratios)) => old.expect_one(&ratios),
        _ => Ok(()),
    }
}
