//! The resident plan: one workgroup owns one member and takes many training steps in one dispatch. Records
//! such dispatches; `slice` plans them.

pub mod layout;
pub mod slice;
pub mod variant;

use super::GpuEngine;
use super::binding::{bind, dispatch, uniforms};
use super::device::GpuDevice;
use super::flight::{OutputRange, Recorded};
use super::pipelines::{Kernel, Pipeline, Role, compile_one};
use super::shard::Shard;
use super::sources::Source;
use super::stamps::Stamps;
use super::tables::{DispatchRow, RunRow};
use crate::error::Result;
use crate::random::key_of;
use slice::ResidentSlice;
use variant::Variant;

/// The pipelines of the variants, compiled when first needed.
pub struct Residents {
    source: Source,
    pipelines: Vec<(&'static Variant, Pipeline)>,
}

impl Residents {
    /// The kernel among these sources.
    pub fn new(sources: &[Source]) -> Self {
        Self { source: sources[Kernel::Resident as usize].clone(), pipelines: Vec::new() }
    }

    /// Compiles a variant, unless it is.
    pub fn ready(&mut self, gpu: &GpuDevice, variant: &'static Variant) -> Result<()> {
        if self.pipeline(variant).is_none() {
            let pipeline = compile_one(gpu, Kernel::Resident, &self.source, &variant.constants())?;
            self.pipelines.push((variant, pipeline));
        }
        Ok(())
    }

    fn pipeline(&self, variant: &Variant) -> Option<&Pipeline> {
        self.pipelines.iter().find(|(known, _)| *known == variant).map(|(_, pipeline)| pipeline)
    }
}

impl GpuEngine {
    /// Records one dispatch over the members of a slice.
    pub(super) fn record_resident(
        &self,
        shard: &Shard,
        variant: &'static Variant,
        slice: ResidentSlice,
    ) -> Result<Recorded> {
        let gpu = &self.gpu;
        let pipeline = self.residents.pipeline(variant).expect("the variant was made ready");
        let count = slice.members.len() as u32;
        let row = DispatchRow {
            work_count: count,
            second_moment_at: shard.capacity,
            key: key_of(self.job.seed),
            data_row_end: self.data.shards[0].rows.end,
            ..Default::default()
        };
        let uniforms = uniforms(gpu, bytemuck::bytes_of(&row));
        let members = gpu.storage_with("members", &slice.members)?;
        let shapes = gpu.storage_with("shapes", &slice.shapes)?;
        let buffer = |role: Role| match role {
            Role::Members => &members,
            Role::Shapes => &shapes,
            Role::Table => &self.data.shards[0].buffer,
            Role::Folds => &self.data.folds,
            _ => shard.buffer(role).expect("every other role belongs to the shard"),
        };
        let group = bind(gpu, Kernel::Resident, &pipeline.layout, &uniforms, buffer);
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let stamps = Stamps::new(gpu);
        let mut pass = Stamps::begin_pass(stamps.as_ref(), &mut encoder, true);
        pass.set_pipeline(&pipeline.pipeline);
        pass.set_bind_group(0, &group, &[0]);
        dispatch(&mut pass, count);
        drop(pass);
        let outputs = self.resident_outputs(shard, &slice);
        Ok(Recorded { encoder, stamps, progress: slice.progress, outputs, work: slice.work })
    }

    /// Where the outputs of the scored rows lie after the dispatch.
    fn resident_outputs(&self, shard: &Shard, slice: &ResidentSlice) -> Vec<OutputRange> {
        let scratch = shard.buffer(Role::Scratch).expect("every shard has scratch");
        let range = |(index, progress): (usize, &super::progress::Progress)| {
            let run: &[RunRow] = bytemuck::cast_slice(
                &slice.shapes[slice.members[index].shape_at as usize..][..size_of::<RunRow>() / 16],
            );
            OutputRange {
                index,
                buffer: scratch.clone(),
                start: 16 * u64::from(run[0].outputs_at),
                rows: progress.scored.len(),
                count: shard.tenants[&progress.id].member.network.output_count,
            }
        };
        let scored = slice.progress.iter().enumerate().filter(|(_, progress)| !progress.scored.is_empty());
        scored.filter(|_| self.job.with_outputs).map(range).collect()
    }
}
