//! Layers that belong to no member, for measuring: the tiled kernels run on them as they run in training.

use super::binding::{bind, dispatch, uniforms};
use super::device::GpuDevice;
use super::pipelines::{Kernel, Pipeline, Role};
use super::tables::{ControlRow, DispatchRow, LayerRow, MemberRow, NONE, WorkRow};
use super::variant::{Product, Variant};
use crate::error::Result;
use crate::model::{activation, optimizer};
use bytemuck::Zeroable;

/// Rows of a minibatch, inputs and outputs.
pub type Shape = (u32, u32, u32);

/// Layers with arenas of their own, one a member.
pub struct Synthetic {
    shapes: Vec<Shape>,
    layers: Vec<LayerRow>,
    members: wgpu::Buffer,
    layer_table: wgpu::Buffer,
    controls: wgpu::Buffer,
    scratch: wgpu::Buffer,
    weights: wgpu::Buffer,
    moments: wgpu::Buffer,
    /// No member clips: bound, never touched.
    gradients: wgpu::Buffer,
    /// vec4 of parameters.
    capacity: u32,
}

/// A dispatch that is ready to run.
pub struct Prepared<'a> {
    pipeline: &'a wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    workgroups: u32,
}

impl Synthetic {
    /// vec4 of scratch that a layer takes: inputs with their derivatives, outputs with theirs.
    pub fn scratch_quads((rows, inputs, outputs): Shape) -> u64 {
        u64::from(2 * rows) * u64::from(inputs.div_ceil(4) + outputs.div_ceil(4))
    }

    /// Layers of these shapes. Activations and optimizers take turns.
    pub fn new(gpu: &GpuDevice, shapes: &[Shape]) -> Result<Self> {
        let (mut layers, mut members, mut controls) = (Vec::new(), Vec::new(), Vec::new());
        let (mut scratch, mut parameters) = (0, 0);
        for (index, &(rows, inputs, outputs)) in shapes.iter().enumerate() {
            let (input_stride, output_stride) = (inputs.div_ceil(4), outputs.div_ceil(4));
            let output_at = scratch + 2 * rows * input_stride;
            layers.push(LayerRow {
                input_count: inputs,
                input_stride,
                output_count: outputs,
                output_stride,
                parameters_at: parameters,
                input_at: scratch,
                input_gradient_at: scratch + rows * input_stride,
                output_at,
                gradient_at: output_at + rows * output_stride,
                hidden: 1,
                index: 0,
                before_at: NONE,
            });
            members.push(MemberRow {
                activation: (index % activation::ALL.len()) as u32,
                optimizer: (index % optimizer::ALL.len()) as u32,
                class_weights_at: NONE,
                momentum: 0.5,
                beta1: 0.9,
                beta2: 0.99,
                epsilon: 1e-3,
                ..Default::default()
            });
            controls.push(ControlRow {
                row_count: rows,
                rate: 1e-3,
                decay: 1.0,
                correction1: 1.0,
                correction2: 1.0,
                training: 1,
                ..Default::default()
            });
            scratch = output_at + 2 * rows * output_stride;
            parameters += (4 * input_stride + 1) * output_stride;
        }
        Ok(Self {
            shapes: shapes.to_vec(),
            layers: layers.clone(),
            members: gpu.storage_with("members", &members)?,
            layer_table: gpu.storage_with("layers", &layers)?,
            controls: gpu.storage_with("controls", &controls)?,
            scratch: gpu.storage("scratch", 16 * u64::from(scratch))?,
            weights: gpu.storage("weights", 16 * u64::from(parameters))?,
            moments: gpu.storage("moments", 32 * u64::from(parameters))?,
            gradients: gpu.storage("gradients", 16)?,
            capacity: parameters,
        })
    }

    /// Fills the arenas with numbers in [-1, 1), the same each time. The moments get squares, as the second
    /// of them must not be negative.
    pub fn fill(&self, gpu: &GpuDevice) {
        let mut state = 1_u32;
        let mut number = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 * (2.0 / 16_777_216.0) - 1.0
        };
        for (buffer, is_moment) in [(&self.scratch, false), (&self.weights, false), (&self.moments, true)] {
            let count = (buffer.size() / 4) as usize;
            let numbers: Vec<f32> =
                (0..count).map(|_| number()).map(|x| if is_moment { x * x } else { x }).collect();
            gpu.queue.write_buffer(buffer, 0, bytemuck::cast_slice(&numbers));
        }
    }

    /// A kernel in a variant over the first `count` layers.
    pub fn prepare<'a>(
        &self,
        gpu: &GpuDevice,
        kernel: Kernel,
        variant: &Variant,
        Pipeline { pipeline, layout }: &'a Pipeline,
        count: usize,
    ) -> Result<Prepared<'a>> {
        let mut work = Vec::new();
        for (index, (layer, (rows, ..))) in (0..).zip(self.layers.iter().zip(&self.shapes)).take(count) {
            let tiles = variant.workgroups(kernel, &Product::of(kernel, layer, *rows));
            work.extend((0..tiles).map(|tile| WorkRow { member: index, layer: index, tile, padding0: 0 }));
        }
        let work_table = gpu.storage_with("work", &work)?;
        let row = DispatchRow {
            work_count: work.len() as u32,
            second_moment_at: self.capacity,
            ..DispatchRow::zeroed()
        };
        let uniforms = uniforms(gpu, bytemuck::bytes_of(&row));
        let buffer = |role: Role| match role {
            Role::Members => &self.members,
            Role::Work => &work_table,
            Role::Controls => &self.controls,
            Role::Layers => &self.layer_table,
            Role::Weights => &self.weights,
            Role::Moments => &self.moments,
            Role::Gradients => &self.gradients,
            Role::Scratch => &self.scratch,
            _ => unreachable!("{role:?} is bound by no tiled kernel"),
        };
        Ok(Prepared {
            pipeline,
            group: bind(gpu, kernel, layout, &uniforms, buffer),
            workgroups: work.len() as u32,
        })
    }

    /// The bytes that a kernel wrote to: activations and derivatives, or parameters with their state.
    pub fn written(&self, gpu: &GpuDevice, kernel: Kernel) -> Result<Vec<u8>> {
        let buffers = match kernel {
            Kernel::BackwardParameters => vec![&self.weights, &self.moments],
            _ => vec![&self.scratch],
        };
        let ranges: Vec<_> = buffers.into_iter().map(|buffer| (buffer, 0, buffer.size())).collect();
        gpu.finish(&gpu.submit(gpu.device.create_command_encoder(&Default::default()), &ranges))
    }
}

impl Prepared<'_> {
    /// Runs it so many times in one submission, and waits.
    pub fn run(&self, gpu: &GpuDevice, times: u32) -> Result<()> {
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(self.pipeline);
        pass.set_bind_group(0, &self.group, &[0]);
        (0..times).for_each(|_| dispatch(&mut pass, self.workgroups));
        drop(pass);
        gpu.queue.submit([encoder.finish()]);
        gpu.wait()
    }
}
