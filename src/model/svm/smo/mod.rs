//! Sequential minimal optimisation with second-order working-set selection.
//!
//! The dual problem of C-SVC and of ε-SVR, in *signed* variables a_i (= y_i α_i for C-SVC):
//!
//!   minimise ½ aᵀKa − pᵀa   with   Σ a_i = 0,   low_i ≤ a_i ≤ high_i
//!
//! | symbol | meaning | C-SVC | ε-SVR, two variables a row |
//! |---|---|---|---|
//! | p_i | linear term | y_i | z_i − ε, z_i + ε |
//! | low_i, high_i | box | 0, C_i or −C_i, 0 | 0, C and −C, 0 |
//! | F_i | p_i − (Ka)_i, minus the gradient | −y_i G_i of LIBSVM | the same |
//!
//! I_up holds what may grow (a_i < high_i), I_low what may shrink. m = max F over I_up, M = min F over I_low;
//! optimal within ε where m − M ≤ ε. A step moves t from j to i: i has F_i = m, j maximises (m − F_j)²/η over
//! I_low, η = K_ii + K_jj − 2K_ij (WSS 2 of Fan, Chen and Lin, JMLR 6, 2005; Chang and Lin, LIBSVM, 2011).
//! Signs drop out of the updates: F −= t (K_i − K_j).
//!
//! a, F and m − M are f64 whatever the kernel's values are: with C = 2¹⁵ one f32 term would round at more than
//! the tolerance. K_i − K_j is formed in f64 too, so that F stays what the kernel values say.

mod cholesky;
mod newton;
pub mod passes;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::base::PADDING;
use super::rows::Rows;
pub use newton::bytes as newton_bytes;
use passes::{Partner, Passes, Variables, WORD, has};

/// m − M at which a problem is solved, as in LIBSVM.
pub const TOLERANCE: f64 = 1e-3;
/// What a curvature η that is not above 0 is taken for, as in LIBSVM.
const CURVATURE_FLOOR: f64 = 1e-12;
/// Most iterations, however few variables there are; as in LIBSVM, 100 a variable where that is more.
const MOST_ITERATIONS: u64 = 10_000_000;

/// Iterations between two questions whether to stop: some milliseconds at most.
const PATIENCE: u64 = 256;

/// Most times that a solution is polished, each followed by steps where it uncovers that a bound was wrong.
const MOST_POLISHES: u32 = 3;

/// One dual problem. Variables come in one or two *layers* of as many as the kernel matrix has rows: variable v
/// belongs to row v mod rows.
pub struct Problem<'a> {
    /// Rows of the kernel matrix.
    pub row_count: usize,
    /// (variable) p
    pub linear: &'a [f64],
    /// (variable) The smallest a; at most 0.
    pub low: &'a [f64],
    /// (variable) The largest a; at least 0.
    pub high: &'a [f64],
    /// m − M at which it is solved.
    pub tolerance: f64,
}

/// Where a solver stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// (variable) a
    pub a: Vec<f64>,
    /// (variable) F = p − Ka
    pub f: Vec<f64>,
}

impl Point {
    /// a = 0.
    pub fn origin(linear: &[f64]) -> Self {
        Self { a: vec![0.0; linear.len()], f: linear.to_vec() }
    }

    /// A point to begin from where all bounds have grown by `growth`: a times s, for which no kernel value is
    /// needed. Σa stays 0.
    ///
    /// Where most support vectors are bounded, s = `growth` keeps them so. Else s is the best of that ray,
    /// pᵀa / aᵀKa, at least 1 and at most `growth`: where none is bounded, this very point.
    pub fn grown(&self, linear: &[f64], growth: f64, bounded_count: usize, support_count: usize) -> Self {
        let terms = || self.a.iter().zip(&self.f).zip(linear);
        let linear_term: f64 = terms().map(|((a, _), p)| p * a).sum();
        let quadratic_term: f64 = terms().map(|((a, f), p)| a * (p - f)).sum();
        let best = linear_term / quadratic_term;
        let factor = match best > 1.0 {
            _ if 2 * bounded_count > support_count => growth,
            true => best.min(growth),
            false => 1.0,
        };
        let f = self.f.iter().zip(linear).map(|(f, p)| p - factor * (p - f)).collect();
        Self { a: self.a.iter().map(|a| factor * a).collect(), f }
    }
}

/// How a problem was solved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Steps taken.
    pub iterations: u64,
    /// m − M at the end.
    pub gap: f64,
    /// Whether the gap is within the tolerance: else the iterations ran out.
    pub is_solved: bool,
    /// ½ aᵀKa − pᵀa, as LIBSVM prints it.
    pub objective: f64,
    /// The decision function is Σ a_i K(x_i, x) − ρ.
    pub rho: f64,
    /// a ≠ 0
    pub support_count: usize,
    /// a at the bound that is not 0.
    pub bounded_count: usize,
}

/// A solver was told to stop before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Solves a problem from a point inside its box with Σa = 0, which becomes the solution. `stop` is asked every
/// now and then.
pub fn solve<R: Passes>(
    problem: &Problem<'_>,
    rows: &mut impl Rows<R>,
    point: &mut Point,
    stop: &dyn Fn() -> bool,
) -> Result<Outcome, Stopped> {
    solve_within(problem, rows, point, most_iterations(problem.linear.len()), stop)
}

/// The same in so many iterations at most.
pub fn solve_within<R: Passes>(
    problem: &Problem<'_>,
    rows: &mut impl Rows<R>,
    point: &mut Point,
    most_iterations: u64,
    stop: &dyn Fn() -> bool,
) -> Result<Outcome, Stopped> {
    let mut solver = Solver::new(problem, rows, point);
    let (iterations, gap) = solver.run(rows, problem.tolerance, most_iterations, stop)?;
    solver.read(point);
    Ok(outcome(problem, point, iterations, gap))
}

/// What a point has come to after so many steps, with this gap.
pub fn outcome(problem: &Problem<'_>, point: &Point, iterations: u64, gap: f64) -> Outcome {
    let objective =
        point.a.iter().zip(&point.f).zip(problem.linear).map(|((a, f), p)| a * (f + p)).sum::<f64>();
    let bounds = || problem.low.iter().zip(problem.high);
    let is_bounded = |&(&a, (&low, &high)): &(&f64, (&f64, &f64))| a != 0.0 && (a <= low || a >= high);
    Outcome {
        iterations,
        gap,
        is_solved: gap <= problem.tolerance,
        objective: -0.5 * objective,
        rho: rho(problem, point),
        support_count: point.a.iter().filter(|&&a| a != 0.0).count(),
        bounded_count: point.a.iter().zip(bounds()).filter(is_bounded).count(),
    }
}

/// m − M at a point; 0 where nothing may move.
pub fn gap(problem: &Problem<'_>, point: &Point) -> f64 {
    let (mut most, mut least) = (f64::NEG_INFINITY, f64::INFINITY);
    for (((&a, &f), &low), &high) in point.a.iter().zip(&point.f).zip(problem.low).zip(problem.high) {
        most = if a < high { most.max(f) } else { most };
        least = if a > low { least.min(f) } else { least };
    }
    if most.is_finite() && least.is_finite() { most - least } else { 0.0 }
}

/// Most steps for a problem of so many variables.
pub fn most_iterations(variable_count: usize) -> u64 {
    MOST_ITERATIONS.max(100 * variable_count as u64)
}

/// Minus the mean F of the free variables; where there is none, minus the middle of what F may be.
fn rho(problem: &Problem<'_>, point: &Point) -> f64 {
    let (mut sum, mut count, mut most, mut least) = (0.0, 0_u64, f64::NEG_INFINITY, f64::INFINITY);
    for (((&a, &f), &low), &high) in point.a.iter().zip(&point.f).zip(problem.low).zip(problem.high) {
        match (a < high, a > low) {
            (true, true) => {
                sum += f;
                count += 1;
            }
            (true, false) => most = f64::max(most, f),
            (false, true) => least = f64::min(least, f),
            (false, false) => {}
        }
    }
    match (count, most.is_finite(), least.is_finite()) {
        (0, true, true) => -(most + least) / 2.0,
        (0, true, false) => -most,
        (0, false, true) => -least,
        (0, false, false) => 0.0,
        _ => -sum / count as f64,
    }
}

/// The arrays of a solver, (layer, padded row); padding may neither grow nor shrink.
struct Solver<R> {
    stride: usize,
    row_count: usize,
    f: Vec<f64>,
    a: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    /// Bits of the variables that may grow.
    up_set: Vec<u32>,
    /// Bits of the variables that may shrink.
    low_set: Vec<u32>,
    /// (padded row) K_ii
    diagonal: Vec<R>,
    gains: Vec<R>,
}

impl<R: Passes> Solver<R> {
    fn new(problem: &Problem<'_>, rows: &impl Rows<R>, point: &Point) -> Self {
        let row_count = problem.row_count;
        let stride = row_count.next_multiple_of(PADDING);
        let padded = |numbers: &[f64]| -> Vec<f64> {
            let rest = std::iter::repeat_n(0.0, stride - row_count);
            let layers = numbers.chunks_exact(row_count.max(1));
            layers.flat_map(|layer| layer.iter().copied().chain(rest.clone())).collect()
        };
        let mut diagonal: Vec<R> = (0..row_count).map(|row| rows.diagonal(row)).collect();
        diagonal.resize(stride, R::ONE);
        let f = padded(&point.f);
        let count = f.len();
        let mut solver = Self {
            stride,
            row_count,
            f,
            a: padded(&point.a),
            low: padded(problem.low),
            high: padded(problem.high),
            up_set: vec![0; count / WORD],
            low_set: vec![0; count / WORD],
            diagonal,
            gains: vec![R::ZERO; count],
        };
        (0..count).for_each(|variable| solver.mark(variable));
        solver
    }

    /// The solution, without padding.
    fn read(&self, point: &mut Point) {
        let stride = self.stride;
        let row_count = self.row_count.max(1);
        let layers = point.a.chunks_exact_mut(row_count).zip(point.f.chunks_exact_mut(row_count));
        for (layer, (a, f)) in layers.enumerate() {
            a.copy_from_slice(&self.a[layer * stride..][..self.row_count]);
            f.copy_from_slice(&self.f[layer * stride..][..self.row_count]);
        }
    }

    /// Says where a variable may go.
    fn mark(&mut self, variable: usize) {
        let (word, bit) = (variable / WORD, 1 << (variable % WORD));
        let set = |words: &mut [u32], is_in: bool| {
            words[word] = if is_in { words[word] | bit } else { words[word] & !bit };
        };
        set(&mut self.up_set, self.a[variable] < self.high[variable]);
        set(&mut self.low_set, self.a[variable] > self.low[variable]);
    }

    /// Takes steps until the gap is within the tolerance. Returns their number and the gap.
    fn run(
        &mut self,
        rows: &mut impl Rows<R>,
        tolerance: f64,
        most_iterations: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<(u64, f64), Stopped> {
        let mut iterations = 0;
        let (mut last, mut next) = (0, newton::worth(0, self.f.len()));
        let (mut most, mut least) = self.extremes();
        let mut polishes = 0;
        loop {
            while most - least > tolerance && iterations < most_iterations {
                (most, least) = self.iterate(rows, most);
                iterations += 1;
                if iterations % PATIENCE == 0 && stop() {
                    return Err(Stopped);
                }
                if iterations >= next && most - least > tolerance {
                    let free = self.free();
                    let steps = newton::worth(free.len(), self.f.len());
                    if iterations >= last + steps && self.newton(rows, &free) {
                        (most, least) = self.extremes();
                    }
                    last = if iterations >= last + steps { iterations } else { last };
                    next = last + steps;
                }
            }
            // What is within the tolerance is brought to the optimum of its free variables where that is cheap.
            let free = self.free();
            let is_cheap = newton::worth(free.len(), self.f.len()) <= iterations.max(self.stride as u64);
            if polishes == MOST_POLISHES || !is_cheap || iterations >= most_iterations {
                break;
            }
            if !self.newton(rows, &free) {
                break;
            }
            (most, least) = self.extremes();
            polishes += 1;
            if most - least <= tolerance {
                break;
            }
        }
        // Nothing may move where one of the sets is empty.
        let gap = most - least;
        Ok((iterations, if gap == f64::NEG_INFINITY { 0.0 } else { gap }))
    }

    /// Takes a step, given m; returns m and M after it.
    fn iterate(&mut self, rows: &mut impl Rows<R>, most: f64) -> (f64, f64) {
        let i = R::place(&self.f, &self.up_set, most);
        let row_i = i % self.stride;
        let j = self.partner(rows.row(row_i), row_i, most);
        let row_j = j % self.stride;
        let (k_i, k_j) = rows.pair(row_i, row_j);
        let curvature = k_i[row_i].to_f64() + k_j[row_j].to_f64() - 2.0 * k_i[row_j].to_f64();
        let t = self.step(i, j, curvature);
        self.advance(k_i, k_j, t)
    }

    /// The second variable of the working set.
    fn partner(&mut self, k_i: &[R], row_i: usize, most: f64) -> usize {
        let (stride, words) = (self.stride, self.stride / WORD);
        let mut best = R::ZERO;
        let layers = self.f.chunks_exact_mut(stride).zip(self.gains.chunks_exact_mut(stride));
        for (layer, (f, gains)) in layers.enumerate() {
            let words = layer * words..(layer + 1) * words;
            let variables = Variables { f, up: &self.up_set[words.clone()], low: &self.low_set[words] };
            let row = Partner { most, own: self.diagonal[row_i], k_i, diagonal: &self.diagonal };
            best = R::gains(variables, row, gains, best);
        }
        R::first(&self.gains, best)
    }

    /// Moves as much from j to i as is best, or as the box allows. Returns how much.
    fn step(&mut self, i: usize, j: usize, curvature: f64) -> f64 {
        let curvature = if curvature > 0.0 { curvature } else { CURVATURE_FLOOR };
        let t = (self.f[i] - self.f[j]) / curvature;
        let (room_i, room_j) = (self.high[i] - self.a[i], self.a[j] - self.low[j]);
        let t = t.min(room_i).min(room_j);
        // What meets its bound is there exactly: a rest of rounding would be a free variable.
        self.a[i] = if t >= room_i { self.high[i] } else { self.a[i] + t };
        self.a[j] = if t >= room_j { self.low[j] } else { self.a[j] - t };
        self.mark(i);
        self.mark(j);
        t
    }

    /// F −= t (K_i − K_j), then m and M.
    fn advance(&mut self, k_i: &[R], k_j: &[R], t: f64) -> (f64, f64) {
        let words = self.stride / WORD;
        let mut extremes = (f64::NEG_INFINITY, f64::INFINITY);
        for (layer, f) in self.f.chunks_exact_mut(self.stride).enumerate() {
            let words = layer * words..(layer + 1) * words;
            let variables = Variables { f, up: &self.up_set[words.clone()], low: &self.low_set[words] };
            extremes = R::advance(variables, k_i, k_j, t, extremes);
        }
        extremes
    }

    /// m and M.
    fn extremes(&self) -> (f64, f64) {
        let of = |set: &[u32]| -> Vec<f64> {
            let inside = (0..self.f.len()).filter(|&variable| has(set, variable));
            inside.map(|variable| self.f[variable]).collect()
        };
        let most = of(&self.up_set).into_iter().fold(f64::NEG_INFINITY, f64::max);
        (most, of(&self.low_set).into_iter().fold(f64::INFINITY, f64::min))
    }
}
