//! A kernel with its buffers, ready to be dispatched.

use super::super::binding::{self, DISPATCH_STRIDE};
use super::super::device::GpuDevice;
use super::super::pipelines::Pipeline;
use super::tables::MachinesRow;

/// Invocations of a workgroup, but for the one that solves.
const WORKGROUP: u64 = 64;

/// A uniform buffer of rows, each at a multiple of the stride.
pub fn uniform(gpu: &GpuDevice, rows: &[MachinesRow]) -> wgpu::Buffer {
    binding::uniforms(gpu, &padded(rows))
}

/// Rows padded to the stride.
pub fn padded(rows: &[MachinesRow]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.len() * DISPATCH_STRIDE as usize);
    for row in rows {
        bytes.extend_from_slice(bytemuck::bytes_of(row));
        bytes.resize(bytes.len().next_multiple_of(DISPATCH_STRIDE as usize), 0);
    }
    bytes
}

/// A pipeline with its bind group.
pub struct Launch {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
}

impl Launch {
    /// Binds buffers at 1, 2, … and rows of `uniform` at 0.
    pub fn new(
        gpu: &GpuDevice,
        Pipeline { pipeline, layout }: &Pipeline,
        uniform: &wgpu::Buffer,
        buffers: &[&wgpu::Buffer],
    ) -> Self {
        let size = std::num::NonZero::new(size_of::<MachinesRow>() as u64);
        let row = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: uniform, offset: 0, size });
        let resources = std::iter::once(row).chain(buffers.iter().map(|buffer| buffer.as_entire_binding()));
        let entries: Vec<wgpu::BindGroupEntry> = (0..)
            .zip(resources)
            .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout, entries: &entries };
        Self { pipeline: pipeline.clone(), group: gpu.device.create_bind_group(&descriptor) }
    }

    /// Dispatches so many workgroups with a row of the uniform buffer, in a pass of its own.
    pub fn workgroups(&self, encoder: &mut wgpu::CommandEncoder, row: u32, count: u32) {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        self.workgroups_in(&mut pass, row, count);
    }

    /// The same in a pass with others.
    pub fn workgroups_in(&self, pass: &mut wgpu::ComputePass<'_>, row: u32, count: u32) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[row * DISPATCH_STRIDE as u32]);
        binding::dispatch(pass, count);
    }

    /// Dispatches workgroups for so many invocations.
    pub fn invocations(&self, encoder: &mut wgpu::CommandEncoder, row: u32, count: u64) {
        self.workgroups(encoder, row, count.div_ceil(WORKGROUP) as u32);
    }
}
