//! Schedules: one file each. A schedule decides how long each trial may train; early stopping, which
//! looks at one trial alone, is the study's.

mod none;

use crate::error::{Result, unknown_name};
use crate::model::metric::Direction;
use crate::setting::Setting;

/// Every schedule.
pub static ALL: &[&dyn ScheduleKind] = &[&none::NoSchedule];

/// What a schedule is created with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The most epochs of a trial.
    pub max_epochs: u32,
    /// Which way is better.
    pub direction: Direction,
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
    /// A schedule at its start.
    fn create(&self, settings: Settings) -> Box<dyn Schedule>;
}

/// A trial that has reached a rung.
#[derive(Clone, Copy, Debug)]
pub struct AtRung<'a> {
    /// Which trial.
    pub number: u64,
    /// (epoch) its objective after each epoch so far, the mean over its folds.
    pub curve: &'a [f64],
}

/// What becomes of a trial at a rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It trains on to the next rung, or to the end where there is none.
    Continue,
    /// It ends here, pruned.
    Stop,
}

/// Decides how long trials train.
pub trait Schedule: Send {
    /// The first rung after so many epochs; `None` where a trial trains to its end undisturbed.
    fn next_rung(&self, epochs: u32) -> Option<u32>;
    /// What becomes of a trial that has reached a rung.
    fn decide(&mut self, trial: AtRung<'_>) -> Decision;
}

/// The schedule of this name; an unknown one is refused, naming the nearest.
pub fn named(place: &str, name: &str) -> Result<&'static dyn ScheduleKind> {
    ALL.iter()
        .copied()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| unknown_name(place, "schedule", name, ALL.iter().map(|kind| kind.name())))
}

/// A schedule of this name, at its start.
pub fn create(name: &str, settings: Settings) -> Result<Box<dyn Schedule>> {
    Ok(named("schedule.kind", name)?.create(settings))
}
