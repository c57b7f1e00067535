//! `f64`, the reference: the standard library's functions and plain loops.

use super::{Epilogue, Flushing, Matrix, Real};
use crate::model::activation::Activation;
use crate::model::loss::{LANES, Loss, LossParameters, Target, Targets};
use crate::model::optimizer::{Optimizer, Slices, StepScalars};

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn of(value: f64) -> Self {
        value
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn exp(self) -> Self {
        self.exp()
    }
    fn exp_m1(self) -> Self {
        self.exp_m1()
    }
    fn ln_1p_unit(self) -> Self {
        self.ln_1p()
    }
    fn ln(self) -> Self {
        self.ln()
    }
    fn erfc(self) -> Self {
        libm::erfc(self)
    }
    fn tanh(self) -> Self {
        self.tanh()
    }
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    fn abs(self) -> Self {
        self.abs()
    }
    fn max(self, other: Self) -> Self {
        self.max(other)
    }
    fn finite(self) -> bool {
        self.is_finite()
    }
    fn flushing() -> Flushing {
        Flushing::none()
    }
    fn vectorized<T>(body: impl FnOnce() -> T) -> T {
        body()
    }

    fn activate(activation: &dyn Activation, values: &mut [Self], derivatives: Option<&mut [Self]>) {
        match derivatives {
            Some(derivatives) => activation.apply_f64(values, derivatives),
            None => activation.values_f64(values),
        }
    }
    fn loss_row(
        loss: &dyn Loss,
        parameters: &LossParameters,
        target: Target<Self>,
        outputs: &mut [Self],
    ) -> Self {
        loss.row_f64(parameters, target, outputs)
    }
    fn loss_rows(
        loss: &dyn Loss,
        parameters: &LossParameters,
        targets: &Targets<Self>,
        outputs: &mut [[Self; LANES]],
    ) -> [Self; LANES] {
        loss.rows_f64(parameters, targets, outputs)
    }
    fn optimize(
        optimizer: &dyn Optimizer,
        scalars: &StepScalars<Self>,
        decay: Self,
        slices: Slices<'_, Self>,
    ) {
        optimizer.step_f64(scalars, decay, slices);
    }

    fn product(
        [rows, inner, columns]: [usize; 3],
        left: Matrix<'_, Self>,
        right: Matrix<'_, Self>,
        epilogue: Epilogue<'_, Self>,
        out: &mut [Self],
    ) {
        for i in 0..rows {
            for j in 0..columns {
                let mut sum = 0.0;
                for k in 0..inner {
                    sum += left.data[i * left.row_stride + k * left.column_stride]
                        * right.data[k * right.row_stride + j * right.column_stride];
                }
                let out = &mut out[i * columns + j];
                *out = epilogue.apply(sum, *out, j);
            }
        }
    }
}
