//! An engine's own derivative: the values that it computes along a line through a model's parameters,
//! against the gradient that it computes in the middle. Every point is a member, all trained at once.
//!
//! Parameters are f32, so a point lies a little beside the line: a gradient is multiplied with where the
//! points truly are, and no rounding of theirs is left in the comparison.

use super::case::setting;
use super::differences::sides;
use super::drive::Point;
use super::noise;
use super::rounding::{self, UNIT, Uncertain, WIDTH};
use super::track::widened;
use crate::engine::{Job, Snapshot};
use crate::model::recipe::Member;

/// Where the values of a slope are taken, in steps.
const STENCIL: [f64; 6] = [-4.0, -2.0, -1.0, 1.0, 2.0, 4.0];

/// Spacings of the tables that noise is read from. The finest moves a weight of 0.1 in a direction of a hundred by some dozen units in the last place.
const SPACINGS: [f64; 3] = [1.0 / 262_144.0, 1.0 / 32_768.0, 1.0 / 4096.0];

/// A line through the parameters of a member.
pub struct Line {
    /// The model.
    pub member: Member,
    /// The middle.
    pub start: Snapshot,
    /// (parameter) of length 1.
    pub direction: Vec<f64>,
    /// The step of the stencil.
    pub step: f64,
}

/// The slope along a line, by differences and by the gradient.
pub struct Slope {
    /// By differences of the engine's values.
    pub expected: f64,
    /// By its gradient.
    pub found: f64,
    /// How far apart the two may be.
    pub tolerance: f64,
}

impl Line {
    /// The state at a distance from the middle.
    fn at(&self, distance: f64) -> Snapshot {
        let move_by = |(w, d): (&f32, &f64)| (f64::from(*w) + distance * d) as f32;
        let parameters = self.start.parameters.iter().zip(&self.direction).map(move_by).collect();
        Snapshot { parameters, ..self.start.clone() }
    }

    /// The members whose values the slope is taken from.
    pub fn stencil(&self) -> impl Iterator<Item = Point> + '_ {
        STENCIL.into_iter().map(|steps| self.point(steps * self.step))
    }

    /// The members whose values the noise is read from.
    pub fn tables(&self) -> impl Iterator<Item = Point> + '_ {
        let distances =
            SPACINGS.into_iter().flat_map(|spacing| (0..noise::POINTS).map(move |i| spacing * i as f64));
        distances.map(|distance| self.point(distance))
    }

    fn point(&self, distance: f64) -> Point {
        Point { member: self.member.clone(), state: self.at(distance), is_read: false }
    }

    /// Shortens the step until no kink lies within the stencil; `None` where one lies too near.
    pub fn smooth(mut self, job: &Job) -> Option<Self> {
        const SHORTEST: f64 = 1.0 / 4096.0;
        let at = |line: &Self, distance: f64| {
            let parameters = Uncertain::exact(widened(&line.at(distance).parameters));
            sides(setting(job, &line.member), &parameters, line.start.step)
        };
        let middle = at(&self, 0.0);
        while self.step >= SHORTEST {
            if STENCIL.into_iter().all(|steps| at(&self, steps * self.step) == middle) {
                return Some(self);
            }
            self.step /= 4.0;
        }
        None
    }

    /// The slope from the values at the stencil's points, and from the gradient (parameter) of the middle,
    /// of which each number is a factor `scale` of the value's and is uncertain by its spread.
    ///
    /// D(h) = (f(−2h) − 8f(−h) + 8f(h) − f(2h))/12h errs by c·h⁴; with D(2h) that term is eliminated, and
    /// what the elimination changed bounds what is left.
    pub fn slope(&self, values: &[f64], noise: f64, scale: f64, gradient: &Uncertain) -> Slope {
        let origin = widened(&self.start.parameters);
        let moved = |steps: f64| -> Vec<f64> {
            let there = self.at(steps * self.step);
            there.parameters.iter().zip(&origin).map(|(&there, here)| f64::from(there) - here).collect()
        };
        let along = STENCIL.map(|steps| {
            let products = moved(steps).into_iter().zip(&gradient.value).map(|(moved, g)| moved * g);
            products.sum::<f64>()
        });
        let apply = |weights: [f64; 6], values: &[f64]| -> f64 {
            weights.iter().zip(values).map(|(weight, value)| weight * value).sum::<f64>() / self.step
        };
        let narrow = [0.0, 1.0, -8.0, 8.0, -1.0, 0.0].map(|weight| weight / 12.0);
        let wide = [1.0, -8.0, 0.0, 0.0, 8.0, -1.0].map(|weight| weight / 24.0);
        let weights: [f64; 6] = std::array::from_fn(|i| (16.0 * narrow[i] - wide[i]) / 15.0);
        let (expected, found) = (scale * apply(weights, values), apply(weights, &along));
        let truncation = scale * (apply(narrow, values) - apply(wide, values)) / 15.0;
        let size = weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt() / self.step;
        let along = self.direction.iter().zip(&gradient.spread).map(|(d, spread)| (d * spread).powi(2));
        let rounding = (scale * noise * size).hypot(along.sum::<f64>().sqrt());
        Slope { expected, found, tolerance: WIDTH * rounding + truncation.abs() }
    }
}

/// The noise of values that were computed at a line's tables, by the one that tells of most; `None` where
/// none of them tells.
pub fn noise_of(values: &[f64]) -> Option<f64> {
    let tables = values.as_chunks::<{ noise::POINTS }>().0;
    // However still a table may be: a sum is rounded at its size more than once.
    let floor = UNIT * values.first()?.abs();
    // Of nine points each: an estimate may be half of what there is, the largest of several hardly.
    tables.iter().filter_map(noise::estimate).reduce(f64::max).map(|noise| noise.max(floor))
}

/// How uncertain the gradient of the step after a state is, as f32 computes it.
pub fn gradient_spread(job: &Job, member: &Member, start: &Snapshot) -> Vec<f64> {
    let parameters = Uncertain::exact(widened(&start.parameters));
    rounding::gradient(setting(job, member), &parameters, start.step).1.spread
}
