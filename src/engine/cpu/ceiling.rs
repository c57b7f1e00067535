//! The processor's own limits: fused multiply-adds in its widest vectors, and a copy through its memory,
//! on all threads of the engine.

use crate::engine::ceiling::{Ceilings, rate};
use crate::error::{Error, Result};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Independent chains of multiply-adds: two units of a latency of 4 or 5 are busy with 10, and these with
/// their operands fit the 16 registers of AVX2.
const CHAINS: usize = 12;
/// Every chain counts by ones, and f32 counts exactly up to 2²⁴.
const MOST_ITERATIONS: u64 = 1 << 23;
/// Bytes of each buffer of the copy: no last cache holds two of them.
const COPIED: u64 = 256 << 20;
/// Both buffers take at most one part in so many of the available memory.
const MEMORY_SHARE: u64 = 4;
/// A core's second cache, where the system does not tell.
const DEFAULT_CACHE: u64 = 256 << 10;

/// Measures the limits on the threads of a pool.
pub fn measure(pool: &rayon::ThreadPool, available: u64) -> Result<Ceilings> {
    let arch = Arch::new();
    let iterations = rate(1 << 12, MOST_ITERATIONS, |iterations| {
        let right = pool.broadcast(|_| arch.dispatch(Chains { iterations: iterations as u32, factor: 1.0 }));
        match right.iter().all(|right| *right) {
            true => Ok(()),
            false => Err(Error::check("cpu", "its multiply-adds do not add up: no peak is known")),
        }
    })?;
    let lanes = arch.dispatch(Lanes);
    let flops = (pool.current_num_threads() * lanes * CHAINS * 2) as f64;
    Ok(Ceilings {
        peak: iterations.map(|rate| rate * flops),
        copy: copy(pool, COPIED.min(available / (2 * MEMORY_SHARE)).max(1 << 20))?,
        on_chip: second_cache().unwrap_or(DEFAULT_CACHE),
    })
}

/// Numbers in a vector.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// x ← x·factor + 1 in every lane of every chain; tells whether all of them have counted right.
struct Chains {
    iterations: u32,
    factor: f32,
}

impl WithSimd for Chains {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        // Unknown to the compiler: it could do without the products, and then without the loop.
        let factor = simd.splat_f32s(std::hint::black_box(self.factor));
        let one = simd.splat_f32s(std::hint::black_box(1.0));
        let mut chains: [S::f32s; CHAINS] = std::array::from_fn(|chain| simd.splat_f32s(chain as f32));
        for _ in 0..self.iterations {
            for x in &mut chains {
                *x = simd.mul_add_f32s(*x, factor, one);
            }
        }
        chains.iter().enumerate().all(|(chain, x)| {
            let counted = (chain as u32 + self.iterations) as f32;
            bytemuck::cast_slice::<S::f32s, f32>(std::slice::from_ref(x)).iter().all(|x| *x == counted)
        })
    }
}

/// Bytes read and written a second: each thread copies its own part of a buffer.
fn copy(pool: &rayon::ThreadPool, bytes: u64) -> Result<crate::engine::ceiling::Spread> {
    let count = (bytes / 8) as usize;
    let part = count.div_ceil(pool.current_num_threads());
    let (mut here, mut there) = (vec![0_u64; count], vec![1_u64; count]);
    let number = |i: usize| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    pool.install(|| {
        here.par_chunks_mut(part).enumerate().for_each(|(chunk, numbers)| {
            numbers.iter_mut().enumerate().for_each(|(i, x)| *x = number(chunk * part + i));
        });
    });
    let copies = rate(1, 64, |copies| {
        for _ in 0..copies {
            pool.install(|| {
                let parts = there.par_chunks_mut(part).zip(here.par_chunks(part));
                parts.with_max_len(1).for_each(|(there, here)| there.copy_from_slice(here));
            });
            // Every copy is looked at, so that none is left out.
            std::hint::black_box(&mut there);
        }
        Ok(())
    })?;
    match (0..count).step_by(997).all(|i| there[i] == number(i)) {
        true => Ok(copies.map(|rate| rate * 2.0 * 8.0 * count as f64)),
        false => Err(Error::check("cpu", "a copy is not what was copied: no bandwidth is known")),
    }
}

/// Bytes of a core's second cache, as Linux tells.
fn second_cache() -> Option<u64> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index2/size").ok()?;
    let text = text.trim();
    match text.strip_suffix('K') {
        Some(kib) => Some(kib.parse::<u64>().ok()? << 10),
        None => Some(text.strip_suffix('M')?.parse::<u64>().ok()? << 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_that_do_other_work_are_noticed() {
        let arch = Arch::new();
        assert!(arch.dispatch(Chains { iterations: 1000, factor: 1.0 }));
        assert!(!arch.dispatch(Chains { iterations: 1000, factor: 1.0 - f32::EPSILON }));
    }

    #[test]
    fn limits_are_measured() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let ceilings = measure(&pool, 64 << 20).unwrap();
        assert!(ceilings.peak.median > 1e8 && ceilings.peak.max < 1e14, "{ceilings:?}");
        assert!(ceilings.copy.median > 1e7 && ceilings.copy.max < 1e14, "{ceilings:?}");
        assert!(ceilings.on_chip >= 64 << 10, "{ceilings:?}");
    }
}
