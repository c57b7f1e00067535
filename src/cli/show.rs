//! `manytune show`: the leaderboard of a study.

use super::output;
use crate::error::{Result, unknown_name};
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
    /// Show instead so many rows that the best models are most wrong about, out of fold
    #[arg(long, value_name = "N", conflicts_with = "top")]
    mistakes: Option<usize>,
}

/// Prints the leaderboard.
pub fn run(arguments: &Arguments) -> Result<()> {
    let format = report::ALL.iter().find(|format| format.name() == arguments.format).ok_or_else(|| {
        unknown_name("--format", "format", &arguments.format, report::ALL.iter().map(|format| format.name()))
    })?;
    if let Some(count) = arguments.mistakes {
        return mistakes(arguments, count);
    }
    let board = Leaderboard::open(&arguments.run)?;
    output::print(&format.render(&board, Page { top: arguments.top, width: output::width() }))
}

fn mistakes(arguments: &Arguments, count: usize) -> Result<()> {
    let formats = [report::ALL[0].name(), JSON];
    if !formats.contains(&arguments.format.as_str()) {
        return Err(unknown_name("--format", "format of mistakes", &arguments.format, formats));
    }
    let outside = Outside::of_study(&arguments.run, &mut |line: &str| output::note(line))?;
    match arguments.format == JSON {
        true => output::print(&format!("{:#}\n", report::mistakes::json(&outside, count))),
        false => output::print(&report::mistakes::table(&outside, count)),
    }
}
