//! The passes over all variables that a step of the solver consists of.
//!
//! | pass | reads | gives |
//! |---|---|---|
//! | [`advance`](Passes::advance) | K_i, K_j, F, t | F − t (K_i − K_j), m and M |
//! | [`place`](Passes::place) | F | the first i of I_up with F_i = m |
//! | [`partner`](Passes::partner) | K_i, F | the first j of I_low with the largest (m − F_j)²/η |
//!
//! Here they are plain loops, which the reference runs. Bit for bit the same are those at f32: `x86.rs` for AVX-512,
//! `portable.rs` for all other processors.

#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{CURVATURE_FLOOR, portable};
use crate::model::real::Real;
#[cfg(target_arch = "x86_64")]
use crate::model::real::widest_simd;
use crate::model::svm::base::PADDING;
#[cfg(target_arch = "x86_64")]
use pulp::Arch;

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

    fn advance(layer: Variables<'_>, k_i: &[Self], k_j: &[Self], t: f64, extremes: (f64, f64)) -> (f64, f64) {
        #[cfg(target_arch = "x86_64")]
        if let Arch::V4(_) = widest_simd() {
            // SAFETY: the processor has the instructions.
            return unsafe { x86::advance(layer, k_i, k_j, t, extremes) };
        }
        Self::vectorized(
            #[inline(always)]
            || portable::advance(layer, k_i, k_j, t, extremes),
        )
    }

    fn place(f: &[f64], set: &[u32], wanted: f64) -> usize {
        #[cfg(target_arch = "x86_64")]
        if let Arch::V4(_) = widest_simd() {
            // SAFETY: as above.
            return unsafe { x86::place(f, set, wanted) };
        }
        Self::vectorized(
            #[inline(always)]
            || portable::place(f, set, wanted),
        )
    }

    fn gains(layer: Variables<'_>, row: Partner<'_, Self>, gains: &mut [Self], best: Self) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Arch::V4(_) = widest_simd() {
            // SAFETY: as above.
            return unsafe { x86::gains(layer, &row, gains, best) };
        }
        Self::vectorized(
            #[inline(always)]
            || portable::gains(layer, &row, gains, best),
        )
    }

    fn first(numbers: &[Self], wanted: Self) -> usize {
        #[cfg(target_arch = "x86_64")]
        if let Arch::V4(_) = widest_simd() {
            // SAFETY: as above.
            return unsafe { x86::first(numbers, wanted) };
        }
        Self::vectorized(
            #[inline(always)]
            || portable::first(numbers, wanted),
        )
    }
}

/// See [`Passes::rough_reciprocal`].
pub(super) const ROUGH_RECIPROCAL: u32 = 0x7ef3_11c3;

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
    use pulp::{Simd, WithSimd};

    /// Numbers without a pattern, of magnitudes that a solver meets.
    fn scattered(count: usize, seed: f64) -> impl Iterator<Item = f64> {
        (0..count).map(move |i| ((i as f64 + seed) * 12.9898).sin() * 43_758.545_3 % 1.0)
    }

    /// What the passes of a step give.
    #[derive(Debug, PartialEq)]
    struct Step {
        f: Vec<f64>,
        extremes: (f64, f64),
        place: usize,
        gains: Vec<f32>,
        best: f32,
        first: usize,
    }

    /// The passes of a step over made-up variables.
    #[derive(Clone)]
    struct Made {
        k_i: Vec<f32>,
        k_j: Vec<f32>,
        f: Vec<f64>,
        up: Vec<u32>,
        low: Vec<u32>,
    }

    const NONE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

    impl Made {
        fn new() -> Self {
            let count = 7 * WORD;
            let row = |seed| scattered(count, seed).map(|x| x.abs() as f32).collect::<Vec<f32>>();
            let set = |x: u32| (0..7).map(|word: u32| x.wrapping_mul(word).wrapping_add(word)).collect();
            let f = scattered(count, 3.0).map(|x| x * 1e4).collect();
            let mut made =
                Self { k_i: row(1.0), k_j: row(2.0), f, up: set(0x9e37_79b9), low: set(0x85eb_ca6b) };
            // A curvature below its floor.
            (made.k_i[40], made.k_i[41]) = (1.0, 1.5);
            made
        }

        fn partner(&self, most: f64) -> Partner<'_, f32> {
            Partner { most, own: 1.0, k_i: &self.k_i, diagonal: &[1.0; 7 * WORD] }
        }

        fn step(
            &self,
            advance: impl FnOnce(Variables<'_>) -> (f64, f64),
            place: impl FnOnce(&[f64], f64) -> usize,
            gains_of: impl FnOnce(Variables<'_>, Partner<'_, f32>, &mut [f32]) -> f32,
            first: impl FnOnce(&[f32], f32) -> usize,
        ) -> Step {
            let (mut f, mut gains) = (self.f.clone(), vec![0.0; self.f.len()]);
            let extremes = advance(Variables { f: &mut f, up: &self.up, low: &self.low });
            let place = place(&f, extremes.0);
            let layer = Variables { f: &mut f, up: &self.up, low: &self.low };
            let best = gains_of(layer, self.partner(extremes.0), &mut gains);
            let first = first(&gains, best);
            Step { f, extremes, place, gains, best, first }
        }

        fn plain(&self) -> Step {
            self.step(
                |layer| advance(layer, &self.k_i, &self.k_j, 1234.5, NONE),
                |f, wanted| place(f, &self.up, wanted),
                |layer, row, gains| gains_of(layer, &row, gains, 0.0),
                |gains, best| gains.iter().position(|&gain| gain == best).unwrap(),
            )
        }
    }

    #[test]
    fn the_passes_of_this_processor_round_as_plain_loops_do() {
        let made = Made::new();
        let fast = made.step(
            |layer| f32::advance(layer, &made.k_i, &made.k_j, 1234.5, NONE),
            |f, wanted| f32::place(f, &made.up, wanted),
            |layer, row, gains| f32::gains(layer, row, gains, 0.0),
            f32::first,
        );
        assert_eq!(fast, made.plain());
        assert!(fast.best > 0.0 && fast.first > WORD && fast.place > WORD, "{} {}", fast.first, fast.place);
    }

    impl WithSimd for Made {
        type Output = Step;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Step {
            self.step(
                #[inline(always)]
                |layer| portable::advance(layer, &self.k_i, &self.k_j, 1234.5, NONE),
                #[inline(always)]
                |f, wanted| portable::place(f, &self.up, wanted),
                #[inline(always)]
                |layer, row, gains| portable::gains(layer, &row, gains, 0.0),
                portable::first,
            )
        }
    }

    #[test]
    fn portable_passes_round_as_plain_loops_do_in_vectors_of_any_width() {
        let (made, plain) = (Made::new(), Made::new().plain());
        assert_eq!(pulp::Arch::Scalar.dispatch(made.clone()), plain);
        assert_eq!(pulp::Arch::new().dispatch(made.clone()), plain);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = pulp::x86::V3::try_new() {
            assert_eq!(pulp::Arch::V3(avx2).dispatch(made), plain);
        }
    }
}
