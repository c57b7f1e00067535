//! A step of all free variables at once, where two at a time take long.
//!
//! With a large C and a smooth kernel the matrix is ill-conditioned, and steps of two variables need hundreds of
//! thousands to settle a few hundred free ones. The free variables alone, away from their bounds, obey a linear
//! system: d of K_FF d + ν = F_F, Σd = 0 is Newton's direction (an active-set method for a moment; Scheinberg,
//! JMLR 7, 2006). The step along it is exact, min(dᵀF / dᵀKd, what the box allows), so that the objective never
//! rises, whatever the rounding of d.
//!
//! A direction takes as long as many steps of two. It is tried when as much time has gone into those since the
//! last: counted, not measured, so that results repeat.

use super::cholesky::Lower;
use super::passes::{Passes, has};
use super::{Rows, Solver};

/// Fewest steps of two variables between two of all.
const FEWEST_STEPS: u64 = 400;
/// Most free variables: half their matrix takes 67 MiB.
const MOST_FREE: usize = 4096;
/// Added to the diagonal, as shares of it, one after the other until there is a factor: kernel values of f32 may
/// leave the matrix indefinite.
const RIDGES: [f64; 3] = [1e-9, 1e-7, 1e-5];

/// Steps of two variables that take as long as a direction of `free` ones, of `count` in all: a cube at some
/// 10 operations a nanosecond, and a pass of each row, against two passes of a step.
pub fn worth(free: usize, count: usize) -> u64 {
    let (free, count) = (free as f64, count as f64);
    let direction = free * free * free / 30.0 + 0.3 * free * count;
    FEWEST_STEPS.max((direction / (100.0 + 0.5 * count)) as u64)
}

/// Most bytes that a direction takes among so many variables.
pub fn bytes(count: usize) -> u64 {
    Lower::bytes(count.min(MOST_FREE)).saturating_add((count.saturating_mul(4 * size_of::<f64>())) as u64)
}

impl<R: Passes> Solver<R> {
    /// The variables strictly inside their bounds.
    pub(super) fn free(&self) -> Vec<usize> {
        (0..self.a.len()).filter(|&v| has(&self.up_set, v) && has(&self.low_set, v)).collect()
    }

    /// Moves the free variables to where they are optimal among themselves, or towards it up to the first bound.
    /// Returns whether anything moved.
    pub(super) fn newton(&mut self, rows: &mut impl Rows<R>, free: &[usize]) -> bool {
        if free.len() < 2 || free.len() > MOST_FREE {
            return false;
        }
        let Some(direction) = self.direction(rows, free) else { return false };
        let mut product = vec![0.0; self.stride];
        for (&variable, &d) in free.iter().zip(&direction) {
            let row = rows.row(variable % self.stride);
            R::vectorized(|| product.iter_mut().zip(row).for_each(|(sum, k)| *sum += d * k.to_f64()));
        }
        let along = |value: &dyn Fn(usize) -> f64| -> f64 {
            free.iter().zip(&direction).map(|(&variable, d)| d * value(variable)).sum()
        };
        let (slope, curvature) = (along(&|v| self.f[v]), along(&|v| product[v % self.stride]));
        if !(slope > 0.0 && curvature > 0.0) {
            return false;
        }
        let room = |(&variable, &d): (&usize, &f64)| {
            let bound = if d > 0.0 { self.high[variable] } else { self.low[variable] };
            if d == 0.0 { f64::INFINITY } else { (bound - self.a[variable]) / d }
        };
        let most = free.iter().zip(&direction).map(room).fold(f64::INFINITY, f64::min);
        let t = (slope / curvature).min(most);
        let meets: Vec<bool> = free.iter().zip(&direction).map(|pair| room(pair) <= t).collect();
        for ((&variable, &d), meets) in free.iter().zip(&direction).zip(meets) {
            let bound = if d > 0.0 { self.high[variable] } else { self.low[variable] };
            self.a[variable] = if meets { bound } else { self.a[variable] + t * d };
            self.mark(variable);
        }
        for f in self.f.chunks_exact_mut(self.stride) {
            f.iter_mut().zip(&product).for_each(|(f, product)| *f -= t * product);
        }
        true
    }

    /// Newton's direction; `None` where the matrix of the free variables has no factor.
    fn direction(&self, rows: &mut impl Rows<R>, free: &[usize]) -> Option<Vec<f64>> {
        let size = free.len();
        let own = |variable: &usize| self.diagonal[variable % self.stride].to_f64();
        let mean = free.iter().map(own).sum::<f64>() / size as f64;
        let mut matrix = Lower::zeros(size);
        let mut has_factor = |ridge: f64| {
            self.read_square(rows, free, &mut matrix);
            (0..size).for_each(|row| matrix.row_mut(row)[row] += ridge * mean);
            matrix.factor()
        };
        RIDGES.into_iter().find(|&ridge| has_factor(ridge))?;
        let mut ones = vec![1.0; size];
        let mut direction: Vec<f64> = free.iter().map(|&variable| self.f[variable]).collect();
        matrix.solve(&mut ones);
        matrix.solve(&mut direction);
        let offset = direction.iter().sum::<f64>() / ones.iter().sum::<f64>();
        direction.iter_mut().zip(&ones).for_each(|(d, one)| *d -= offset * one);
        direction.iter().all(|d| d.is_finite()).then_some(direction)
    }

    /// Kernel values of the free variables with each other.
    fn read_square(&self, rows: &mut impl Rows<R>, free: &[usize], matrix: &mut Lower) {
        for (at, &variable) in free.iter().enumerate() {
            let row = rows.row(variable % self.stride);
            let out = matrix.row_mut(at).iter_mut().zip(free);
            out.for_each(|(out, &other)| *out = row[other % self.stride].to_f64());
        }
    }
}
