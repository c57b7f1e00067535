//! No schedule: every trial trains all epochs, unless early stopping ends it.

use super::{AtRung, Decision, Schedule, ScheduleKind, Settings};

/// No schedule.
pub struct NoSchedule;

impl ScheduleKind for NoSchedule {
    fn name(&self) -> &'static str {
        "none"
    }
    fn summary(&self) -> &'static str {
        "every trial trains all epochs, unless early stopping ends it"
    }
    fn create(&self, _: Settings) -> Box<dyn Schedule> {
        Box::new(Self)
    }
}

impl Schedule for NoSchedule {
    fn next_rung(&self, _: u32) -> Option<u32> {
        None
    }
    fn decide(&mut self, _: AtRung<'_>) -> Decision {
        Decision::Continue
    }
}
