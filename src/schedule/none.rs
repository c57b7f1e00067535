//! No schedule: every trial trains all epochs, unless early stopping ends it.

use super::{Decision, Records, Schedule, ScheduleKind, Settings};

/// No schedule.
pub struct NoSchedule;

impl ScheduleKind for NoSchedule {
    fn name(&self) -> &'static str {
        "none"
    }
    fn summary(&self) -> &'static str {
        "every trial trains all epochs, unless early stopping ends it"
    }
    fn create(&self, _: &Settings) -> Box<dyn Schedule> {
        Box::new(Self)
    }
}

impl Schedule for NoSchedule {
    fn rungs(&self, _: u64, _: u64) -> Vec<u32> {
        Vec::new()
    }
    fn decide(&self, _: &Records, _: u64, _: usize) -> Option<Decision> {
        Some(Decision::Continue)
    }
    fn looks_back_to(&self, number: u64) -> u64 {
        number
    }
}
