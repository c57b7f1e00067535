//! One dual problem for several C, each solved from the solution of a smaller one.
//!
//! A warm start must not make a result depend on which other C are searched. So every C has a path of its own:
//! C/4ᵏ, …, C/4, C, from the first that is at least [`START`]. In the customary grid, whose steps are 4, the
//! paths of all C are one, and each step is a result too; alone, a C costs a few cheap steps before it.

use super::base::PADDING;
use super::rows::Rows;
use super::smo::passes::Passes;
use super::smo::{self, Outcome, Point, Problem};

/// Growth of C from one step of a path to the next.
const GROWTH: f64 = 4.0;
/// Paths begin at this C or just above it; a smaller C is its own beginning.
const START: f64 = 0.031_25;

/// A dual problem whose bounds are yet to be multiplied by C.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Rows of the kernel matrix.
    pub row_count: usize,
    /// (variable) p
    pub linear: Vec<f64>,
    /// (variable) The smallest a for C = 1.
    pub low: Vec<f64>,
    /// (variable) The largest a for C = 1.
    pub high: Vec<f64>,
}

impl Shape {
    /// Rows of one class, then rows of another, with the weights of their errors.
    pub fn classes(counts: [usize; 2], weights: [f64; 2]) -> Self {
        let both = |first: f64, second: f64| {
            std::iter::repeat_n(first, counts[0]).chain(std::iter::repeat_n(second, counts[1])).collect()
        };
        Self {
            row_count: counts[0] + counts[1],
            linear: both(1.0, -1.0),
            low: both(0.0, -weights[1]),
            high: both(weights[0], 0.0),
        }
    }

    /// Values within a tube of half-width ε: a variable above and one below it for each row.
    pub fn values(values: &[f64], epsilon: f64) -> Self {
        let count = values.len();
        let layers = |first: f64, second: f64| [vec![first; count], vec![second; count]].concat();
        let shifted = |shift: f64| values.iter().map(move |value| value + shift);
        Self {
            row_count: count,
            linear: shifted(-epsilon).chain(shifted(epsilon)).collect(),
            low: layers(0.0, -1.0),
            high: layers(1.0, 0.0),
        }
    }

    /// (variable) The smallest and the largest a for a C.
    pub fn bounds(&self, c: f64) -> [Vec<f64>; 2] {
        [&self.low, &self.high].map(|bounds| bounds.iter().map(|bound| c * bound).collect())
    }

    /// The problem within these bounds.
    pub fn problem<'a>(&'a self, [low, high]: [&'a [f64]; 2]) -> Problem<'a> {
        let (row_count, linear) = (self.row_count, &self.linear[..]);
        Problem { row_count, linear, low, high, tolerance: smo::TOLERANCE }
    }
}

/// Most bytes that a solver of so many variables takes beside kernel values: some 20 numbers a variable, of the
/// problem, the point, the solver and what comes of them, and a step of all free variables at once.
pub fn bytes(variable_count: usize) -> u64 {
    let numbers = variable_count.next_multiple_of(PADDING).saturating_mul(20 * size_of::<f64>());
    (numbers as u64).saturating_add(smo::newton_bytes(variable_count))
}

/// What came of one C.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// (row) a, the sum of a row's variables.
    pub coefficients: Vec<f64>,
    /// How it was solved; its iterations are those of the whole path.
    pub outcome: Outcome,
}

/// Solves for each C, in the order given; `None` where `stop` says so before the end.
pub fn solve<R: Passes>(
    shape: &Shape,
    rows: &mut impl Rows<R>,
    costs: &[f64],
    stop: &dyn Fn() -> bool,
) -> Option<Vec<Solution>> {
    let mut course = Course::new(costs);
    while let Some((cost, mut point)) = course.next(shape) {
        let [low, high] = shape.bounds(cost);
        let outcome = smo::solve(&shape.problem([&low, &high]), rows, &mut point, stop).ok()?;
        course.solved(shape, cost, point, outcome);
    }
    course.solutions()
}

/// The problems that a list of C comes to, one after another, whoever solves them.
pub struct Course {
    costs: Vec<f64>,
    /// Places in `costs` that have no solution yet; the next one is the last.
    left: Vec<usize>,
    walk: Option<Walk>,
    solutions: Vec<Option<Solution>>,
}

impl Course {
    /// Before the first.
    pub fn new(costs: &[f64]) -> Self {
        let mut left: Vec<usize> = (0..costs.len()).collect();
        // C of one path follow each other, ascending.
        left.sort_by(|&a, &b| {
            start(costs[b]).total_cmp(&start(costs[a])).then_with(|| costs[b].total_cmp(&costs[a]))
        });
        Self { costs: costs.to_vec(), left, walk: None, solutions: vec![None; costs.len()] }
    }

    /// The next C and where its solver begins; `None` where every C has its solution.
    pub fn next(&self, shape: &Shape) -> Option<(f64, Point)> {
        let cost = self.costs[*self.left.last()?];
        Some(match &self.walk {
            Some(walk) if start(walk.cost) == start(cost) => (walk.cost * GROWTH, walk.onward(shape)),
            _ => (start(cost), Point::origin(&shape.linear)),
        })
    }

    /// Whether a C is one of the list that has no solution yet.
    pub fn wants(&self, cost: f64) -> bool {
        self.left.iter().any(|&index| self.costs[index] == cost)
    }

    /// Takes the solution of the [`next`](Self::next) C. Says which places of the list it is for.
    pub fn solved(&mut self, shape: &Shape, cost: f64, point: Point, outcome: Outcome) -> Vec<usize> {
        let before = self.walk.take().filter(|walk| walk.cost * GROWTH == cost);
        let iterations = before.map_or(0, |walk| walk.outcome.iterations) + outcome.iterations;
        let walk = Walk { cost, point, outcome: Outcome { iterations, ..outcome } };
        let is_here = |index: &mut usize| self.costs[*index] == cost;
        let here: Vec<usize> = self.left.extract_if(.., is_here).collect();
        if !here.is_empty() {
            let solution = walk.solution(shape);
            here.iter().for_each(|&index| self.solutions[index] = Some(solution.clone()));
        }
        self.walk = Some(walk);
        here
    }

    /// (C) in the order of the list; `None` before the end.
    pub fn solutions(self) -> Option<Vec<Solution>> {
        self.solutions.into_iter().collect()
    }
}

/// Where the solver of one C stands after so many steps of its path at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Stand {
    /// The C that it has come to.
    pub cost: f64,
    /// Steps taken.
    pub iterations: u64,
    /// (variable) a and F
    pub point: Point,
}

/// Walks the path of a C for so many steps at most, by a solver that is given a problem, where to begin
/// and how many steps are left: for the verifier.
pub fn stand<E>(
    shape: &Shape,
    cost: f64,
    most_iterations: u64,
    mut solver: impl FnMut(&Problem<'_>, &mut Point, u64) -> Result<Outcome, E>,
) -> Result<Stand, E> {
    let origin = Point::origin(&shape.linear);
    let mut stand = Stand { cost: start(cost), iterations: 0, point: origin };
    loop {
        let left = most_iterations - stand.iterations;
        let [low, high] = shape.bounds(stand.cost);
        let problem = shape.problem([&low, &high]);
        let outcome = solver(&problem, &mut stand.point, left)?;
        stand.iterations += outcome.iterations;
        if stand.cost >= cost || !outcome.is_solved || stand.iterations >= most_iterations {
            return Ok(stand);
        }
        stand.point = stand.point.grown(&shape.linear, GROWTH, outcome.bounded_count, outcome.support_count);
        stand.cost *= GROWTH;
    }
}

/// Where the path of a C begins.
fn start(cost: f64) -> f64 {
    let mut start = cost;
    while start / GROWTH >= START {
        start /= GROWTH;
    }
    start
}

/// A path, solved as far as to a C.
struct Walk {
    cost: f64,
    point: Point,
    outcome: Outcome,
}

impl Walk {
    /// Where the next C of the path begins.
    fn onward(&self, shape: &Shape) -> Point {
        let Outcome { bounded_count, support_count, .. } = self.outcome;
        self.point.grown(&shape.linear, GROWTH, bounded_count, support_count)
    }

    fn solution(&self, shape: &Shape) -> Solution {
        let mut coefficients = vec![0.0; shape.row_count];
        for layer in self.point.a.chunks_exact(shape.row_count.max(1)) {
            coefficients.iter_mut().zip(layer).for_each(|(sum, a)| *sum += a);
        }
        // Of rows, not of variables: without a tube both of a row may be above 0.
        let [low, high] = shape.bounds(self.cost);
        let bound = |row: usize, a: f64| {
            let layers = (row..low.len()).step_by(shape.row_count.max(1));
            layers.map(|variable| if a > 0.0 { high[variable] } else { -low[variable] }).fold(0.0, f64::max)
        };
        let rows = || coefficients.iter().enumerate().filter(|(_, a)| **a != 0.0);
        let outcome = Outcome {
            support_count: rows().count(),
            bounded_count: rows().filter(|&(row, a)| a.abs() >= bound(row, *a)).count(),
            ..self.outcome
        };
        Solution { coefficients, outcome }
    }
}
