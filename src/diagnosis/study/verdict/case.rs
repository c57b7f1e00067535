//! What a verdict looks at: a trial, its curves, and what the study as a whole says.

use super::super::capacity::{Lever, is_no_larger, levers};
use super::super::learning_rate_too_high;
use super::super::mismatch::Sign;
use super::super::noise_limited::{Floor, MATTERS};
use super::super::ranking::{FEWEST_FOLDS, is_near};
use super::super::under_fitting::{Alike, Lacking, RAISED, is_alike};
use super::super::{Losses, Record};
use crate::sample::Sample;
use crate::trial::{State, Trial};

/// What a study as a whole says, against which its trials are judged.
pub struct Whole<'a> {
    /// The study.
    pub record: &'a Record<'a>,
    /// Trials that have curves, those of the least validation loss first.
    by_loss: Vec<(&'a Trial, &'a Losses)>,
    /// What acts on capacity.
    levers: Vec<Lever<'a>>,
    /// Trials that have trained, and whether the loss of each grew.
    pub(super) grew: Vec<(&'a Trial, bool)>,
    /// Whether its best trials fail on training rows about as much as on validation rows.
    pub(super) is_alike: bool,
    pub(super) floor: Option<Floor>,
    pub(super) lacking: Option<Lacking>,
    /// How validation rows seem to differ from training rows.
    pub(super) signs: Vec<Sign>,
}

impl<'a> Whole<'a> {
    /// Of a study.
    pub fn of(record: &'a Record<'_>) -> Self {
        let mut by_loss: Vec<(&Trial, &Losses)> = record.curves().collect();
        by_loss.sort_by(|(_, a), (_, b)| a.least().total_cmp(&b.least()));
        Self {
            record,
            by_loss,
            levers: levers(record),
            grew: learning_rate_too_high::judged(record),
            is_alike: Alike::of(record).is_some(),
            floor: Floor::of(record),
            lacking: Lacking::of(record),
            signs: Sign::ALL.into_iter().filter(|sign| sign.is_shown(record)).collect(),
        }
    }

    /// The trial of the least validation loss among complete ones, among all where none is.
    fn best(&self) -> Option<&(&'a Trial, &'a Losses)> {
        let complete = self.by_loss.iter().find(|(trial, _)| trial.state == State::Complete);
        complete.or(self.by_loss.first())
    }
}

/// A trial to be judged.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// Its study.
    pub whole: &'a Whole<'a>,
    /// Which.
    pub trial: &'a Trial,
    /// Its curves, where they can be compared.
    pub losses: Option<&'a Losses>,
}

impl Case<'_> {
    /// Whether it comes to about the least validation loss of the study.
    pub(super) fn is_near_best(&self) -> bool {
        self.losses.is_some_and(|losses| !self.is_worse_than_best(losses.least()))
    }

    /// Whether a loss is clearly more than the least validation loss of the study.
    pub(super) fn is_worse_than_best(&self, loss: f64) -> bool {
        self.whole.best().is_some_and(|(_, best)| loss > best.least() + MATTERS)
    }

    /// Whether the folds cannot tell its score from that of the best trial.
    pub(super) fn ties_with_best(&self) -> bool {
        let best = self.whole.record.complete().next();
        let folds = best.and_then(|best| Some((best.fold_values()?, self.trial.fold_values()?)));
        let Some((best, own)) = folds.filter(|(best, _)| best.len() >= FEWEST_FOLDS) else { return false };
        let (best_sample, own_sample) = (Sample::of(&best), Sample::of(&own));
        // One whose own folds differ wildly is told from nothing by them, and is no tie for that.
        is_near(&best, &own) && (best_sample.mean - own_sample.mean).abs() <= best_sample.deviation()
    }

    /// Whether it fails on training rows about as much as on validation rows.
    pub(super) fn is_alike(&self) -> bool {
        self.losses.is_some_and(|losses| is_alike(losses.train_at_best(), losses.least()))
    }

    /// The best of the trials that do clearly better with no more capacity.
    pub(super) fn better_no_larger(&self) -> Option<u64> {
        let own = self.losses?.least();
        let mut better = self.whole.by_loss.iter().take_while(|(_, losses)| losses.least() < own - MATTERS);
        let is_alike = |(trial, _): &&(&Trial, &Losses)| is_no_larger(&self.whole.levers, trial, self.trial);
        better.find(is_alike).map(|(trial, _)| trial.number)
    }

    /// What its losses are, in words.
    pub(super) fn text(&self) -> String {
        let Some(losses) = self.losses else { return String::new() };
        let raised = if losses.is_raised { RAISED } else { "" };
        let cut = match self.trial.state {
            State::Complete => String::new(),
            other => format!(" ({})", other.name()),
        };
        format!(
            "the training loss is {} of that of always saying the same{raised}, the validation loss {}, at its least \
             after {} of {} epochs{cut}",
            Losses::text(losses.train_at_best()),
            Losses::text(losses.least()),
            losses.best + 1,
            losses.validation.len()
        )
    }

    /// What the best trial comes to, in words.
    pub(super) fn best_text(&self) -> String {
        match self.whole.best() {
            Some((trial, _)) if trial.number == self.trial.number => {
                "no trial of the study has less".to_owned()
            }
            Some((trial, losses)) => format!("trial {} comes to {:.2}", trial.number, losses.least()),
            None => String::new(),
        }
    }
}
