//! `manytune show`: the leaderboard of a study.

use super::output;
use crate::error::{Result, unknown_name};
use crate::report::{self, Leaderboard, Page};
use std::path::PathBuf;

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
}

/// Prints the leaderboard.
pub fn run(arguments: &Arguments) -> Result<()> {
    let format = report::ALL.iter().find(|format| format.name() == arguments.format).ok_or_else(|| {
        unknown_name("--format", "format", &arguments.format, report::ALL.iter().map(|format| format.name()))
    })?;
    let board = Leaderboard::open(&arguments.run)?;
    output::print(&format.render(&board, Page { top: arguments.top, width: output::width() }))
}
