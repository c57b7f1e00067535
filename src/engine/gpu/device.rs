//! Finding and opening a graphics device, and turning what it reports into errors of ours.

use super::cache::PipelineCache;
use super::pipelines::Compiled;
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// What a user may know of an adapter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DeviceFacts {
    /// Its place in the list; what `--device` takes.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// Vulkan, Metal or DX12.
    pub backend: String,
    /// Driver and version, as it names itself.
    pub driver: String,
    /// Largest storage binding, in bytes.
    pub binding_limit: u64,
    /// Largest buffer, in bytes.
    pub buffer_limit: u64,
    /// Memory of a workgroup, in bytes.
    pub workgroup_memory: u32,
    /// Most threads of a workgroup.
    pub workgroup_threads: u32,
    /// Whether kernels run on the processor: never chosen unless named.
    pub software: bool,
}

fn adapters() -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    // Validation layers cost more than the kernels they watch; the verifier is our check.
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY))
}

fn facts(index: usize, adapter: &wgpu::Adapter) -> DeviceFacts {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "other",
    };
    DeviceFacts {
        index,
        name: info.name,
        kind,
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        binding_limit: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
        buffer_limit: limits.max_buffer_size,
        workgroup_memory: limits.max_compute_workgroup_storage_size,
        workgroup_threads: limits
            .max_compute_invocations_per_workgroup
            .min(limits.max_compute_workgroup_size_x),
        software: info.device_type == wgpu::DeviceType::Cpu,
    }
}

/// All adapters of this machine.
pub fn list() -> Vec<DeviceFacts> {
    adapters().iter().enumerate().map(|(index, adapter)| facts(index, adapter)).collect()
}

/// Devices that this process has opened. They stay open, with what was compiled for them: whoever opens the
/// same one again need not wait for the compiler.
static OPEN: Mutex<Vec<GpuDevice>> = Mutex::new(Vec::new());

/// An open device; clones are the same device.
#[derive(Clone)]
pub struct GpuDevice {
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// What it is.
    pub facts: DeviceFacts,
    /// The first error that no scope caught, or why the device was lost.
    fault: Arc<Mutex<Option<String>>>,
    /// What was compiled for it.
    pub compiled: Arc<Compiled>,
    /// Where its driver keeps that between runs, once a folder for it is known.
    pub driver_cache: Arc<OnceLock<PipelineCache>>,
}

/// The best real GPU; `None` where there is none.
pub fn preferred(found: &[DeviceFacts]) -> Option<&DeviceFacts> {
    let rank = |facts: &&DeviceFacts| {
        ["discrete", "integrated", "virtual", "other"].iter().position(|k| *k == facts.kind)
    };
    found.iter().filter(|facts| !facts.software).min_by_key(rank)
}

/// Chooses an adapter: the one named by `selector` (an index or a part of a name), or the best real GPU.
fn choose(selector: Option<&str>, found: &[DeviceFacts]) -> Result<usize> {
    let listed = || match found.iter().map(|f| format!("{} ({})", f.index, f.name)).collect::<Vec<_>>() {
        names if names.is_empty() => "none: this machine has no Vulkan, Metal or DX12 driver".to_owned(),
        names => names.join(", "),
    };
    let Some(selector) = selector else {
        return preferred(found).map(|facts| facts.index).ok_or_else(|| {
            Error::device("gpu", "no graphics device found")
                .allowed(listed())
                .advice("--engine cpu, or --device to name a software adapter")
        });
    };
    if let Ok(index) = selector.parse::<usize>() {
        return match found.get(index) {
            Some(_) => Ok(index),
            None => Err(Error::device("--device", format!("there is no device {index}")).allowed(listed())),
        };
    }
    let lowered = selector.to_lowercase();
    let matching: Vec<&DeviceFacts> =
        found.iter().filter(|f| f.name.to_lowercase().contains(&lowered)).collect();
    match matching[..] {
        [one] => Ok(one.index),
        [] => {
            Err(Error::device("--device", format!("no device is named like \"{selector}\""))
                .allowed(listed()))
        }
        _ => Err(Error::device("--device", format!("several devices are named like \"{selector}\""))
            .allowed(listed())
            .advice("the device's index")),
    }
}

impl GpuDevice {
    /// Opens the adapter that `selector` names, or the best real GPU.
    pub fn open(selector: Option<&str>) -> Result<Self> {
        let adapters = adapters();
        let found: Vec<DeviceFacts> = adapters.iter().enumerate().map(|(i, a)| facts(i, a)).collect();
        let index = choose(selector, &found)?;
        let mut open = OPEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // One that was lost, or that met an error, is not trusted again.
        open.retain(|device| device.fault().is_none());
        if let Some(device) = open.iter().find(|device| device.facts == found[index]) {
            return Ok(device.clone());
        }
        let device = Self::open_new(&adapters[index], found[index].clone())?;
        open.push(device.clone());
        Ok(device)
    }

    fn open_new(adapter: &wgpu::Adapter, facts: DeviceFacts) -> Result<Self> {
        let offered = adapter.limits();
        let required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
            max_buffer_size: offered.max_buffer_size,
            max_compute_workgroup_storage_size: offered.max_compute_workgroup_storage_size,
            ..wgpu::Limits::default()
        };
        // Tell how long the device was busy, and keep what its driver compiled; nothing depends on them.
        let useful = wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::PIPELINE_CACHE;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("manytune"),
            required_features: useful & adapter.features(),
            required_limits,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| {
            Error::device(&facts.name, format!("the device cannot be opened: {error}")).advice("--engine cpu")
        })?;
        let fault = Arc::new(Mutex::new(None));
        let note = |fault: &Arc<Mutex<Option<String>>>, message: String| {
            let mut fault = fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            fault.get_or_insert(message);
        };
        let seen = Arc::clone(&fault);
        device.on_uncaptured_error(Arc::new(move |error| note(&seen, error.to_string())));
        let seen = Arc::clone(&fault);
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                note(&seen, format!("the device was lost: {message}"));
            }
        });
        Ok(Self { device, queue, facts, fault, compiled: Arc::default(), driver_cache: Arc::default() })
    }

    /// A buffer for storage, copies in and copies out; `None` when the device has no memory for it.
    pub fn try_storage(&self, label: &str, bytes: u64) -> Option<wgpu::Buffer> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.max(16).next_multiple_of(16),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        pollster::block_on(scope.pop()).is_none().then_some(buffer)
    }

    /// The same, with an error that says what was wanted.
    pub fn storage(&self, label: &str, bytes: u64) -> Result<wgpu::Buffer> {
        if bytes > self.facts.binding_limit {
            return Err(Error::device(
                &self.facts.name,
                format!("{label} takes {bytes} bytes in one binding"),
            )
            .allowed(format!("{} bytes", self.facts.binding_limit))
            .advice("--engine cpu, or a smaller model"));
        }
        self.try_storage(label, bytes).ok_or_else(|| {
            Error::device(&self.facts.name, format!("no memory for {label} ({bytes} bytes)"))
                .advice("close other programs that use the device, or --engine cpu")
        })
    }

    /// A storage buffer that holds `content`.
    pub fn storage_with<T: bytemuck::NoUninit>(&self, label: &str, content: &[T]) -> Result<wgpu::Buffer> {
        let buffer = self.storage(label, std::mem::size_of_val(content) as u64)?;
        self.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(content));
        Ok(buffer)
    }

    /// Submits `encoder`'s work, then a copy of ranges (buffer, first byte, bytes) to the host, one after
    /// another. The device works on while the host does other things.
    pub fn submit(&self, mut encoder: wgpu::CommandEncoder, ranges: &[(&wgpu::Buffer, u64, u64)]) -> Pending {
        let total: u64 = ranges.iter().map(|(_, _, bytes)| bytes).sum();
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("staging"),
            size: total.max(4),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut at = 0;
        for (buffer, start, bytes) in ranges {
            encoder.copy_buffer_to_buffer(buffer, *start, &staging, at, *bytes);
            at += bytes;
        }
        let submission = self.queue.submit([encoder.finish()]);
        let is_mapped = Arc::new(AtomicBool::new(false));
        let mapped = Arc::clone(&is_mapped);
        // A mapping that failed is met where it is read.
        staging.map_async(wgpu::MapMode::Read, .., move |_| mapped.store(true, Ordering::Release));
        Pending { staging, bytes: total as usize, submission, is_mapped }
    }

    /// Whether a submission is done, without waiting for it.
    pub fn is_done(&self, pending: &Pending) -> Result<bool> {
        self.poll(wgpu::PollType::Poll)?;
        Ok(pending.is_mapped.load(Ordering::Acquire))
    }

    /// Waits for a submission and gives the bytes it copied.
    pub fn finish(&self, pending: &Pending) -> Result<Vec<u8>> {
        self.poll(wgpu::PollType::Wait {
            submission_index: Some(pending.submission.clone()),
            timeout: None,
        })?;
        let view = pending.staging.get_mapped_range(..).map_err(|error| {
            Error::device(&self.facts.name, format!("results cannot be read back: {error}"))
        })?;
        Ok(view[..pending.bytes].to_vec())
    }

    /// Waits for everything submitted so far; fails when the device reported a fault.
    pub fn wait(&self) -> Result<()> {
        self.poll(wgpu::PollType::wait_indefinitely())
    }

    fn poll(&self, how: wgpu::PollType) -> Result<()> {
        let polled = self.device.poll(how);
        match (self.fault(), polled) {
            (Some(fault), _) => Err(self.fault_error(&fault)),
            (None, Err(error)) => Err(self.fault_error(&error.to_string())),
            (None, Ok(_)) => Ok(()),
        }
    }

    fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn fault_error(&self, fault: &str) -> Error {
        Error::device(&self.facts.name, fault)
            .advice("run the same command again to resume; --engine cpu if it happens again")
    }
}

/// Bytes on their way to the host.
pub struct Pending {
    staging: wgpu::Buffer,
    bytes: usize,
    submission: wgpu::SubmissionIndex,
    is_mapped: Arc<AtomicBool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Vec<DeviceFacts> {
        [("AMD Radeon", "integrated"), ("llvmpipe", "software"), ("NVIDIA H200", "discrete")]
            .into_iter()
            .enumerate()
            .map(|(index, (name, kind))| DeviceFacts {
                index,
                name: name.to_owned(),
                kind,
                backend: "vulkan".to_owned(),
                driver: String::new(),
                binding_limit: 1 << 27,
                buffer_limit: 1 << 28,
                workgroup_memory: 1 << 15,
                workgroup_threads: 256,
                software: kind == "software",
            })
            .collect()
    }

    #[test]
    fn a_device_is_chosen_by_index_by_name_or_by_rank() {
        let found = listed();
        assert_eq!(choose(None, &found).unwrap(), 2);
        assert_eq!(choose(Some("1"), &found).unwrap(), 1);
        assert_eq!(choose(Some("radeon"), &found).unwrap(), 0);
        for wrong in ["3", "voodoo", "a"] {
            let error = choose(Some(wrong), &found).unwrap_err();
            assert_eq!(error.exit_code(), 4);
            assert!(error.to_string().contains("llvmpipe"), "{error}");
        }
    }

    #[test]
    fn a_software_adapter_is_used_only_when_named() {
        let software = vec![DeviceFacts { index: 0, ..listed()[1].clone() }];
        assert_eq!(choose(None, &software).unwrap_err().exit_code(), 4);
        assert_eq!(choose(Some("llvm"), &software).unwrap(), 0);
    }
}
