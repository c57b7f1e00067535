//! What diagnoses of a study look at: its trials with their curves, and its rows where they are still there.

use super::losses::Losses;
use crate::data::{Dataset, Targets};
use crate::error::Result;
use crate::model::hyperparameter::SVM;
use crate::study::inside::Look;
use crate::study::plan::Plan;
use crate::study::same::plan_of;
use crate::study::store::{Header, Store};
use crate::trial::{self, Order, State, Trial};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Share of the complete trials that lead, and the fewest of them.
const LEADING: f64 = 0.1;
const FEWEST_LEADERS: usize = 3;

/// A study that has results.
pub struct Record<'a> {
    /// Where it is.
    pub folder: PathBuf,
    /// What belongs to it as a whole.
    pub header: Header,
    /// How it was run.
    pub plan: Plan,
    /// What is better.
    pub order: Order,
    /// By rank.
    pub trials: Vec<Trial>,
    /// How many rungs of the schedule trials have passed, by number.
    pub passed: HashMap<u64, usize>,
    /// What was seen inside trials while they trained, by number and epoch, without histograms.
    pub looks: HashMap<u64, Vec<Look>>,
    /// Its rows, encoded, where the data are there as they were.
    pub dataset: Option<&'a Dataset>,
    /// (rank) What the trial's losses were, where they can be compared.
    losses: Vec<Option<Losses>>,
}

impl<'a> Record<'a> {
    /// Of the study in a folder, whether or not it is being worked on, and its rows. Where these have changed or are
    /// gone, what needs them does not apply.
    pub fn open(folder: &Path, dataset: Option<&'a Dataset>) -> Result<Self> {
        let store = Store::read(folder)?;
        let header = store.header()?;
        let (plan, order) = (plan_of(&header)?, header.order()?);
        let mut trials = store.trials()?;
        trials.sort_by(|a, b| trial::compare(order, a, b));
        let (passed, losses, folder) = (store.passed()?, Vec::new(), folder.to_owned());
        let mut looks: HashMap<u64, Vec<Look>> = HashMap::new();
        for look in store.inside(None)? {
            looks.entry(look.trial).or_default().push(look);
        }
        let record = Self { folder, header, plan, order, trials, passed, looks, dataset, losses };
        let ignorance = record.loss_of_ignorance();
        let losses = |trial| Losses::of(&record, trial, ignorance?);
        let losses = record.trials.iter().map(losses).collect();
        Ok(Self { losses, ..record })
    }

    /// Whether its models are trained epoch by epoch: kernel machines are solved at once.
    pub fn has_epochs(&self) -> bool {
        self.plan.model != SVM
    }

    /// The loss of a model that always says the same: the entropy of the classes' frequencies in nats, or 1, the
    /// variance of the standardised target. `None` where the data are not there.
    pub fn loss_of_ignorance(&self) -> Option<f64> {
        let dataset = self.dataset?;
        let Targets::Classes(classes) = &dataset.targets else { return Some(1.0) };
        let mut counts = vec![0.0_f64; dataset.task.output_count()];
        classes.iter().for_each(|&class| counts[class as usize] += 1.0);
        let all = classes.len() as f64;
        let term = |count: &f64| -count / all * (count / all).ln();
        Some(counts.iter().filter(|count| **count > 0.0).map(term).sum())
    }

    /// Trials that have epochs to look at, by rank, with their losses.
    pub fn curves(&self) -> impl Iterator<Item = (&Trial, &Losses)> {
        self.trials.iter().zip(&self.losses).filter_map(|(trial, losses)| Some((trial, losses.as_ref()?)))
    }

    /// Every trial, by rank, with its losses where they can be compared.
    pub fn all(&self) -> impl Iterator<Item = (&Trial, Option<&Losses>)> {
        self.trials.iter().zip(self.losses.iter().map(Option::as_ref))
    }

    /// Complete trials, by rank.
    pub fn complete(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.state == State::Complete && trial.best().is_some())
    }

    /// The best of the complete trials: a tenth, and three at least, where there are so many.
    pub fn leaders(&self) -> Vec<&Trial> {
        let count = (LEADING * self.complete().count() as f64).ceil() as usize;
        self.complete().take(count.max(FEWEST_LEADERS)).collect()
    }

    /// The leaders' losses.
    pub fn leading_curves(&self) -> Vec<(&Trial, &Losses)> {
        let leaders = self.leaders();
        let is_leader = |trial: &Trial| leaders.iter().any(|leader| leader.number == trial.number);
        self.curves().filter(|(trial, _)| is_leader(trial)).collect()
    }
}

/// Numbers of some trials for people, the first of them.
pub fn listed<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> String {
    const SHOWN: usize = 6;
    let numbers: Vec<u64> = trials.into_iter().map(|trial| trial.number).collect();
    let shown: Vec<String> = numbers.iter().take(SHOWN).map(u64::to_string).collect();
    let word = if numbers.len() == 1 { "trial" } else { "trials" };
    match numbers.len().saturating_sub(SHOWN) {
        0 => format!("{word} {}", shown.join(", ")),
        more => format!("{word} {}, … and {more} more", shown.join(", ")),
    }
}

/// The middle of some numbers, the lower one of two; NaN of none.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}
