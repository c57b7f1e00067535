//! `manytune noise`: what other seeds, and labels without meaning, make of the best configuration.

use super::gradcheck::Format;
use super::output;
use super::subject::{Subject, SubjectArguments};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::report;
use crate::space::Configuration;
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
/// configuration is trained on each of so many permutations, or with --search every configuration of the study, of which
/// the best then counts, as it does in the study.
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
    /// Train on each permutation all configurations of the study's complete trials: what searching among labels without
    /// meaning finds
    #[arg(long, requires = "permutations", conflicts_with_all = ["trial", "epochs"])]
    search: bool,
}

/// Trains, prints what was found, and keeps it in the study.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut subject = Subject::of(&arguments.subject)?;
    let is_of_best = arguments.subject.is_of_best();
    if arguments.search && !is_of_best {
        return Err(Error::usage("--search", format!("beside {}", arguments.subject.folder().display()))
            .allowed("the folder of a study that has run")
            .advice("leave --search out, or give the folder"));
    }
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
    let value = in_study.first().copied();
    let permuted =
        permuted(arguments, &subject, &dataset, value.filter(|_| arguments.search).unwrap_or(seeds.mean))?;
    let noise = Noise { value, seeds, lead, permuted };
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

/// What labels that are dealt anew come to, one permutation after the other, beside a value on those as they are.
fn permuted(
    arguments: &Arguments,
    subject: &Subject,
    dataset: &Dataset,
    value: f64,
) -> Result<Option<Permuted>> {
    let direction = subject.plan.metric(dataset.task)?.direction();
    let configurations = subject.leading(arguments.search.then_some(usize::MAX))?;
    let mut found = Vec::new();
    for number in 0..u32::from(arguments.permutations) {
        let dataset = Arc::new(with_permuted_targets(dataset, subject.plan.seed, number));
        let folds: Vec<usize> = (0..dataset.folds.len()).collect();
        let variant = |(_, configuration): &(Option<u64>, Configuration)| Variant {
            configuration: configuration.clone(),
            folds: folds.clone(),
            repeat: 0,
        };
        let variants: Vec<Variant> = configurations.iter().map(variant).collect();
        let mut engine = subject.open_quietly(Arc::clone(&dataset))?;
        let values = values(&subject.experiment(&dataset)?.run(engine.as_mut(), &variants)?);
        found.extend(values.into_iter().min_by(|a, b| direction.compare(*a, *b)));
    }
    let count = usize::from(arguments.permutations);
    Ok((count > 0).then(|| Permuted::of(value, found, (configurations.len(), count), direction)))
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
