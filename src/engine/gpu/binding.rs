//! What every dispatch needs beside its kernel: its rows of uniforms, its bind group, and its shape.

use super::device::GpuDevice;
use super::pipelines::{Kernel, Role};
use super::tables::DispatchRow;

/// Bytes of a dispatch row in its uniform buffer: the alignment that every device allows.
pub const DISPATCH_STRIDE: u64 = 256;
/// Workgroups in one row of a dispatch; the twin of DISPATCH_WIDTH in shaders/prelude.wgsl.
pub const DISPATCH_WIDTH: u32 = 32_768;

/// A uniform buffer of dispatch rows, each padded to its stride.
pub fn uniforms(gpu: &GpuDevice, rows: &[u8]) -> wgpu::Buffer {
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("dispatches"),
        size: (rows.len() as u64).max(DISPATCH_STRIDE),
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue.write_buffer(&buffer, 0, rows);
    buffer
}

/// The bind group of a kernel: a dispatch row at 0, then the buffers of its roles, in order.
pub fn bind<'a>(
    gpu: &GpuDevice,
    kernel: Kernel,
    layout: &wgpu::BindGroupLayout,
    uniforms: &'a wgpu::Buffer,
    buffer: impl Fn(Role) -> &'a wgpu::Buffer,
) -> wgpu::BindGroup {
    let size = std::num::NonZero::new(size_of::<DispatchRow>() as u64);
    let row = wgpu::BufferBinding { buffer: uniforms, offset: 0, size };
    let resources = std::iter::once(wgpu::BindingResource::Buffer(row))
        .chain(kernel.bindings().iter().map(|(role, _)| buffer(*role).as_entire_binding()));
    let entries: Vec<wgpu::BindGroupEntry> =
        (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
}

/// Dispatches so many workgroups: more than a dimension may have are folded into rows.
pub fn dispatch(pass: &mut wgpu::ComputePass<'_>, workgroups: u32) {
    pass.dispatch_workgroups(workgroups.min(DISPATCH_WIDTH), workgroups.div_ceil(DISPATCH_WIDTH), 1);
}
