//! Numbers of eight points side by side, in vectors of whatever width the processor has.
//!
//! Products and sums are rounded one after the other and never fused, and every sum has its own order: the bits
//! are the same on every platform.

use crate::search::vectors::in_vectors;
use pulp::{Simd, WithSimd};

/// Points that are worked on side by side.
pub(super) const LANES: usize = 8;

/// One number of each of eight points: a line of cache, since a vector that begins elsewhere takes two.
#[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub [f64; LANES]);

impl Lanes {
    /// One number for all.
    pub(super) const fn all(value: f64) -> Self {
        Self([value; LANES])
    }
}

/// A computation over vectors of any width.
pub(super) trait Wide: Sized {
    /// What it comes to.
    type Output;

    /// Eight numbers are N vectors.
    fn run<S: Simd, const N: usize>(self, simd: S) -> Self::Output;

    /// Runs in the processor's widest vectors, of at most eight numbers.
    fn compute(self) -> Self::Output {
        in_vectors(InVectors(self))
    }
}

struct InVectors<W>(W);

impl<W: Wide> WithSimd for InVectors<W> {
    type Output = W::Output;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> W::Output {
        match S::F64_LANES {
            8 => self.0.run::<S, 1>(simd),
            4 => self.0.run::<S, 2>(simd),
            2 => self.0.run::<S, 4>(simd),
            _ => self.0.run::<pulp::Scalar, 8>(pulp::Scalar),
        }
    }
}

/// Eight numbers in N vectors.
pub(super) struct Eight<S: Simd, const N: usize>([S::f64s; N]);

impl<S: Simd, const N: usize> Clone for Eight<S, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Simd, const N: usize> Copy for Eight<S, N> {}

impl<S: Simd, const N: usize> Eight<S, N> {
    #[inline(always)]
    pub(super) fn load(lanes: &Lanes) -> Self {
        let vectors: &[S::f64s] = bytemuck::cast_slice(&lanes.0);
        Self(std::array::from_fn(|v| vectors[v]))
    }

    #[inline(always)]
    pub(super) fn store(self, lanes: &mut Lanes) {
        let vectors: &mut [S::f64s] = bytemuck::cast_slice_mut(&mut lanes.0);
        vectors.copy_from_slice(&self.0);
    }

    #[inline(always)]
    pub(super) fn splat(simd: S, value: f64) -> Self {
        Self([simd.splat_f64s(value); N])
    }

    #[inline(always)]
    fn with(self, other: Self, combine: impl Fn(S::f64s, S::f64s) -> S::f64s) -> Self {
        Self(std::array::from_fn(|v| combine(self.0[v], other.0[v])))
    }

    #[inline(always)]
    pub(super) fn plus(self, simd: S, other: Self) -> Self {
        self.with(other, |own, other| simd.add_f64s(own, other))
    }

    #[inline(always)]
    pub(super) fn minus(self, simd: S, other: Self) -> Self {
        self.with(other, |own, other| simd.sub_f64s(own, other))
    }

    #[inline(always)]
    pub(super) fn times(self, simd: S, other: Self) -> Self {
        self.with(other, |own, other| simd.mul_f64s(own, other))
    }

    #[inline(always)]
    pub(super) fn over(self, simd: S, other: Self) -> Self {
        self.with(other, |own, other| simd.div_f64s(own, other))
    }

    #[inline(always)]
    pub(super) fn min(self, simd: S, other: Self) -> Self {
        self.with(other, |own, other| simd.min_f64s(own, other))
    }
}

/// The square root of each.
pub(super) fn roots(lanes: Lanes) -> Lanes {
    Lanes(lanes.0.map(f64::sqrt))
}

/// Σ rows[k] · factors[k] and Σ rows[k]², k ascending, for eight points.
pub(super) fn dot_and_square(rows: &[Lanes], factors: &[f64]) -> (Lanes, Lanes) {
    DotAndSquare { rows, factors }.compute()
}

struct DotAndSquare<'a> {
    rows: &'a [Lanes],
    factors: &'a [f64],
}

impl Wide for DotAndSquare<'_> {
    type Output = (Lanes, Lanes);

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) -> Self::Output {
        let (mut dot, mut square) = (Eight::<S, N>::splat(simd, 0.0), Eight::<S, N>::splat(simd, 0.0));
        for (row, factor) in self.rows.iter().zip(self.factors) {
            let row = Eight::load(row);
            dot = dot.plus(simd, row.times(simd, Eight::splat(simd, *factor)));
            square = square.plus(simd, row.times(simd, row));
        }
        let mut stored = (Lanes::default(), Lanes::default());
        dot.store(&mut stored.0);
        square.store(&mut stored.1);
        stored
    }
}

/// `sums[f] += Σⱼ rows[j] · factors[j][f]`, j ascending, for eight points.
pub(super) fn add_products(sums: &mut [Lanes], rows: &[Lanes], factors: &[Vec<f64>]) {
    AddProducts { sums, rows, factors }.compute();
}

struct AddProducts<'a> {
    sums: &'a mut [Lanes],
    rows: &'a [Lanes],
    factors: &'a [Vec<f64>],
}

impl Wide for AddProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) {
        for (row, factors) in self.rows.iter().zip(self.factors) {
            let row = Eight::<S, N>::load(row);
            for (sum, factor) in self.sums.iter_mut().zip(factors) {
                let product = row.times(simd, Eight::splat(simd, *factor));
                Eight::load(sum).plus(simd, product).store(sum);
            }
        }
    }
}
