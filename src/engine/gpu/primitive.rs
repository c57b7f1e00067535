//! Runs the functions that kernels are made of over lists of operands. Compiled when first asked for.

use super::binding::{self, DISPATCH_WIDTH, bind, uniforms};
use super::device::GpuDevice;
use super::pipelines::{Kernel, Pipeline, Role, compile_one};
use super::sources::Source;
use super::tables::DispatchRow;
use crate::error::Result;
use crate::model::primitive::{ALL, Primitive, Words};
use bytemuck::Zeroable;

/// Invocations of a workgroup.
const WORKGROUP: u32 = 64;

/// The kernel of primitives.
pub struct Primitives {
    source: Source,
    pipeline: Option<Pipeline>,
}

impl Primitives {
    /// The kernel among these sources.
    pub fn new(sources: &[Source]) -> Self {
        Self { source: sources[Kernel::Primitive as usize].clone(), pipeline: None }
    }

    /// One outcome for each pair of operands.
    pub fn compute(
        &mut self,
        gpu: &GpuDevice,
        primitive: &'static Primitive,
        operands: &[[Words; 2]],
    ) -> Result<Vec<Words>> {
        let pipeline = match &mut self.pipeline {
            Some(pipeline) => pipeline,
            none => none.insert(compile_one(gpu, Kernel::Primitive, &self.source, &[])?),
        };
        let code = ALL.iter().position(|one| one.name == primitive.name).expect("a primitive is in its ALL");
        let mut outcomes = Vec::with_capacity(operands.len());
        for part in operands.chunks((DISPATCH_WIDTH * WORKGROUP) as usize) {
            outcomes.extend(dispatch(gpu, pipeline, code as u32, part)?);
        }
        Ok(outcomes)
    }
}

fn dispatch(
    gpu: &GpuDevice,
    Pipeline { pipeline, layout }: &Pipeline,
    code: u32,
    operands: &[[Words; 2]],
) -> Result<Vec<Words>> {
    let count = operands.len() as u32;
    let row = DispatchRow { work_at: code, work_count: count, ..DispatchRow::zeroed() };
    let uniforms = uniforms(gpu, bytemuck::bytes_of(&row));
    let operands = gpu.storage_with("operands", operands)?;
    let bytes = size_of::<Words>() as u64 * u64::from(count);
    let outcomes = gpu.storage("outcomes", bytes)?;
    let buffer = |role: Role| match role {
        Role::Operands => &operands,
        _ => &outcomes,
    };
    let group = bind(gpu, Kernel::Primitive, layout, &uniforms, buffer);
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, &group, &[0]);
    binding::dispatch(&mut pass, count.div_ceil(WORKGROUP));
    drop(pass);
    let words = gpu.finish(&gpu.submit(encoder, &[(&outcomes, 0, bytes)]))?;
    Ok(bytemuck::pod_collect_to_vec(&words))
}
