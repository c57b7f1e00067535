//! Models that learn their training rows and nothing of the others, or the others better than their own.

use super::capacity;
use super::losses::FEWEST_EPOCHS;
use super::record::{Record, median};
use super::{Diagnosis, Losses};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;

/// Training and validation rows that do not seem to be of one kind.
pub struct Mismatch;

/// Share of the trials that must show it: what a bad configuration does is no mismatch.
const MOST_TRIALS: f64 = 0.9;
/// A training loss that has learned.
const LEARNED: f64 = 0.5;
/// A validation loss that has not, at its best.
const NOT_LEARNED: f64 = 0.97;
/// A validation loss that is so much less than the training loss is no chance.
const MUCH_BETTER: f64 = 0.5;
const BETTER_BY: f64 = 0.15;

/// Whether validation rows are never told better than by always saying the same.
pub(super) fn has_learned_nothing(losses: &Losses) -> bool {
    losses.least() >= NOT_LEARNED
}

/// A way in which validation rows may differ from training rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// What is learned from training rows is nothing on validation rows.
    Useless,
    /// Validation rows are far easier.
    Easier,
}

impl Sign {
    pub(super) const ALL: [Self; 2] = [Self::Useless, Self::Easier];

    /// Whether a trial can show it.
    fn is_open(self, losses: &Losses) -> bool {
        match self {
            Self::Useless => losses.train_at_end() <= LEARNED,
            // The training loss of first epochs is of the way there, and more than what they end with.
            Self::Easier => !losses.is_raised && losses.validation.len() >= FEWEST_EPOCHS,
        }
    }

    /// Whether a trial shows it.
    pub(super) fn is_of(self, losses: &Losses) -> bool {
        let (train, least) = (losses.train_at_best().min(losses.train_at_end()), losses.least());
        self.is_open(losses)
            && match self {
                Self::Useless => has_learned_nothing(losses),
                Self::Easier => least < MUCH_BETTER * train && train - least > BETTER_BY,
            }
    }

    /// The trials that can show it, where most of them do, and how many do.
    fn shown<'a>(self, record: &'a Record<'_>) -> Option<(Vec<&'a Losses>, usize)> {
        let all: Vec<&Losses> = record.curves().map(|(_, losses)| losses).collect();
        let open: Vec<&Losses> = all.iter().copied().filter(|losses| self.is_open(losses)).collect();
        let count = open.iter().filter(|losses| self.is_of(losses)).count();
        let are_most = |count: usize, of: usize| count > 0 && count as f64 >= MOST_TRIALS * of as f64;
        // Where smaller models learn what holds for validation rows too, those that do not have learned by heart.
        let is_contradicted = self == Self::Useless
            && !are_most(all.iter().filter(|losses| has_learned_nothing(losses)).count(), all.len());
        (are_most(count, open.len()) && !is_contradicted).then_some((open, count))
    }

    /// Whether the study shows it.
    pub(super) fn is_shown(self, record: &Record<'_>) -> bool {
        self.shown(record).is_some()
    }

    /// The likely cause.
    pub(super) fn cause(self) -> &'static str {
        match self {
            Self::Useless => {
                "labels that have nothing to do with the features (shuffled, of other rows); or rows that are prepared \
                 otherwise for validation"
            }
            Self::Easier => "validation rows that are easier than training rows, or stand among them",
        }
    }

    /// What to try.
    pub(super) fn advice(self, record: &Record<'_>) -> String {
        match self {
            Self::Useless => format!(
                "check that rows and labels belong together, and that folds are alike; manytune doctor on the data; if \
                 both are right, far smaller models: {}",
                capacity::less(record)
            ),
            Self::Easier => {
                "other folds (a fold_column or group_column that fits the data); manytune doctor on the data"
                    .to_owned()
            }
        }
    }

    /// What is seen of the trials that can show it, so many of which do.
    fn seen(self, open: &[&Losses], count: usize) -> String {
        let of = open.len();
        match self {
            Self::Useless => format!(
                "{count} of the {of} trials that learned their training rows (loss {:.2} of that of always saying the \
                 same) never did better than that on validation rows ({:.2})",
                median(open.iter().map(|losses| losses.train_at_end())),
                median(open.iter().map(|losses| losses.least()))
            ),
            Self::Easier => {
                format!("in {count} of {of} trials the validation loss is less than half the training loss")
            }
        }
    }
}

impl Diagnosis for Mismatch {
    fn name(&self) -> &'static str {
        "mismatch"
    }
    fn healthy(&self) -> &'static str {
        "what is learned from training rows holds for validation rows"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.curves().next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let finding = |sign: Sign| {
            let (open, count) = sign.shown(record)?;
            Some(Finding {
                name: self.name(),
                severity: Severity::Warning,
                place: String::new(),
                seen: sign.seen(&open, count),
                cause: sign.cause().to_owned(),
                advice: sign.advice(record),
            })
        };
        Ok(Sign::ALL.into_iter().filter_map(finding).collect())
    }
}
