//! Successive halving (Jamieson and Talwalkar, 2016): ηˢ trials begin, the best 1/η of them train η times as
//! long, and so on to the one that trains to the end.
//!
//! Rungs are counted down from the end: after ⌊R/ηˢ⌋, …, ⌊R/η⌋ epochs of R, s the largest number for which the
//! first has `min_epochs`. Every ηˢ trials are a bracket of their own.

use super::bracket::Bracket;
use super::ladder::{Ladder, MIN_EPOCHS, REDUCTION_FACTOR, RUNG_STEPS};
use super::{Decision, Records, Schedule, ScheduleKind, Settings};
use crate::setting::Setting;
use std::ops::Range;

/// Successive halving.
pub struct SuccessiveHalving;

impl ScheduleKind for SuccessiveHalving {
    fn name(&self) -> &'static str {
        "successive_halving"
    }
    fn summary(&self) -> &'static str {
        "the best 1/reduction_factor of a bracket of trials goes on at each rung"
    }
    fn settings(&self) -> &'static [Setting] {
        &[REDUCTION_FACTOR, MIN_EPOCHS, RUNG_STEPS]
    }
    fn notes(&self, settings: &Settings) -> Vec<String> {
        let halving = Halving::new(settings);
        vec![format!(
            "successive_halving: brackets of {} trials, rungs after {}",
            halving.size,
            halving.ladder.text(halving.ladder.len())
        )]
    }
    fn create(&self, settings: &Settings) -> Box<dyn Schedule> {
        Box::new(Halving::new(settings))
    }
}

struct Halving {
    ladder: Ladder,
    factor: u64,
    /// Trials of a bracket.
    size: u64,
}

impl Halving {
    fn new(settings: &Settings) -> Self {
        let (ladder, factor) = (Ladder::geometric(settings), settings.chosen.count(&REDUCTION_FACTOR));
        let size = factor.pow(ladder.len() as u32);
        Self { ladder, factor, size }
    }
}

impl Schedule for Halving {
    fn cohort(&self, number: u64) -> Range<u64> {
        let first = number / self.size * self.size;
        first..first + self.size
    }
    fn rungs(&self, _: u64, steps_per_epoch: u64) -> Vec<u32> {
        self.ladder.epochs(self.ladder.len(), steps_per_epoch)
    }
    fn decide(&self, records: &Records, number: u64, rung: usize) -> Option<Decision> {
        let numbers = self.cohort(number);
        Bracket { numbers, factor: self.factor }.decide(records, number, rung)
    }
    fn looks_back_to(&self, number: u64) -> u64 {
        self.cohort(number).start
    }
}
