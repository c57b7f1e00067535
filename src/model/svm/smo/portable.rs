//! The passes at f32 in loops that a compiler turns into vectors of any width, AVX2's and NEON's among them: no
//! branches, sets as masks, maxima in lanes.
//!
//! Every number is rounded as in the plain loops, and maxima depend on no order: the bits are the same.

use super::CURVATURE_FLOOR;
use super::passes::{Partner, Passes, Variables, WORD};

/// Maxima side by side, of f64 and of f32: as many as keep an AVX2 processor from waiting for the last.
const WIDE: usize = 8;
const NARROW: usize = 16;
/// Bits whose masks are looked up together: a vector of AVX2.
const BITS: usize = 4;

/// (bits, lane) All bits where the lane's is set.
static MASKS: [[u64; BITS]; 1 << BITS] = {
    let mut masks = [[0; BITS]; 1 << BITS];
    let mut bits = 0;
    while bits < masks.len() {
        let mut lane = 0;
        while lane < BITS {
            masks[bits][lane] = if bits >> lane & 1 != 0 { u64::MAX } else { 0 };
            lane += 1;
        }
        bits += 1;
    }
    masks
};

/// The numbers in a set, others in place of the rest.
#[inline(always)]
fn only(numbers: &[f64; WORD], set: u32, other: f64) -> [f64; WORD] {
    let mut masks = [[0; BITS]; WORD / BITS];
    for (part, masks) in masks.iter_mut().enumerate() {
        *masks = MASKS[(set >> (BITS * part)) as usize % MASKS.len()];
    }
    let masks = masks.as_flattened();
    let mut out = [other; WORD];
    for at in 0..WORD {
        out[at] = f64::from_bits(numbers[at].to_bits() & masks[at] | other.to_bits() & !masks[at]);
    }
    out
}

/// See [`Passes::advance`].
#[inline(always)]
pub fn advance(
    layer: Variables<'_>,
    k_i: &[f32],
    k_j: &[f32],
    t: f64,
    (most, least): (f64, f64),
) -> (f64, f64) {
    let Variables { f, up, low } = layer;
    let (mut mosts, mut leasts) = ([most; WIDE], [least; WIDE]);
    let words = f.as_chunks_mut::<WORD>().0.iter_mut().zip(up).zip(low);
    let rows = k_i.as_chunks::<WORD>().0.iter().zip(k_j.as_chunks::<WORD>().0);
    for (((f, &up), &low), (k_i, k_j)) in words.zip(rows) {
        for at in 0..WORD {
            f[at] -= t * (f64::from(k_i[at]) - f64::from(k_j[at]));
        }
        let (above, below) = (only(f, up, f64::NEG_INFINITY), only(f, low, f64::INFINITY));
        for (above, below) in above.as_chunks::<WIDE>().0.iter().zip(below.as_chunks::<WIDE>().0) {
            for lane in 0..WIDE {
                mosts[lane] = if above[lane] > mosts[lane] { above[lane] } else { mosts[lane] };
                leasts[lane] = if below[lane] < leasts[lane] { below[lane] } else { leasts[lane] };
            }
        }
    }
    (mosts.into_iter().fold(most, f64::max), leasts.into_iter().fold(least, f64::min))
}

/// See [`Passes::gains`].
#[inline(always)]
pub fn gains(layer: Variables<'_>, row: &Partner<'_, f32>, gains: &mut [f32], best: f32) -> f32 {
    let mut bests = [best; NARROW];
    let words = layer.f.as_chunks::<WORD>().0.iter().zip(layer.low).zip(gains.as_chunks_mut::<WORD>().0);
    let rows = row.k_i.as_chunks::<WORD>().0.iter().zip(row.diagonal.as_chunks::<WORD>().0);
    for (((f, &low), gains), (k_i, diagonal)) in words.zip(rows) {
        for at in 0..WORD {
            let above = (row.most - f[at]) as f32;
            let above = f32::from_bits(above.to_bits() & (low >> at & 1).wrapping_neg());
            let above = if above > 0.0 { above } else { 0.0 };
            let curvature = row.own + diagonal[at] - (k_i[at] + k_i[at]);
            let floor = CURVATURE_FLOOR as f32;
            let curvature = if curvature > floor { curvature } else { floor };
            gains[at] = above * above * curvature.rough_reciprocal();
        }
        for gains in gains.as_chunks::<NARROW>().0 {
            for lane in 0..NARROW {
                bests[lane] = if gains[lane] > bests[lane] { gains[lane] } else { bests[lane] };
            }
        }
    }
    bests.into_iter().fold(best, f32::max)
}

/// See [`Passes::place`].
#[inline(always)]
pub fn place(f: &[f64], set: &[u32], wanted: f64) -> usize {
    for (word, (f, &set)) in f.as_chunks::<WORD>().0.iter().zip(set).enumerate() {
        if let Some(lane) = lane_of(f, wanted, set) {
            return word * WORD + lane;
        }
    }
    0
}

/// See [`Passes::first`].
#[inline(always)]
pub fn first(numbers: &[f32], wanted: f32) -> usize {
    for (word, numbers) in numbers.as_chunks::<WORD>().0.iter().enumerate() {
        if let Some(lane) = lane_of(numbers, wanted, u32::MAX) {
            return word * WORD + lane;
        }
    }
    0
}

/// The first lane of a set with this number. Most words have none, which is told without a branch a lane.
#[inline(always)]
fn lane_of<T: Copy + PartialEq>(numbers: &[T; WORD], wanted: T, set: u32) -> Option<usize> {
    let mut is_there = false;
    for number in numbers {
        is_there |= *number == wanted;
    }
    let is_wanted = |&lane: &usize| numbers[lane] == wanted && set >> lane & 1 != 0;
    if is_there { (0..WORD).find(is_wanted) } else { None }
}
