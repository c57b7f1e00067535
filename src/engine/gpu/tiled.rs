//! The kernels of dense layers in all the variants that are in use, and how that use was decided.

use super::autotune;
use super::cache::Cache;
use super::device::GpuDevice;
use super::pipelines::{Kernel, Pipeline, compile};
use super::sources::{Source, assemble_in};
use super::variant::{self, ALL, BASE, Product, Tiles};
use crate::error::Result;
use std::collections::BTreeMap;

/// Compiled variants and the choice among them.
pub struct Tiled {
    /// Which variant a product takes.
    pub tiles: Tiles,
    /// (kernel, variant) All in use, except the base: that is among the engine's other pipelines.
    pipelines: BTreeMap<(usize, usize), Pipeline>,
    /// How the choice was made, one line each.
    notes: Vec<String>,
}

impl Tiled {
    /// The base variant for everything.
    pub fn base(why: &str) -> Self {
        let notes = vec![format!("tiles {}: {why}", ALL[BASE].name)];
        Self { tiles: Tiles::only(BASE), pipelines: BTreeMap::new(), notes }
    }

    /// One variant for everything, of sources in that variant.
    pub fn only(gpu: &GpuDevice, variant: usize, sources: &[Source]) -> Result<Self> {
        let wanted = Kernel::PRODUCTS.map(|kernel| (kernel, &sources[kernel as usize]));
        let compiled = compile(gpu, &wanted)?;
        let places = Kernel::PRODUCTS.map(|kernel| (kernel as usize, variant));
        Ok(Self {
            tiles: Tiles::only(variant),
            pipelines: places.into_iter().zip(compiled).collect(),
            notes: vec![format!("tiles {}: asked for", ALL[variant].name)],
        })
    }

    /// The fastest variant for each product: by what an earlier run measured on this device, or by what
    /// is measured now.
    pub fn tuned(gpu: &GpuDevice, base: &[Pipeline], files: &Cache) -> Result<Self> {
        let found = match autotune::kept(files) {
            Some(found) => found,
            None => autotune::measure(gpu, base, files)?,
        };
        let tiles = Tiles::measured(found.costs);
        let wanted: Vec<(Kernel, usize)> = tiles.in_use().filter(|(_, variant)| *variant != BASE).collect();
        let pipelines = compile_variants(gpu, &wanted)?;
        let mut notes = found.notes;
        notes.extend(Kernel::PRODUCTS.map(|kernel| describe(kernel, &tiles)));
        Ok(Self { tiles, pipelines, notes })
    }

    /// The pipeline of a variant other than the base.
    pub fn pipeline(&self, kernel: Kernel, variant: usize) -> Option<&wgpu::ComputePipeline> {
        self.pipelines.get(&(kernel as usize, variant)).map(|pipeline| &pipeline.pipeline)
    }

    /// How the choice was made and what it is, one line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// Kernels in variants, as they ship.
pub fn compile_variants(
    gpu: &GpuDevice,
    wanted: &[(Kernel, usize)],
) -> Result<BTreeMap<(usize, usize), Pipeline>> {
    let sources: Vec<Vec<Source>> = ALL.iter().map(assemble_in).collect();
    let kernels: Vec<(Kernel, &Source)> =
        wanted.iter().map(|(kernel, variant)| (*kernel, &sources[*variant][*kernel as usize])).collect();
    let places = wanted.iter().map(|(kernel, variant)| (*kernel as usize, *variant));
    Ok(places.zip(compile(gpu, &kernels)?).collect())
}

/// The variants of a kernel for layers of a few sizes.
fn describe(kernel: Kernel, tiles: &Tiles) -> String {
    let taken = |(rows, columns): (u32, u32)| {
        let product = Product { height: rows / 4, width: columns / 4, inner: 32 };
        format!("{} for {rows} x {columns}", variant::ALL[tiles.variant(kernel, &product)].name)
    };
    let sizes = [(32, 32), (128, 12), (64, 64), (128, 128), (256, 256)];
    format!("tiles of {}: {}", kernel.name(), sizes.map(taken).join(", "))
}
