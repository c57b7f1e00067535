//! The number a model computes with: `f64` for the reference, `f32` for the engine on the CPU.
//!
//! The f64 side is plain: the standard library's functions and plain loops, simple enough to be
//! believed. The f32 side is written to be vectorised: branch-free polynomials, run inside
//! [`Real::vectorized`], which compiles the loop for the widest instructions of the processor.

mod double;
mod single;
mod subnormal;

pub(super) use single::{has_fused_multiply_add, widest_simd};
pub use subnormal::Flushing;

use super::activation::Activation;
use super::loss::{LANES, Loss, LossParameters, Target, Targets};
use super::optimizer::{Optimizer, Slices, StepScalars};
use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A matrix seen through strides: element (i, j) is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub struct Matrix<'a, R> {
    /// The elements.
    pub data: &'a [R],
    /// Distance between rows.
    pub row_stride: usize,
    /// Distance between columns.
    pub column_stride: usize,
}

impl<'a, R> Matrix<'a, R> {
    /// A row-major matrix of `columns` columns.
    pub fn row_major(data: &'a [R], columns: usize) -> Self {
        Self { data, row_stride: columns, column_stride: 1 }
    }

    /// The same elements with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self { data: self.data, row_stride: self.column_stride, column_stride: self.row_stride }
    }

    /// Whether every element of `rows` × `columns` lies inside the data.
    pub(super) fn covers(&self, rows: usize, columns: usize) -> bool {
        rows == 0
            || columns == 0
            || (rows - 1) * self.row_stride + (columns - 1) * self.column_stride < self.data.len()
    }
}

/// What becomes of an element of a product, given what stands at its place.
#[derive(Clone, Copy)]
pub enum Epilogue<'a, R> {
    /// It replaces it.
    Replace,
    /// It is added to it.
    Add,
    /// It multiplies it.
    Multiply,
    /// It replaces what is positive, times this number; what is not becomes 0.
    Gate(R),
    /// It is added to this number of its column, which replaces it.
    Bias(&'a [R]),
}

impl<R: Real> Epilogue<'_, R> {
    /// The new element, given the product, the old element and its column.
    #[inline(always)]
    pub fn apply(self, product: R, old: R, column: usize) -> R {
        match self {
            Self::Replace => product,
            Self::Add => old + product,
            Self::Multiply => old * product,
            Self::Gate(factor) => {
                if old > R::ZERO {
                    factor * product
                } else {
                    R::ZERO
                }
            }
            Self::Bias(bias) => bias[column] + product,
        }
    }
}

/// A real number type with the elementary functions and slice operations that training needs.
pub trait Real:
    Copy
    + Debug
    + Default
    + Display
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + bytemuck::Pod
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// The nearest number of this type.
    fn of(value: f64) -> Self;
    /// As f64, exact.
    fn to_f64(self) -> f64;
    /// eˣ; 0 below the normal range.
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0.
    fn exp_m1(self) -> Self;
    /// ln(1 + x) for x in [0, 1], accurate near 0.
    fn ln_1p_unit(self) -> Self;
    /// ln x for x > 0.
    fn ln(self) -> Self;
    /// The complementary error function.
    fn erfc(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// |x|.
    fn abs(self) -> Self;
    /// The larger; of a NaN and a number, either.
    fn max(self, other: Self) -> Self;
    /// Whether neither NaN nor infinite.
    fn finite(self) -> bool;
    /// −1, 0 or 1; 0 for 0.
    fn sign(self) -> Self {
        if self > Self::ZERO {
            Self::ONE
        } else if self < Self::ZERO {
            -Self::ONE
        } else {
            Self::ZERO
        }
    }

    /// While what it returns lives, this thread computes as members are trained: subnormal numbers of types
    /// that are vectorised are 0.
    fn flushing() -> Flushing;

    /// Runs `body`, compiled for the widest SIMD of this processor where this type is vectorised.
    fn vectorized<T>(body: impl FnOnce() -> T) -> T;

    /// Replaces pre-activations by activations, and writes the derivatives beside them where they are wanted.
    fn activate(activation: &dyn Activation, values: &mut [Self], derivatives: Option<&mut [Self]>);
    /// The loss of one row; its gradient replaces the outputs.
    fn loss_row(
        loss: &dyn Loss,
        parameters: &LossParameters,
        target: Target<Self>,
        outputs: &mut [Self],
    ) -> Self;
    /// The losses of LANES rows; the gradients replace the outputs (output, row).
    fn loss_rows(
        loss: &dyn Loss,
        parameters: &LossParameters,
        targets: &Targets<Self>,
        outputs: &mut [[Self; LANES]],
    ) -> [Self; LANES];
    /// One optimizer step of a run of parameters, each multiplied by `decay` first.
    fn optimize(
        optimizer: &dyn Optimizer,
        scalars: &StepScalars<Self>,
        decay: Self,
        slices: Slices<'_, Self>,
    );

    /// out = left · right, or what the epilogue makes of it, where left is rows × inner and right
    /// inner × columns; `out` is row-major, rows × columns. The order of the sum over `inner` depends on
    /// the three sizes alone.
    fn product(
        sizes: [usize; 3],
        left: Matrix<'_, Self>,
        right: Matrix<'_, Self>,
        epilogue: Epilogue<'_, Self>,
        out: &mut [Self],
    );

    /// out = left · right, or out + left · right when `accumulate`: see [`product`](Self::product).
    fn matmul(
        rows: usize,
        inner: usize,
        columns: usize,
        left: Matrix<'_, Self>,
        right: Matrix<'_, Self>,
        out: &mut [Self],
        accumulate: bool,
    ) {
        let epilogue = if accumulate { Epilogue::Add } else { Epilogue::Replace };
        Self::product([rows, inner, columns], left, right, epilogue, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every road of the f32 product: whole and partial vectors, narrow and single columns, both operands
    /// transposed, tiles of every height, and the general library beyond.
    #[test]
    fn both_precisions_multiply_the_same_matrices() {
        let sizes =
            [(5, 7, 3), (1, 1, 1), (13, 20, 1), (9, 33, 2), (32, 16, 32), (7, 5, 47), (40, 3, 8), (2, 0, 3)];
        for (rows, inner, columns) in
            sizes.into_iter().chain([(1, 2, 600_000), (60, 200, 70), (50, 260, 256), (129, 1, 40)])
        {
            let numbers = |count: usize, step: f64| (0..count).map(|i| (i as f64 * step).sin()).collect();
            let (left, right): (Vec<f64>, Vec<f64>) =
                (numbers(rows * inner, 0.37), numbers(inner * columns, 0.73));
            let (bias, old): (Vec<f64>, Vec<f64>) = (numbers(columns, 0.9), numbers(rows * columns, 0.2));
            let narrow = |values: &[f64]| values.iter().map(|&v| v as f32).collect::<Vec<f32>>();
            let (left32, right32, bias32) = (narrow(&left), narrow(&right), narrow(&bias));
            for (turn_left, turn_right) in [(false, false), (true, false), (false, true)] {
                for kind in 0..5 {
                    let mut exact = old.clone();
                    let (l, r) = operands(&left, &right, [rows, inner, columns], turn_left, turn_right);
                    f64::product([rows, inner, columns], l, r, epilogue(kind, &bias), &mut exact);
                    let mut found = narrow(&old);
                    let (l, r) = operands(&left32, &right32, [rows, inner, columns], turn_left, turn_right);
                    f32::product([rows, inner, columns], l, r, epilogue(kind, &bias32), &mut found);
                    for (found, expected) in found.iter().zip(exact) {
                        let difference = (f64::from(*found) - expected).abs();
                        // At most 260 terms of size 1, each rounded once.
                        assert!(
                            difference <= 4e-5,
                            "{rows}x{inner}x{columns}, epilogue {kind}: {difference}"
                        );
                    }
                }
            }
        }
    }

    fn operands<'a, R: Real>(
        left: &'a [R],
        right: &'a [R],
        [rows, inner, columns]: [usize; 3],
        turn_left: bool,
        turn_right: bool,
    ) -> (Matrix<'a, R>, Matrix<'a, R>) {
        let seen = |data, rows, columns, turn| match turn {
            true => Matrix::row_major(data, rows).transposed(),
            false => Matrix::row_major(data, columns),
        };
        (seen(left, rows, inner, turn_left), seen(right, inner, columns, turn_right))
    }

    fn epilogue<R: Real>(kind: usize, bias: &[R]) -> Epilogue<'_, R> {
        let gate = Epilogue::Gate(R::of(1.25));
        [Epilogue::Replace, Epilogue::Add, Epilogue::Multiply, Epilogue::Bias(bias), gate][kind]
    }
}
