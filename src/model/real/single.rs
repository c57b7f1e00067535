//! `f32`, the engine on the CPU: branch-free polynomials, the twins of `shaders/numerics.wgsl`, constant by
//! constant.

use super::{Epilogue, Flushing, Matrix, Real};
use crate::model::activation::Activation;
use crate::model::loss::{LANES, Loss, LossParameters, Target, Targets};
use crate::model::optimizer::{Optimizer, Slices, StepScalars};
use crate::model::product::Product;
use crate::model::team::{self, Parts};
use std::cell::RefCell;

/// From so many parameters on, some 60 µs of them, an update is worth splitting: a core that helps fetches
/// all it needs from another's cache.
const SPLIT: usize = 1 << 17;

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    /// Cody–Waite reduction by ln 2 in two parts, then the Cephes `expf` polynomial; about 1 ULP.
    #[inline(always)]
    fn exp(self) -> Self {
        // 1.5·2²³: adding it rounds to the nearest integer without a call to `round`.
        const ROUNDER: f32 = 12_582_912.0;
        let x = if self > 88.5 { 88.5 } else { self };
        let x = if x < -87.5 { -87.5 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + ROUNDER;
        let n = shifted - ROUNDER;
        let r = x - n * 0.693_359_4 - n * -2.121_944_4e-4;
        let mut p = 1.987_569_1e-4_f32;
        p = p * r + 1.398_2e-3;
        p = p * r + 8.333_452e-3;
        p = p * r + 4.166_579_6e-2;
        p = p * r + 1.666_666_5e-1;
        p = p * r + 0.5;
        let value = (p * (r * r) + r) + 1.0;
        // The low bits of `shifted` hold n in two's complement; ×2ⁿ in two halves, so that n = 128 works.
        let n = (shifted.to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32);
        let half = n >> 1;
        let scale_low = f32::from_bits(((half + 127) << 23) as u32);
        let scale_high = f32::from_bits(((n - half + 127) << 23) as u32);
        let value = value * scale_low * scale_high;
        let value = if self > 88.5 { f32::INFINITY } else { value };
        if self < -87.5 { 0.0 } else { value }
    }

    /// The Taylor polynomial of degree 9 for |x| < 0.5 (truncation below 3e-10), exp(x) − 1 beyond.
    #[inline(always)]
    fn exp_m1(self) -> Self {
        let x = self;
        let mut p = 1.0 / 362_880.0;
        p = p * x + 1.0 / 40_320.0;
        p = p * x + 1.0 / 5_040.0;
        p = p * x + 1.0 / 720.0;
        p = p * x + 1.0 / 120.0;
        p = p * x + 1.0 / 24.0;
        p = p * x + 1.0 / 6.0;
        p = p * x + 0.5;
        let near = p * (x * x) + x;
        let far = Real::exp(x) - 1.0;
        if x < 0.5 && x > -0.5 { near } else { far }
    }

    /// 2·atanh(x/(2+x)) by its series; the first term left out is below 3⁻¹⁹.
    #[inline(always)]
    fn ln_1p_unit(self) -> Self {
        atanh_series(self / (2.0 + self))
    }

    /// Mantissa in [√½, √2) and exponent, then 2·atanh((m−1)/(m+1)) by its series.
    #[inline(always)]
    fn ln(self) -> Self {
        let bits = self.to_bits();
        let offset = bits.wrapping_sub(0x3f35_04f3);
        let exponent = (offset as i32) >> 23;
        let mantissa = f32::from_bits((offset & 0x007f_ffff).wrapping_add(0x3f35_04f3));
        let series = atanh_series((mantissa - 1.0) / (mantissa + 1.0));
        let n = exponent as f32;
        let value = n * -2.121_944_4e-4 + series + n * 0.693_359_4;
        let value = if self > 0.0 { value } else { f32::NEG_INFINITY };
        if self < f32::INFINITY { value } else { self }
    }

    /// Numerical Recipes' `erfcc` (Press et al., 2nd ed., section 6.2): relative error below 1.2e-7
    /// before rounding.
    #[inline(always)]
    fn erfc(self) -> Self {
        let z = f32::from_bits(self.to_bits() & 0x7fff_ffff);
        let t = 1.0 / (1.0 + 0.5 * z);
        let mut p = 0.170_872_77_f32;
        p = p * t - 0.822_152_23;
        p = p * t + 1.488_515_9;
        p = p * t - 1.135_204;
        p = p * t + 0.278_868_07;
        p = p * t - 0.186_288_06;
        p = p * t + 0.096_784_18;
        p = p * t + 0.374_091_96;
        p = p * t + 1.000_023_7;
        p = p * t - 1.265_512_2;
        let tail = t * Real::exp(-z * z + p);
        if self >= 0.0 { tail } else { 2.0 - tail }
    }

    /// The Cephes `tanhf` polynomial for |x| < 0.625, 1 − 2/(e²ˣ + 1) beyond, clamped at 10.
    #[inline(always)]
    fn tanh(self) -> Self {
        let magnitude = f32::from_bits(self.to_bits() & 0x7fff_ffff);
        let z = self * self;
        let mut p = -5.704_988_7e-3_f32;
        p = p * z + 2.063_909e-2;
        p = p * z - 5.373_971_6e-2;
        p = p * z + 1.333_144_2e-1;
        p = p * z - 3.333_328e-1;
        let near = p * (z * self) + self;
        let clamped = if magnitude > 10.0 { 10.0 } else { magnitude };
        let far = 1.0 - 2.0 / (Real::exp(2.0 * clamped) + 1.0);
        let far = f32::from_bits(far.to_bits() | (self.to_bits() & 0x8000_0000));
        if magnitude < 0.625 { near } else { far }
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn finite(self) -> bool {
        self.is_finite()
    }

    fn flushing() -> Flushing {
        Flushing::begin()
    }
    fn vectorized<T>(body: impl FnOnce() -> T) -> T {
        widest_simd().dispatch(body)
    }

    fn activate(activation: &dyn Activation, values: &mut [Self], derivatives: Option<&mut [Self]>) {
        match derivatives {
            Some(derivatives) => activation.apply_f32(values, derivatives),
            None => activation.values_f32(values),
        }
    }
    fn loss_row(
        loss: &dyn Loss,
        parameters: &LossParameters,
        target: Target<Self>,
        outputs: &mut [Self],
    ) -> Self {
        loss.row_f32(parameters, target, outputs)
    }
    fn loss_rows(
        loss: &dyn Loss,
        parameters: &LossParameters,
        targets: &Targets<Self>,
        outputs: &mut [[Self; LANES]],
    ) -> [Self; LANES] {
        loss.rows_f32(parameters, targets, outputs)
    }
    fn optimize(
        optimizer: &dyn Optimizer,
        scalars: &StepScalars<Self>,
        decay: Self,
        slices: Slices<'_, Self>,
    ) {
        let count = slices.parameters.len();
        let hands = if count >= SPLIT { team::hands() } else { 1 };
        if hands == 1 {
            return optimizer.step_f32(scalars, decay, slices);
        }
        let Slices { parameters, gradients, m, v } = slices;
        let length = count.div_ceil(2 * hands).next_multiple_of(1024);
        let (parameters, m, v) = (Parts::new(parameters), Parts::new(m), Parts::new(v));
        team::run(count.div_ceil(length), &|part| {
            let range = part * length..count.min((part + 1) * length);
            // SAFETY: parts have elements of their own.
            let slices = unsafe {
                Slices {
                    parameters: parameters.part(range.clone()),
                    gradients: &gradients[range.clone()],
                    m: m.part(range.clone()),
                    v: v.part(range),
                }
            };
            optimizer.step_f32(scalars, decay, slices);
        });
    }

    fn product(
        [rows, inner, columns]: [usize; 3],
        left: Matrix<'_, Self>,
        right: Matrix<'_, Self>,
        epilogue: Epilogue<'_, Self>,
        out: &mut [Self],
    ) {
        let product = Product { rows, inner, columns, left, right, epilogue, out };
        let arch = widest_simd();
        if product.is_small(arch) { product.compute(arch) } else { general_product(product) }
    }
}

thread_local! {
    /// A product by the general library that is yet to meet what stands at its place.
    static APART: RefCell<Vec<f32>> = RefCell::default();
}

/// The product by the `gemm` crate, which blocks for the caches.
fn general_product(product: Product<'_>) {
    let Product { rows, inner, columns, left, right, epilogue, out } = product;
    assert!(left.covers(rows, inner) && right.covers(inner, columns) && out.len() >= rows * columns);
    if rows == 0 || columns == 0 {
        return;
    }
    let out = &mut out[..rows * columns];
    let multiply =
        |to: &mut [f32], accumulate| general_sum([rows, inner, columns], left, right, to, accumulate);
    match epilogue {
        Epilogue::Replace => multiply(out, false),
        Epilogue::Add => multiply(out, true),
        Epilogue::Bias(bias) => {
            out.chunks_exact_mut(columns).for_each(|row| row.copy_from_slice(&bias[..columns]));
            multiply(out, true);
        }
        Epilogue::Multiply | Epilogue::Gate(_) => APART.with_borrow_mut(|apart| {
            if apart.len() < out.len() {
                apart.resize(out.len(), 0.0);
            }
            multiply(apart, false);
            out.iter_mut().zip(apart).for_each(|(out, product)| *out = epilogue.apply(*product, *out, 0));
        }),
    }
}

/// to = left · right, or to + left · right.
fn general_sum(
    [rows, inner, columns]: [usize; 3],
    left: Matrix<'_, f32>,
    right: Matrix<'_, f32>,
    to: &mut [f32],
    accumulate: bool,
) {
    assert!(left.covers(rows, inner) && right.covers(inner, columns) && to.len() >= rows * columns);
    // SAFETY: the assertion keeps every access of the three matrices inside its slice, and `to` is borrowed
    // mutably, so it overlaps neither operand.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            to.as_mut_ptr(),
            1,
            columns as isize,
            accumulate,
            left.data.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// 2·atanh(s) for |s| ≤ 1/3, to f32 precision.
#[inline(always)]
fn atanh_series(s: f32) -> f32 {
    let z = s * s;
    let mut p = 1.0 / 17.0_f32;
    p = p * z + 1.0 / 15.0;
    p = p * z + 1.0 / 13.0;
    p = p * z + 1.0 / 11.0;
    p = p * z + 1.0 / 9.0;
    p = p * z + 1.0 / 7.0;
    p = p * z + 1.0 / 5.0;
    p = p * z + 1.0 / 3.0;
    2.0 * (p * (z * s) + s)
}

/// The widest instruction set of this processor, detected once.
pub(in crate::model) fn widest_simd() -> pulp::Arch {
    static ARCH: std::sync::OnceLock<pulp::Arch> = std::sync::OnceLock::new();
    *ARCH.get_or_init(pulp::Arch::new)
}

/// Whether `mul_add` is an instruction, rather than a call, inside [`Real::vectorized`] at f32.
pub(in crate::model) fn has_fused_multiply_add() -> bool {
    #[cfg(target_arch = "x86_64")]
    return matches!(widest_simd(), pulp::Arch::V3(_) | pulp::Arch::V4(_));
    #[cfg(not(target_arch = "x86_64"))]
    cfg!(target_arch = "aarch64")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest error of an f32 function against its f64 namesake over a sweep, in units of
    /// `floor + |exact|` times 2⁻²⁴.
    fn worst(low: f64, high: f64, floor: f64, ours: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        let count = 200_000;
        (0..=count)
            .map(|i| {
                let x = (low + (high - low) * f64::from(i) / f64::from(count)) as f32;
                let truth = exact(f64::from(x));
                (f64::from(ours(x)) - truth).abs() / (floor + truth.abs()) * 16_777_216.0
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn f32_functions_stay_within_a_few_units_of_the_last_place() {
        assert!(worst(-87.0, 88.0, 0.0, Real::exp, f64::exp) < 3.0);
        assert!(worst(-3.0, 3.0, 0.0, Real::exp_m1, f64::exp_m1) < 5.0);
        assert!(worst(0.0, 1.0, 0.0, Real::ln_1p_unit, f64::ln_1p) < 5.0);
        assert!(worst(1e-3, 50.0, 0.0, Real::ln, f64::ln) < 5.0);
        assert!(worst(-12.0, 12.0, 0.0, Real::tanh, f64::tanh) < 5.0);
        // erfc's tail e^(−z²) carries the rounding of z²: relative error grows with z².
        assert!(worst(-4.0, 2.0, 0.0, Real::erfc, libm::erfc) < 25.0);
        assert!(worst(-4.0, 9.0, 1e-6, Real::erfc, libm::erfc) < 40.0);
    }

    #[test]
    fn f32_functions_keep_nan_and_the_ends_of_the_range() {
        for function in
            [Real::exp, Real::exp_m1, Real::ln_1p_unit, Real::tanh, Real::erfc] as [fn(f32) -> f32; 5]
        {
            assert!(function(f32::NAN).is_nan());
        }
        assert_eq!(Real::exp(1000.0_f32), f32::INFINITY);
        assert_eq!(Real::exp(-1000.0_f32), 0.0);
        assert_eq!(Real::tanh(-1e30_f32), -1.0);
        assert_eq!(Real::ln(0.0_f32), f32::NEG_INFINITY);
    }
}
