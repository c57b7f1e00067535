//! Copies the state of a member to a new one without leaving the device.

use super::GpuEngine;
use crate::engine::{MemberId, Snapshot};
use crate::error::Result;
use crate::model::recipe::Member;

impl GpuEngine {
    /// Takes a member in the state of another; false where that has to go by the host: within an epoch, where
    /// the two lie differently in their arenas, or where there is no memory to copy by.
    pub(super) fn copy_on_device(&mut self, id: MemberId, member: &Member, from: MemberId) -> Result<bool> {
        let (shard, source) = self.tenant(from)?;
        let is_between_epochs = source.step == u64::from(source.epoch) * source.steps_per_epoch;
        if !is_between_epochs || self.footprint(member).1.parameters != source.footprint.parameters {
            return Ok(false);
        }
        // A buffer cannot be copied to itself.
        let largest = shard.snapshot_ranges(source).iter().map(|(_, _, bytes)| *bytes).max().unwrap_or(0);
        let Some(between) = self.gpu.try_storage("copies", largest) else { return Ok(false) };
        // Its numbers are copied; what is left empty is not written.
        let state = Snapshot {
            epoch: source.epoch,
            step: source.step,
            loss_sum: f64::from(source.loss_sum),
            kept: source.kept.then(Vec::new),
            ..Snapshot::fresh(Vec::new())
        };
        self.place(id, member.clone(), &state)?;
        let ((shard, source), (other, copy)) = (self.tenant(from)?, self.tenant(id)?);
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        let ranges = shard.snapshot_ranges(source).into_iter().zip(other.snapshot_ranges(copy));
        for ((buffer, start, bytes), (target, at, _)) in ranges {
            encoder.copy_buffer_to_buffer(buffer, start, &between, 0, bytes);
            encoder.copy_buffer_to_buffer(&between, 0, target, at, bytes);
        }
        self.gpu.queue.submit([encoder.finish()]);
        Ok(true)
    }
}
