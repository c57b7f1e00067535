//! The variants of the resident plan: how much of a member stays on chip, and how many threads train it.

use super::layout::Layout;
use crate::engine::gpu::device::DeviceFacts;

/// One variant: the overrides of `shaders/resident/memory.wgsl`.
#[derive(Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name: what is on chip, and the KiB of workgroup memory it takes.
    pub name: &'static str,
    /// Threads of a workgroup, a power of 2.
    pub threads: u32,
    /// vec4 on chip.
    pub chip_quads: u32,
    /// Most rows of a minibatch.
    pub most_rows: u32,
    /// Whether the moments stay on chip.
    pub moments_on_chip: bool,
    /// Whether the activations do.
    pub activations_on_chip: bool,
}

/// Bytes of workgroup memory that no array takes: flags, and room for the compiler's alignment.
const SPARE: u32 = 64;

const fn variant(
    name: &'static str,
    bytes: u32,
    threads: u32,
    most_rows: u32,
    moments_on_chip: bool,
    activations_on_chip: bool,
) -> Variant {
    let chip_quads = (bytes - 4 * most_rows - 8 * threads - SPARE) / 16;
    Variant { name, threads, chip_quads, most_rows, moments_on_chip, activations_on_chip }
}

/// Every variant, the first that fits a member is its own: all on chip before some, and little memory
/// before much, since a processor of the device holds as many workgroups as their memory fits.
pub static ALL: &[Variant] = &[
    variant("all-8k", 8 << 10, 64, 64, true, true),
    variant("all-12k", 12 << 10, 64, 64, true, true),
    variant("all-16k", 16 << 10, 64, 128, true, true),
    variant("all-24k", 24 << 10, 64, 256, true, true),
    variant("all-32k", 32 << 10, 128, 256, true, true),
    variant("all-48k", 48 << 10, 256, 256, true, true),
    variant("weights-activations-16k", 16 << 10, 64, 128, false, true),
    variant("weights-activations-32k", 32 << 10, 128, 256, false, true),
    variant("weights-activations-48k", 48 << 10, 256, 256, false, true),
    variant("weights-16k", 16 << 10, 64, 1024, false, false),
    variant("weights-32k", 32 << 10, 128, 1024, false, false),
    variant("weights-48k", 48 << 10, 256, 1024, false, false),
];

impl Variant {
    /// Bytes of workgroup memory.
    pub fn workgroup_bytes(&self) -> u32 {
        16 * self.chip_quads + 4 * self.most_rows + 8 * self.threads + SPARE
    }

    /// Whether the device runs it.
    pub fn runs_on(&self, facts: &DeviceFacts) -> bool {
        self.workgroup_bytes() <= facts.workgroup_memory && self.threads <= facts.workgroup_threads
    }

    /// Whether it holds a member.
    pub fn holds(&self, layout: &Layout) -> bool {
        let moments = if self.moments_on_chip { 2 * layout.parameters } else { 0 };
        let activations = if self.activations_on_chip { layout.activations } else { 0 };
        layout.rows <= self.most_rows && layout.parameters + moments + activations <= self.chip_quads
    }

    /// Where activations begin on chip, in vec4.
    pub fn activations_at(&self, layout: &Layout) -> u32 {
        layout.parameters * if self.moments_on_chip { 3 } else { 1 }
    }

    /// The overrides of its pipeline.
    pub fn constants(&self) -> [(&'static str, f64); 5] {
        [
            ("threads", f64::from(self.threads)),
            ("chip_quads", f64::from(self.chip_quads)),
            ("most_rows", f64::from(self.most_rows)),
            ("moments_on_chip", f64::from(u8::from(self.moments_on_chip))),
            ("activations_on_chip", f64::from(u8::from(self.activations_on_chip))),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_take_the_memory_that_their_names_say() {
        for variant in ALL {
            let (_, size) = variant.name.rsplit_once('-').unwrap();
            let bytes = size.strip_suffix('k').unwrap().parse::<u32>().unwrap() << 10;
            assert!(variant.workgroup_bytes() <= bytes, "{}", variant.name);
            assert!(variant.workgroup_bytes() + 16 > bytes, "{}", variant.name);
            assert!(variant.threads.is_power_of_two(), "{}", variant.name);
        }
    }
}
