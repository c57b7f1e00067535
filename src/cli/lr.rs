//! `manytune lr`: the learning rate alone, from far too low to far too high, all at once.

use super::gradcheck::Format;
use super::output;
use super::subject::{Subject, SubjectArguments};
use crate::error::{Error, Result};
use crate::report::lr_sweep::{LEARNING_RATE, LrSweep, rates};
use crate::space::Value;
use crate::study::experiment::Variant;
use std::sync::Arc;

/// Sweep the learning rate alone, and say which range to search
///
/// Trains one configuration with every learning rate from 1e-5 to 10, four to a factor of ten, on all folds: the
/// defaults and what a study file fixes, or the best trial of a study that has run. Nothing is stored.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,
}

/// Trains, and prints the sweep.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut subject = Subject::of(&arguments.subject)?;
    if !subject.has_epochs() {
        return Err(Error::usage("model.kind", "a kernel machine has no learning rate")
            .allowed("mlp, linear")
            .advice("manytune tune, which draws the map over c and gamma"));
    }
    let dataset = Arc::new(subject.take_dataset());
    let folds: Vec<usize> = (0..dataset.folds.len()).collect();
    let variant = |rate: f64| {
        let mut configuration = subject.configuration.clone();
        configuration.insert(LEARNING_RATE.to_owned(), Value::Float(rate));
        Variant { configuration, folds: folds.clone(), repeat: 0 }
    };
    let variants: Vec<Variant> = rates().into_iter().map(variant).collect();
    let mut engine = subject.open(Arc::clone(&dataset))?;
    let experiment = subject.experiment(&dataset)?;
    let trials = experiment.run(engine.as_mut(), &variants)?;
    let sweep = LrSweep { trials, order: experiment.order(), objective: experiment.objective.name() };
    match arguments.subject.format {
        Format::Table => output::print(&format!("{}\n\n{}", subject.title(subject.trial), sweep.table())),
        Format::Json => output::print(&format!("{:#}\n", subject.signed(sweep.json(), engine.as_ref()))),
    }
}
