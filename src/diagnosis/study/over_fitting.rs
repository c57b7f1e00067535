//! Models that learn their training rows by heart: validation loss turns up while training loss falls.

use super::capacity;
use super::record::{Record, listed, median};
use super::region::Region;
use super::{Diagnosis, Losses};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::space::Configuration;
use crate::trial::Trial;

/// Too much capacity, or too few rows.
pub struct OverFitting;

/// So much of the loss of always saying the same a validation loss must have gone up by.
const UP: f64 = 0.2;
/// Share of the trials from which it is said of the study.
const MOST_TRIALS: f64 = 0.5;
/// The leaders' validation loss at its least is so many times their training loss there, and so much more.
const TIMES: f64 = 2.0;
const GAP: f64 = 0.3;
/// The likely cause.
pub(super) const CAUSE: &str =
    "models learn their training rows by heart: they are large for so few rows, or train for too long";

impl Diagnosis for OverFitting {
    fn name(&self) -> &'static str {
        "over_fitting"
    }
    fn healthy(&self) -> &'static str {
        "validation losses do not turn up while training losses fall"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.curves().next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let curves: Vec<(&Trial, bool, &Losses)> =
            record.curves().map(|(trial, losses)| (trial, turns_up(losses), losses)).collect();
        let turned: Vec<&(&Trial, bool, &Losses)> = curves.iter().filter(|(_, turns, _)| *turns).collect();
        let leaders = record.leading_curves();
        let train = median(leaders.iter().map(|(_, losses)| losses.train_at_best()));
        let least = median(leaders.iter().map(|(_, losses)| losses.least()));
        let is_apart = is_apart(train, least);
        let is_common = turned.len() as f64 >= MOST_TRIALS * curves.len() as f64;
        if !is_apart && !is_common {
            return Ok(Vec::new());
        }
        let configurations: Vec<(&Configuration, bool)> =
            curves.iter().map(|(trial, turns, _)| (&trial.configuration, *turns)).collect();
        let region = record.plan.space.as_ref().and_then(|space| Region::of(space, &configurations));
        let place = match region {
            Some(region) => region.counted(),
            None => {
                listed(if is_common { turned.iter().map(|one| one.0).collect() } else { record.leaders() })
            }
        };
        let mut seen = Vec::new();
        if is_common {
            seen.push(format!(
                "in {} of {} trials the validation loss turned up while the training loss fell, by {:.2} of the loss \
                 of always saying the same",
                turned.len(),
                curves.len(),
                median(turned.iter().map(|(_, _, losses)| losses.at_end() - losses.least()))
            ));
        }
        seen.push(format!(
            "of the best trials the training loss is {train:.2} of it, the validation loss {least:.2}"
        ));
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Warning,
            place,
            seen: seen.join("; "),
            cause: CAUSE.to_owned(),
            advice: format!("{}; a smaller patience; more rows", capacity::less(record)),
        }])
    }
}

/// Whether a validation loss at its least is far above the training loss there.
pub(super) fn is_apart(train: f64, least: f64) -> bool {
    least >= TIMES * train && least - train >= GAP
}

/// Whether the validation loss has turned up while the training loss went on falling.
pub(super) fn turns_up(losses: &Losses) -> bool {
    losses.at_end() - losses.least() >= UP && losses.train_at_end() < losses.train_at_best()
}
