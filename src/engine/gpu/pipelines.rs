//! The compiled kernels and their bind group layouts.

use super::cache::PipelineCache;
use super::device::GpuDevice;
use super::sources::Source;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The kernels, in the order of [`super::sources::assemble`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Reads minibatches from the table.
    Gather,
    /// A layer forward.
    Forward,
    /// Loss or scores.
    Loss,
    /// A layer backward to its input.
    BackwardInput,
    /// A layer's gradient, and the optimizer's step.
    BackwardParameters,
    /// The norm of a clipped gradient.
    ClipNorm,
    /// The optimizer's step of a clipped gradient.
    ClipApply,
    /// Counts what goes on inside members.
    Inside,
    /// Many steps of one member, in one workgroup.
    Resident,
    /// The functions that the others are made of; for the verifier.
    Primitive,
}

use Kernel::{
    BackwardInput, BackwardParameters, ClipApply, ClipNorm, Forward, Gather, Inside, Loss, Primitive,
    Resident,
};

/// What stands at bindings 1, 2, … of a kernel, behind the dispatch row at 0. `true` is written to.
type Bindings = &'static [(Role, bool)];

/// The buffers that kernels bind, by role: a buffer never stands twice in one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the shaders' bindings say what each buffer holds")]
pub enum Role {
    Members,
    Work,
    Controls,
    Layers,
    Table,
    Folds,
    Shapes,
    Rows,
    Scratch,
    Weights,
    Moments,
    Gradients,
    Factors,
    Results,
    Counts,
    Operands,
    Outcomes,
}

impl Kernel {
    /// All kernels, in order.
    pub const ALL: [Self; 10] = [
        Gather,
        Forward,
        Loss,
        BackwardInput,
        BackwardParameters,
        ClipNorm,
        ClipApply,
        Inside,
        Resident,
        Primitive,
    ];

    /// Those of the tiled plan, the first of all.
    pub const TILED: &'static [Self] = Self::ALL.split_at(Inside as usize).0;

    /// Those that make a matrix product, tile by tile, and have variants.
    pub const PRODUCTS: [Self; 3] = [Forward, BackwardInput, BackwardParameters];

    /// Its place among those.
    pub fn product_place(self) -> Option<usize> {
        Self::PRODUCTS.iter().position(|kernel| *kernel == self)
    }

    /// The stem of its file.
    pub fn name(self) -> &'static str {
        match self {
            Gather => "gather",
            Forward => "dense_forward",
            Loss => "loss",
            BackwardInput => "dense_backward_input",
            BackwardParameters => "dense_backward_parameters",
            ClipNorm => "clip_norm",
            ClipApply => "clip_apply",
            Inside => "inside",
            Resident => "resident",
            Primitive => "primitive",
        }
    }

    /// Its bindings, in order.
    pub fn bindings(self) -> Bindings {
        use Role::{
            Controls, Counts, Factors, Folds, Gradients, Layers, Members, Moments, Operands, Outcomes,
            Results, Rows, Scratch, Shapes, Table, Weights, Work,
        };
        match self {
            Gather => &[
                (Members, false),
                (Work, false),
                (Controls, false),
                (Table, false),
                (Folds, false),
                (Scratch, true),
                (Rows, true),
            ],
            Forward => &[
                (Members, false),
                (Work, false),
                (Controls, false),
                (Layers, false),
                (Weights, false),
                (Scratch, true),
            ],
            Loss => &[
                (Members, false),
                (Work, false),
                (Controls, false),
                (Folds, false),
                (Rows, false),
                (Scratch, true),
                (Results, true),
            ],
            BackwardInput => {
                &[(Work, false), (Controls, false), (Layers, false), (Weights, false), (Scratch, true)]
            }
            BackwardParameters => &[
                (Members, false),
                (Work, false),
                (Controls, false),
                (Layers, false),
                (Weights, true),
                (Moments, true),
                (Scratch, false),
                (Gradients, true),
            ],
            ClipNorm => {
                &[(Members, false), (Work, false), (Controls, false), (Gradients, false), (Factors, true)]
            }
            ClipApply => &[
                (Members, false),
                (Work, false),
                (Controls, false),
                (Layers, false),
                (Gradients, false),
                (Factors, false),
                (Weights, true),
                (Moments, true),
            ],
            Inside => &[
                (Members, false),
                (Work, false),
                (Controls, false),
                (Layers, false),
                (Weights, false),
                (Gradients, false),
                (Scratch, false),
                (Counts, true),
            ],
            Resident => &[
                (Members, false),
                (Shapes, false),
                (Table, false),
                (Folds, false),
                (Weights, true),
                (Moments, true),
                (Scratch, true),
                (Results, true),
            ],
            Primitive => &[(Operands, false), (Outcomes, true)],
        }
    }
}

/// One compiled kernel.
#[derive(Clone)]
pub struct Pipeline {
    /// The kernel.
    pub pipeline: wgpu::ComputePipeline,
    /// The layout of its one bind group.
    pub layout: wgpu::BindGroupLayout,
}

/// Compiles kernels, each in a thread of its own: drivers take most of a second for some. Bounds are checked in
/// builds with debug assertions, trusted in others: the loops of these kernels end by construction.
pub fn compile(gpu: &GpuDevice, kernels: &[(Kernel, &Source)]) -> Result<Vec<Pipeline>> {
    std::thread::scope(|scope| {
        let start =
            |&(kernel, source): &(Kernel, _)| scope.spawn(move || compile_one(gpu, kernel, source, &[]));
        let threads: Vec<_> = kernels.iter().map(start).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<Pipeline>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

/// What was compiled for a device: by its source, and the bits of its overrides.
#[derive(Default)]
pub struct Compiled(Mutex<HashMap<(String, Vec<u64>), Pipeline>>);

/// A kernel with values for its overrides, compiled unless it was before.
pub fn compile_one(
    gpu: &GpuDevice,
    kernel: Kernel,
    source: &Source,
    constants: &[(&str, f64)],
) -> Result<Pipeline> {
    let written: Vec<bool> = kernel.bindings().iter().map(|(_, written)| *written).collect();
    compile_bound(gpu, &written, source, constants)
}

/// The same for a kernel with these storage buffers at bindings 1, 2, …; `true` is written to.
pub fn compile_bound(
    gpu: &GpuDevice,
    written: &[bool],
    source: &Source,
    constants: &[(&str, f64)],
) -> Result<Pipeline> {
    let key = (source.wgsl.clone(), constants.iter().map(|(_, value)| value.to_bits()).collect());
    let compiled = || gpu.compiled.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pipeline) = compiled().get(&key) {
        return Ok(pipeline.clone());
    }
    let pipeline = compile_new(gpu, written, source, constants)?;
    compiled().insert(key, pipeline.clone());
    Ok(pipeline)
}

fn compile_new(
    gpu: &GpuDevice,
    written: &[bool],
    source: &Source,
    constants: &[(&str, f64)],
) -> Result<Pipeline> {
    let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(source.name),
        source: wgpu::ShaderSource::Wgsl(source.wgsl.as_str().into()),
    };
    let checks = if cfg!(debug_assertions) {
        wgpu::ShaderRuntimeChecks::checked()
    } else {
        wgpu::ShaderRuntimeChecks::unchecked()
    };
    // SAFETY: every index comes from tables that the engine builds within its buffers' sizes, and every
    // loop's bound is a count from those tables; the checked builds of the tests run the same shaders.
    let module = unsafe { gpu.device.create_shader_module_trusted(descriptor, checks) };
    let storage = written.iter().map(|written| wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Storage { read_only: !written },
        has_dynamic_offset: false,
        min_binding_size: None,
    });
    let uniform = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: true,
        min_binding_size: None,
    };
    let entries: Vec<wgpu::BindGroupLayoutEntry> = std::iter::once(uniform)
        .chain(storage)
        .enumerate()
        .map(|(binding, ty)| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty,
            count: None,
        })
        .collect();
    let layout = gpu.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(source.name),
        entries: &entries,
    });
    let pipeline_layout = gpu.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(source.name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(source.name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            constants,
        },
        cache: gpu.driver_cache.get().and_then(PipelineCache::get),
    });
    match pollster::block_on(scope.pop()) {
        None => Ok(Pipeline { pipeline, layout }),
        Some(error) => {
            Err(Error::device(&gpu.facts.name, format!("shader {} does not compile: {error}", source.name))
                .advice("--engine cpu; report it with the output of `manytune devices`"))
        }
    }
}
