//! `manytune tune`: trains a study to its end, resumes it, extends it.

use super::gradcheck::{self, Format};
use super::progress::Progress;
use super::{amount, interrupt, output};
use crate::error::{Error, Result};
use crate::report::{self, Leaderboard, Page};
use crate::study::files;
use crate::study::plan::{Overrides, Plan};
use crate::study::run::{Stop, UNDEFINED};
use crate::study::store::Store;
use crate::study::tune::{Ending, Request, tune};
use crate::verify;
use std::path::{Path, PathBuf};

/// Trials of the leaderboard at the end.
const TOP: usize = 10;

/// Train many configurations, and pick the best
///
/// The same command again resumes an unfinished study and shows a finished one; more --trials extend it.
/// Flags override the study file.
#[derive(clap::Args)]
pub struct Arguments {
    /// A data file (CSV, IDX or LIBSVM, also gzipped), or a study file (.toml)
    input: PathBuf,
    /// The column to predict
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Number of configurations [default: 100; all of a grid]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    trials: Option<u64>,
    /// Number of folds of the cross-validation [default: 5]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    folds: Option<usize>,
    /// Times that all folds are trained, each time with other rows in them and other initial weights [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    repeats: Option<usize>,
    /// How configurations are proposed; see --list [default: auto]
    #[arg(long, value_name = "NAME")]
    strategy: Option<String>,
    /// Trials under way at most, where the strategy learns from those before [default: an eighth of them]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    batch: Option<u64>,
    /// Stop when a complete trial is at least this good, in the objective's own unit
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    target_value: Option<f64>,
    /// auto, gpu or cpu [default: auto, a real GPU where there is one]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// The graphics adapter: its index or a part of its name; see `manytune devices`
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Seeds every random number [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Stop after this time, such as 90s, 10m or 2h; the same command goes on later
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    time_limit: Option<String>,
    /// Most device memory to take, such as 512MiB or 80%
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    memory: Option<String>,
    /// Whose histograms of activations, gradients and updates are kept: best:N, all, or none to look at nothing
    /// [default: best:8]
    #[arg(long, value_name = "WHOSE")]
    histograms: Option<String>,
    /// The study's folder [default: runs/<name of the file>]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Verify the kernels on configurations of this study and on its data, then stop
    #[arg(long)]
    gradcheck: bool,
    /// Say what was decided and why: data, space, engine
    #[arg(long)]
    explain: bool,
    /// Run a grid however large it is
    #[arg(long)]
    yes: bool,
    /// No progress and no notes
    #[arg(long)]
    quiet: bool,
}

/// Runs the study, then prints the leaderboard.
pub fn run(arguments: &Arguments) -> Result<()> {
    let time_limit = arguments.time_limit.as_deref().map(|text| amount::duration("--time-limit", text));
    let mut progress = Progress::new(arguments.quiet, arguments.explain, time_limit.transpose()?);
    let plan = Plan::from_file(&arguments.input, &overrides(arguments))?;
    let place = if arguments.memory.is_some() { "--memory" } else { "engine.memory" };
    let memory = plan.engine.memory.as_deref().map(|text| amount::memory(place, text)).transpose();
    let memory = memory.map_err(|error| plan.locate(error))?;
    if arguments.gradcheck {
        return gradcheck::verify_study(plan, &verify::Options::default(), Format::Table);
    }
    let folder = arguments.out.clone().unwrap_or_else(|| Path::new("runs").join(&plan.name));
    refuse_input(&folder, arguments, &plan)?;
    interrupt::install()?;
    let request = Request { plan, folder: folder.clone(), memory, agreed: arguments.yes };
    let ending = tune(request, &mut progress);
    progress.end(matches!(ending, Ok(Ending::Finished)));
    let note = |line: String| (!arguments.quiet).then(|| output::note(&line));
    match ending? {
        Ending::Finished => {}
        Ending::WasFinished => {
            note(format!("the study in {} is finished; more --trials extend it", folder.display()));
        }
        Ending::Stopped(stop) => {
            let (has_begun, command) = (Store::exists(&folder), output::this_command());
            let (done, next) = match has_begun {
                true => (format!("{} are done, the rest is saved", progress.trials()), "to go on"),
                false => ("training had not begun, nothing is saved".to_owned(), "to begin"),
            };
            if stop == Stop::Interrupted {
                let found = format!("{done} ({})", folder.display());
                return Err(Error::interrupted("interrupted", found).advice(format!("{command}   # {next}")));
            }
            match stop {
                Stop::Target => note(format!("the target is met: {done}")),
                _ => note(format!("time limit: {done}; {next}: {command}")),
            };
            if !has_begun {
                return Ok(());
            }
        }
    }
    finish(&folder)
}

/// Refuses to make a study in a folder where its files would replace what it is made from, such as the
/// study file itself under the name `study.toml`.
fn refuse_input(folder: &Path, arguments: &Arguments, plan: &Plan) -> Result<()> {
    let mut inputs = [&arguments.input, &plan.data.path].into_iter().chain(&plan.data.labels);
    match inputs.find(|input| files::is_own(folder, input)) {
        Some(input) if !Store::exists(folder) => {
            let found = format!("the study would write its own file over {}", input.display());
            Err(Error::usage("--out", found)
                .allowed("a folder without the files that the study is made from")
                .advice(format!("--out runs/{}", plan.name)))
        }
        _ => Ok(()),
    }
}

fn overrides(arguments: &Arguments) -> Overrides {
    Overrides {
        target: arguments.target.clone(),
        trials: arguments.trials,
        folds: arguments.folds,
        repeats: arguments.repeats,
        strategy: arguments.strategy.clone(),
        batch: arguments.batch,
        target_value: arguments.target_value,
        seed: arguments.seed,
        engine: arguments.engine.clone(),
        device: arguments.device.clone(),
        memory: arguments.memory.clone(),
        histograms: arguments.histograms.clone(),
    }
}

/// Prints the leaderboard and what to run next; a study without any model is an error.
fn finish(folder: &Path) -> Result<()> {
    let (format, page) = (report::ALL[0], Page { top: Some(TOP), width: output::width(), curves: false });
    let board = Leaderboard::open_for(folder, format.held(page))?;
    output::print(&format.render(&board, page))?;
    if board.best().is_some() {
        let folder = output::quoted(&folder.display().to_string());
        return output::print(&format!(
            "\nsaved in {folder}\n  all trials:  manytune show {folder}\n  report:      manytune report {folder}\n  \
             predict:     manytune predict {folder} <file> --out predictions.csv\n"
        ));
    }
    let trials = &board.outlines;
    if trials.is_empty() || trials.iter().any(|trial| !trial.key.state.is_finished()) {
        return Ok(());
    }
    let elsewhere = "in another folder with --out";
    match trials.iter().find_map(|trial| trial.failure.as_ref()) {
        Some(reason) if reason.contains(UNDEFINED) => {
            Err(Error::data(folder.display(), format!("no trial has a value: {reason}"))
                .allowed("an objective that is defined on the validation rows of every fold")
                .advice(format!("another objective, or fewer folds, {elsewhere}")))
        }
        Some(reason) => Err(Error::device(folder.display(), format!("no trial could be trained: {reason}"))
            .allowed("configurations that fit the device and its memory")
            .advice(format!(
                "a larger --memory, which tries these trials again; or a space of smaller networks, {elsewhere}"
            ))),
        None => Err(Error::usage(folder.display(), "every trial diverged")
            .allowed("a space in which some trial trains to its end")
            .advice(format!("smaller learning rates, or clip_norm = 1.0, {elsewhere}"))),
    }
}
