//! One step of a solver: which two variables it moves, and how far.
//!
//! The first is one with F = m. The second has the largest (m − F_j)²/η, as far as rounding tells: an engine may
//! choose among near equals, since gains only choose. The step is (F_i − F_j)/η, or what the box leaves of it.

use super::problem::Problem;
use super::solver::Standing;
use super::{Label, STEP, WORKING_SET};
use crate::verify::findings::Findings;
use crate::verify::outcome::Kind;

/// The least gain of the second variable, as a share of the largest.
const GAIN_SHARE: f64 = 0.95;
/// Relative error of a step: f32 division and room.
const STEP_ERROR: f64 = 1e-5;
/// What a curvature that is not above 0 is taken for.
const CURVATURE_FLOOR: f64 = 1e-12;

/// Checks the one step between two places.
pub fn check(
    findings: &mut Findings,
    problem: &Problem,
    label: Label<'_>,
    before: &Standing<'_>,
    after: &Standing<'_>,
) {
    let when = format!("in step {} at C {:e} {label}", after.dual.iterations, after.dual.cost);
    let change = |variable: usize| after.dual.a[variable] - before.dual.a[variable];
    let moved: Vec<usize> = (0..before.dual.a.len()).filter(|&variable| change(variable) != 0.0).collect();
    let up = moved.iter().copied().find(|&variable| change(variable) > 0.0);
    let down = moved.iter().copied().find(|&variable| change(variable) < 0.0);
    let (Some(i), Some(j), 2) = (up, down, moved.len()) else {
        let place = || format!("variables {moved:?} moved {when}: expected one up, one down");
        return findings.add_worst(WORKING_SET, Kind::Steps, f64::NAN, 0.0, place);
    };
    let f = &before.f;
    let (most, _) = before.extremes(f);
    let place = || format!("variable {i} grew {when}: F {:e}, expected {most:e}", f[i]);
    findings.add_worst(WORKING_SET, Kind::Steps, (most - f[i]).abs(), 1e-9 * before.magnitude[i], place);
    let rows = problem.shape.row_count;
    let kernel = |a: usize, b: usize| before.dual.kernel[a % rows * rows + b % rows];
    let curvature = |j: usize| (kernel(i, i) + kernel(j, j) - 2.0 * kernel(i, j)).max(CURVATURE_FLOOR);
    let gain = |j: usize| match before.moves(j).1 && f[j] < most {
        true => (most - f[j]).powi(2) / curvature(j),
        false => 0.0,
    };
    let best = (0..f.len()).map(gain).fold(0.0, f64::max);
    let short = 1.0 - gain(j) / best;
    let place = || format!("variable {j} shrank {when}: gain {:e}, the largest {best:e}", gain(j));
    findings.add_worst(WORKING_SET, Kind::Steps, short, 1.0 - GAIN_SHARE, place);
    let room = (before.bounds[1][i] - before.dual.a[i]).min(before.dual.a[j] - before.bounds[0][j]);
    let expected = ((f[i] - f[j]) / curvature(j)).min(room);
    let noise = 1e-9 * (before.magnitude[i] + before.magnitude[j]) / curvature(j);
    for (variable, found) in [(i, change(i)), (j, -change(j))] {
        let place = || format!("step of variable {variable} {when}: found {found:e}, expected {expected:e}");
        findings.add_worst(
            STEP,
            Kind::Steps,
            (found - expected).abs(),
            STEP_ERROR * expected + noise.min(expected),
            place,
        );
    }
}
