//! Measures which tile variants a device is fast with, once: the result is kept between runs.
//!
//! A variant must first give the bits of the base on this device. Then each is timed, by the wall clock,
//! on layers of one size with a short and with a long inner dimension: a line through both is what a tile
//! costs for any layer.

use super::cache::Cache;
use super::device::GpuDevice;
use super::pipelines::{Kernel, Pipeline};
use super::synthetic::{Prepared, Shape, Synthetic};
use super::tiled::compile_variants;
use super::variant::{ALL, BASE, Cost, Product};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// The kind of file that holds what was measured.
const FILE: &str = "tiles";

/// (kernel, variant)
type Costs = [[Option<Cost>; ALL.len()]; Kernel::PRODUCTS.len()];

/// What is known of a device's tiles.
#[derive(Serialize, Deserialize)]
pub struct Found {
    /// What a tile costs; `None` where a variant is not to be used.
    pub costs: Costs,
    /// How that was found, one line each.
    pub notes: Vec<String>,
}

/// How much is measured.
struct Effort {
    /// Rows and columns of a product: whole tiles of every variant.
    side: u32,
    /// Its inner dimension, short and long.
    inner: [u32; 2],
    /// Layers at most: several workgroups for each core that any device has.
    layers: usize,
    /// A variant is measured no more once this many seconds have passed.
    seconds: f64,
}

const EFFORT: Effort = Effort { side: 256, inner: [32, 256], layers: 64, seconds: 2.0 };
const SOFTWARE_EFFORT: Effort = Effort { side: 128, inner: [16, 64], layers: 2, seconds: 10.0 };

/// A timed submission: long enough for the wall clock, short for a watchdog and for whoever waits.
const SUBMISSION: f64 = 2e-3;
/// The base variant's time for the layers that are measured, at most: a slower device gets fewer layers.
const SLOWEST: f64 = 10e-3;
/// Timed submissions of each variant; the fastest counts, as nothing but disturbances makes one slower.
const ROUNDS: usize = 3;
/// Most bytes of an arena.
const MOST_BYTES: u64 = 64 << 20;

/// Odd shapes for the comparison of bits: below, at and beyond the edges of every tile.
const ODD_SHAPES: [Shape; 8] = [
    (1, 1, 1),
    (31, 3, 65),
    (33, 16, 10),
    (64, 130, 33),
    (100, 65, 130),
    (129, 31, 17),
    (4, 64, 64),
    (67, 257, 5),
];

/// What an earlier run measured with this device, driver and these shaders.
pub fn kept(files: &Cache) -> Option<Found> {
    let mut found: Found = serde_json::from_slice(&files.read(FILE)?).ok()?;
    let path = files.path(FILE).map(|path| path.display().to_string()).unwrap_or_default();
    found.notes.push(format!("tiles as an earlier run measured them, {path}"));
    Some(found)
}

/// Measures, and keeps the result.
pub fn measure(gpu: &GpuDevice, base: &[Pipeline], files: &Cache) -> Result<Found> {
    let started = Instant::now();
    let wanted: Vec<(Kernel, usize)> = Kernel::PRODUCTS
        .into_iter()
        .flat_map(|kernel| (0..ALL.len()).filter(|v| *v != BASE).map(move |variant| (kernel, variant)))
        .collect();
    let compiled = compile_variants(gpu, &wanted)?;
    let bench = Bench { gpu, base, compiled };
    let compiled_in = started.elapsed().as_secs_f64();
    let mut notes = Vec::new();
    let usable = bench.equal_in_bits(&mut notes)?;
    let effort = if gpu.facts.software { SOFTWARE_EFFORT } else { EFFORT };
    let costs = bench.costs(&usable, &effort)?;
    let found = Found { costs, notes };
    let written = serde_json::to_vec(&found).map_err(std::io::Error::other);
    let written = written.and_then(|bytes| files.write(FILE, &bytes));
    let mut found = found;
    found.notes.push(format!(
        "tiles measured in {:.1} s, after {compiled_in:.1} s of compiling{}",
        started.elapsed().as_secs_f64() - compiled_in,
        written.err().map(|error| format!("; they cannot be kept: {error}")).unwrap_or_default()
    ));
    Ok(found)
}

/// All variants on one device.
struct Bench<'a> {
    gpu: &'a GpuDevice,
    base: &'a [Pipeline],
    compiled: BTreeMap<(usize, usize), Pipeline>,
}

impl Bench<'_> {
    fn pipeline(&self, kernel: Kernel, variant: usize) -> &Pipeline {
        self.compiled.get(&(kernel as usize, variant)).unwrap_or(&self.base[kernel as usize])
    }

    /// (kernel, variant) Whether a variant gives the bits of the base. One that does not is not used, and
    /// that is said.
    fn equal_in_bits(&self, notes: &mut Vec<String>) -> Result<[[bool; ALL.len()]; Kernel::PRODUCTS.len()]> {
        let layers = Synthetic::new(self.gpu, &ODD_SHAPES)?;
        let mut usable = [[true; ALL.len()]; Kernel::PRODUCTS.len()];
        for (kernel, usable) in Kernel::PRODUCTS.into_iter().zip(&mut usable) {
            let outcome = |variant: usize| {
                layers.fill(self.gpu);
                let pipeline = self.pipeline(kernel, variant);
                let prepared = layers.prepare(self.gpu, kernel, &ALL[variant], pipeline, ODD_SHAPES.len())?;
                prepared.run(self.gpu, 1)?;
                layers.written(self.gpu, kernel)
            };
            let expected = outcome(BASE)?;
            for variant in (0..ALL.len()).filter(|variant| *variant != BASE) {
                usable[variant] = outcome(variant)? == expected;
                if !usable[variant] {
                    let (name, base) = (ALL[variant].name, ALL[BASE].name);
                    notes.push(format!(
                        "tiles {name} of {} are not used: other bits than {base} on this device",
                        kernel.name()
                    ));
                }
            }
        }
        Ok(usable)
    }

    fn costs(&self, usable: &[[bool; ALL.len()]; Kernel::PRODUCTS.len()], effort: &Effort) -> Result<Costs> {
        let started = Instant::now();
        let mut costs = [[None; ALL.len()]; Kernel::PRODUCTS.len()];
        for (place, kernel) in Kernel::PRODUCTS.into_iter().enumerate() {
            let sets = effort.inner.map(|inner| self.layers(kernel, inner, effort));
            let [short, long] = sets;
            let (short, long) = (short?, long?);
            for variant in (0..ALL.len()).filter(|variant| usable[place][*variant]) {
                if variant != BASE && started.elapsed().as_secs_f64() > effort.seconds {
                    break;
                }
                let [short_time, long_time] =
                    [self.seconds(&short, kernel, variant)?, self.seconds(&long, kernel, variant)?];
                costs[place][variant] = Some(line(effort.inner, [short_time, long_time]));
            }
        }
        Ok(costs)
    }

    /// Layers whose products have a side and an inner dimension; as many as the base makes in a short time.
    fn layers(&self, kernel: Kernel, inner: u32, effort: &Effort) -> Result<(Synthetic, usize, Product)> {
        let side = effort.side;
        let shape = match kernel {
            Kernel::Forward => (side, inner, side),
            Kernel::BackwardInput => (side, side, inner),
            _ => (inner, side, side),
        };
        let most_bytes = MOST_BYTES.min(self.gpu.facts.binding_limit);
        let parameters = 32 * u64::from((shape.1 + 1) * shape.2.div_ceil(4));
        let by_bytes = most_bytes / parameters.max(16 * Synthetic::scratch_quads(shape));
        let mut count = effort.layers.min(by_bytes as usize).max(1);
        let layers = Synthetic::new(self.gpu, &vec![shape; count])?;
        layers.fill(self.gpu);
        loop {
            let prepared =
                layers.prepare(self.gpu, kernel, &ALL[BASE], self.pipeline(kernel, BASE), count)?;
            // The first run of a pipeline may still be compiling.
            prepared.run(self.gpu, 1)?;
            if count == 1 || timed(&prepared, self.gpu, 1)? <= SLOWEST {
                break;
            }
            count /= 2;
        }
        Ok((layers, count, Product { height: side / 4, width: side / 4, inner: inner / 4 }))
    }

    /// Seconds of one tile.
    fn seconds(
        &self,
        (layers, count, product): &(Synthetic, usize, Product),
        kernel: Kernel,
        variant: usize,
    ) -> Result<f64> {
        let prepared =
            layers.prepare(self.gpu, kernel, &ALL[variant], self.pipeline(kernel, variant), *count)?;
        prepared.run(self.gpu, 1)?;
        let once = timed(&prepared, self.gpu, 1)?;
        let times = (SUBMISSION / once).ceil().clamp(1.0, 64.0) as u32;
        let mut fastest = if times == 1 { once } else { f64::INFINITY };
        for _ in 0..ROUNDS {
            fastest = fastest.min(timed(&prepared, self.gpu, times)? / f64::from(times));
        }
        Ok(fastest / (*count as f64 * f64::from(ALL[variant].tiles(product))))
    }
}

fn timed(prepared: &Prepared<'_>, gpu: &GpuDevice, times: u32) -> Result<f64> {
    let started = Instant::now();
    prepared.run(gpu, times)?;
    Ok(started.elapsed().as_secs_f64())
}

/// The line through two times; where noise would make it fall, a flat one.
fn line(inner: [u32; 2], [short, long]: [f64; 2]) -> Cost {
    let [near, far] = inner.map(|length| f64::from(length / 4));
    let slope = ((long - short) / (far - near)).max(0.0);
    Cost { tile: (short - slope * near).max(0.0), inner: slope }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_two_times() {
        assert_eq!(line([32, 256], [10.0, 66.0]), Cost { tile: 2.0, inner: 1.0 });
        assert_eq!(line([32, 256], [10.0, 9.0]), Cost { tile: 10.0, inner: 0.0 });
        assert_eq!(line([32, 256], [1.0, 9.0]).tile, 0.0);
    }

    #[test]
    fn a_file_that_is_no_result_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let files = Cache::new(Some(folder.path().to_owned()), ["a card", "vulkan", "1"], &[]);
        assert!(kept(&files).is_none());
        for wrong in ["", "{}", r#"{"costs":[[null]],"notes":[]}"#] {
            files.write(FILE, wrong.as_bytes()).unwrap();
            assert!(kept(&files).is_none(), "{wrong}");
        }
        let costs = [[Some(Cost { tile: 1.0, inner: 2.0 }); ALL.len()]; 3];
        let found = Found { costs, notes: vec!["a note".to_owned()] };
        files.write(FILE, &serde_json::to_vec(&found).unwrap()).unwrap();
        let again = kept(&files).unwrap();
        assert_eq!((again.costs, again.notes.len()), (costs, 2));
    }
}
