//! How many threads solve a problem, and how many passes one dispatch takes at most. No number depends on them.
//!
//! Mesa's software adapter ends every loop of an invocation once all of them together have gone round 65,535 times
//! (LP_MAX_TGSI_LOOP_ITERATIONS), without a word. What is asked of it in one dispatch stays below that.

use super::super::device::DeviceFacts;
use crate::error::{Error, Result};

/// Rounds of loops that a software adapter is asked for: what the compiler makes of them is not known.
const MOST_ROUNDS: usize = 50_000;
/// Rounds of the reductions of a pass, and of its own.
const REDUCTIONS: usize = 100;
/// vec4 of rows that a thread of a real device should at least have.
const QUADS_A_THREAD: usize = 2;
/// Passes that a dispatch of a software adapter should be able to take.
const FEW_PASSES: usize = 10;

/// Threads of a workgroup that solves, for problems of so many vec4 of rows; and the most passes of a dispatch. Bases
/// take a loop over so many features; 0 where they are stored.
pub fn threads(facts: &DeviceFacts, quads: usize, layers: usize, features: usize) -> Result<(u32, u32)> {
    if !facts.software {
        let fits = |threads: &u32| {
            quads >= QUADS_A_THREAD * *threads as usize && *threads <= facts.workgroup_threads
        };
        return Ok(([256, 128].into_iter().find(fits).unwrap_or(64), u32::MAX));
    }
    // Two passes over a thread's rows, each of bases, layers and lanes; before the first the diagonal and one more.
    let of_pass = |threads: u32| {
        let rows = quads.div_ceil(threads as usize);
        rows.saturating_mul(2 * (2 + 5 * layers + features)) + REDUCTIONS
    };
    let before =
        |threads: u32| quads.div_ceil(threads as usize).saturating_mul(6 + 5 * layers + 4 * features);
    let passes = |threads: u32| MOST_ROUNDS.saturating_sub(before(threads)) / of_pass(threads);
    let threads = [16, 64].into_iter().find(|&threads| passes(threads) >= FEW_PASSES).unwrap_or(256);
    match passes(threads) {
        0 => Err(too_large(facts)),
        passes => Ok((threads, passes as u32)),
    }
}

/// Rows that a dispatch decides by at most.
pub fn rows(facts: &DeviceFacts, layers: usize, features: usize) -> Result<usize> {
    match MOST_ROUNDS / (1 + layers + features) {
        _ if !facts.software => Ok(usize::MAX),
        0 => Err(too_large(facts)),
        rows => Ok(rows),
    }
}

fn too_large(facts: &DeviceFacts) -> Error {
    Error::device(
        &facts.name,
        "kernel machines of so many rows and features are more than this software adapter takes",
    )
    .advice("--engine cpu")
}
