//! Which members there is room for, and in which shard each finds it.

use super::GpuEngine;
use super::device::DeviceFacts;
use super::footprint::Footprint;
use super::plan::Plan;
use super::resident::layout::Layout;
use super::shard::Shard;
use super::table_data::FoldPlace;
use crate::engine::{MemberId, MemoryLimit, Snapshot};
use crate::error::{Error, Result};
use crate::model::recipe::Member;

/// Device memory the arenas may take where the user says nothing: wgpu does not tell how much a device
/// has. A failed allocation is not an error; members then wait for room.
const DEFAULT_MEMORY: u64 = 4 << 30;
/// The same for a software adapter, whose memory is the machine's.
const SOFTWARE_MEMORY: u64 = 1 << 30;
/// Members of the first shard; each further shard has room for four times as many.
const FIRST_SHARD_MEMBERS: u64 = 128;
/// Most members at once on a real device, and on a software adapter, where more only delay the first.
const MOST_MEMBERS: usize = 16_384;
const MOST_MEMBERS_SOFTWARE: usize = 64;

/// Bytes that the arenas may take on a device, of what a user allows.
pub fn planned_memory(facts: &DeviceFacts, limit: Option<MemoryLimit>) -> u64 {
    let planned = if facts.software { SOFTWARE_MEMORY } else { DEFAULT_MEMORY };
    match limit {
        None => planned,
        Some(MemoryLimit::Bytes(bytes)) => bytes,
        Some(MemoryLimit::Percent(percent)) => (planned as f64 * percent / 100.0) as u64,
    }
}

/// Bytes of those that looks inside members may take.
pub fn look_share(memory: u64) -> u64 {
    memory / 16
}

impl GpuEngine {
    /// How a member is trained, and what it takes.
    pub(super) fn footprint(&self, member: &Member) -> (Plan, Footprint, FoldPlace) {
        let place = self.data.places[member.fold];
        let (train_count, validation_count) = (place.train_count as usize, place.validation_count);
        let plan = self.plan_of(member);
        let footprint = match plan {
            Plan::Tiled => Footprint::of(member, train_count, validation_count as usize),
            Plan::Resident(variant) => {
                let (batch, _) = member.recipe.steps(train_count);
                let layout =
                    Layout::of(member, batch as u32, validation_count).expect("the variant holds it");
                let output_rows = if self.job.with_outputs { validation_count } else { 0 };
                Footprint::resident(member, &layout, variant, output_rows)
            }
        };
        (plan, footprint, place)
    }

    /// Memory for new shards, where those that are empty make room unless they serve the plan themselves.
    fn memory_left(&self, plan: Plan, footprint: Footprint) -> u64 {
        let stays = |shard: &&Shard| !shard.is_empty() || shard.serves(plan, footprint);
        let held: u64 = self.shards.values().filter(stays).map(Shard::bytes).sum();
        self.memory.saturating_sub(held + self.look_bytes)
    }

    /// Members at once at most.
    pub(super) fn most_members(&self) -> usize {
        if self.gpu.facts.software { MOST_MEMBERS_SOFTWARE } else { MOST_MEMBERS }
    }

    /// How many members of this footprint a new shard may hold, before the device is asked.
    fn new_shard_room(&self, member: &Member, plan: Plan, footprint: Footprint) -> u64 {
        let clips = member.recipe.clip_norm > 0.0;
        let by_memory = self.memory_left(plan, footprint) / footprint.with_gap(self.gap).bytes(clips);
        // Half of what is left: members of another plan find room beside them.
        let by_memory = by_memory.div_ceil(2);
        by_memory.min(Shard::largest(footprint, self.gpu.facts.binding_limit, self.gap))
    }

    /// A shard with room for the footprint: one that there is, or a new one in the place of those that are
    /// empty.
    fn home_for(&mut self, member: &Member, plan: Plan, footprint: Footprint) -> Result<usize> {
        if let Some((&home, _)) = self.shards.iter().find(|(_, shard)| shard.serves(plan, footprint)) {
            return Ok(home);
        }
        self.shards.retain(|_, shard| !shard.is_empty());
        let alike = self.shards.values().filter(|shard| shard.plan == plan).count();
        let wanted = FIRST_SHARD_MEMBERS << (2 * alike.min(8));
        let most = self.new_shard_room(member, plan, footprint).min(wanted);
        let mut count = most;
        // A failed allocation halves what is asked for; results do not depend on how members share shards.
        while count > 0 {
            if let Some(shard) = Shard::allocate(&self.gpu, plan, footprint, count, self.gap) {
                let home = self.shards.last_key_value().map_or(0, |(last, _)| last + 1);
                self.shards.insert(home, shard);
                return Ok(home);
            }
            count /= 2;
        }
        if most > 0 {
            // The device has no more than what it gave: what is freed may be taken again, and no more than that.
            self.memory = self.shards.values().map(Shard::bytes).sum();
        }
        Err(Error::device(
            &self.gpu.facts.name,
            format!("no room for a member of {} bytes", footprint.bytes(false)),
        )
        .allowed(format!("{} bytes for all members", self.memory))
        .advice("--memory, a smaller model or --engine cpu"))
    }

    /// Takes a member in a given state.
    pub(super) fn place(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        self.check_alone(&member)?;
        let (plan, footprint, fold) = self.footprint(&member);
        let home = self.home_for(&member, plan, footprint)?;
        let shard = self.shards.get_mut(&home).expect("it was found, or made, a moment ago");
        shard.admit(&self.gpu, id, member, (footprint, fold), snapshot)?;
        self.homes.insert(id, home);
        Ok(())
    }

    /// Which shard a member lives in.
    pub(super) fn home(&self, id: MemberId) -> Result<usize> {
        self.homes.get(&id).copied().ok_or_else(|| {
            Error::device(&self.gpu.facts.name, format!("there is no member {id} on the device"))
        })
    }

    /// How many more members like this one can be admitted now.
    pub(super) fn room_for(&self, member: &Member) -> usize {
        if self.check_alone(member).is_err() {
            return 0;
        }
        let (plan, footprint, _) = self.footprint(member);
        let alike = self.shards.values().filter(|shard| shard.plan == plan);
        let held: u64 = alike.map(|shard| u64::from(shard.room(footprint))).sum();
        let room = held + self.new_shard_room(member, plan, footprint);
        room.min(self.most_members().saturating_sub(self.homes.len()) as u64) as usize
    }

    /// Whether a member could ever be admitted, alone.
    pub(super) fn check_alone(&self, member: &Member) -> Result<()> {
        let (_, footprint, _) = self.footprint(member);
        let limit = self.gpu.facts.binding_limit;
        let needs = [("optimizer state", 32 * footprint.parameters), ("activations", 16 * footprint.scratch)];
        for (what, bytes) in needs {
            if bytes > limit {
                return Err(Error::device(
                    &self.gpu.facts.name,
                    format!("{what} of one member take {bytes} bytes in one binding"),
                )
                .allowed(format!("{limit} bytes"))
                .advice("narrower layers, a smaller batch_size, or --engine cpu"));
            }
        }
        let bytes = footprint.bytes(member.recipe.clip_norm > 0.0);
        if bytes > self.memory {
            return Err(Error::device(&self.gpu.facts.name, format!("one member takes {bytes} bytes"))
                .allowed(format!("{} bytes for all members", self.memory))
                .advice("a larger --memory, narrower layers, or --engine cpu"));
        }
        Ok(())
    }
}
