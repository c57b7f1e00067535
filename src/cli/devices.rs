//! `manytune devices`: what this machine offers, and what `--engine auto` would use.

use super::output;
use crate::engine::cpu::memory::size;
use crate::engine::{self, cpu};
use crate::error::Result;

/// List graphics adapters and the processor, and what --engine auto would use
#[derive(clap::Args)]
pub struct Arguments {}

/// Prints one block per device.
pub fn run(_: &Arguments) -> Result<()> {
    let devices = engine::devices();
    let mut text = String::new();
    for facts in &devices {
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
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    text.push_str(&format!("cpu: {}\n  {threads} threads\n", cpu::processor_name()));
    text.push_str(&format!("\n--engine auto would use {}\n", automatic(&devices)));
    output::print(&text)
}

fn automatic(devices: &[engine::gpu::device::DeviceFacts]) -> String {
    match engine::gpu::device::preferred(devices) {
        Some(facts) => format!("gpu {}: {}", facts.index, facts.name),
        None if devices.is_empty() => "cpu: there is no graphics adapter".to_owned(),
        None => "cpu: every graphics adapter here is software".to_owned(),
    }
}
