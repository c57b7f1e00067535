//! A dual problem on its way: what it is, how its numbers lie on the device, and how far its path of C has come.

use super::fold::{Columns, QUAD};
use super::tables::{ProblemRow, ProgressRow, Status};
use crate::engine::gpu::tables::NONE;
use crate::model::svm::kernel;
use crate::model::svm::pair::Pair;
use crate::model::svm::path::{Course, Shape};
use crate::model::svm::rows::KernelChoice;
use crate::model::svm::smo::{self, Outcome, Point};
use bytemuck::Zeroable;

/// Planes of a layer in the state: F and a, each two f32.
const STATE_PLANES: usize = 4;
/// Planes of a layer among the bounds: p, low and high.
const BOUND_PLANES: usize = 6;
/// K_i and the diagonal.
const ROW_PLANES: usize = 2;

/// An f64 as a sum of two f32; what they cannot hold is rounded.
pub fn split(number: f64) -> [f32; 2] {
    let high = number as f32;
    // Infinity has no rest.
    [high, if high.is_finite() { (number - f64::from(high)) as f32 } else { 0.0 }]
}

fn joined(high: f32, low: f32) -> f64 {
    f64::from(high) + f64::from(low)
}

/// Where a problem's rows are, and which kernel it has: all that the device needs beside its numbers.
#[derive(Clone)]
pub struct Form {
    row: ProblemRow,
    /// Rows of the first class; those of the second begin a new vec4.
    first_count: usize,
    /// Rows of both.
    pub row_count: usize,
}

impl Form {
    /// Of a pair of classes, or of values.
    pub fn new(pair: &Pair, columns: &Columns, choice: &KernelChoice, layer_count: usize) -> Self {
        let [first, second] = columns.of_pair(pair);
        let code = kernel::ALL.iter().position(|kernel| kernel.name() == choice.kernel.name());
        let row = ProblemRow {
            first_at: first.start as u32,
            first_count: first.len() as u32,
            second_at: second.start as u32,
            quad_count: (first.len() + second.len()) as u32,
            layer_count: layer_count as u32,
            kernel: code.unwrap_or(0) as u32,
            gamma: choice.parameters.gamma as f32,
            coef0: choice.parameters.coef0 as f32,
            degree: choice.parameters.degree,
            ..ProblemRow::zeroed()
        };
        Self { row, first_count: pair.rows[0].len(), row_count: pair.row_count() }
    }

    /// vec4 of a plane.
    pub fn quads(&self) -> usize {
        self.row.quad_count as usize
    }

    /// Layers of variables.
    pub fn layers(&self) -> usize {
        self.row.layer_count as usize
    }

    /// vec4 of the state, vec4 of the bounds, words of the sets.
    pub fn sizes(&self) -> [usize; 3] {
        let (quads, layers) = (self.quads(), self.layers());
        [(STATE_PLANES * layers + ROW_PLANES) * quads, BOUND_PLANES * layers * quads, layers * quads]
    }

    /// vec4 of F and a, the beginning of the state.
    pub fn point_size(&self) -> usize {
        STATE_PLANES * self.layers() * self.quads()
    }

    /// Its row of the table, for these places.
    pub fn row(&self, place: &Place) -> ProblemRow {
        ProblemRow {
            state_at: place.state_at,
            bounds_at: place.bounds_at,
            sets_at: place.sets_at,
            progress_at: place.progress_at,
            outcomes_at: place.outcomes_at,
            ..self.row
        }
    }

    /// Where a row stands within a plane.
    pub fn place_of(&self, row: usize) -> usize {
        match row < self.first_count {
            true => row,
            false => self.row.first_count as usize * QUAD + row - self.first_count,
        }
    }

    /// (layer, plane, padded row) of lists of numbers (variable), two planes each.
    fn planes(&self, lists: &[&[f64]]) -> Vec<f32> {
        let width = self.quads() * QUAD;
        let mut planes = vec![0.0; self.layers() * lists.len() * 2 * width];
        for (at, list) in lists.iter().enumerate() {
            for (layer, numbers) in list.chunks_exact(self.row_count.max(1)).enumerate() {
                let start = (layer * lists.len() + at) * 2 * width;
                for (row, &number) in numbers.iter().enumerate() {
                    let [high, low] = split(number);
                    let place = start + self.place_of(row);
                    (planes[place], planes[place + width]) = (high, low);
                }
            }
        }
        planes
    }

    /// The state of a point; K_i and the diagonal are the device's own.
    pub fn state(&self, point: &Point) -> Vec<f32> {
        self.planes(&[&point.f, &point.a])
    }

    /// The numbers that do not change.
    pub fn bounds(&self, linear: &[f64], low: &[f64], high: &[f64]) -> Vec<f32> {
        self.planes(&[linear, low, high])
    }

    /// What may grow and what may shrink. As the device sees it: bounds count as pairs of f32.
    pub fn sets(&self, point: &Point, low: &[f64], high: &[f64]) -> Vec<u32> {
        let rounded = |number: f64| {
            let [high, low] = split(number);
            joined(high, low)
        };
        let mut sets = vec![0; self.layers() * self.quads()];
        for (variable, &a) in point.a.iter().enumerate() {
            let (layer, row) = (variable / self.row_count.max(1), variable % self.row_count.max(1));
            let place = self.place_of(row);
            let bits = u32::from(rounded(a) < rounded(high[variable]))
                | u32::from(rounded(a) > rounded(low[variable])) << QUAD;
            sets[layer * self.quads() + place / QUAD] |= bits << (place % QUAD);
        }
        sets
    }

    /// The point of a state. What meets its bound as pairs of f32 has that bound.
    pub fn point(&self, state: &[f32], low: &[f64], high: &[f64]) -> Point {
        let width = self.quads() * QUAD;
        let number = |variable: usize, list: usize| {
            let (layer, row) = (variable / self.row_count.max(1), variable % self.row_count.max(1));
            let at = (layer * STATE_PLANES + 2 * list) * width + self.place_of(row);
            [state[at], state[at + width]]
        };
        let a = |variable: usize| {
            let pair = number(variable, 1);
            let bounds = [low[variable], high[variable]];
            bounds.into_iter().find(|&bound| split(bound) == pair).unwrap_or(joined(pair[0], pair[1]))
        };
        let f = |variable: usize| {
            let [high, low] = number(variable, 0);
            joined(high, low)
        };
        let count = low.len();
        Point { a: (0..count).map(a).collect(), f: (0..count).map(f).collect() }
    }
}

/// Where a problem's numbers are in the buffers of its batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// vec4
    pub state_at: u32,
    /// vec4
    pub bounds_at: u32,
    /// Words.
    pub sets_at: u32,
    /// Rows.
    pub progress_at: u32,
    /// vec4
    pub outcomes_at: u32,
}

/// Which problem of which group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The group.
    pub group: u64,
    /// The pair among those of its fold.
    pub pair: usize,
    /// The part of the cross-validation, where it is one of those.
    pub part: Option<usize>,
}

/// One problem for all C of its group.
pub struct Problem {
    /// Whose.
    pub owner: Owner,
    /// How it lies on the device.
    pub form: Form,
    /// Its numbers for C = 1.
    pub shape: Shape,
    /// Its C.
    pub course: Course,
    /// The C that it is at.
    pub cost: f64,
    /// Its bounds for that C.
    pub bounds: [Vec<f64>; 2],
    /// Most iterations for that C.
    pub most_iterations: u64,
    /// How far it has come with it.
    pub progress: ProgressRow,
}

impl Problem {
    /// A problem before its first C.
    pub fn new(owner: Owner, form: Form, shape: Shape, costs: &[f64]) -> Self {
        let most_iterations = smo::most_iterations(shape.linear.len());
        let progress = ProgressRow { rebuilt: NONE, ..ProgressRow::zeroed() };
        let (course, bounds) = (Course::new(costs), Default::default());
        Self { owner, form, shape, course, cost: 0.0, bounds, most_iterations, progress }
    }

    /// Goes on to its next C. Says where to begin; `None` after the last.
    pub fn next(&mut self) -> Option<Point> {
        let (cost, point) = self.course.next(&self.shape)?;
        self.begin(cost);
        Some(point)
    }

    /// Begins a C. Roundings that F has met so far are still in it.
    pub fn begin(&mut self, cost: f64) {
        self.cost = cost;
        self.bounds = self.shape.bounds(cost);
        self.progress = ProgressRow { status: 0, iterations: 0, rebuilt: NONE, ..self.progress };
    }

    /// What has come of its C.
    pub fn outcome(&self, state: &[f32]) -> (Point, Outcome) {
        let [low, high] = &self.bounds;
        let point = self.form.point(state, low, high);
        let problem = self.shape.problem([low, high]);
        let gap = match self.progress.status() {
            Status::Broken => f64::INFINITY,
            _ => smo::gap(&problem, &point),
        };
        let outcome = smo::outcome(&problem, &point, self.progress.iterations.into(), gap);
        (point, outcome)
    }
}
