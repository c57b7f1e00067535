//! `manytune noise`: what other seeds, and labels without meaning, make of the best configuration.

use super::gradcheck::Format;
use super::output;
use super::subject::{Subject, SubjectArguments};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::report;
use crate::study::experiment::Variant;
use crate::study::noise::{Lead, Noise, Permuted, Seeds, with_permuted_targets};
use crate::study::store::Store;
use crate::trial::Trial;
use std::sync::Arc;

/// Most seeds, of which random streams have 16 bits; and most permutations.
const MOST: u16 = 1000;

/// Train the best configuration with other seeds, and on permuted labels: how much of its score is luck
///
/// The same folds, other initial weights, minibatches and dropout, all at once; of a study that has run also for the next
/// best trial, and what is found of its best is kept in it, for `show`. Permuted labels say what chance gives: the
/// configuration is trained on each of so many permutations, without a search of its own.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// Number of other seeds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST)))]
    seeds: u16,
    /// Number of permutations of the labels
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=i64::from(MOST)))]
    permutations: u16,
}

/// Trains, prints what was found, and keeps it in the study.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut subject = Subject::of(&arguments.subject)?;
    let is_of_best = arguments.subject.is_of_best();
    let pair = subject.leading_pair(is_of_best);
    let dataset = Arc::new(subject.take_dataset());
    let mut engine = subject.open(Arc::clone(&dataset))?;
    let experiment = subject.experiment(&dataset)?;
    let folds: Vec<usize> = (0..dataset.folds.len()).collect();
    let variants: Vec<Variant> = pair
        .iter()
        .flat_map(|(_, configuration, _)| {
            (1..=arguments.seeds).map(|repeat| Variant {
                configuration: configuration.clone(),
                folds: folds.clone(),
                repeat,
            })
        })
        .collect();
    let trials = experiment.run(engine.as_mut(), &variants)?;
    let mut found = trials.chunks(usize::from(arguments.seeds)).zip(&pair).map(|(trials, (trial, ..))| {
        Seeds::of(*trial, values(trials)).ok_or_else(|| {
            Error::data(subject.title(*trial), "every training diverged").advice("another trial")
        })
    });
    let seeds = found.next().transpose()?.ok_or_else(|| Error::data("noise", "nothing was trained"))?;
    let next = found.next().transpose()?;
    let in_study: Vec<f64> = pair.iter().filter_map(|(_, _, value)| *value).collect();
    let lead = match (next, in_study.as_slice()) {
        (Some(next), [best, other]) => Some(Lead::of(&seeds, next, (*best, *other))),
        _ => None,
    };
    let permuted = permuted(arguments, &subject, &dataset, &seeds)?;
    let noise = Noise { value: in_study.first().copied(), seeds, lead, permuted };
    if is_of_best {
        keep(arguments, &noise)?;
    }
    let objective = experiment.objective.name();
    match arguments.subject.format {
        Format::Table => output::print(&format!(
            "{}\n\n{}",
            subject.title(noise.seeds.trial),
            report::noise::table(&noise, objective)
        )),
        Format::Json => {
            let object = serde_json::to_value(&noise).unwrap_or_default();
            output::print(&format!("{:#}\n", subject.signed(object, engine.as_ref())))
        }
    }
}

/// What the trainings that have a value came to.
fn values(trials: &[Trial]) -> Vec<f64> {
    let values = trials.iter().filter_map(Trial::score).map(|score| score.value);
    values.filter(|value| value.is_finite()).collect()
}

/// The configuration on labels that are dealt anew, one permutation after the other.
fn permuted(
    arguments: &Arguments,
    subject: &Subject,
    dataset: &Dataset,
    seeds: &Seeds,
) -> Result<Option<Permuted>> {
    let mut found = Vec::new();
    for number in 0..u32::from(arguments.permutations) {
        let dataset = Arc::new(with_permuted_targets(dataset, subject.plan.seed, number));
        let folds = (0..dataset.folds.len()).collect();
        let variant = Variant { configuration: subject.configuration.clone(), folds, repeat: 0 };
        let mut engine = subject.open_quietly(Arc::clone(&dataset))?;
        found.extend(values(&subject.experiment(&dataset)?.run(engine.as_mut(), &[variant])?));
    }
    let direction = subject.plan.metric(dataset.task)?.direction();
    let count = usize::from(arguments.permutations);
    Ok((count > 0).then(|| Permuted::of(seeds.mean, found, count, direction)))
}

/// Keeps it in the study; while another process works on that, says that it does not.
fn keep(arguments: &Arguments, noise: &Noise) -> Result<()> {
    let text = serde_json::to_string(noise).unwrap_or_default();
    match Store::open(arguments.subject.folder()) {
        Ok(mut store) => {
            let writer = store.begin()?;
            writer.noise(&text)?;
            writer.commit()
        }
        Err(error) => {
            output::note(&format!("not kept in the study: {}", error.found));
            Ok(())
        }
    }
}
