//! Reads the states of members back to the host.

use super::GpuEngine;
use super::footprint::unpad;
use super::shard::{Shard, Tenant};
use crate::engine::{MemberId, Snapshot};
use crate::error::{Error, Result};

/// Bytes of members' states that are read back at a time.
const READ_AT_ONCE: u64 = 64 << 20;

impl GpuEngine {
    /// The member's shard and what it holds of it.
    pub(super) fn tenant(&self, id: MemberId) -> Result<(&Shard, &Tenant)> {
        let shard = &self.shards[&self.home(id)?];
        let left = || Error::device(&self.gpu.facts.name, format!("member {id} left its shard"));
        Ok((shard, shard.tenants.get(&id).ok_or_else(left)?))
    }

    /// The states of the first members of a list, as many as are read back in one go; at least one.
    pub(super) fn read_snapshots(&self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        let mut ranges = Vec::new();
        let mut members = Vec::new();
        let mut total = 0;
        for &id in ids {
            let (shard, tenant) = self.tenant(id)?;
            let own = shard.snapshot_ranges(tenant);
            total += own.iter().map(|(_, _, bytes)| bytes).sum::<u64>();
            if total > READ_AT_ONCE && !members.is_empty() {
                break;
            }
            ranges.extend(own);
            members.push(tenant);
        }
        let encoder = self.gpu.device.create_command_encoder(&Default::default());
        let bytes = self.gpu.finish(&self.gpu.submit(encoder, &ranges))?;
        let mut parts = ranges.iter().scan(&bytes[..], |left, (_, _, length)| {
            let (part, rest) = left.split_at(*length as usize);
            *left = rest;
            Some(bytemuck::pod_collect_to_vec::<u8, f32>(part))
        });
        let snapshot = |tenant: &Tenant| {
            let mut next = || unpad(&tenant.member.network, &parts.next().unwrap_or_default());
            Snapshot {
                epoch: tenant.epoch,
                step: tenant.step,
                loss_sum: f64::from(tenant.loss_sum),
                parameters: next(),
                m: next(),
                v: next(),
                kept: tenant.kept.then(next),
            }
        };
        Ok(members.into_iter().map(snapshot).collect())
    }
}
