//! The Matérn kernel of smoothness 5/2, one length scale a dimension, for eight points side by side.

use super::lanes::{Eight, Lanes, Wide};
use super::panels::Panels;
use crate::search::vectors::{exp_of_negative, in_vectors};
use pulp::{Simd, WithSimd};

/// √5.
const ROOT_5: f64 = 2.236_067_977_499_79;

/// The kernel at a squared distance r², and its derivative by r²:
/// m = (1 + √5 r + 5/3 r²) e^(−√5 r), m′ = −5/6 (1 + √5 r) e^(−√5 r).
///
/// Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, eq. 4.17.
#[inline(always)]
pub(super) fn matern(squared: f64) -> (f64, f64) {
    let distance = ROOT_5 * squared.sqrt();
    let decay = exp_of_negative(distance);
    ((1.0 + distance + 5.0 / 3.0 * squared) * decay, -5.0 / 6.0 * (1.0 + distance) * decay)
}

/// The squared distances of eight points from each of some points: `squared[j]` from point j.
///
/// `eight` holds a coordinate of each of the eight, column by column; all coordinates are divided by their
/// length scales.
#[inline(always)]
fn squared_distances(eight: &[Lanes], points: &Panels, squared: &mut [Lanes]) {
    squared.fill(Lanes::default());
    for (column, own) in eight.iter().enumerate() {
        for (j, squared) in squared.iter_mut().enumerate() {
            let other = points.at(j, column);
            for (sum, own) in squared.0.iter_mut().zip(own.0) {
                let difference = own - other;
                *sum += difference * difference;
            }
        }
    }
}

/// Kernel values of eight points with points 0 to `values.len()` − 1, without the kernel's scale: `values[j]`
/// with point j.
pub(super) fn values(eight: &[Lanes], points: &Panels, values: &mut [Lanes]) {
    in_vectors(Values { eight, points, values, slopes: None });
}

/// The same, and their derivatives by the squared distance.
pub(super) fn values_and_slopes(
    eight: &[Lanes],
    points: &Panels,
    values: &mut [Lanes],
    slopes: &mut [Lanes],
) {
    in_vectors(Values { eight, points, values, slopes: Some(slopes) });
}

/// Computes kernel values in the processor's widest vectors.
struct Values<'a> {
    eight: &'a [Lanes],
    points: &'a Panels,
    values: &'a mut [Lanes],
    slopes: Option<&'a mut [Lanes]>,
}

impl WithSimd for Values<'_> {
    type Output = ();

    // Plain loops over slices, which the compiler turns into vectors of the width in use.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { eight, points, values, slopes } = self;
        squared_distances(eight, points, values);
        let values: &mut [f64] = bytemuck::cast_slice_mut(values);
        match slopes {
            None => values.iter_mut().for_each(|value| *value = matern(*value).0),
            Some(slopes) => {
                let slopes: &mut [f64] = bytemuck::cast_slice_mut(slopes);
                values.iter_mut().zip(slopes).for_each(|(value, slope)| (*value, *slope) = matern(*value));
            }
        }
    }
}

/// Kernel values of eight points with one, without the kernel's scale.
pub(super) fn values_with_one(eight: &[Lanes], one: &[f64]) -> Lanes {
    let mut squared = Lanes::default();
    for (own, other) in eight.iter().zip(one) {
        for (sum, own) in squared.0.iter_mut().zip(own.0) {
            let difference = own - other;
            *sum += difference * difference;
        }
    }
    Lanes(squared.0.map(|squared| matern(squared).0))
}

/// Adds to `sums[c]` the sum of `weights[j]` · `slopes[j]` · (eight − point j) in column c, for eight points.
pub(super) fn add_slopes(
    eight: &[Lanes],
    points: &Panels,
    weights: &[Lanes],
    slopes: &[Lanes],
    sums: &mut [Lanes],
) {
    AddSlopes { eight, points, weights, slopes, sums }.compute();
}

struct AddSlopes<'a> {
    eight: &'a [Lanes],
    points: &'a Panels,
    weights: &'a [Lanes],
    slopes: &'a [Lanes],
    sums: &'a mut [Lanes],
}

impl Wide for AddSlopes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) {
        let Self { eight, points, weights, slopes, sums } = self;
        for (j, (weight, slope)) in weights.iter().zip(slopes).enumerate() {
            let pull = Eight::<S, N>::load(weight).times(simd, Eight::load(slope));
            for (column, (sum, own)) in sums.iter_mut().zip(eight).enumerate() {
                let other = Eight::splat(simd, points.at(j, column));
                let difference = Eight::load(own).minus(simd, other);
                Eight::load(sum).plus(simd, pull.times(simd, difference)).store(sum);
            }
        }
    }
}

/// Σⱼ `pull[j]` · (eight − point j)² in each column, for eight points.
pub(super) fn square_slopes(eight: &[Lanes], points: &Panels, pull: &[Lanes]) -> Vec<Lanes> {
    SquareSlopes { eight, points, pull }.compute()
}

struct SquareSlopes<'a> {
    eight: &'a [Lanes],
    points: &'a Panels,
    pull: &'a [Lanes],
}

impl Wide for SquareSlopes<'_> {
    type Output = Vec<Lanes>;

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) -> Vec<Lanes> {
        let mut sums = vec![Lanes::default(); self.eight.len()];
        for (column, (stored, own)) in sums.iter_mut().zip(self.eight).enumerate() {
            let (mut sum, own) = (Eight::<S, N>::splat(simd, 0.0), Eight::load(own));
            for (j, pull) in self.pull.iter().enumerate() {
                let difference = own.minus(simd, Eight::splat(simd, self.points.at(j, column)));
                let square = difference.times(simd, difference);
                sum = sum.plus(simd, square.times(simd, Eight::load(pull)));
            }
            sum.store(stored);
        }
        sums
    }
}
