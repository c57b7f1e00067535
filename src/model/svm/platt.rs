//! Probabilities of decision values: P(first class | f) = 1/(1 + exp(A f + B)) for a pair of classes, coupled
//! for more than two.
//!
//! A and B minimise the cross-entropy of decision values that no machine had trained on, by Newton's method with
//! backtracking (Platt 1999; Lin, Lin and Weng, Machine Learning 68, 2007). Pairs are coupled by the second
//! method of Wu, Lin and Weng (JMLR 5, 2004). Numbers and limits are LIBSVM's.

use super::kernel::KernelNumber;
use super::pair::Pair;
use super::set::FoldSet;
use super::settings::Settings;

/// A and B.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid {
    /// Slope; below 0 where larger decision values speak for the first class.
    pub a: f64,
    /// Offset.
    pub b: f64,
}

/// Parts of the cross-validation that decision values come from.
const PARTS: usize = 5;
/// Pairwise probabilities stay so far from 0 and 1.
const MARGIN: f64 = 1e-7;

impl Sigmoid {
    /// The probability of the first class.
    pub fn probability(self, decision: f64) -> f64 {
        let z = decision * self.a + self.b;
        // Never the exponential of a large number.
        if z >= 0.0 { (-z).exp() / (1.0 + (-z).exp()) } else { 1.0 / (1.0 + z.exp()) }
    }

    /// Fits decision values to whether each belongs to the first class.
    pub fn fit(decisions: &[f64], is_first: &[bool]) -> Self {
        const MOST_STEPS: usize = 100;
        const SMALLEST_STEP: f64 = 1e-10;
        const RIDGE: f64 = 1e-12;
        const TOLERANCE: f64 = 1e-5;
        let first = is_first.iter().filter(|&&is| is).count() as f64;
        let second = is_first.len() as f64 - first;
        // Bayes' estimates with a uniform prior, not 0 and 1.
        let targets = [1.0 / (second + 2.0), (first + 1.0) / (first + 2.0)];
        let rows = || decisions.iter().zip(is_first).map(|(&f, &is)| (f, targets[usize::from(is)]));
        let loss = |at: Self| -> f64 {
            let one = |(f, target): (f64, f64)| {
                let z = f * at.a + at.b;
                if z >= 0.0 { target * z + (-z).exp().ln_1p() } else { (target - 1.0) * z + z.exp().ln_1p() }
            };
            rows().map(one).sum()
        };
        let mut at = Self { a: 0.0, b: ((second + 1.0) / (first + 1.0)).ln() };
        let mut value = loss(at);
        for _ in 0..MOST_STEPS {
            let (mut h11, mut h22, mut h21, mut g1, mut g2) = (RIDGE, RIDGE, 0.0, 0.0, 0.0);
            for (f, target) in rows() {
                let p = at.probability(f);
                let (d1, d2) = (target - p, p * (1.0 - p));
                h11 += f * f * d2;
                h22 += d2;
                h21 += f * d2;
                g1 += f * d1;
                g2 += d1;
            }
            if g1.abs() < TOLERANCE && g2.abs() < TOLERANCE {
                break;
            }
            let determinant = h11 * h22 - h21 * h21;
            let (da, db) = (-(h22 * g1 - h21 * g2) / determinant, -(h11 * g2 - h21 * g1) / determinant);
            let slope = g1 * da + g2 * db;
            let mut step = 1.0;
            let mut found = None;
            while step >= SMALLEST_STEP {
                let next = Self { a: at.a + step * da, b: at.b + step * db };
                let next_value = loss(next);
                if next_value < value + 1e-4 * step * slope {
                    found = Some((next, next_value));
                    break;
                }
                step /= 2.0;
            }
            let Some((next, next_value)) = found else { break };
            (at, value) = (next, next_value);
        }
        at
    }
}

/// One part of the cross-validation of a pair: its rows, ascending within the problem.
pub struct Part {
    /// Those to train on.
    pub kept: Vec<usize>,
    /// Those to decide for.
    pub held: Vec<usize>,
    /// What is said of all of them where no machine can be trained; as LIBSVM, what has no rows is not decided for.
    pub constant: Option<f64>,
}

/// The parts of a pair: row k of a class is left out by part k mod 5.
pub fn parts(pair: &Pair) -> Vec<Part> {
    let first_count = pair.rows[0].len();
    let of_class = |row: usize| if row < first_count { row } else { row - first_count };
    let part = |part: usize| {
        let (held, kept): (Vec<usize>, Vec<usize>) =
            (0..pair.row_count()).partition(|&row| of_class(row) % PARTS == part);
        let kept_first = kept.iter().filter(|&&row| row < first_count).count();
        let constant = match (kept_first, kept.len() - kept_first) {
            (0, 0) => Some(0.0),
            (0, _) => Some(-1.0),
            (_, 0) => Some(1.0),
            _ => None,
        };
        Part { kept, held, constant }
    };
    (0..PARTS).map(part).collect()
}

/// The sigmoid of a pair, of the decision values of all its rows.
pub fn of_decisions(pair: &Pair, decisions: &[f64]) -> Sigmoid {
    let first_count = pair.rows[0].len();
    let is_first: Vec<bool> = (0..pair.row_count()).map(|row| row < first_count).collect();
    Sigmoid::fit(decisions, &is_first)
}

/// The sigmoid of a pair, by cross-validation on its training rows. `None` where it was stopped.
pub fn cross_validated<R: KernelNumber>(
    pair: &Pair,
    set: &FoldSet<R>,
    settings: &Settings,
    stop: &dyn Fn() -> bool,
) -> Option<Sigmoid> {
    let mut decisions = vec![0.0; pair.row_count()];
    for Part { kept, held, constant } in parts(pair) {
        let values = match constant {
            Some(constant) => vec![constant; held.len()],
            None => pair.left_out(set, settings, &kept, &held, stop)?,
        };
        held.iter().zip(values).for_each(|(&row, value)| decisions[row] = value);
    }
    Some(of_decisions(pair, &decisions))
}

/// (class) probabilities of a row, of the decision values of all pairs of classes that are there; all for
/// `only_class` where there is no pair.
pub fn of_pairs(
    class_count: usize,
    only_class: usize,
    decisions: impl Iterator<Item = (([usize; 2], f64), Sigmoid)>,
) -> Vec<f64> {
    let mut pairwise = vec![f64::NAN; class_count * class_count];
    let mut is_present = vec![false; class_count];
    for (([first, second], value), sigmoid) in decisions {
        pairwise[first * class_count + second] = sigmoid.probability(value);
        (is_present[first], is_present[second]) = (true, true);
    }
    if !is_present.contains(&true) {
        is_present[only_class] = true;
    }
    let present: Vec<usize> = (0..class_count).filter(|&class| is_present[class]).collect();
    let coupled = coupled(present.len(), |i, j| pairwise[present[i] * class_count + present[j]]);
    let mut all = vec![0.0; class_count];
    present.into_iter().zip(coupled).for_each(|(class, p)| all[class] = p);
    all
}

/// (class) probabilities of a row, of those of pairs: `pairwise(i, j)` is that of i against j, for i < j.
///
/// Minimises Σᵢ Σⱼ≠ᵢ (r_ji p_i − r_ij p_j)² over the simplex by fixed-point iteration.
pub fn coupled(class_count: usize, pairwise: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let most_steps = class_count.max(100);
    let clipped = |i: usize, j: usize| pairwise(i, j).clamp(MARGIN, 1.0 - MARGIN);
    let r = |i: usize, j: usize| if i < j { clipped(i, j) } else { 1.0 - clipped(j, i) };
    if class_count < 3 {
        return if class_count == 2 { vec![r(0, 1), r(1, 0)] } else { vec![1.0; class_count] };
    }
    let mut q = vec![0.0; class_count * class_count];
    for t in 0..class_count {
        for j in (0..class_count).filter(|&j| j != t) {
            q[t * class_count + t] += r(j, t) * r(j, t);
            q[t * class_count + j] = -r(j, t) * r(t, j);
        }
    }
    let mut p = vec![1.0 / class_count as f64; class_count];
    let mut qp = vec![0.0; class_count];
    for _ in 0..most_steps {
        let mut pqp = 0.0;
        for (t, row) in q.chunks_exact(class_count).enumerate() {
            qp[t] = row.iter().zip(&p).map(|(q, p)| q * p).sum();
            pqp += p[t] * qp[t];
        }
        if qp.iter().all(|value| (value - pqp).abs() < 0.005 / class_count as f64) {
            break;
        }
        for t in 0..class_count {
            let diagonal = q[t * class_count + t];
            let change = (pqp - qp[t]) / diagonal;
            p[t] += change;
            let norm = 1.0 + change;
            pqp = (pqp + change * (change * diagonal + 2.0 * qp[t])) / (norm * norm);
            for j in 0..class_count {
                qp[j] = (qp[j] + change * q[t * class_count + j]) / norm;
                p[j] /= norm;
            }
        }
    }
    p
}
