//! A shard: buffers below the binding limit, and the members that live in them. A member lives wholly in
//! one shard; kernels run shard by shard.

use super::arena::Arena;
use super::device::GpuDevice;
use super::footprint::{Footprint, SCORING_ROWS, pad};
use super::guards::{self, Region};
use super::pace::Pace;
use super::pipelines::Role;
use super::plan::{self, Plan};
use super::table_data::FoldPlace;
use super::tables::NONE;
use crate::engine::{MemberId, Snapshot};
use crate::error::Result;
use crate::model::recipe::Member;
use std::collections::BTreeMap;

/// Where a member lies in the arenas of its shard.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// First vec4 of its parameters.
    pub parameters: u32,
    /// First vec4 of its scratch.
    pub scratch: u32,
    /// First of its row numbers.
    pub rows: u32,
    /// First of its result words.
    pub results: u32,
}

/// A member on the device.
pub struct Tenant {
    /// What is trained.
    pub member: Member,
    /// How much it takes.
    pub footprint: Footprint,
    /// Where it lies.
    pub place: Place,
    /// Its fold.
    pub fold: FoldPlace,
    /// Rows of a minibatch.
    pub batch: u32,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Epochs trained and scored.
    pub epoch: u32,
    /// Steps taken.
    pub step: u64,
    /// Sum of the losses of the minibatches since the last epoch's end.
    pub loss_sum: f32,
    /// Validation rows that the epoch has been scored on so far.
    pub scored_rows: u32,
    /// Their outputs, where these were asked for.
    pub outputs: Vec<f32>,
    /// Whether another epoch was asked for.
    pub asked: bool,
    /// Whether what was submitted takes it to the end of its epoch.
    pub ending: bool,
    /// Submissions in flight that train it.
    pub flights: u32,
    /// Whether parameters were kept.
    pub kept: bool,
}

/// The buffers of a shard and who lives in them.
pub struct Shard {
    /// Its members.
    pub tenants: BTreeMap<MemberId, Tenant>,
    /// How they are trained.
    pub plan: Plan,
    /// How fast that goes.
    pub pace: Pace,
    /// Submissions that the device is not done with.
    pub in_flight: usize,
    /// vec4 of the weights arena; the second moments begin there in the moments arena.
    pub capacity: u32,
    weights: wgpu::Buffer,
    moments: wgpu::Buffer,
    kept: wgpu::Buffer,
    gradients: Option<wgpu::Buffer>,
    scratch: wgpu::Buffer,
    rows: wgpu::Buffer,
    results: wgpu::Buffer,
    parameter_arena: Arena,
    scratch_arena: Arena,
    row_arena: Arena,
    result_arena: Arena,
    bytes: u64,
    /// Words between the regions of members, filled with the guards' pattern; 0 without guards.
    gap: u64,
}

impl Shard {
    /// A shard for `count` members of one footprint, with gaps of so many words around them; `None` when
    /// the device has no memory for it.
    pub fn allocate(gpu: &GpuDevice, plan: Plan, footprint: Footprint, count: u64, gap: u64) -> Option<Self> {
        let each = footprint.with_gap(gap);
        let (parameters, scratch) = (each.parameters * count + gap / 4, each.scratch * count + gap / 4);
        let (rows, results) = (each.rows * count + gap, each.results * count + gap);
        let mut shard = Self {
            tenants: BTreeMap::new(),
            plan,
            pace: Pace::new(gpu.facts.software),
            in_flight: 0,
            capacity: parameters as u32,
            weights: gpu.try_storage("weights", 16 * parameters)?,
            moments: gpu.try_storage("moments", 32 * parameters)?,
            kept: gpu.try_storage("kept", 16 * parameters)?,
            gradients: None,
            scratch: gpu.try_storage("scratch", 16 * scratch)?,
            rows: gpu.try_storage("rows", 4 * rows)?,
            results: gpu.try_storage("results", 4 * results)?,
            parameter_arena: Arena::new(parameters as u32),
            scratch_arena: Arena::new(scratch as u32),
            row_arena: Arena::new(rows as u32),
            result_arena: Arena::new(results as u32),
            bytes: 64 * parameters + 16 * scratch + 4 * (rows + results),
            gap,
        };
        if gap > 0 {
            // Before the first member lies a gap too.
            shard.parameter_arena.take(gap as u32 / 4)?;
            shard.scratch_arena.take(gap as u32 / 4)?;
            shard.row_arena.take(gap as u32)?;
            shard.result_arena.take(gap as u32)?;
            shard.buffers().iter().for_each(|(_, buffer)| guards::fill(gpu, buffer, 0..buffer.size() / 4));
        }
        Some(shard)
    }

    /// The largest number of members of one footprint whose arenas stay within one binding each.
    pub fn largest(footprint: Footprint, binding_limit: u64, gap: u64) -> u64 {
        // Offsets are counted in words of 32 bits: the loss kernel reads scratch by single numbers. The
        // moments have two gaps before the first member.
        let binding = binding_limit.min(u64::from(u32::MAX)).saturating_sub(8 * gap);
        let footprint = footprint.with_gap(gap);
        let by_moments = binding / (32 * footprint.parameters);
        let by_scratch = binding / (16 * footprint.scratch);
        by_moments.min(by_scratch)
    }

    /// Whether one more member of a plan and a footprint finds room in it.
    pub fn serves(&self, plan: Plan, footprint: Footprint) -> bool {
        self.plan == plan && self.room(footprint) > 0
    }

    /// Whether nobody needs it.
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty() && self.in_flight == 0
    }

    /// Bytes of device memory it holds.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many more members of this footprint fit.
    pub fn room(&self, footprint: Footprint) -> u32 {
        let footprint = footprint.with_gap(self.gap);
        [
            self.parameter_arena.room(footprint.parameters as u32),
            self.scratch_arena.room(footprint.scratch as u32),
            self.row_arena.room(footprint.rows as u32),
            self.result_arena.room(footprint.results as u32),
        ]
        .into_iter()
        .min()
        .unwrap_or(0)
    }

    /// The buffer of a role that belongs to the shard.
    pub fn buffer(&self, role: Role) -> Option<&wgpu::Buffer> {
        Some(match role {
            Role::Weights => &self.weights,
            Role::Moments => &self.moments,
            // Without a member that clips, nothing touches the gradients: any buffer of the shard that the
            // same kernels do not bind stands in.
            Role::Gradients => self.gradients.as_ref().unwrap_or(&self.kept),
            Role::Scratch => &self.scratch,
            Role::Rows => &self.rows,
            Role::Results => &self.results,
            _ => return None,
        })
    }

    /// All buffers of members, with their names.
    pub fn buffers(&self) -> Vec<(&'static str, &wgpu::Buffer)> {
        let always = [
            ("weights", &self.weights),
            ("moments", &self.moments),
            ("kept", &self.kept),
            ("scratch", &self.scratch),
            ("rows", &self.rows),
            ("results", &self.results),
        ];
        always.into_iter().chain(self.gradients.as_ref().map(|buffer| ("gradients", buffer))).collect()
    }

    /// Where a member lies in each of them.
    pub fn regions(&self, tenant: &Tenant) -> Vec<Region<'_>> {
        let Tenant { place, footprint, .. } = tenant;
        let words = |start: u32, length: u64, unit: u64| {
            let start = unit * u64::from(start);
            start..start + unit * length
        };
        let parameters = words(place.parameters, footprint.parameters, 4);
        let second = 4 * u64::from(self.capacity);
        let clips = tenant.member.recipe.clip_norm > 0.0;
        let region =
            |label, buffer, words, is_used, is_padded| Region { label, buffer, words, is_used, is_padded };
        let mut regions = vec![
            region("weights", &self.weights, parameters.clone(), true, true),
            region("moments", &self.moments, parameters.clone(), true, true),
            region("moments", &self.moments, parameters.start + second..parameters.end + second, true, true),
            region("kept", &self.kept, parameters.clone(), tenant.kept, true),
            region("scratch", &self.scratch, words(place.scratch, footprint.scratch, 4), true, false),
            region("rows", &self.rows, words(place.rows, footprint.rows, 1), true, false),
            region("results", &self.results, words(place.results, footprint.results, 1), true, false),
        ];
        let gradients = self.gradients.as_ref();
        regions.extend(gradients.map(|buffer| region("gradients", buffer, parameters, clips, false)));
        regions
    }

    /// Takes a member in a given state. There must be room. Of a state whose numbers are left empty, nothing is
    /// written: they are copied here.
    pub fn admit(
        &mut self,
        gpu: &GpuDevice,
        id: MemberId,
        member: Member,
        (footprint, fold): (Footprint, FoldPlace),
        snapshot: &Snapshot,
    ) -> Result<()> {
        if member.recipe.clip_norm > 0.0 && self.gradients.is_none() {
            let gradients = gpu.storage("gradients", 16 * u64::from(self.capacity))?;
            if self.gap > 0 {
                guards::fill(gpu, &gradients, 0..gradients.size() / 4);
            }
            self.gradients = Some(gradients);
            self.bytes += 16 * u64::from(self.capacity);
        }
        let each = footprint.with_gap(self.gap);
        let place = Place {
            parameters: self.parameter_arena.take(each.parameters as u32).expect("room was checked"),
            scratch: self.scratch_arena.take(each.scratch as u32).expect("room was checked"),
            rows: self.row_arena.take(each.rows as u32).expect("room was checked"),
            results: self.result_arena.take(each.results as u32).expect("room was checked"),
        };
        let (batch, steps_per_epoch) = member.recipe.steps(fold.train_count as usize);
        let at = 16 * u64::from(place.parameters);
        let second = 16 * u64::from(self.capacity);
        let write = |buffer: &wgpu::Buffer, at: u64, content: &[f32]| {
            if !content.is_empty() {
                gpu.queue.write_buffer(buffer, at, bytemuck::cast_slice(&pad(&member.network, content)));
            }
        };
        write(&self.weights, at, &snapshot.parameters);
        write(&self.moments, at, &snapshot.m);
        write(&self.moments, at + second, &snapshot.v);
        if let Some(kept) = &snapshot.kept {
            write(&self.kept, at, kept);
        }
        let loss_sum = snapshot.loss_sum as f32;
        if snapshot.step > u64::from(snapshot.epoch) * steps_per_epoch {
            // In the middle of an epoch nothing starts afresh: the sum goes on, and no step has diverged.
            let words = [loss_sum.to_bits(), NONE];
            gpu.queue.write_buffer(&self.results, 4 * u64::from(place.results), bytemuck::cast_slice(&words));
        }
        let tenant = Tenant {
            footprint,
            place,
            fold,
            batch: batch as u32,
            steps_per_epoch,
            epoch: snapshot.epoch,
            step: snapshot.step,
            loss_sum,
            scored_rows: 0,
            outputs: Vec::new(),
            asked: false,
            ending: false,
            flights: 0,
            kept: snapshot.kept.is_some(),
            member,
        };
        self.tenants.insert(id, tenant);
        Ok(())
    }

    /// Takes so many vec4 of scratch beside what members have. There must be room.
    pub fn take_scratch(&mut self, count: u32) -> u32 {
        self.scratch_arena.take(count).expect("room was planned")
    }

    /// Frees a member's room.
    pub fn retire(&mut self, gpu: &GpuDevice, id: MemberId) {
        let Some(tenant) = self.tenants.remove(&id) else { return };
        if self.gap > 0 {
            let used = self.regions(&tenant).into_iter().filter(|region| region.is_used);
            used.for_each(|region| guards::fill(gpu, region.buffer, region.words));
        }
        let (place, each) = (tenant.place, tenant.footprint.with_gap(self.gap));
        self.parameter_arena.give(place.parameters, each.parameters as u32);
        self.scratch_arena.give(place.scratch, each.scratch as u32);
        self.row_arena.give(place.rows, each.rows as u32);
        self.result_arena.give(place.results, each.results as u32);
    }

    /// Records the copy of a member's parameters to where they are kept.
    pub fn keep(&mut self, id: MemberId, encoder: &mut wgpu::CommandEncoder) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        let (at, bytes) = tenant.byte_range();
        encoder.copy_buffer_to_buffer(&self.weights, at, &self.kept, at, bytes);
        tenant.kept = true;
    }

    /// The ranges to read for a member's snapshot: parameters, both moments, and what was kept.
    pub fn snapshot_ranges(&self, tenant: &Tenant) -> Vec<(&wgpu::Buffer, u64, u64)> {
        let (at, bytes) = tenant.byte_range();
        let second = at + 16 * u64::from(self.capacity);
        let mut ranges =
            vec![(&self.weights, at, bytes), (&self.moments, at, bytes), (&self.moments, second, bytes)];
        if tenant.kept {
            ranges.push((&self.kept, at, bytes));
        }
        ranges
    }
}

impl Tenant {
    /// First byte and bytes of its parameters in the weights arena.
    fn byte_range(&self) -> (u64, u64) {
        (16 * u64::from(self.place.parameters), 16 * self.footprint.parameters)
    }

    /// Steps left of the epoch it is in; 0 where that is still to be scored.
    pub fn steps_left(&self) -> u64 {
        ((u64::from(self.epoch) + 1) * self.steps_per_epoch).saturating_sub(self.step)
    }

    /// Most rows of a scoring tick.
    pub fn scoring_rows(&self) -> u32 {
        (self.footprint.rows as u32)
            .min(self.fold.validation_count)
            .max(1)
            .min((SCORING_ROWS as u32).max(self.batch))
    }

    /// Whether it can be taken further.
    pub fn goes_on(&self) -> bool {
        self.asked && !self.ending
    }

    /// Floating-point operations of one step.
    pub fn operations(&self) -> f64 {
        plan::operations(&self.member, self.batch as usize)
    }

    /// The same of one scoring tick: 2·P·rows.
    pub fn scoring_operations(&self) -> f64 {
        2.0 * self.member.network.parameter_count() as f64 * f64::from(self.scoring_rows())
    }
}
