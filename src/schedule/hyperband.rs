//! Hyperband (Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, 2018): brackets of successive halving that
//! trade many trials with few epochs for few trials with many.
//!
//! With R the most epochs, s_max the largest number for which ⌊R/η^s_max⌋ ≥ `min_epochs`: bracket s = s_max, …, 0
//! has n_s = ⌈(s_max + 1)·ηˢ/(s + 1)⌉ trials and s rungs, after ⌊R/ηˢ⌋, …, ⌊R/η⌋ epochs. Trials go through the
//! brackets in this order, and then from the first again. A survivor trains on; it never begins again.

use super::bracket::Bracket;
use super::ladder::{Ladder, MIN_EPOCHS, REDUCTION_FACTOR, RUNG_STEPS};
use super::{Decision, Records, Schedule, ScheduleKind, Settings};
use crate::setting::Setting;
use std::ops::Range;

/// Hyperband.
pub struct Hyperband;

impl ScheduleKind for Hyperband {
    fn name(&self) -> &'static str {
        "hyperband"
    }
    fn summary(&self) -> &'static str {
        "brackets of successive halving, from many short trials to few long ones"
    }
    fn settings(&self) -> &'static [Setting] {
        &[REDUCTION_FACTOR, MIN_EPOCHS, RUNG_STEPS]
    }
    fn notes(&self, settings: &Settings) -> Vec<String> {
        let brackets = Brackets::new(settings);
        let sizes: Vec<String> = brackets.brackets.iter().map(|(size, _)| size.to_string()).collect();
        let (sizes, rungs) = (sizes.join(", "), brackets.ladder.text(brackets.ladder.len()));
        vec![format!(
            "hyperband: brackets of {sizes} trials; the first has rungs after {rungs}, each other one rung less"
        )]
    }
    fn create(&self, settings: &Settings) -> Box<dyn Schedule> {
        Box::new(Brackets::new(settings))
    }
}

struct Brackets {
    ladder: Ladder,
    factor: u64,
    /// Trials and rungs of each, in the order in which they are filled.
    brackets: Vec<(u64, usize)>,
    /// Trials of all.
    round: u64,
}

impl Brackets {
    fn new(settings: &Settings) -> Self {
        let (ladder, factor) = (Ladder::geometric(settings), settings.chosen.count(&REDUCTION_FACTOR));
        let most = ladder.len() as u64;
        let size = |s: u64| ((most + 1) * factor.pow(s as u32)).div_ceil(s + 1);
        let brackets: Vec<(u64, usize)> = (0..=most).rev().map(|s| (size(s), s as usize)).collect();
        let round = brackets.iter().map(|(size, _)| size).sum();
        Self { ladder, factor, brackets, round }
    }

    /// The numbers and the rungs of a trial's bracket.
    fn bracket(&self, number: u64) -> (Range<u64>, usize) {
        let mut first = number / self.round * self.round;
        for &(size, rungs) in &self.brackets {
            if number < first + size {
                return (first..first + size, rungs);
            }
            first += size;
        }
        unreachable!("the brackets of a round have all its numbers")
    }
}

impl Schedule for Brackets {
    fn cohort(&self, number: u64) -> Range<u64> {
        self.bracket(number).0
    }
    fn rungs(&self, number: u64, steps_per_epoch: u64) -> Vec<u32> {
        self.ladder.epochs(self.bracket(number).1, steps_per_epoch)
    }
    fn decide(&self, records: &Records, number: u64, rung: usize) -> Option<Decision> {
        let numbers = self.cohort(number);
        Bracket { numbers, factor: self.factor }.decide(records, number, rung)
    }
    fn looks_back_to(&self, number: u64) -> u64 {
        self.cohort(number).start
    }
}
