//! Descent of a smooth function within a box: L-BFGS on the coordinates that are free to move.

use std::collections::VecDeque;

/// Steps whose curvature is remembered.
const MEMORY: usize = 8;
/// A step must gain this part of what the slope promises (Armijo, 1966).
const GAIN: f64 = 1e-4;
/// Steps tried along one direction.
const MOST_TRIES: usize = 10;

/// When a descent ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Evaluations at most.
    pub evaluations: usize,
    /// No free coordinate's slope is larger.
    pub slope: f64,
    /// A step gained less than this.
    pub gain: f64,
}

/// A minimiser that asks for one evaluation at a time, so that many can run side by side.
///
/// Source: Nocedal and Wright, "Numerical Optimization", 2006, algorithms 7.4 and 3.1, with the projection of
/// Bertsekas (1982): a coordinate on a bound that the slope pushes against is held, the others move by the
/// quasi-Newton step and are clipped.
#[derive(Clone, Debug)]
pub(super) struct Descent {
    bounds: Vec<(f64, f64)>,
    limits: Limits,
    point: Vec<f64>,
    value: f64,
    slope: Vec<f64>,
    /// Pairs of a step and its change of slope.
    pairs: VecDeque<(Vec<f64>, Vec<f64>)>,
    direction: Vec<f64>,
    length: f64,
    tries: usize,
    trial: Vec<f64>,
    evaluations: usize,
    is_done: bool,
}

impl Descent {
    /// At its start, which is moved into the bounds.
    pub(super) fn new(start: &[f64], bounds: Vec<(f64, f64)>, limits: Limits) -> Self {
        let point: Vec<f64> =
            start.iter().zip(&bounds).map(|(x, (low, high))| x.clamp(*low, *high)).collect();
        Self {
            slope: vec![0.0; point.len()],
            direction: vec![0.0; point.len()],
            trial: point.clone(),
            value: f64::INFINITY,
            length: 0.0,
            tries: 0,
            evaluations: 0,
            pairs: VecDeque::new(),
            is_done: false,
            bounds,
            limits,
            point,
        }
    }

    /// Where the function is to be evaluated next; `None` at the end.
    pub(super) fn trial(&self) -> Option<&[f64]> {
        (!self.is_done).then_some(&self.trial[..])
    }

    /// The best point so far and its value.
    pub(super) fn best(&self) -> (&[f64], f64) {
        (&self.point, self.value)
    }

    /// Takes in the function's value and slope at the trial.
    pub(super) fn tell(&mut self, value: f64, slope: &[f64]) {
        self.evaluations += 1;
        let is_sound = value.is_finite() && slope.iter().all(|x| x.is_finite());
        let is_first = self.evaluations == 1;
        let promised: f64 = dot(&self.slope, &difference(&self.trial, &self.point));
        if is_sound && (is_first || value <= self.value + GAIN * promised) {
            self.accept(value, slope, is_first);
        } else {
            self.shorten(if is_sound { value } else { f64::INFINITY }, promised);
        }
        self.is_done |= self.evaluations >= self.limits.evaluations;
    }

    fn accept(&mut self, value: f64, slope: &[f64], is_first: bool) {
        let (step, change) = (difference(&self.trial, &self.point), difference(slope, &self.slope));
        let gain = self.value - value;
        // Only what curves upward keeps the quasi-Newton matrix positive.
        if !is_first && dot(&step, &change) > 1e-10 * dot(&change, &change) {
            self.pairs.push_back((step, change));
            if self.pairs.len() > MEMORY {
                self.pairs.pop_front();
            }
        }
        self.point.copy_from_slice(&self.trial);
        self.slope.copy_from_slice(slope);
        self.value = value;
        if !is_first && gain < self.limits.gain {
            self.is_done = true;
            return;
        }
        self.turn();
    }

    /// A new direction from the point reached.
    fn turn(&mut self) {
        let free: Vec<bool> = (0..self.point.len()).map(|i| self.is_free(i)).collect();
        let masked = |values: &[f64]| -> Vec<f64> {
            values.iter().zip(&free).map(|(x, free)| if *free { *x } else { 0.0 }).collect()
        };
        let slope = masked(&self.slope);
        let steepest = slope.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        if !(steepest > self.limits.slope) {
            self.is_done = true;
            return;
        }
        let pairs: Vec<_> = self.pairs.iter().map(|(step, change)| (masked(step), masked(change))).collect();
        self.direction = quasi_newton(&slope, &pairs);
        if !(dot(&self.direction, &slope) < 0.0) {
            self.pairs.clear();
            self.direction = slope.iter().map(|x| -x).collect();
        }
        // Without curvature, the first step moves no coordinate by more than a tenth of its range.
        self.length = 1.0;
        if self.pairs.is_empty() {
            let widest = self.direction.iter().zip(&self.bounds);
            let share = widest.fold(0.0, |most: f64, (x, (low, high))| most.max(x.abs() / (high - low)));
            self.length = (0.1 / share).min(1.0);
        }
        self.tries = 0;
        self.step();
    }

    fn step(&mut self) {
        for i in 0..self.point.len() {
            let (low, high) = self.bounds[i];
            self.trial[i] = (self.point[i] + self.length * self.direction[i]).clamp(low, high);
        }
        self.is_done |= self.trial == self.point;
    }

    /// A shorter step along the same direction: to the minimum of the parabola through what is known.
    fn shorten(&mut self, value: f64, promised: f64) {
        self.tries += 1;
        if self.evaluations == 1 || self.tries >= MOST_TRIES {
            self.is_done = true;
            return;
        }
        let share = -0.5 * promised / (value - self.value - promised);
        self.length *= if share.is_finite() { share.clamp(0.1, 0.5) } else { 0.1 };
        self.step();
    }

    fn is_free(&self, i: usize) -> bool {
        let (low, high) = self.bounds[i];
        !(self.point[i] <= low && self.slope[i] > 0.0 || self.point[i] >= high && self.slope[i] < 0.0)
    }
}

/// −H·slope, H from pairs of steps and changes of slope (Nocedal and Wright, algorithm 7.4).
fn quasi_newton(slope: &[f64], pairs: &[(Vec<f64>, Vec<f64>)]) -> Vec<f64> {
    let mut direction: Vec<f64> = slope.iter().map(|x| -x).collect();
    let pairs: Vec<_> = pairs.iter().map(|(s, y)| (s, y, dot(s, y))).filter(|pair| pair.2 > 0.0).collect();
    let mut shares = Vec::with_capacity(pairs.len());
    for (step, change, curvature) in pairs.iter().rev() {
        let share = dot(step, &direction) / curvature;
        shares.push(share);
        add(&mut direction, -share, change);
    }
    if let Some((_, change, curvature)) = pairs.last() {
        let scale = curvature / dot(change, change);
        direction.iter_mut().for_each(|x| *x *= scale);
    }
    for ((step, change, curvature), share) in pairs.iter().zip(shares.iter().rev()) {
        let share = share - dot(change, &direction) / curvature;
        add(&mut direction, share, step);
    }
    direction
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(l, r)| l * r).sum()
}

fn difference(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(l, r)| l - r).collect()
}

fn add(to: &mut [f64], factor: f64, other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(to, other)| *to += factor * other);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { evaluations: 500, slope: 1e-6, gain: 0.0 };

    /// The end of a descent, its value and its evaluations. The best value never rises on the way.
    fn end(
        start: &[f64],
        bounds: &[(f64, f64)],
        limits: Limits,
        of: impl Fn(&[f64]) -> (f64, Vec<f64>),
    ) -> (Vec<f64>, f64, usize) {
        let mut descent = Descent::new(start, bounds.to_vec(), limits);
        let (mut evaluations, mut least) = (0, f64::INFINITY);
        while let Some(trial) = descent.trial() {
            assert!(trial.iter().zip(bounds).all(|(x, (low, high))| low <= x && x <= high), "{trial:?}");
            let (value, slope) = of(trial);
            descent.tell(value, &slope);
            evaluations += 1;
            assert!(descent.best().1 <= least, "{} after {least}", descent.best().1);
            least = descent.best().1;
        }
        let (point, value) = descent.best();
        (point.to_vec(), value, evaluations)
    }

    fn rosenbrock(x: &[f64]) -> (f64, Vec<f64>) {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b])
    }

    #[test]
    fn the_bottom_of_a_curved_valley_is_reached() {
        let bounds = [(-5.0, 10.0); 2];
        let (point, value, evaluations) = end(&[-1.2, 1.0], &bounds, LIMITS, rosenbrock);
        assert!(value <= 1e-12 && evaluations <= 80, "{value:e} at {point:?} in {evaluations}");
        // With the bottom outside, the end is where the valley leaves the box: x² = y = 0.5.
        let (point, ..) = end(&[-1.2, 0.1], &[(-2.0, 2.0), (-1.0, 0.5)], LIMITS, rosenbrock);
        assert!(point[1] == 0.5 && rosenbrock(&point).1[0].abs() <= 1e-5, "{point:?}");
    }

    #[test]
    fn evaluations_end_with_their_budget() {
        for budget in 1..9 {
            let limits = Limits { evaluations: budget, ..LIMITS };
            let (_, value, evaluations) = end(&[-1.2, 1.0], &[(-5.0, 10.0); 2], limits, rosenbrock);
            assert_eq!(evaluations, budget);
            assert!(value.is_finite());
        }
    }

    /// A cliff behind which there is no number, short of the minimum: the end is in front of it.
    #[test]
    fn what_is_no_number_is_stepped_back_from() {
        for (value, slope) in
            [(f64::NAN, f64::NAN), (f64::NEG_INFINITY, 0.0), (f64::INFINITY, 1.0), (0.0, f64::NAN)]
        {
            let cliff = |x: &[f64]| match x[0] > 0.6 {
                true => (value, vec![slope]),
                false => ((x[0] - 0.7).powi(2), vec![2.0 * (x[0] - 0.7)]),
            };
            let (point, found, _) = end(&[0.1], &[(0.0, 1.0)], LIMITS, cliff);
            assert!(point[0] > 0.5 && point[0] <= 0.6, "{point:?}");
            assert_eq!(found, cliff(&point).0);
            let (point, found, evaluations) = end(&[0.9], &[(0.0, 1.0)], LIMITS, cliff);
            assert_eq!((point[0], found, evaluations), (0.9, f64::INFINITY, 1));
        }
    }

    #[test]
    fn a_start_outside_of_the_bounds_is_moved_into_them() {
        let slope = |x: &[f64]| (x[0], vec![1.0]);
        assert_eq!(end(&[7.0], &[(0.0, 1.0)], LIMITS, slope).0, [0.0]);
        assert_eq!(end(&[-7.0], &[(0.0, 1.0)], LIMITS, slope), (vec![0.0], 0.0, 1));
    }

    /// Half (x − c)·A·(x − c) and its slope, A = B·Bᵀ + 1/20.
    fn bowl(center: &[f64], root: &[f64], x: &[f64]) -> (f64, Vec<f64>) {
        let from = difference(x, center);
        let rows: Vec<&[f64]> = root.chunks(x.len()).take(x.len()).collect();
        let across: Vec<f64> =
            (0..x.len()).map(|k| rows.iter().zip(&from).map(|(row, d)| row[k] * d).sum()).collect();
        let slope: Vec<f64> = rows.iter().zip(&from).map(|(row, d)| dot(row, &across) + 0.05 * d).collect();
        (0.5 * dot(&slope, &from), slope)
    }

    proptest! {
        /// Karush, Kuhn and Tucker's conditions: no free coordinate has a slope, and those on a bound are pushed
        /// against it.
        #[test]
        fn the_bottom_of_a_bowl_within_a_box_is_reached(
            center in prop::collection::vec(-0.5..1.5_f64, 1..7),
            root in prop::collection::vec(-1.0..1.0_f64, 36),
            start in prop::collection::vec(0.0..1.0_f64, 6),
        ) {
            let count = center.len();
            let of = |x: &[f64]| bowl(&center, &root, x);
            let (point, value, evaluations) = end(&start[..count], &vec![(0.0, 1.0); count], LIMITS, of);
            let slope = of(&point).1;
            for (x, slope) in point.iter().zip(&slope) {
                let is_met = (slope.abs() <= 1e-5) || (*x == 0.0 && *slope > 0.0) || (*x == 1.0 && *slope < 0.0);
                prop_assert!(is_met, "slope {slope:?} at {point:?}, {value} in {evaluations}");
            }
        }
    }
}
