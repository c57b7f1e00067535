//! The graphics device's own limits: a kernel of multiply-adds and a kernel that copies, timed by the wall
//! clock around submissions long enough for it, so that it works without timestamps.

use super::device::GpuDevice;
use super::sources::Source;
use crate::engine::ceiling::{Ceilings, Spread, rate};
use crate::error::{Error, Result};

/// Invocations of a workgroup.
const WORKGROUP: u32 = 64;
/// Invocations of the multiply-adds: several times what any device runs at once; few in software.
const INVOCATIONS: u32 = 1 << 18;
const INVOCATIONS_SOFTWARE: u32 = 1 << 12;
/// Floating-point operations of one iteration of one invocation: 16 chains of 4 lanes, 2 each.
const FLOPS: f64 = 128.0;
/// So far the sum of the chains is a whole number that f32 holds exactly.
const MOST_ITERATIONS: u64 = 1 << 18;

/// Bytes of each buffer of the copy: more than a cache holds.
const COPIED: u64 = 256 << 20;
/// Workgroups of a copy at most, each of which then copies several vec4 an invocation.
const MOST_WORKGROUPS: u32 = 1 << 15;
/// Copies in one submission at most.
const MOST_COPIES: u64 = 1 << 10;
/// Bytes that are read back and looked at, at the beginning, in the middle and at the end of a copy.
const LOOKED_AT: u64 = 4096;

/// The two kernels; they belong to no model, so they stand beside those that train.
pub fn sources() -> [Source; 2] {
    [
        Source {
            name: "ceiling_multiply_add",
            wgsl: include_str!("../../../shaders/kernel/ceiling_multiply_add.wgsl").to_owned(),
        },
        Source {
            name: "ceiling_copy",
            wgsl: include_str!("../../../shaders/kernel/ceiling_copy.wgsl").to_owned(),
        },
    ]
}

/// Measures the limits of a device.
pub fn measure(gpu: &GpuDevice) -> Result<Ceilings> {
    let [multiply_add, copy] = sources();
    Ok(Ceilings {
        peak: measure_peak(gpu, &multiply_add)?,
        copy: measure_copy(gpu, &copy)?,
        on_chip: gpu.facts.workgroup_memory.into(),
    })
}

fn measure_peak(gpu: &GpuDevice, source: &Source) -> Result<Spread> {
    let invocations = if gpu.facts.software { INVOCATIONS_SOFTWARE } else { INVOCATIONS };
    let pipeline = compile(gpu, source)?;
    let load = uniform(gpu);
    let sums = gpu.storage("sums of the ceiling", 16 * u64::from(invocations))?;
    let group = bind(gpu, &pipeline, &[&load, &sums]);
    let mut iterations = 0;
    let rate = rate(64, MOST_ITERATIONS, |wanted| {
        iterations = wanted as u32;
        let one = 1.0_f32.to_bits();
        gpu.queue.write_buffer(&load, 0, bytemuck::bytes_of(&[iterations, one, one, 0]));
        dispatch(gpu, &pipeline, &[(&group, invocations / WORKGROUP)]);
        gpu.wait()
    })?;
    let encoder = gpu.device.create_command_encoder(&Default::default());
    let found = gpu.finish(&gpu.submit(encoder, &[(&sums, 0, sums.size())]))?;
    let found: Vec<f32> = bytemuck::pod_collect_to_vec(&found);
    // Σ over the 16 chains of (start + chain + iterations).
    let counted = |i: usize| (16 * ((i / 4 % 256 + i % 4) as u32 + iterations) + 120) as f32;
    match found.iter().enumerate().all(|(i, sum)| *sum == counted(i)) {
        true => Ok(rate.map(|rate| rate * FLOPS * f64::from(invocations))),
        false => Err(wrong(gpu, "its multiply-adds do not add up: no peak is known")),
    }
}

fn measure_copy(gpu: &GpuDevice, source: &Source) -> Result<Spread> {
    let mut bytes = COPIED.min(gpu.facts.binding_limit) & !0xffff;
    let buffers = loop {
        let pair = (gpu.try_storage("copied", bytes), gpu.try_storage("copy", bytes));
        match pair {
            (Some(here), Some(there)) => break [here, there],
            _ if bytes > 1 << 20 => bytes /= 2,
            _ => return Err(wrong(gpu, "has no memory for two buffers to copy between")),
        }
    };
    let pipeline = compile(gpu, source)?;
    let (load, count) = (uniform(gpu), (bytes / 16) as u32);
    let workgroups = count.div_ceil(WORKGROUP).min(MOST_WORKGROUPS);
    gpu.queue.write_buffer(&load, 0, bytemuck::bytes_of(&[count, workgroups * WORKGROUP, 0, 0]));
    let [here, there] = &buffers;
    let groups = [bind(gpu, &pipeline, &[&load, here, there]), bind(gpu, &pipeline, &[&load, there, here])];
    // Buffers begin as zeros.
    let mut done = 0_u64;
    let rate = rate(1, MOST_COPIES, |copies| {
        let passes: Vec<_> =
            (done..done + copies).map(|pass| (&groups[(pass % 2) as usize], workgroups)).collect();
        dispatch(gpu, &pipeline, &passes);
        done += copies;
        gpu.wait()
    })?;
    let last = &buffers[(done % 2) as usize];
    let starts = [0, (bytes / 2).next_multiple_of(16), bytes - LOOKED_AT];
    let encoder = gpu.device.create_command_encoder(&Default::default());
    let found = gpu.finish(&gpu.submit(encoder, &starts.map(|start| (last, start, LOOKED_AT))))?;
    let found: Vec<u32> = bytemuck::pod_collect_to_vec(&found);
    let words = (LOOKED_AT / 4) as usize;
    let expected = |i: usize| {
        let vec4 = starts[i / words] / 16 + (i % words / 4) as u64;
        vec4.wrapping_mul(done) as u32
    };
    match found.iter().enumerate().all(|(i, word)| *word == expected(i)) {
        true => Ok(rate.map(|rate| rate * 2.0 * bytes as f64)),
        false => Err(wrong(gpu, "a copy is not what was copied: no bandwidth is known")),
    }
}

fn wrong(gpu: &GpuDevice, what: &str) -> Error {
    Error::check(&gpu.facts.name, what).advice("manytune --gradcheck, which says what else is wrong")
}

fn uniform(gpu: &GpuDevice) -> wgpu::Buffer {
    gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("load of a ceiling"),
        size: 16,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

fn bind(gpu: &GpuDevice, pipeline: &wgpu::ComputePipeline, buffers: &[&wgpu::Buffer]) -> wgpu::BindGroup {
    let entries: Vec<wgpu::BindGroupEntry> = (0..)
        .zip(buffers)
        .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
        .collect();
    let layout = &pipeline.get_bind_group_layout(0);
    gpu.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
}

/// Submits passes of so many workgroups each.
fn dispatch(gpu: &GpuDevice, pipeline: &wgpu::ComputePipeline, passes: &[(&wgpu::BindGroup, u32)]) {
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(pipeline);
    for (group, workgroups) in passes {
        pass.set_bind_group(0, *group, &[]);
        pass.dispatch_workgroups(*workgroups, 1, 1);
    }
    drop(pass);
    gpu.queue.submit([encoder.finish()]);
}

fn compile(gpu: &GpuDevice, source: &Source) -> Result<wgpu::ComputePipeline> {
    let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(source.name),
        source: wgpu::ShaderSource::Wgsl(source.wgsl.as_str().into()),
    };
    // SAFETY: each loop ends at a count of the uniform, and indices stay below the buffers' lengths, from
    // which the counts and the number of workgroups are made.
    let module = unsafe {
        gpu.device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
    };
    let pipeline = gpu.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(source.name),
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: Default::default(),
        cache: None,
    });
    match pollster::block_on(scope.pop()) {
        None => Ok(pipeline),
        Some(error) => {
            let found = format!("shader {} does not compile: {error}", source.name);
            Err(Error::device(&gpu.facts.name, found).advice("--engine cpu"))
        }
    }
}
