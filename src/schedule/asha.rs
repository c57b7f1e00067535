//! Asynchronous successive halving (Li et al., "A system for massively parallel hyperparameter tuning", 2020),
//! in the form that stops trials: one that comes to a rung goes on where it is among the best
//! max(1, ⌊k/η⌋) of the k that have come there, itself included.
//!
//! The k are those of a lower number, not those that were faster: a trial waits for them to come to the rung
//! or to end, and a study repeats. One that ended by itself before the rung counts with what it came to; one
//! that diverged or failed counts once, at the rung it would have come to, as the last. The lower number wins
//! a tie.

use super::ladder::{Ladder, MIN_EPOCHS, REDUCTION_FACTOR, RUNG_STEPS};
use super::{Decision, Records, Schedule, ScheduleKind, Settings};
use crate::setting::Setting;

/// Asynchronous successive halving.
pub struct Asha;

impl ScheduleKind for Asha {
    fn name(&self) -> &'static str {
        "asha"
    }
    fn summary(&self) -> &'static str {
        "a trial goes on at a rung if it is in the best 1/reduction_factor of the trials before it"
    }
    fn settings(&self) -> &'static [Setting] {
        &[REDUCTION_FACTOR, MIN_EPOCHS, RUNG_STEPS]
    }
    fn notes(&self, settings: &Settings) -> Vec<String> {
        let ladder = Ladder::geometric(settings);
        vec![format!("asha: rungs after {}", ladder.text(ladder.len()))]
    }
    fn create(&self, settings: &Settings) -> Box<dyn Schedule> {
        let factor = settings.chosen.count(&REDUCTION_FACTOR);
        Box::new(Asynchronous { ladder: Ladder::geometric(settings), factor })
    }
}

struct Asynchronous {
    ladder: Ladder,
    factor: u64,
}

impl Schedule for Asynchronous {
    fn rungs(&self, _: u64, steps_per_epoch: u64) -> Vec<u32> {
        self.ladder.epochs(self.ladder.len(), steps_per_epoch)
    }
    fn decide(&self, records: &Records, number: u64, rung: usize) -> Option<Decision> {
        if !records.is_settled_before(number, rung) {
            return None;
        }
        let own = records.place(number, rung).ranked()?;
        let (mut count, mut better) = (1, 0);
        for loss in (0..number).filter_map(|other| records.place(other, rung).ranked()) {
            count += 1;
            better += u64::from(loss <= own);
        }
        let places = (count / self.factor).max(1);
        Some(if better < places { Decision::Continue } else { Decision::Stop })
    }
}
