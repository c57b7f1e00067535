//! `manytune export`: the best model of a study in the format of another program.

use super::guard::refuse_needed;
use super::output;
use crate::error::{Error, Result, unknown_name};
use crate::export::{self, Format};
use crate::study::files;
use crate::study::model::SavedModel;
use crate::study::refit::refit;
use std::path::PathBuf;

/// Write the best model of a study in the format of another program
///
/// The best trial has one model for each fold: --fold chooses one, --refit trains one on all rows.
#[derive(clap::Args)]
pub struct Arguments {
    /// The study's folder, such as runs/penguins
    run: PathBuf,
    /// The format; see --list
    #[arg(long, default_value = export::ALL[0].name())]
    format: String,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Which fold's model, from 0 on
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "refit")]
    fold: usize,
    /// One model trained on all rows but the final test set
    #[arg(long)]
    refit: bool,
}

/// Writes the model.
pub fn run(arguments: &Arguments) -> Result<()> {
    let names = || export::ALL.iter().map(|format| format.name());
    let format: &dyn Format = export::ALL
        .iter()
        .copied()
        .find(|format| format.name() == arguments.format)
        .ok_or_else(|| unknown_name("--format", "format", &arguments.format, names()))?;
    let folder = &arguments.run;
    if let Some(out) = &arguments.out {
        refuse_needed(out, folder, None, "best.model")?;
    }
    let mut say = |line: &str| output::note(line);
    let model =
        if arguments.refit { refit(folder, &mut say)? } else { SavedModel::of_best(folder, &mut say)? };
    let count = model.preprocessing.folds.len();
    if arguments.fold >= count {
        return Err(Error::usage("--fold", arguments.fold).allowed(format!("0 to {}", count - 1)));
    }
    let text = format.render(&model, arguments.fold)?;
    format.remarks(&model, arguments.fold).iter().for_each(|remark| output::note(remark));
    match &arguments.out {
        None => output::print(&text),
        Some(path) => files::write(path, text.as_bytes()),
    }
}
