//! Runs one slice of one shard: uploads its tables, records its dispatches, reads its results.

use super::device::{GpuDevice, Pending};
use super::pipelines::{DISPATCH_STRIDE, Kernel, Role};
use super::slice::{Slice, Stage, plan};
use super::tables::{DispatchRow, NONE};
use super::{GpuEngine, Shard};
use crate::engine::Report;
use crate::error::Result;
use crate::model::metric::Evaluation;
use crate::random::key_of;
use std::time::Instant;

/// How long one submission should take at most: watchdogs kill long ones, and a user waits for them.
const SUBMISSION_SECONDS: f64 = 0.05;
/// Workgroups in one row of a dispatch; the twin of DISPATCH_WIDTH in shaders/prelude.wgsl.
pub const DISPATCH_WIDTH: u32 = 32_768;

/// A slice on the device.
struct Running {
    home: usize,
    slice: Slice,
    pending: Pending,
    result_bytes: usize,
    output_places: Option<Vec<OutputPlace>>,
}

/// How fast the device is, as far as it was seen.
pub struct Pace {
    operations_per_second: f64,
    /// How long one submission should take at most.
    pub seconds: f64,
}

impl Pace {
    /// A careful first guess.
    pub fn new(software: bool) -> Self {
        Self { operations_per_second: if software { 1e9 } else { 2e11 }, seconds: SUBMISSION_SECONDS }
    }

    /// Floating-point operations that fit in one submission.
    fn budget(&self) -> f64 {
        self.seconds * self.operations_per_second
    }

    /// Learns from a submission; a running mean, so that one hiccup changes little.
    fn learn(&mut self, operations: f64, seconds: f64) {
        let seen = operations / seconds.max(1e-6);
        self.operations_per_second += 0.5 * (seen - self.operations_per_second);
    }
}

/// First byte, vec4 a row, and number of outputs of one member's copied outputs.
type OutputPlace = (u64, u64, usize);

/// The outputs of scored members, kept before the loss kernel overwrites them.
struct OutputCopies {
    buffer: wgpu::Buffer,
    /// (scored member)
    places: Vec<OutputPlace>,
    bytes: u64,
}

impl GpuEngine {
    /// Runs one slice of every shard with work, and reports the members that finished an epoch or
    /// diverged. All shards are submitted before the first is waited for.
    pub(super) fn run_slices(&mut self) -> Result<Vec<Report>> {
        let started = Instant::now();
        let mut running = Vec::new();
        for home in 0..self.shards.len() {
            running.extend(self.submit_slice(home)?);
        }
        let mut reports = Vec::new();
        let operations: f64 = running.iter().map(|run| run.slice.operations).sum();
        for run in running {
            let bytes = self.gpu.finish(&run.pending)?;
            let (results, outputs) = bytes.split_at(run.result_bytes);
            let words: Vec<u32> = bytemuck::pod_collect_to_vec(results);
            let outputs = run.output_places.as_deref().map(|places| (places, outputs));
            reports.extend(self.collect(run.home, &run.slice, &words, outputs));
        }
        if operations > 0.0 {
            self.pace.learn(operations, started.elapsed().as_secs_f64());
        }
        Ok(reports)
    }

    /// Submits one slice of a shard; `None` when no member of it has work.
    fn submit_slice(&self, home: usize) -> Result<Option<Running>> {
        let shard = &self.shards[home];
        let residents = shard.residents.iter().map(|(id, resident)| (*id, resident));
        let slice = plan(residents, &self.job.dataset, &self.tiled.tiles, self.pace.budget());
        if slice.ids.is_empty() {
            return Ok(None);
        }
        let outputs = self.output_copies(shard, &slice)?;
        let tables = Tables::upload(&self.gpu, &slice)?;
        let encoder = self.record(shard, &slice, &tables, outputs.as_ref())?;
        let results = shard.buffer(Role::Results).expect("every shard has results");
        let mut ranges = vec![(results, 0, results.size())];
        if let Some(copies) = &outputs {
            ranges.push((&copies.buffer, 0, copies.bytes));
        }
        Ok(Some(Running {
            home,
            pending: self.gpu.submit(encoder, &ranges),
            result_bytes: results.size() as usize,
            output_places: outputs.map(|copies| copies.places),
            slice,
        }))
    }

    fn output_copies(&self, shard: &Shard, slice: &Slice) -> Result<Option<OutputCopies>> {
        if !self.job.with_outputs || slice.scored.is_empty() {
            return Ok(None);
        }
        let (mut bytes, mut places) = (0, Vec::new());
        for scored in &slice.scored {
            let count = shard.residents[&scored.id].member.network.output_count;
            let stride = count.div_ceil(4) as u64;
            places.push((bytes, stride, count));
            bytes += 16 * stride * scored.rows.len() as u64;
        }
        Ok(Some(OutputCopies { buffer: self.gpu.storage("outputs", bytes)?, places, bytes }))
    }

    fn record(
        &self,
        shard: &Shard,
        slice: &Slice,
        tables: &Tables,
        outputs: Option<&OutputCopies>,
    ) -> Result<wgpu::CommandEncoder> {
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
        let uniforms = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("dispatches"),
            size: (dispatches.bytes.len() as u64).max(DISPATCH_STRIDE),
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.gpu.queue.write_buffer(&uniforms, 0, &dispatches.bytes);

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
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let mut current = None;
            loop {
                let dispatch = &dispatches.list[next];
                if current != Some((dispatch.kernel, dispatch.variant)) {
                    pass.set_pipeline(self.pipeline(dispatch.kernel, dispatch.variant));
                    current = Some((dispatch.kernel, dispatch.variant));
                }
                let group = &groups[dispatch.kernel as usize][dispatch.table_shard];
                pass.set_bind_group(0, group, &[dispatch.offset]);
                let (rows, width) =
                    (dispatch.groups.div_ceil(DISPATCH_WIDTH), dispatch.groups.min(DISPATCH_WIDTH));
                pass.dispatch_workgroups(width, rows, 1);
                next += 1;
                if next == dispatches.list.len() || scoring_loss(next).is_some() {
                    break;
                }
            }
        }
        Ok(encoder)
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
                Role::Targets => &self.data.targets,
                Role::Members => &tables.members,
                Role::Layers => &tables.layers,
                Role::Work => &tables.work,
                Role::Controls => &tables.controls,
                Role::Factors => &tables.factors,
                _ => shard.buffer(role).expect("every other role belongs to the shard"),
            };
            let size = std::num::NonZero::new(size_of::<DispatchRow>() as u64);
            let dispatch = wgpu::BufferBinding { buffer: uniforms, offset: 0, size };
            let entries: Vec<wgpu::BindGroupEntry> = std::iter::once(wgpu::BindingResource::Buffer(dispatch))
                .chain(kernel.bindings().iter().map(|(role, _)| buffer(*role).as_entire_binding()))
                .enumerate()
                .map(|(binding, resource)| wgpu::BindGroupEntry { binding: binding as u32, resource })
                .collect();
            self.gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &self.pipelines[kernel as usize].layout,
                entries: &entries,
            })
        };
        Kernel::TRAINING
            .iter()
            .map(|&kernel| {
                let shards = if kernel == Kernel::Gather { self.data.shards.len() } else { 1 };
                self.data.shards[..shards].iter().map(|table| group(kernel, &table.buffer)).collect()
            })
            .collect()
    }

    /// Turns result words into reports, and moves the members on.
    fn collect(
        &mut self,
        home: usize,
        slice: &Slice,
        words: &[u32],
        outputs: Option<(&[OutputPlace], &[u8])>,
    ) -> Vec<Report> {
        let classifies = matches!(self.job.dataset.task, crate::data::Task::Classification { .. });
        let mut reports = Vec::new();
        for &id in &slice.ids {
            let Some(resident) = self.shards[home].residents.get_mut(&id) else { continue };
            let at = resident.place.results as usize;
            let number = |word: usize| f64::from(f32::from_bits(words[at + word]));
            resident.step += slice.training_ticks.min(resident.steps_left());
            resident.loss_sum = f32::from_bits(words[at]);
            let validation_count = resident.fold.validation_count as usize;
            if let Some(index) = slice.scored.iter().position(|scored| scored.id == id) {
                let rows = &slice.scored[index].rows;
                resident.scored_rows = rows.end;
                if let Some((places, bytes)) = outputs {
                    resident.outputs.extend(unpad_rows(places[index], bytes, rows.len()));
                }
            }
            let diverged = (words[at + 1] != NONE).then_some(u64::from(words[at + 1]));
            let is_scored = resident.steps_left() == 0 && resident.scored_rows as usize == validation_count;
            if !is_scored && diverged.is_none() {
                continue;
            }
            resident.epoch += 1;
            resident.asked = false;
            (resident.loss_sum, resident.scored_rows) = (0.0, 0);
            let epoch_outputs = std::mem::take(&mut resident.outputs);
            let class_count = if classifies { resident.member.network.output_count } else { 0 };
            let counts = |group: usize| words[at + 4 + group * class_count..][..class_count].to_vec();
            let mut report = Report {
                id,
                epoch: resident.epoch,
                step: diverged.unwrap_or(resident.step),
                train_loss: number(0) / resident.steps_per_epoch as f64,
                evaluation: None,
                diverged_at_step: diverged,
            };
            let loss_sum = number(2);
            if diverged.is_none() && validation_count > 0 && !loss_sum.is_finite() {
                report.diverged_at_step = Some(resident.step);
            }
            if report.diverged_at_step.is_some() {
                report.train_loss = f64::NAN;
            } else {
                let mut evaluation = Evaluation {
                    row_count: validation_count,
                    correct: counts(0),
                    predicted: counts(1),
                    ..Default::default()
                };
                // Without validation rows nothing was scored, and the words are an earlier member's.
                if validation_count > 0 {
                    (evaluation.loss_sum, evaluation.absolute_error_sum) = (loss_sum, number(3));
                } else {
                    evaluation.correct.fill(0);
                    evaluation.predicted.fill(0);
                }
                evaluation.outputs = self.job.with_outputs.then_some(epoch_outputs);
                report.evaluation = Some(evaluation);
            }
            reports.push(report);
        }
        reports
    }
}

/// The outputs of one member without the padding of their rows.
fn unpad_rows((start, stride, count): OutputPlace, bytes: &[u8], rows: usize) -> Vec<f32> {
    let row_bytes = 16 * stride as usize;
    let all = &bytes[start as usize..][..row_bytes * rows];
    all.chunks_exact(row_bytes)
        .flat_map(|row| bytemuck::pod_collect_to_vec::<u8, f32>(&row[..4 * count]))
        .collect()
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
    for (scored, (start, stride, _)) in slice.scored.iter().zip(&copies.places) {
        let (control, member) = (controls[scored.index], slice.members[scored.index]);
        // Scored already, in an earlier tick: even no bytes may not be copied beyond the buffer's end.
        if control.row_count == 0 {
            continue;
        }
        let row_bytes = 16 * stride;
        encoder.copy_buffer_to_buffer(
            scratch,
            16 * u64::from(member.output_at),
            &copies.buffer,
            start + row_bytes * u64::from(control.row_start - scored.rows.start),
            row_bytes * u64::from(control.row_count),
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
}

impl Tables {
    fn upload(gpu: &GpuDevice, slice: &Slice) -> Result<Self> {
        Ok(Self {
            members: gpu.storage_with("members", &slice.members)?,
            layers: gpu.storage_with("layers", &slice.layers)?,
            work: gpu.storage_with("work", &slice.work)?,
            controls: gpu.storage_with("controls", &slice.controls)?,
            factors: gpu.storage("factors", 4 * slice.members.len() as u64)?,
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
