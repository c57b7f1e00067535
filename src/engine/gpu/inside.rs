//! Looks inside members: on copies of their states, by the kernels of the tiled plan, whatever plan trains them.
//!
//! Counts alone come back to the host. The copies live in a shard of their own, for as long as a look takes; once
//! there was one, members leave it a share of the memory.

use super::GpuEngine;
use super::footprint::Footprint;
use super::pipelines::{Kernel, Role, compile_one};
use super::plan::Plan;
use super::room::look_share;
use super::shard::{Shard, Tenant};
use super::slice::look::{self, Beside, HISTOGRAMS};
use crate::engine::{MemberId, Snapshot};
use crate::error::Result;
use crate::model::inside::{BINS, Histogram, LayerProbe, Probe};
use crate::model::recipe::Member;

/// What a member that does not clip clips at while it is looked into: never, but its gradient is left where it can be
/// counted.
const NEVER: f64 = 1e30;
/// Words of a histogram; the twin of WORDS in `shaders/kernel/inside.wgsl`.
const WORDS: usize = BINS + 4;

/// What a look at one member takes.
#[derive(Clone, Copy)]
struct Need {
    /// As in training by the tiled plan.
    own: Footprint,
    /// vec4 of scratch beside that: of parameters, of pre-activations.
    beside: [u64; 2],
}

impl Need {
    /// Of all arenas together.
    fn total(needs: &[Self]) -> Footprint {
        let sum = |part: fn(&Self) -> u64| needs.iter().map(part).sum();
        Footprint {
            parameters: sum(|need| need.own.parameters),
            scratch: sum(|need| need.own.scratch + need.beside[0] + need.beside[1]),
            rows: sum(|need| need.own.rows),
            results: sum(|need| need.own.results),
        }
    }
}

impl GpuEngine {
    /// Looks inside members that are not being trained, as many at a time as the memory for it holds.
    pub(super) fn look_inside(&mut self, ids: &[MemberId]) -> Result<Vec<Option<Probe>>> {
        if self.inside.is_none() {
            self.inside = Some(compile_one(&self.gpu, Kernel::Inside, &self.inside_source, &[])?);
        }
        self.look_bytes = look_share(self.memory);
        let mut probes = Vec::with_capacity(ids.len());
        while probes.len() < ids.len() {
            let left = &ids[probes.len()..];
            let mut count = self.fitting(left)?;
            let looked = loop {
                if count == 0 {
                    // Not even one finds room.
                    break vec![None];
                }
                if let Some(seen) = self.look_at(&left[..count])? {
                    break seen.into_iter().map(Some).collect();
                }
                count /= 2;
            };
            probes.extend(looked);
        }
        Ok(probes)
    }

    fn need(&self, member: &Member) -> Need {
        let fold = self.data.places[member.fold];
        let own = Footprint::of(member, fold.train_count as usize, fold.validation_count as usize);
        Need { own, beside: Beside::size(&member.network, own.parameters, own.rows) }
    }

    /// How many of the first members find room together.
    fn fitting(&self, ids: &[MemberId]) -> Result<usize> {
        let limit = self.gpu.facts.binding_limit;
        let mut needs = Vec::new();
        for &id in ids {
            let (_, tenant) = self.tenant(id)?;
            needs.push(self.need(&tenant.member));
            let total = Need::total(&needs);
            let is_bound = 32 * total.parameters <= limit && 16 * total.scratch <= limit;
            if !is_bound || total.bytes(true) > self.look_bytes {
                return Ok(needs.len() - 1);
            }
        }
        Ok(needs.len())
    }

    /// Looks at some members at once; `None` where the device has no memory for it.
    fn look_at(&self, ids: &[MemberId]) -> Result<Option<Vec<Probe>>> {
        let mut needs = Vec::new();
        for &id in ids {
            needs.push(self.need(&self.tenant(id)?.1.member));
        }
        let Some(mut aside) = Shard::allocate(&self.gpu, Plan::Tiled, Need::total(&needs), 1, 0) else {
            return Ok(None);
        };
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        let mut beside = Vec::new();
        for (&id, need) in ids.iter().zip(&needs) {
            beside.push(self.copy_aside(id, *need, &mut aside, &mut encoder)?);
        }
        self.gpu.queue.submit([encoder.finish()]);
        let asked: Vec<(MemberId, &Tenant, Beside)> =
            ids.iter().zip(beside).map(|(id, beside)| (*id, &aside.tenants[id], beside)).collect();
        let slice = look::plan(&asked, &self.job.dataset, self.data.targets_at, &self.tiled.tiles);
        let layer_counts: Vec<usize> =
            asked.iter().map(|(_, tenant, _)| tenant.member.network.layer_count()).collect();
        let histogram_count = HISTOGRAMS * layer_counts.iter().sum::<usize>();
        let counts = self.gpu.storage("counts", (4 * WORDS * histogram_count) as u64)?;
        let encoder = self.record_look(&aside, &slice, counts.clone())?;
        let results = aside.buffer(Role::Results).expect("every shard has results");
        let ranges = [(&counts, 0, (4 * WORDS * histogram_count) as u64), (results, 0, results.size())];
        let bytes = self.gpu.finish(&self.gpu.submit(encoder, &ranges))?;
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&bytes);
        let (counts, results) = words.split_at(WORDS * histogram_count);
        let mut layers = counts.chunks_exact(HISTOGRAMS * WORDS);
        let probe = |(_, tenant, _): &(MemberId, &Tenant, Beside)| Probe {
            step: tenant.step,
            loss: f64::from(f32::from_bits(results[tenant.place.results as usize])),
            layers: (tenant.member.network.layers().zip(&mut layers))
                .map(|((_, units), words)| layer_probe(units, words))
                .collect(),
        };
        Ok(Some(asked.iter().map(probe).collect()))
    }

    /// Copies a member's state into the shard of the look; says where the rest of what is looked at will lie.
    fn copy_aside(
        &self,
        id: MemberId,
        need: Need,
        aside: &mut Shard,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Beside> {
        let (shard, source) = self.tenant(id)?;
        let mut member = source.member.clone();
        if member.recipe.clip_norm <= 0.0 {
            member.recipe.clip_norm = NEVER;
        }
        // Its numbers are copied; what is left empty is not written.
        let state = Snapshot { epoch: source.epoch, step: source.step, ..Snapshot::fresh(Vec::new()) };
        aside.admit(&self.gpu, id, member, (need.own, source.fold), &state)?;
        let [parameters, pre_activations] = need.beside.map(|size| aside.take_scratch(size as u32));
        let beside = Beside { parameters, pre_activations };
        let copy = &aside.tenants[&id];
        let ranges = shard.snapshot_ranges(source).into_iter().zip(aside.snapshot_ranges(copy));
        for ((buffer, start, bytes), (target, at, _)) in ranges {
            encoder.copy_buffer_to_buffer(buffer, start, target, at, bytes);
        }
        let (weights, start, bytes) = shard.snapshot_ranges(source)[0];
        let scratch = aside.buffer(Role::Scratch).expect("every shard has scratch");
        encoder.copy_buffer_to_buffer(weights, start, scratch, 16 * u64::from(parameters), bytes);
        Ok(beside)
    }
}

/// What the words of a layer's histograms say.
fn layer_probe(units: usize, words: &[u32]) -> LayerProbe {
    let part = |kind: usize| &words[kind * WORDS..][..WORDS];
    let histogram = |kind: usize| Histogram { counts: std::array::from_fn(|bin| part(kind)[bin]) };
    let sum = |kind: usize, at: usize| f64::from(f32::from_bits(part(kind)[BINS + 2 + at]));
    LayerProbe {
        pre_activations: histogram(0),
        activations: histogram(1),
        d_pre_activations: histogram(2),
        gradients: histogram(3),
        update_ratios: histogram(4),
        unit_count: units as u32,
        closed_count: u64::from(part(1)[BINS]),
        dead_count: part(1)[BINS + 1],
        activation_sum: sum(1, 0),
        d_square_sum: sum(2, 0),
        weight_square_sum: sum(4, 0),
        update_square_sum: sum(4, 1),
    }
}
