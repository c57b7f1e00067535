//! The median rule (Golovin et al., "Google Vizier", 2017): at a rung, a trial stops where its best so far is
//! worse than the median of the others' best so far.
//!
//! Deviations: the others are the trials of a lower number, which it waits for, so that a study repeats. They
//! count with their best so far, as it does, rather than with running averages. One that was stopped or ended
//! before counts with what it had, one that diverged or failed as the worst: were only those counted that
//! came here, the rule would halve the survivors again at every rung.

use super::ladder::{INTERVAL, Ladder, RUNG_STEPS, WARMUP_EPOCHS};
use super::{Decision, Place, Records, Schedule, ScheduleKind, Settings};
use crate::setting::Setting;

const WARMUP_TRIALS: Setting = Setting {
    name: "warmup_trials",
    summary: "the first so many trials are not stopped",
    default: 5.0,
    low: 1.0,
    high: 1e6,
    whole: true,
};

/// The median rule.
pub struct Median;

impl ScheduleKind for Median {
    fn name(&self) -> &'static str {
        "median"
    }
    fn summary(&self) -> &'static str {
        "a trial stops at a rung if it is worse than the median of the trials before it"
    }
    fn settings(&self) -> &'static [Setting] {
        &[WARMUP_TRIALS, WARMUP_EPOCHS, INTERVAL, RUNG_STEPS]
    }
    fn create(&self, settings: &Settings) -> Box<dyn Schedule> {
        let warmup_trials = settings.chosen.count(&WARMUP_TRIALS);
        Box::new(MedianRule { ladder: Ladder::even(settings), warmup_trials })
    }
}

struct MedianRule {
    ladder: Ladder,
    warmup_trials: u64,
}

impl Schedule for MedianRule {
    fn rungs(&self, _: u64, steps_per_epoch: u64) -> Vec<u32> {
        self.ladder.epochs(self.ladder.len(), steps_per_epoch)
    }
    fn decide(&self, records: &Records, number: u64, rung: usize) -> Option<Decision> {
        if number < self.warmup_trials {
            return Some(Decision::Continue);
        }
        if !records.is_settled_before(number, rung) {
            return None;
        }
        let own = records.place(number, rung).ranked()?;
        let median = median((0..number).map(|other| loss(records.place(other, rung))), own);
        Some(if own > median { Decision::Stop } else { Decision::Continue })
    }
}

/// What a trial of a lower number counts with.
fn loss(place: Place) -> f64 {
    match place {
        Place::At(loss) | Place::Complete(loss) | Place::Pruned(loss) => loss,
        Place::Ahead | Place::Lost | Place::LostBefore => f64::INFINITY,
    }
}

/// The median of some losses, as far as it matters beside `own`: itself where `own` lies between the middle
/// two, else a number on the same side of `own`. One pass and no copy, for studies of many trials.
fn median(losses: impl Iterator<Item = f64>, own: f64) -> f64 {
    let (mut count, mut better, mut worst_better, mut best_other) = (0, 0, f64::NEG_INFINITY, f64::INFINITY);
    for loss in losses {
        count += 1;
        if loss < own {
            better += 1;
            worst_better = loss.max(worst_better);
        } else {
            best_other = loss.min(best_other);
        }
    }
    match (2 * better).cmp(&count) {
        std::cmp::Ordering::Less => best_other,
        std::cmp::Ordering::Equal => f64::midpoint(worst_better, best_other),
        std::cmp::Ordering::Greater => worst_better,
    }
}
