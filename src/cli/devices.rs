//! `manytune devices`: what this machine offers, and what `--engine auto` would use.

use super::output;
use crate::engine::cpu::memory::size;
use crate::engine::{self, cpu};
use crate::error::{Error, Result};

/// List graphics adapters and the processor, and what --engine auto would use
#[derive(clap::Args)]
pub struct Arguments {
    /// table or json
    #[arg(long, value_enum, default_value_t = Format::Table, hide_default_value = true)]
    format: Format,
}

/// How devices are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One block each.
    Table,
    /// One object.
    Json,
}

/// Prints the devices.
pub fn run(arguments: &Arguments) -> Result<()> {
    let devices = engine::devices();
    let text = match arguments.format {
        Format::Table => table(&devices),
        Format::Json => json(&devices)?,
    };
    output::print(&text)
}

/// `{"gpu":[…],"cpu":{"name","threads"},"auto":"gpu"|"cpu"}`.
fn json(devices: &[engine::gpu::device::DeviceFacts]) -> Result<String> {
    let auto = if engine::gpu::device::preferred(devices).is_some() { "gpu" } else { "cpu" };
    let cpu = serde_json::json!({"name": cpu::processor_name(), "threads": threads()});
    let all = serde_json::json!({"gpu": devices, "cpu": cpu, "auto": auto});
    let text = serde_json::to_string(&all)
        .map_err(|error| Error::device("devices", format!("they are not JSON: {error}")))?;
    Ok(text + "\n")
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// One block per device.
fn table(devices: &[engine::gpu::device::DeviceFacts]) -> String {
    let mut text = String::new();
    for facts in devices {
        text.push_str(&format!(
            "gpu {}: {} ({}, {})\n  driver {}\n  largest binding {}, largest buffer {}, workgroup memory {}\n",
            facts.index,
            facts.name,
            facts.kind,
            facts.backend,
            if facts.driver.is_empty() { "unknown" } else { &facts.driver },
            size(facts.binding_limit),
            size(facts.buffer_limit),
            size(facts.workgroup_memory.into()),
        ));
        if facts.software {
            let line = "a software adapter: used only when named, --device";
            text.push_str(&format!("  {line} {}\n", facts.index));
        }
    }
    if devices.is_empty() {
        text.push_str("gpu: none found (no Vulkan, Metal or DX12 driver with an adapter)\n");
    }
    text.push_str(&format!("cpu: {}\n  {} threads\n", cpu::processor_name(), threads()));
    text.push_str(&format!("\n--engine auto would use {}\n", automatic(devices)));
    text
}

fn automatic(devices: &[engine::gpu::device::DeviceFacts]) -> String {
    match engine::gpu::device::preferred(devices) {
        Some(facts) => format!("gpu {}: {}", facts.index, facts.name),
        None if devices.is_empty() => "cpu: there is no graphics adapter".to_owned(),
        None => "cpu: every graphics adapter here is software".to_owned(),
    }
}
