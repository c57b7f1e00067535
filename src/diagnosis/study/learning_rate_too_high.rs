//! Trials whose loss grows instead of falling, and the learning rates that do it.

use super::record::{Record, listed};
use super::region::{Region, Side, short};
use super::{Diagnosis, Losses};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::space::{Configuration, Value};
use crate::trial::{State, Trial};
use std::collections::BTreeSet;

/// Steps that jump over the valley.
pub struct LearningRateTooHigh;

/// The hyperparameter.
pub(super) const LEARNING_RATE: &str = "learning_rate";

/// Share of the trials from which it is said, and from which it is more than a note.
const NOTED: f64 = 0.15;
const WARNED: f64 = 0.3;
/// A training loss so far above its least, in shares of the loss of always saying the same, has jumped: noise of
/// minibatches does not do that to the mean of an epoch.
const JUMP: f64 = 0.5;
/// No weights that have not trained are so far off.
const UNTRAINED: f64 = 10.0;
/// How often an afflicted trial must have the higher learning rate of two: else it is another hyperparameter's doing.
const HIGHER: f64 = 0.7;
/// The likely cause.
pub(super) const CAUSE: &str = "steps so large that they jump over the valley that they should walk down";

impl Diagnosis for LearningRateTooHigh {
    fn name(&self) -> &'static str {
        "learning_rate_too_high"
    }
    fn healthy(&self) -> &'static str {
        "losses fall without jumps, and trials train to their end"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.has_epochs() && record.trials.iter().any(|trial| trial.state.is_finished())
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let judged = judged(record);
        let afflicted: Vec<&Trial> = judged.iter().filter(|(_, is)| *is).map(|(trial, _)| *trial).collect();
        let share = afflicted.len() as f64 / judged.len().max(1) as f64;
        if share < NOTED || !goes_with_learning_rate(&judged) {
            return Ok(Vec::new());
        }
        let diverged = afflicted.iter().filter(|trial| trial.state == State::Diverged).count();
        let configurations: Vec<(&Configuration, bool)> =
            judged.iter().map(|(trial, is)| (&trial.configuration, *is)).collect();
        let region = record.plan.space.as_ref().and_then(|space| Region::of(space, &configurations));
        let place = match &region {
            Some(region) => region.counted(),
            None => listed(afflicted.iter().copied()),
        };
        Ok(vec![Finding {
            name: self.name(),
            severity: if share >= WARNED { Severity::Warning } else { Severity::Note },
            place,
            seen: format!(
                "the loss of {} of {} trials grew: {diverged} diverged, {} jumped up",
                afflicted.len(),
                judged.len(),
                afflicted.len() - diverged
            ),
            cause: CAUSE.to_owned(),
            advice: advice(&judged, region.as_ref()),
        }])
    }
}

/// The trials that have trained, by rank, and whether the loss of each grew.
pub(super) fn judged<'a>(record: &'a Record<'_>) -> Vec<(&'a Trial, bool)> {
    let jumped: BTreeSet<u64> =
        record.curves().filter(|(_, losses)| jumps(losses)).map(|(trial, _)| trial.number).collect();
    let has_trained = |trial: &&Trial| trial.state.is_finished() && trial.state != State::Failed;
    let grew = |trial: &Trial| trial.state == State::Diverged || jumped.contains(&trial.number);
    record.trials.iter().filter(has_trained).map(|trial| (trial, grew(trial))).collect()
}

/// Whether the training loss has jumped up; where dropout makes much of it, the validation loss too. The first epoch's
/// mean is of the way there: what is far above 1 then went up before it came down, or began with unlucky weights.
fn jumps(losses: &Losses) -> bool {
    jumps_from(losses, 1.0)
}

/// The same of one trial, where no other says whether the weights were unlucky.
pub(super) fn surely_jumps(losses: &Losses) -> bool {
    jumps_from(losses, UNTRAINED)
}

fn jumps_from(losses: &Losses, start: f64) -> bool {
    has_jumped(&losses.train, start) && (!losses.is_raised || has_jumped(&losses.validation, start))
}

/// Whether a curve that may begin at `start` goes up.
fn has_jumped(curve: &[f64], start: f64) -> bool {
    let mut least = start;
    curve.iter().any(|&loss| {
        let has_jumped = loss > least + JUMP;
        least = least.min(loss);
        has_jumped
    })
}

pub(super) fn rate(trial: &Trial) -> Option<f64> {
    trial.configuration.get(LEARNING_RATE).and_then(Value::number)
}

/// Whether afflicted trials have the higher learning rates, or all the same one.
fn goes_with_learning_rate(judged: &[(&Trial, bool)]) -> bool {
    let of = |wanted: bool| -> Vec<f64> {
        judged.iter().filter(|(_, is)| *is == wanted).filter_map(|(trial, _)| rate(trial)).collect()
    };
    let (afflicted, others) = (of(true), of(false));
    let pairs = afflicted.iter().flat_map(|high| others.iter().map(move |low| (high, low)));
    let (count, higher) = pairs.fold((0.0, 0.0), |(count, higher), (high, low)| {
        let half = if high == low { 0.5 } else { f64::from(u8::from(high > low)) };
        (count + 1.0, higher + half)
    });
    let is_one = judged.iter().all(|(trial, _)| rate(trial) == rate(judged[0].0));
    count == 0.0 || is_one || higher >= HIGHER * count
}

/// Of trials and whether the loss of each grew, and the part of the space where it did.
pub(super) fn advice(judged: &[(&Trial, bool)], region: Option<&Region>) -> String {
    let end = region.and_then(|region| {
        region.conditions.iter().find_map(|side| match side {
            Side::From(name, least) if name == LEARNING_RATE => Some(*least),
            _ => None,
        })
    });
    let well = judged.iter().filter(|(_, is)| !is).filter_map(|(trial, _)| rate(trial));
    let largest = well.fold(f64::NEG_INFINITY, f64::max);
    let range = match end {
        Some(end) => format!("learning_rate below {}", short(end)),
        None if largest.is_finite() => format!("learning_rate at most {}", short(largest)),
        None => "a far smaller learning_rate, by factors of 10".to_owned(),
    };
    format!("{range}; clip_norm = 1.0; warmup_epochs")
}
