//! Studies whose curves all fall still where they end, because steps are too small.

use super::learning_rate_too_high::LEARNING_RATE;
use super::ranks::correlation;
use super::record::{Record, median};
use super::region::short;
use super::{Diagnosis, Losses};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::space::{Domain, Value};
use crate::trial::Trial;

/// Steps that lead nowhere in the epochs there are.
pub struct LearningRateTooLow;

/// Share of the trials that must be falling still.
const MOST_TRIALS: f64 = 0.6;
/// From here on higher learning rates did better.
const HIGHER_IS_BETTER: f64 = 0.5;
/// The upper end of a range, as a share of it.
const OUTER: f64 = 0.2;
/// Above this training loss hardly anything was learned.
const MUCH: f64 = 0.5;
/// Below this training loss little is left to fall.
pub(super) const LITTLE: f64 = 0.05;

impl Diagnosis for LearningRateTooLow {
    fn name(&self) -> &'static str {
        "learning_rate_too_low"
    }
    fn healthy(&self) -> &'static str {
        "most trials come to where their losses no longer fall"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.curves().next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let Some(slow) = Slow::of(record) else { return Ok(Vec::new()) };
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: slow.range,
            seen: format!(
                "in {} of {} trials the loss fell still where they ended; of the best it ended at {:.2} of that of \
                 always saying the same; {}",
                slow.falling, slow.count, slow.left, slow.evidence
            ),
            cause: "steps too small for the epochs there are".to_owned(),
            advice: "learning_rate ten and a hundred times larger (manytune lr sweeps it alone); else more max_epochs".to_owned(),
        }])
    }
}

/// A study whose learning rates are too low.
pub(super) struct Slow {
    falling: usize,
    count: usize,
    /// The training loss at the end of the trials that lead.
    left: f64,
    /// Why it is the learning rate.
    evidence: String,
    range: String,
}

impl Slow {
    /// `None` where they are not.
    pub(super) fn of(record: &Record<'_>) -> Option<Self> {
        let curves: Vec<(&Trial, &Losses)> = record.curves().collect();
        // Of validation rows: a training loss is of other minibatches each epoch, which hides a slow fall.
        let falling = curves.iter().filter(|(_, losses)| Losses::is_falling(&losses.validation)).count();
        let left = median(record.leading_curves().iter().map(|(_, losses)| losses.train_at_end()));
        if curves.is_empty() || (falling as f64) < MOST_TRIALS * curves.len() as f64 || left < LITTLE {
            return None;
        }
        let rate = |trial: &Trial| trial.configuration.get(LEARNING_RATE).and_then(Value::number);
        let fall = |losses: &Losses| losses.validation[0] - losses.at_end();
        let pairs = curves.iter().filter_map(|(trial, losses)| Some((rate(trial)?, fall(losses))));
        let found = correlation(&pairs.collect::<Vec<_>>());
        let dimension = record.plan.space.as_ref().and_then(|space| space.get(LEARNING_RATE));
        let best = record.leaders().first().and_then(|trial| trial.configuration.get(LEARNING_RATE).cloned());
        let place = dimension.zip(best).and_then(|(dimension, best)| dimension.domain.encode(&best));
        let is_free = dimension.is_some_and(|dimension| !matches!(dimension.domain, Domain::Fixed(_)));
        let evidence = match (is_free, place) {
            // Of one learning rate nobody knows whether a larger one does better, but where it did next to nothing.
            (false, _) if left >= MUCH => "all trials have one learning rate".to_owned(),
            (true, _) if found.coefficient >= HIGHER_IS_BETTER => {
                format!("higher learning rates fell farther (rank correlation {:.2})", found.coefficient)
            }
            (true, Some(place)) if place >= 1.0 - OUTER => "the best trial is at the upper end".to_owned(),
            _ => return None,
        };
        let rates = curves.iter().filter_map(|(trial, _)| rate(trial));
        let (low, high) =
            rates.fold((f64::INFINITY, 0.0_f64), |(low, high), rate| (low.min(rate), high.max(rate)));
        let range = format!("learning_rate {} to {}", short(low), short(high));
        Some(Self { falling, count: curves.len(), left, evidence, range })
    }
}
