//! How far a submission takes a member. Known when it is planned, so that the next submission can be
//! planned before the device is done with this one.

use super::shard::Tenant;
use crate::engine::MemberId;
use std::ops::Range;

/// What a submission does with one member.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Whose.
    pub id: MemberId,
    /// Its epochs when this was planned: what comes back later than its end is of no use.
    pub epoch: u32,
    /// Steps taken once this is done.
    pub step: u64,
    /// Which of its validation rows are scored.
    pub scored: Range<u32>,
    /// Whether the epoch is done and scored then.
    pub ends: bool,
}

impl Progress {
    /// `steps` more steps, then some of the validation rows.
    pub fn new(id: MemberId, tenant: &Tenant, steps: u64, scored: Range<u32>) -> Self {
        let ends = steps == tenant.steps_left() && scored.end == tenant.fold.validation_count;
        Self { id, epoch: tenant.epoch, step: tenant.step + steps, scored, ends }
    }
}
