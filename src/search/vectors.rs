//! Loops in the processor's widest vectors, with the same bits on every platform: products and sums are rounded one
//! after the other, never fused, and no function is the platform's own.

use pulp::{Arch, Simd, WithSimd};

/// Runs in the processor's widest vectors; in tests, in those that [`narrow::within`] says.
pub fn in_vectors<W: WithSimd>(work: W) -> W::Output {
    #[cfg(test)]
    if let Some(arch) = narrow::chosen() {
        return arch.dispatch(work);
    }
    Arch::new().dispatch(work)
}

/// e^(−x) for x ≥ 0, to two units in the last place; 0 from 700 on. Without branches, so that lanes run side by
/// side; products and sums only, so that every platform has the same bits.
#[inline(always)]
pub fn exp_of_negative(x: f64) -> f64 {
    /// ln 2 in two parts, the first with zero bits at its end (Cody and Waite, 1980).
    const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
    /// Adding it rounds to the nearest whole number, which then stands in the last bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// 1/n! for n = 13 down to 0: the first term left out is below 1e-17 for |rest| ≤ ln 2 / 2.
    const TERMS: [f64; 14] = [
        1.605_904_383_682_161_5e-10,
        2.087_675_698_786_81e-9,
        2.505_210_838_544_172e-8,
        2.755_731_922_398_589e-7,
        2.755_731_922_398_589_3e-6,
        2.480_158_730_158_73e-5,
        1.984_126_984_126_984e-4,
        1.388_888_888_888_889e-3,
        8.333_333_333_333_333e-3,
        4.166_666_666_666_666_4e-2,
        1.666_666_666_666_666_6e-1,
        0.5,
        1.0,
        1.0,
    ];
    let exponent = -x.min(700.0);
    let shifted = exponent * std::f64::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = (exponent - whole * LN_2[0]) - whole * LN_2[1];
    let sum = TERMS.iter().fold(0.0, |sum, term| sum * rest + term);
    // ROUND's own last bits are zero: what is left of the shift is the whole number.
    let scale = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1023 << 52));
    if x < 700.0 { sum * scale } else { 0.0 }
}

/// Replaces numbers x ≥ 0 by e^(−x).
pub fn exp_of_negatives(numbers: &mut [f64]) {
    in_vectors(ExpOfNegatives(numbers));
}

struct ExpOfNegatives<'a>(&'a mut [f64]);

impl WithSimd for ExpOfNegatives<'_> {
    type Output = ();

    // A plain loop, which the compiler turns into vectors of the width in use.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0.iter_mut().for_each(|x| *x = exp_of_negative(*x));
    }
}

/// Other vectors than the widest, to compare bits.
#[cfg(test)]
pub mod narrow {
    use pulp::Arch;
    use std::cell::Cell;

    thread_local! {
        static CHOSEN: Cell<Option<Arch>> = const { Cell::new(None) };
    }

    pub fn chosen() -> Option<Arch> {
        CHOSEN.get()
    }

    /// What some work on this thread comes to in these vectors.
    pub fn within<T>(arch: Arch, work: impl FnOnce() -> T) -> T {
        CHOSEN.set(Some(arch));
        let done = work();
        CHOSEN.set(None);
        done
    }
}
