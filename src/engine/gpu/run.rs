//! Records a slice of the tiled plan: uploads its tables, then its dispatches, all of them in few passes.

use super::binding::{self, DISPATCH_STRIDE, bind, uniforms};
use super::device::GpuDevice;
use super::flight::{OutputRange, Recorded};
use super::pace::Budget;
use super::pipelines::{Kernel, Role};
use super::slice::{Slice, Stage};
use super::stamps::Stamps;
use super::tables::DispatchRow;
use super::{GpuEngine, Shard};
use crate::error::Result;
use crate::random::key_of;

/// The outputs of scored members, kept before the loss kernel overwrites them.
struct OutputCopies {
    buffer: wgpu::Buffer,
    /// (scored member)
    ranges: Vec<OutputRange>,
}

impl GpuEngine {
    /// Records a slice of the tiled plan.
    pub(super) fn record_tiled(&self, shard: &Shard, slice: Slice) -> Result<Recorded> {
        let outputs = self.output_copies(shard, &slice)?;
        let tables = Tables::upload(&self.gpu, &slice)?;
        let (encoder, stamps) = self.record(shard, &slice, &tables, outputs.as_ref())?;
        let work = Budget { total: slice.operations, longest: slice.operations };
        let outputs = outputs.map_or_else(Vec::new, |copies| copies.ranges);
        Ok(Recorded { encoder, stamps, progress: slice.progress, outputs, work })
    }

    fn output_copies(&self, shard: &Shard, slice: &Slice) -> Result<Option<OutputCopies>> {
        let scored = slice.progress.iter().enumerate().filter(|(_, progress)| !progress.scored.is_empty());
        let mut places = Vec::new();
        let mut bytes = 0;
        for (index, progress) in scored {
            let count = shard.tenants[&progress.id].member.network.output_count;
            let range = (index, bytes, progress.scored.len(), count);
            bytes += OutputRange::bytes_of(progress.scored.len(), count);
            places.push(range);
        }
        if !self.job.with_outputs || places.is_empty() {
            return Ok(None);
        }
        let buffer = self.gpu.storage("outputs", bytes)?;
        let range =
            |(index, start, rows, count)| OutputRange { index, buffer: buffer.clone(), start, rows, count };
        let ranges = places.into_iter().map(range).collect();
        Ok(Some(OutputCopies { buffer, ranges }))
    }

    /// Records the slice of a look inside members, which counts in a buffer.
    pub(super) fn record_look(
        &self,
        shard: &Shard,
        slice: &Slice,
        counts: wgpu::Buffer,
    ) -> Result<wgpu::CommandEncoder> {
        let tables = Tables { counts: Some(counts), ..Tables::upload(&self.gpu, slice)? };
        Ok(self.record(shard, slice, &tables, None)?.0)
    }

    fn record(
        &self,
        shard: &Shard,
        slice: &Slice,
        tables: &Tables,
        outputs: Option<&OutputCopies>,
    ) -> Result<(wgpu::CommandEncoder, Option<Stamps>)> {
        let stamps = Stamps::new(&self.gpu);
        let mut dispatches = Dispatches::default();
        let member_count = slice.members.len() as u32;
        let mut tick_at = 0;
        let phases = [(&slice.training, slice.training_ticks), (&slice.scoring, slice.scoring_ticks)];
        for (stages, ticks) in phases {
            for _ in 0..ticks {
                for stage in stages {
                    dispatches.push(self, shard, stage, tick_at * member_count);
                }
                tick_at += 1;
            }
        }
        let uniforms = uniforms(&self.gpu, &dispatches.bytes);
        let groups = self.bind_groups(shard, tables, &uniforms);
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        let scoring_loss = |index: usize| outputs.filter(|_| dispatches.list[index].scoring_loss(slice));
        let mut next = 0;
        let mut scoring_tick = 0;
        while next < dispatches.list.len() {
            // A pass runs up to the next loss of a scoring tick, before which outputs are copied out.
            if let Some(copies) = scoring_loss(next) {
                copy_outputs(&mut encoder, shard, slice, copies, scoring_tick);
                scoring_tick += 1;
            }
            let mut pass = Stamps::begin_pass(stamps.as_ref(), &mut encoder, next == 0);
            let mut current = None;
            loop {
                let dispatch = &dispatches.list[next];
                if current != Some((dispatch.kernel, dispatch.variant)) {
                    pass.set_pipeline(self.pipeline(dispatch.kernel, dispatch.variant));
                    current = Some((dispatch.kernel, dispatch.variant));
                }
                let group = &groups[dispatch.kernel as usize][dispatch.table_shard];
                pass.set_bind_group(0, group, &[dispatch.offset]);
                binding::dispatch(&mut pass, dispatch.groups);
                next += 1;
                if next == dispatches.list.len() || scoring_loss(next).is_some() {
                    break;
                }
            }
        }
        Ok((encoder, stamps))
    }

    /// (kernel, table shard) One bind group each; kernels that do not read the table have one.
    fn bind_groups(
        &self,
        shard: &Shard,
        tables: &Tables,
        uniforms: &wgpu::Buffer,
    ) -> Vec<Vec<wgpu::BindGroup>> {
        let group = |kernel: Kernel, table: &wgpu::Buffer| {
            let buffer = |role: Role| match role {
                Role::Table => table,
                Role::Folds => &self.data.folds,
                Role::Members => &tables.members,
                Role::Layers => &tables.layers,
                Role::Work => &tables.work,
                Role::Controls => &tables.controls,
                Role::Factors => &tables.factors,
                Role::Counts => tables.counts.as_ref().expect("a look has counts"),
                _ => shard.buffer(role).expect("every other role belongs to the shard"),
            };
            bind(&self.gpu, kernel, &self.compiled(kernel).layout, uniforms, buffer)
        };
        let counting = tables.counts.as_ref().map(|_| Kernel::Inside);
        Kernel::TILED
            .iter()
            .copied()
            .chain(counting)
            .map(|kernel| {
                let shards = if kernel == Kernel::Gather { self.data.shards.len() } else { 1 };
                self.data.shards[..shards].iter().map(|table| group(kernel, &table.buffer)).collect()
            })
            .collect()
    }
}

/// Copies the outputs of one scoring tick out of the scratch arena.
fn copy_outputs(
    encoder: &mut wgpu::CommandEncoder,
    shard: &Shard,
    slice: &Slice,
    copies: &OutputCopies,
    tick: u64,
) {
    let scratch = shard.buffer(Role::Scratch).expect("every shard has scratch");
    let controls = &slice.controls[((slice.training_ticks + tick) as usize) * slice.members.len()..];
    for range in &copies.ranges {
        let (control, member) = (controls[range.index], slice.members[range.index]);
        // Scored already, in an earlier tick: even no bytes may not be copied beyond the buffer's end.
        if control.row_count == 0 {
            continue;
        }
        let before = control.row_start - slice.progress[range.index].scored.start;
        encoder.copy_buffer_to_buffer(
            scratch,
            16 * u64::from(member.output_at),
            &copies.buffer,
            range.start + OutputRange::bytes_of(before as usize, range.count),
            OutputRange::bytes_of(control.row_count as usize, range.count),
        );
    }
}

/// The tables of a slice on the device.
struct Tables {
    members: wgpu::Buffer,
    layers: wgpu::Buffer,
    work: wgpu::Buffer,
    controls: wgpu::Buffer,
    factors: wgpu::Buffer,
    /// Where a look inside counts.
    counts: Option<wgpu::Buffer>,
}

impl Tables {
    fn upload(gpu: &GpuDevice, slice: &Slice) -> Result<Self> {
        Ok(Self {
            members: gpu.storage_with("members", &slice.members)?,
            layers: gpu.storage_with("layers", &slice.layers)?,
            work: gpu.storage_with("work", &slice.work)?,
            controls: gpu.storage_with("controls", &slice.controls)?,
            factors: gpu.storage("factors", 4 * slice.members.len() as u64)?,
            counts: None,
        })
    }
}

/// One recorded dispatch.
struct Dispatch {
    kernel: Kernel,
    variant: usize,
    /// Which shard of the table a gather reads.
    table_shard: usize,
    groups: u32,
    /// Where its row lies in the uniform buffer.
    offset: u32,
    work_at: u32,
}

impl Dispatch {
    fn scoring_loss(&self, slice: &Slice) -> bool {
        let first = slice.scoring.first().map_or(u32::MAX, |stage| stage.work.start);
        self.kernel == Kernel::Loss && self.work_at >= first
    }
}

/// All dispatches of a slice, with their uniform rows.
#[derive(Default)]
struct Dispatches {
    list: Vec<Dispatch>,
    bytes: Vec<u8>,
}

impl Dispatches {
    fn push(&mut self, engine: &GpuEngine, shard: &Shard, stage: &Stage, control_at: u32) {
        let tables = if stage.kernel == Kernel::Gather { engine.data.shards.len() } else { 1 };
        for table_shard in 0..tables {
            let rows = &engine.data.shards[table_shard].rows;
            let offset = self.bytes.len() as u32;
            let row = DispatchRow {
                work_at: stage.work.start,
                work_count: stage.work.len() as u32,
                control_at,
                second_moment_at: shard.capacity,
                key: key_of(engine.job.seed),
                data_row_start: rows.start,
                data_row_end: rows.end,
            };
            self.bytes.extend_from_slice(bytemuck::bytes_of(&row));
            self.bytes.resize(offset as usize + DISPATCH_STRIDE as usize, 0);
            let (kernel, variant, groups) = (stage.kernel, stage.variant, stage.work.len() as u32);
            let work_at = stage.work.start;
            self.list.push(Dispatch { kernel, variant, table_shard, groups, offset, work_at });
        }
    }
}
