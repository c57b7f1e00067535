//! The passes over all variables that a step of the solver consists of.
//!
//! | pass | reads | gives |
//! |---|---|---|
//! | [`advance`](Passes::advance) | K_i, K_j, F, t | F − t (K_i − K_j), m and M |
//! | [`place`](Passes::place) | F | the first i of I_up with F_i = m |
//! | [`partner`](Passes::partner) | K_i, F | the first j of I_low with the largest (m − F_j)²/η |
//!
//! Here they are plain loops, which the reference runs; `x86.rs` has them at f32 for AVX-512, bit for bit.

use super::CURVATURE_FLOOR;
use crate::model::real::Real;
use crate::model::svm::base::PADDING;

/// Variables of a word of bits.
pub const WORD: usize = PADDING;

/// The variables that a pass goes over: one layer or two, (layer, padded row).
pub struct Variables<'a> {
    /// F
    pub f: &'a mut [f64],
    /// A bit for each variable of I_up.
    pub up: &'a [u32],
    /// A bit for each variable of I_low.
    pub low: &'a [u32],
}

/// A number type of kernel values, with the passes over them.
pub trait Passes: Real {
    /// F −= t (k_i − k_j) in one layer, and what that makes of m and M.
    fn advance(layer: Variables<'_>, k_i: &[Self], k_j: &[Self], t: f64, extremes: (f64, f64)) -> (f64, f64) {
        advance(layer, k_i, k_j, t, extremes)
    }

    /// The first variable of a set where F is this.
    fn place(f: &[f64], set: &[u32], wanted: f64) -> usize {
        place(f, set, wanted)
    }

    /// Gains of one layer and the largest of them and of `best`; 0 outside I_low and where F_j ≥ m.
    fn gains(layer: Variables<'_>, row: Partner<'_, Self>, gains: &mut [Self], best: Self) -> Self {
        gains_of(layer, &row, gains, best)
    }

    /// The first place of a number.
    fn first(numbers: &[Self], wanted: Self) -> usize {
        numbers.iter().position(|&number| number == wanted).unwrap_or(0)
    }

    /// 1/x for positive x, to a few percent where that is quicker: gains only choose.
    fn rough_reciprocal(self) -> Self;
}

/// What the second variable is chosen by.
pub struct Partner<'a, R> {
    /// m
    pub most: f64,
    /// K_ii
    pub own: R,
    /// (padded row) K_i
    pub k_i: &'a [R],
    /// (padded row) K_jj
    pub diagonal: &'a [R],
}

impl Passes for f64 {
    fn rough_reciprocal(self) -> Self {
        1.0 / self
    }
}

impl Passes for f32 {
    /// The exponent and mantissa negated about a magic constant, 12 % off at most, then one step of Newton's
    /// method: 1.5 %.
    #[inline(always)]
    fn rough_reciprocal(self) -> Self {
        let rough = Self::from_bits(ROUGH_RECIPROCAL.wrapping_sub(self.to_bits()));
        rough * (2.0 - self * rough)
    }

    #[cfg(target_arch = "x86_64")]
    fn advance(layer: Variables<'_>, k_i: &[Self], k_j: &[Self], t: f64, extremes: (f64, f64)) -> (f64, f64) {
        match widest_simd() {
            // SAFETY: the processor has the instructions, or this would be another architecture.
            Arch::V4(_) => unsafe { super::x86::advance(layer, k_i, k_j, t, extremes) },
            _ => advance(layer, k_i, k_j, t, extremes),
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn place(f: &[f64], set: &[u32], wanted: f64) -> usize {
        match widest_simd() {
            // SAFETY: as above.
            Arch::V4(_) => unsafe { super::x86::place(f, set, wanted) },
            _ => place(f, set, wanted),
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn gains(layer: Variables<'_>, row: Partner<'_, Self>, gains: &mut [Self], best: Self) -> Self {
        match widest_simd() {
            // SAFETY: as above.
            Arch::V4(_) => unsafe { super::x86::gains(layer, &row, gains, best) },
            _ => gains_of(layer, &row, gains, best),
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn first(numbers: &[Self], wanted: Self) -> usize {
        match widest_simd() {
            // SAFETY: as above.
            Arch::V4(_) => unsafe { super::x86::first(numbers, wanted) },
            _ => numbers.iter().position(|&number| number == wanted).unwrap_or(0),
        }
    }
}

/// See [`Passes::rough_reciprocal`].
pub(super) const ROUGH_RECIPROCAL: u32 = 0x7ef3_11c3;

#[cfg(target_arch = "x86_64")]
use crate::model::real::widest_simd;
#[cfg(target_arch = "x86_64")]
use pulp::Arch;

fn advance<R: Real>(
    layer: Variables<'_>,
    k_i: &[R],
    k_j: &[R],
    t: f64,
    (mut most, mut least): (f64, f64),
) -> (f64, f64) {
    let Variables { f, up, low } = layer;
    for (variable, ((f, k_i), k_j)) in f.iter_mut().zip(k_i).zip(k_j).enumerate() {
        *f -= t * (k_i.to_f64() - k_j.to_f64());
        if has(up, variable) && *f > most {
            most = *f;
        }
        if has(low, variable) && *f < least {
            least = *f;
        }
    }
    (most, least)
}

fn place(f: &[f64], set: &[u32], wanted: f64) -> usize {
    (0..f.len()).find(|&variable| has(set, variable) && f[variable] == wanted).unwrap_or(0)
}

fn gains_of<R: Passes>(layer: Variables<'_>, row: &Partner<'_, R>, gains: &mut [R], mut best: R) -> R {
    let floor = R::of(CURVATURE_FLOOR);
    for (variable, gain) in gains.iter_mut().enumerate() {
        let above = R::of(row.most - layer.f[variable]);
        let curvature = row.own + row.diagonal[variable] - (row.k_i[variable] + row.k_i[variable]);
        let curvature = if curvature > floor { curvature } else { floor };
        let counts = has(layer.low, variable) && above > R::ZERO;
        *gain = if counts { above * above * curvature.rough_reciprocal() } else { R::ZERO };
        if *gain > best {
            best = *gain;
        }
    }
    best
}

/// Whether a variable is in a set.
#[inline(always)]
pub fn has(set: &[u32], variable: usize) -> bool {
    set[variable / WORD] >> (variable % WORD) & 1 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern, of magnitudes that a solver meets.
    fn scattered(count: usize, seed: f64) -> impl Iterator<Item = f64> {
        (0..count).map(move |i| ((i as f64 + seed) * 12.9898).sin() * 43_758.545_3 % 1.0)
    }

    fn layer<'a>(f: &'a mut [f64], sets: &'a [Vec<u32>]) -> Variables<'a> {
        Variables { f, up: &sets[0], low: &sets[1] }
    }

    #[test]
    fn vector_instructions_round_as_plain_loops_do() {
        let count = 5 * WORD;
        let row = |seed| scattered(count, seed).map(|x| x.abs() as f32).collect::<Vec<f32>>();
        let (k_i, k_j, diagonal) = (row(1.0), row(2.0), vec![1.0_f32; count]);
        let sets: Vec<Vec<u32>> = [0x9e37_79b9_u32, 0x85eb_ca6b]
            .iter()
            .map(|&x| (1..6).map(|w| x.wrapping_mul(w)).collect())
            .collect();
        let f: Vec<f64> = scattered(count, 3.0).map(|x| x * 1e4).collect();
        let none = (f64::NEG_INFINITY, f64::INFINITY);
        let (mut fast, mut plain) = (f.clone(), f);
        let fast_extremes = <f32 as Passes>::advance(layer(&mut fast, &sets), &k_i, &k_j, 1234.5, none);
        assert_eq!(fast_extremes, advance(layer(&mut plain, &sets), &k_i, &k_j, 1234.5, none));
        assert_eq!(fast, plain);
        assert_eq!(
            <f32 as Passes>::place(&fast, &sets[0], fast_extremes.0),
            place(&plain, &sets[0], fast_extremes.0)
        );
        let partner = || Partner { most: fast_extremes.0, own: 1.0, k_i: &k_i, diagonal: &diagonal };
        let (mut fast_gains, mut plain_gains) = (vec![0.0_f32; count], vec![0.0_f32; count]);
        let best = <f32 as Passes>::gains(layer(&mut fast, &sets), partner(), &mut fast_gains, 0.0);
        assert_eq!(best, gains_of(layer(&mut plain, &sets), &partner(), &mut plain_gains, 0.0));
        assert_eq!(fast_gains, plain_gains);
        assert!(best > 0.0 && plain_gains[<f32 as Passes>::first(&fast_gains, best)] == best);
    }
}
