//! `manytune show`: the leaderboard of a study.

use super::output;
use crate::error::{Error, Result, unknown_name};
use crate::report::importance::Importance;
use crate::report::inside::Inside;
use crate::report::{self, Leaderboard, Page};
use crate::study::outside::Outside;
use std::path::PathBuf;

/// The format of scripts.
const JSON: &str = "json";

/// Show the leaderboard of a study, also while it runs
#[derive(clap::Args)]
pub struct Arguments {
    /// The study's folder, such as runs/penguins
    run: PathBuf,
    /// table, json or csv
    #[arg(long, default_value = report::ALL[0].name())]
    format: String,
    /// Show the first so many trials only
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Show the learning curves in the table, also where there is no terminal, or no wide one
    #[arg(long)]
    curves: bool,
    /// Show instead so many rows that the best models are most wrong about, out of fold
    #[arg(long, value_name = "N", conflicts_with_all = ["top", "curves"])]
    mistakes: Option<usize>,
    /// Show instead which hyperparameters mattered
    #[arg(long, conflicts_with_all = ["top", "mistakes", "curves"])]
    importance: bool,
    /// Show instead what went on inside the model of a trial: units that died, saturation, gradients, updates
    #[arg(long, conflicts_with_all = ["top", "mistakes", "importance", "curves"])]
    inside: bool,
    /// Which trial [default: the best]
    #[arg(long, value_name = "N", requires = "inside")]
    trial: Option<u64>,
}

/// Prints the leaderboard.
pub fn run(arguments: &Arguments) -> Result<()> {
    let format = report::ALL.iter().find(|format| format.name() == arguments.format).ok_or_else(|| {
        unknown_name("--format", "format", &arguments.format, report::ALL.iter().map(|format| format.name()))
    })?;
    if let Some(count) = arguments.mistakes {
        return mistakes(arguments, count);
    }
    if arguments.importance {
        return importance(arguments);
    }
    if arguments.curves && arguments.format != report::ALL[0].name() {
        return Err(Error::usage("--curves", format!("curves in the format {}", arguments.format))
            .allowed("curves in the table")
            .advice("leave --curves or --format out"));
    }
    if arguments.inside {
        return inside(arguments);
    }
    let page = Page { top: arguments.top, width: output::width(), curves: arguments.curves };
    let board = Leaderboard::open_for(&arguments.run, format.held(page))?;
    output::print(&format.render(&board, page))
}

/// Whether JSON is asked for, of what has no other form but a table.
fn is_json(arguments: &Arguments, what: &str) -> Result<bool> {
    let formats = [report::ALL[0].name(), JSON];
    match formats.contains(&arguments.format.as_str()) {
        true => Ok(arguments.format == JSON),
        false => Err(unknown_name("--format", &format!("format of {what}"), &arguments.format, formats)),
    }
}

fn importance(arguments: &Arguments) -> Result<()> {
    let is_json = is_json(arguments, "importance")?;
    let importance = Importance::of_folder(&arguments.run)?;
    match is_json {
        true => output::print(&format!("{:#}\n", serde_json::json!(importance))),
        false => output::print(&report::importance::table::render(&importance)),
    }
}

fn inside(arguments: &Arguments) -> Result<()> {
    let is_json = is_json(arguments, "what went on inside")?;
    let inside = Inside::open(&arguments.run, arguments.trial)?;
    match is_json {
        true => output::print(&format!("{:#}\n", inside.json())),
        false => output::print(&inside.table()),
    }
}

fn mistakes(arguments: &Arguments, count: usize) -> Result<()> {
    let is_json = is_json(arguments, "mistakes")?;
    let outside = Outside::of_study(&arguments.run, &mut |line: &str| output::note(line))?;
    match is_json {
        true => output::print(&format!("{:#}\n", report::mistakes::json(&outside, count))),
        false => output::print(&report::mistakes::table(&outside, count)),
    }
}
