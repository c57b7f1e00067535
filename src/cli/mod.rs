//! The command line: one file per subcommand. What a flag means is said where it is declared.

mod amount;
mod bench;
mod curve;
mod devices;
mod doctor;
mod export;
mod gradcheck;
mod guard;
mod interrupt;
mod lines;
mod list;
mod lr;
mod noise;
pub mod output;
mod plot;
mod predict;
mod progress;
mod report;
mod search;
mod show;
mod subject;
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
    Report(report::Arguments),
    Plot(plot::Arguments),
    Search(search::Arguments),
    Predict(predict::Arguments),
    Export(export::Arguments),
    Devices(devices::Arguments),
    Doctor(doctor::Arguments),
    Lr(lr::Arguments),
    Curve(curve::Arguments),
    Noise(noise::Arguments),
    Gradcheck(gradcheck::Arguments),
    Bench(Box<bench::Arguments>),
}

/// Parses the process's arguments and does what they say.
///
/// A command line that cannot be understood ends the process here, with exit code 2.
pub fn run() -> Result<()> {
    quiet_drivers();
    // `manytune --gradcheck …` is `manytune gradcheck …`.
    let words = std::env::args_os().enumerate().map(|(place, word)| match place {
        1 if word == "--gradcheck" => "gradcheck".into(),
        _ => word,
    });
    let arguments = Arguments::parse_from(words);
    if arguments.list {
        return list::run();
    }
    match arguments.command {
        Some(Command::Tune(arguments)) => tune::run(&arguments),
        Some(Command::Show(arguments)) => show::run(&arguments),
        Some(Command::Report(arguments)) => report::run(&arguments),
        Some(Command::Plot(arguments)) => plot::run(&arguments),
        Some(Command::Search(arguments)) => search::run(&arguments),
        Some(Command::Predict(arguments)) => predict::run(&arguments),
        Some(Command::Export(arguments)) => export::run(&arguments),
        Some(Command::Devices(arguments)) => devices::run(&arguments),
        Some(Command::Doctor(arguments)) => doctor::run(&arguments),
        Some(Command::Lr(arguments)) => lr::run(&arguments),
        Some(Command::Curve(arguments)) => curve::run(&arguments),
        Some(Command::Noise(arguments)) => noise::run(&arguments),
        Some(Command::Gradcheck(arguments)) => gradcheck::run(&arguments),
        Some(Command::Bench(arguments)) => bench::run(&arguments),
        None => Ok(()),
    }
}

/// Keeps graphics drivers from complaining on standard error about a desktop that no one asked for: Mesa
/// does where `XDG_RUNTIME_DIR` is unset, as on servers and in containers.
fn quiet_drivers() {
    if cfg!(unix) && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: called first thing in the process, before any other thread exists.
        unsafe { std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir()) };
    }
}
