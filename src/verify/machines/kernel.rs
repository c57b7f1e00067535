//! Kernel values of the reference, with how far a correct f32 engine may stray from them.

use super::Label;
use super::problem::Subject;
use crate::model::svm::dual::Dual;
use crate::model::svm::kernel::{Base, KernelParameters};
use crate::model::svm::rows::KernelChoice;
use crate::verify::findings::{Findings, Measure};
use crate::verify::outcome::Kind;
use crate::verify::uncertain::{SUBNORMAL, UNIT, WIDTH};

/// Kernel values of rows with rows.
pub struct Kernels {
    /// Number of columns.
    pub columns: usize,
    /// (row, column)
    pub value: Vec<f64>,
    /// (row, column) standard deviations of the rounding error at f32.
    pub spread: Vec<f64>,
}

impl Kernels {
    /// Of every row of `left` with every row of `right`, each (feature).
    pub fn new(choice: &KernelChoice, left: &[&[f64]], right: &[&[f64]]) -> Self {
        let pairs = left.iter().flat_map(|x| right.iter().map(move |z| (x, z)));
        let (value, spread) = pairs.map(|(x, z)| uncertain(choice, base(choice.kernel.base(), x, z))).unzip();
        Self { columns: right.len(), value, spread }
    }

    /// One row: values and their spreads.
    pub fn row(&self, row: usize) -> (&[f64], &[f64]) {
        let columns = row * self.columns..(row + 1) * self.columns;
        (&self.value[columns.clone()], &self.spread[columns])
    }
}

/// A base and its standard deviation: each difference, square and product rounds, and so does their sum.
fn base(base: Base, x: &[f64], z: &[f64]) -> (f64, f64) {
    let terms = x.iter().zip(z).map(|(x, z)| match base {
        Base::SquaredDistance => (x - z) * (x - z),
        Base::InnerProduct => x * z,
    });
    let (value, magnitude) = terms.fold((0.0, 0.0), |(sum, all), term: f64| (sum + term, all + term.abs()));
    (value, (2.0 + 0.25 * (x.len() as f64).sqrt()) * UNIT * magnitude)
}

/// A kernel value and its standard deviation: how far it moves with its base and its numbers, and what its own
/// function adds.
fn uncertain(choice: &KernelChoice, (base, spread): (f64, f64)) -> (f64, f64) {
    let KernelParameters { gamma, coef0, degree } = choice.parameters;
    let at = |base: f64, gamma: f64, coef0: f64| {
        let parameters = KernelParameters { gamma, coef0, degree };
        let mut value = [base];
        KernelChoice { parameters, ..*choice }.apply(&mut value);
        value[0]
    };
    let value = at(base, gamma, coef0);
    let moves = [
        at(base + spread, gamma, coef0) - at((base - spread).max(floor(choice)), gamma, coef0),
        2.0 * (at(base, gamma * (1.0 + UNIT), coef0) - value),
        2.0 * (at(base, gamma, coef0 * (1.0 + UNIT)) - value),
        2.0 * (2.0 + f64::from(degree)) * UNIT * value,
    ];
    (value, moves.into_iter().map(|moved| moved * moved / 4.0).sum::<f64>().sqrt())
}

/// The least that a base can be.
fn floor(choice: &KernelChoice) -> f64 {
    match choice.kernel.base() {
        Base::SquaredDistance => 0.0,
        Base::InnerProduct => f64::NEG_INFINITY,
    }
}

/// Name of the check of a kernel's values.
pub fn name_of(kernel: &str) -> String {
    format!("kernel/{kernel}")
}

/// Compares the kernel values that a solver works with.
pub fn check(findings: &mut Findings, subject: &Subject, duals: &[Dual]) {
    let name = name_of(subject.settings.kernel.name());
    for (dual, problem) in duals.iter().zip(&subject.problems) {
        let label = Label { subject, pair: &problem.pair };
        let expected = &problem.kernels;
        if dual.kernel.len() != expected.value.len() {
            let place =
                format!("found {} values, expected {} {label}", dual.kernel.len(), expected.value.len());
            findings.add(&name, Kind::Kernels, Measure { error: f64::NAN, tolerance: 0.0, place });
            continue;
        }
        for (at, (&found, (&value, &spread))) in
            dual.kernel.iter().zip(expected.value.iter().zip(&expected.spread)).enumerate()
        {
            let tolerance = WIDTH * spread + SUBNORMAL;
            let error = (found - value).abs();
            let (row, column) = (at / expected.columns, at % expected.columns);
            let place = || {
                format!("kernel value (row {row}, row {column}): found {found:e}, expected {value:e} {label}")
            };
            findings.add_worst(&name, Kind::Kernels, error, tolerance, place);
        }
    }
}
