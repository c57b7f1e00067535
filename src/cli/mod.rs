//! The command line: one file per subcommand. What a flag means is said where it is declared.

mod amount;
mod devices;
mod interrupt;
mod list;
pub mod output;
mod predict;
mod progress;
mod show;
mod tune;

use crate::error::Result;
use clap::{Parser, Subcommand};

/// Trains hundreds of hyperparameter configurations at the same time, on one GPU of any vendor or on
/// the CPU, and picks the best by validation score.
#[derive(Parser)]
#[command(
    name = "manytune",
    version,
    arg_required_else_help = true,
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = true,
    after_help = "Begin with: manytune tune data.csv --target <column>"
)]
struct Arguments {
    /// List what a study file can name: hyperparameters, optimizers, losses, metrics, strategies
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Tune(Box<tune::Arguments>),
    Show(show::Arguments),
    Predict(predict::Arguments),
    Devices(devices::Arguments),
}

/// Parses the process's arguments and does what they say.
///
/// A command line that cannot be understood ends the process here, with exit code 2.
pub fn run() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        return list::run();
    }
    match arguments.command {
        Some(Command::Tune(arguments)) => tune::run(&arguments),
        Some(Command::Show(arguments)) => show::run(&arguments),
        Some(Command::Predict(arguments)) => predict::run(&arguments),
        Some(Command::Devices(arguments)) => devices::run(&arguments),
        None => Ok(()),
    }
}
