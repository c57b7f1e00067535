//! Schedules: one file each. A schedule decides at rungs how long each trial trains; early stopping, which
//! looks at one trial alone, is the study's.
//!
//! **A decision is a function of curves and numbers, never of timing.** A schedule sees what trials had come
//! to at rungs ([`Records`]) and may wait until it knows what it needs: the asynchronous ones until every
//! trial of a lower number has come to the same rung or ended, the others until all trials of a bracket or
//! population have. So a study gives the same leaderboard on any device, in any memory, interrupted anywhere.

mod asha;
mod bracket;
mod hyperband;
mod ladder;
mod median;
mod none;
mod population;
mod racing;
mod records;
mod successive_halving;
mod wilcoxon;

pub use ladder::{RUNG_STEPS, descending};
pub use records::{End, Place, Records, Standing};
pub use wilcoxon::signed_rank;

use crate::error::{Result, unknown_name};
use crate::setting::{Chosen, Setting};
use std::ops::Range;

/// Every schedule.
pub static ALL: &[&dyn ScheduleKind] = &[
    &none::NoSchedule,
    &median::Median,
    &successive_halving::SuccessiveHalving,
    &hyperband::Hyperband,
    &asha::Asha,
    &racing::Racing,
    &population::Population,
];

/// What a schedule is created with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The most epochs of a trial, at least 1.
    pub max_epochs: u32,
    /// Folds of a trial, at least 1.
    pub fold_count: usize,
    /// The study's seed.
    pub seed: u64,
    /// The values of the schedule's own settings.
    pub chosen: Chosen,
}

/// The facts of a schedule.
pub trait ScheduleKind: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// What it does, on one line.
    fn summary(&self) -> &'static str;
    /// The numeric settings that it understands, keys of `[schedule]`.
    fn settings(&self) -> &'static [Setting] {
        &[]
    }
    /// Whether trials go on from the weights of others, which only those whose weights are at hand can.
    fn takes_over(&self) -> bool {
        false
    }
    /// What a user should know about what it will do, one fact a line.
    fn notes(&self, _settings: &Settings) -> Vec<String> {
        Vec::new()
    }
    /// A schedule at its start.
    fn create(&self, settings: &Settings) -> Box<dyn Schedule>;
}

/// What becomes of a trial at a rung.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// It trains on to the next rung, or to the end where there is none.
    Continue,
    /// It ends here, pruned.
    Stop,
    /// It takes over the weights and the optimizer's state of another trial of its cohort at the same rung,
    /// which goes on too, and trains on with that one's hyperparameters, changed.
    TakeOver {
        /// From which.
        donor: u64,
        /// Probability that a hyperparameter is drawn anew rather than changed a little.
        resample: f64,
    },
}

/// Decides how long trials train.
pub trait Schedule: Send {
    /// The numbers of the trials that are decided together, this one among them: each of them waits at its
    /// rungs for all others, so they must be able to be under way at the same time. They are a run of numbers
    /// without gaps, and every one of them has the same.
    fn cohort(&self, number: u64) -> Range<u64> {
        number..number + 1
    }
    /// (rung) The epochs after which a trial stands at a rung: ascending, all less than the most epochs of a
    /// trial, for so many steps an epoch (at least 1).
    fn rungs(&self, number: u64, steps_per_epoch: u64) -> Vec<u32>;
    /// What becomes of a trial that has come to a rung, from 0; `None` while it has to wait for others.
    ///
    /// A pure function of the records of the trials that it looks at, which do not change once it is not
    /// `None`; it never waits for a trial of a higher number outside the cohort.
    fn decide(&self, records: &Records, number: u64, rung: usize) -> Option<Decision>;
    /// Whether it looks at single folds.
    fn needs_folds(&self) -> bool {
        false
    }
    /// The lowest number among the trials that a decision on this one or a later one may look at.
    fn looks_back_to(&self, _number: u64) -> u64 {
        0
    }
}

/// The schedule of this name; an unknown one is refused, naming the nearest.
pub fn named(place: &str, name: &str) -> Result<&'static dyn ScheduleKind> {
    ALL.iter()
        .copied()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| unknown_name(place, "schedule", name, ALL.iter().map(|kind| kind.name())))
}

/// A schedule of this name, at its start.
pub fn create(name: &str, settings: &Settings) -> Result<Box<dyn Schedule>> {
    Ok(named("schedule.kind", name)?.create(settings))
}
