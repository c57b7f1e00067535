//! `manytune curve`: how scores grow with the training rows, and whether more of them would help.

use super::gradcheck::Format;
use super::output;
use super::subject::{Subject, SubjectArguments};
use crate::error::Result;
use crate::report::learning_curve::LearningCurve;
use crate::study::experiment::Variant;
use crate::study::subsets;
use serde_json::json;
use std::sync::Arc;

/// Show how scores grow with the number of training rows, and whether more rows would help
///
/// Trains one configuration on 1/64, 1/32 … 1/2 and all of the training rows of every fold, and scores it on the same
/// validation rows: the defaults and what a study file fixes, or trials of a study that has run. Nothing is stored.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// The so many best trials, of a study that has run
    #[arg(long, value_name = "N", conflicts_with = "trial")]
    top: Option<usize>,
}

/// Trains, and prints the curves.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut subject = Subject::of(&arguments.subject)?;
    let configurations = subject.leading(arguments.top)?;
    let mut dataset = subject.take_dataset();
    let subsets = subsets::halved(&mut dataset, subject.plan.seed);
    let dataset = Arc::new(dataset);
    let variants: Vec<Variant> = configurations
        .iter()
        .flat_map(|(_, configuration)| {
            let variant = |subset: &subsets::Subset| Variant {
                configuration: configuration.clone(),
                folds: subset.folds.clone(),
                repeat: 0,
            };
            subsets.iter().map(variant)
        })
        .collect();
    let mut engine = subject.open(Arc::clone(&dataset))?;
    let experiment = subject.experiment(&dataset)?;
    let mut trials = experiment.run(engine.as_mut(), &variants)?.into_iter();
    let mut curve = |trial: Option<u64>| LearningCurve {
        trial,
        points: subsets
            .iter()
            .zip(trials.by_ref())
            .map(|(one, trial)| (one.share, one.rows, trial))
            .collect(),
        has_epochs: subject.has_epochs(),
        direction: experiment.objective.direction(),
        objective: experiment.objective.name(),
    };
    let curves: Vec<LearningCurve> = configurations.iter().map(|(trial, _)| curve(*trial)).collect();
    match arguments.subject.format {
        Format::Table => {
            let text: Vec<String> = curves
                .iter()
                .map(|curve| format!("{}\n\n{}", subject.title(curve.trial), curve.table()))
                .collect();
            output::print(&text.join("\n"))
        }
        Format::Json => {
            let object = json!({
                "objective": experiment.objective.name(),
                "direction": experiment.objective.direction().name(),
                "curves": curves.iter().map(LearningCurve::json).collect::<Vec<_>>(),
            });
            output::print(&format!("{:#}\n", subject.signed(object, engine.as_ref())))
        }
    }
}
