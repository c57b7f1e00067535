//! Runs the functions that kernels are made of over lists of operands. Compiled when first asked for.

use super::device::GpuDevice;
use super::pipelines::{DISPATCH_STRIDE, Kernel, Pipeline, compile_one};
use super::run::DISPATCH_WIDTH;
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
    let uniforms = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("dispatch of a primitive"),
        size: DISPATCH_STRIDE,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue.write_buffer(&uniforms, 0, bytemuck::bytes_of(&row));
    let operands = gpu.storage_with("operands", operands)?;
    let bytes = size_of::<Words>() as u64 * u64::from(count);
    let outcomes = gpu.storage("outcomes", bytes)?;
    let size = std::num::NonZero::new(size_of::<DispatchRow>() as u64);
    let row = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &uniforms, offset: 0, size });
    let resources = [row, operands.as_entire_binding(), outcomes.as_entire_binding()];
    let entries: Vec<wgpu::BindGroupEntry> =
        (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
    let group =
        gpu.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, &group, &[0]);
    pass.dispatch_workgroups(count.div_ceil(WORKGROUP), 1, 1);
    drop(pass);
    let words = gpu.finish(&gpu.submit(encoder, &[(&outcomes, 0, bytes)]))?;
    Ok(bytemuck::pod_collect_to_vec(&words))
}
