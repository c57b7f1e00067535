//! What must hold of a solver at every step of its path, and at the end.

use super::problem::{Problem, Subject};
use super::{BALANCE, BOX, GRADIENT, Label, MONOTONE, OPTIMALITY};
use crate::model::svm::dual::Dual;
use crate::model::svm::smo::TOLERANCE;
use crate::verify::findings::Findings;
use crate::verify::outcome::Kind;

/// Relative error of one step in double-single arithmetic, with room: two f32 hold some 2⁻⁴⁸. At f32 alone it
/// would be 2⁻²⁴.
const STEP_ERROR: f64 = 1.0 / (1_u64 << 42) as f64;

/// What so many steps may add up to: rounding errors do as a random walk does.
fn drift(iterations: u64) -> f64 {
    STEP_ERROR * (4.0 + (iterations as f64).sqrt())
}

/// A problem where a solver stands, by the kernel values that it works with.
pub struct Standing<'a> {
    /// Where it stands.
    pub dual: &'a Dual,
    /// (variable) low and high of its C.
    pub bounds: [Vec<f64>; 2],
    /// (variable) p
    pub linear: &'a [f64],
    /// (variable) p − Ka
    pub f: Vec<f64>,
    /// (variable) |p| + Σ|K a|
    pub magnitude: Vec<f64>,
}

impl<'a> Standing<'a> {
    /// Of a solver that gave as many numbers as the problem has; `None` else.
    pub fn new(problem: &'a Problem, dual: &'a Dual) -> Option<Self> {
        let (rows, linear) = (problem.shape.row_count, &problem.shape.linear[..]);
        let is_whole = dual.a.len() == linear.len() && dual.f.len() == linear.len();
        if !is_whole || dual.kernel.len() != rows * rows {
            return None;
        }
        let sums: Vec<(f64, f64)> = (0..rows)
            .map(|row| {
                let kernel = dual.kernel[row * rows..][..rows].iter();
                let layers = dual.a.chunks_exact(rows.max(1));
                let terms = layers.flat_map(|a| a.iter().zip(kernel.clone()).map(|(a, k)| a * k));
                terms.fold((0.0, 0.0), |(sum, all), term| (sum + term, all + term.abs()))
            })
            .collect();
        let each = || linear.iter().enumerate().map(|(variable, p)| (p, sums[variable % rows]));
        Some(Self {
            dual,
            bounds: problem.shape.bounds(dual.cost),
            linear,
            f: each().map(|(p, (sum, _))| p - sum).collect(),
            magnitude: each().map(|(p, (_, all))| p.abs() + all).collect(),
        })
    }

    /// ½ aᵀKa − pᵀa
    pub fn objective(&self) -> f64 {
        let terms = self.dual.a.iter().zip(&self.f).zip(self.linear);
        -0.5 * terms.map(|((a, f), p)| a * (f + p)).sum::<f64>()
    }

    /// The size of the terms of the objective.
    pub fn size(&self) -> f64 {
        self.dual.a.iter().zip(&self.magnitude).map(|(a, all)| a.abs() * all).sum()
    }

    /// Whether a variable may grow, and whether it may shrink.
    pub fn moves(&self, variable: usize) -> (bool, bool) {
        let a = self.dual.a[variable];
        (a < self.bounds[1][variable], a > self.bounds[0][variable])
    }

    /// m and M.
    pub fn extremes(&self, f: &[f64]) -> (f64, f64) {
        let each = || f.iter().enumerate().map(|(variable, f)| (*f, self.moves(variable)));
        let most = each().filter(|(_, (up, _))| *up).fold(f64::NEG_INFINITY, |most, (f, _)| most.max(f));
        (most, each().filter(|(_, (_, low))| *low).fold(f64::INFINITY, |least, (f, _)| least.min(f)))
    }
}

/// Checks where a solver stands: its gradient, its box, its balance.
pub fn check_standing(findings: &mut Findings, label: Label<'_>, at: &Standing<'_>) {
    let Standing { dual, bounds: [low, high], .. } = at;
    let drift = drift(dual.iterations);
    let when = format!("after {} steps, at C {:e} {label}", dual.iterations, dual.cost);
    for (variable, (&found, (&expected, all))) in
        dual.f.iter().zip(at.f.iter().zip(&at.magnitude)).enumerate()
    {
        let place = || format!("F (variable {variable}) {when}: found {found:e}, expected {expected:e}");
        findings.add_worst(GRADIENT, Kind::Kernels, (found - expected).abs(), drift * all, place);
    }
    for (variable, (&a, (&low, &high))) in dual.a.iter().zip(low.iter().zip(high)).enumerate() {
        // A NaN is in no box.
        let outside = if a >= low && a <= high { 0.0 } else { (low - a).abs().min((a - high).abs()) };
        let place = || format!("a (variable {variable}) {when}: found {a:e}, allowed {low:e} to {high:e}");
        findings.add_worst(BOX, Kind::Exact, outside, STEP_ERROR * dual.cost, place);
    }
    let (sum, all) = dual.a.iter().fold((0.0, 0.0), |(sum, all), a| (sum + a, all + a.abs()));
    let place = || format!("sum of a {when}: found {sum:e}, expected 0");
    findings.add_worst(BALANCE, Kind::Exact, f64::abs(sum), drift * (all + dual.cost), place);
}

/// Checks that the objective has not grown from one place to a later one of the same C.
pub fn check_monotone(
    findings: &mut Findings,
    label: Label<'_>,
    before: &Standing<'_>,
    after: &Standing<'_>,
) {
    let (was, is) = (before.objective(), after.objective());
    let steps = [before.dual.iterations, after.dual.iterations];
    let place =
        || format!("objective from step {} to step {}: {was:e} to {is:e} {label}", steps[0], steps[1]);
    let grown = if is <= was { 0.0 } else { (is - was).abs() };
    findings.add_worst(
        MONOTONE,
        Kind::Steps,
        grown,
        drift(steps[1]) * before.size().max(after.size()),
        place,
    );
}

/// Checks the conditions of Karush, Kuhn and Tucker at the end: m − M within the tolerance of the solver, by a
/// gradient made anew.
pub fn check_optimality(findings: &mut Findings, subject: &Subject, label: Label<'_>, end: &Standing<'_>) {
    let (most, least) = end.extremes(&end.f);
    let gap = if most - least == f64::NEG_INFINITY { 0.0 } else { most - least };
    let largest = end.magnitude.iter().copied().fold(0.0, f64::max);
    let place = || format!("m - M after {} steps: found {gap:e} {label}", end.dual.iterations);
    let tolerance = TOLERANCE + 2.0 * drift(end.dual.iterations) * largest;
    // What may not be left of a gap is nothing.
    findings.add_worst(OPTIMALITY, Kind::Kernels, gap.max(0.0) + 0.0 * gap, tolerance, place);
    let place =
        || format!("C at the end: found {:e}, expected {:e} {label}", end.dual.cost, subject.settings.c);
    let off = (end.dual.cost - subject.settings.c).abs();
    findings.add_worst(OPTIMALITY, Kind::Exact, off, 0.0, place);
}
