//! One dual problem for several C, each solved from the solution of a smaller one.
//!
//! A warm start must not make a result depend on which other C are searched. So every C has a path of its own:
//! C/4ᵏ, …, C/4, C, from the first that is at least [`START`]. In the customary grid, whose steps are 4, the
//! paths of all C are one, and each step is a result too; alone, a C costs a few cheap steps before it.

use super::base::PADDING;
use super::rows::Rows;
use super::smo::passes::Passes;
use super::smo::{self, Outcome, Point, Problem, Stopped};

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

    fn problem<'a>(&'a self, [low, high]: [&'a [f64]; 2]) -> Problem<'a> {
        let (row_count, linear) = (self.row_count, &self.linear[..]);
        Problem { row_count, linear, low, high, tolerance: smo::TOLERANCE }
    }

    /// Bytes that a solver of it takes beside the kernel matrix.
    pub fn bytes(&self) -> u64 {
        (self.linear.len().next_multiple_of(PADDING) * 12 * size_of::<f64>()) as u64
    }
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
    let mut order: Vec<usize> = (0..costs.len()).collect();
    // C of one path follow each other, ascending.
    order.sort_by(|&a, &b| {
        start(costs[a]).total_cmp(&start(costs[b])).then_with(|| costs[a].total_cmp(&costs[b]))
    });
    let mut solutions: Vec<Option<Solution>> = vec![None; costs.len()];
    let mut at: Option<Walk> = None;
    for index in order {
        let cost = costs[index];
        let same_path = at.take().filter(|walk| start(walk.cost) == start(cost));
        let mut walk = match same_path {
            Some(walk) => walk,
            None => Walk::begin(shape, rows, start(cost), stop)?,
        };
        while walk.cost < cost {
            walk.next(shape, rows, stop)?;
        }
        solutions[index] = Some(walk.solution(shape));
        at = Some(walk);
    }
    solutions.into_iter().collect()
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

/// Walks the path of a C for so many steps at most: for the verifier.
pub fn stand<R: Passes>(shape: &Shape, rows: &mut impl Rows<R>, cost: f64, most_iterations: u64) -> Stand {
    let origin = Point::origin(&shape.linear);
    let mut stand = Stand { cost: start(cost), iterations: 0, point: origin };
    loop {
        let left = most_iterations - stand.iterations;
        let [low, high] = shape.bounds(stand.cost);
        let problem = shape.problem([&low, &high]);
        let never = || false;
        let Ok(outcome) = smo::solve_within(&problem, rows, &mut stand.point, left, &never) else {
            return stand;
        };
        stand.iterations += outcome.iterations;
        if stand.cost >= cost || !outcome.is_solved || stand.iterations >= most_iterations {
            return stand;
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
    fn begin<R: Passes>(
        shape: &Shape,
        rows: &mut impl Rows<R>,
        cost: f64,
        stop: &dyn Fn() -> bool,
    ) -> Option<Self> {
        let mut point = Point::origin(&shape.linear);
        let outcome = at_cost(shape, rows, cost, &mut point, stop).ok()?;
        Some(Self { cost, point, outcome })
    }

    fn next<R: Passes>(
        &mut self,
        shape: &Shape,
        rows: &mut impl Rows<R>,
        stop: &dyn Fn() -> bool,
    ) -> Option<()> {
        self.cost *= GROWTH;
        let before = self.outcome;
        self.point = self.point.grown(&shape.linear, GROWTH, before.bounded_count, before.support_count);
        let outcome = at_cost(shape, rows, self.cost, &mut self.point, stop).ok()?;
        self.outcome = Outcome { iterations: before.iterations + outcome.iterations, ..outcome };
        Some(())
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

fn at_cost<R: Passes>(
    shape: &Shape,
    rows: &mut impl Rows<R>,
    cost: f64,
    point: &mut Point,
    stop: &dyn Fn() -> bool,
) -> Result<Outcome, Stopped> {
    let [low, high] = shape.bounds(cost);
    smo::solve(&shape.problem([&low, &high]), rows, point, stop)
}
