//! Points that may be proposed: spread over the space and around the best trials, the most promising refined.

use super::descent::{Descent, Limits};
use super::encoding::Encoding;
use super::lanes::{LANES, Lanes};
use super::surface::{Candidates, Surface};
use crate::random::StreamReader;
use rand::Rng;

/// A point of the unit cube, its active dimensions, and its acquisition.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub point: Vec<f64>,
    pub is_active: Vec<bool>,
    pub value: f64,
}

/// Moves points uphill, eight at a time.
pub(super) struct Climb<'a> {
    pub encoding: &'a Encoding,
    pub surface: &'a Surface,
    pub evaluations: usize,
}

impl Climb<'_> {
    fn columns(&self, starts: &[Start]) -> Vec<Lanes> {
        let mut lanes = vec![Lanes::default(); self.encoding.width];
        for (r, start) in starts.iter().enumerate() {
            let columns = self.surface.stretched(&self.encoding.columns(&start.point, &start.is_active));
            lanes.iter_mut().zip(columns).for_each(|(lanes, x)| lanes.0[r] = x);
        }
        lanes
    }

    /// Settles points on values of their domains and evaluates them there.
    pub fn settle(&self, starts: &mut [Start]) {
        for eight in starts.chunks_mut(LANES) {
            for start in eight.iter_mut() {
                start.is_active = self.encoding.settle(&mut start.point);
            }
            let values = self.surface.values(&self.columns(eight));
            eight.iter_mut().zip(values.0).for_each(|(start, value)| start.value = value);
        }
    }

    /// Climbs along the slopes of the coordinates that have one.
    pub fn along_slopes(&self, starts: &mut [Start]) {
        let smooth: Vec<_> = self.encoding.coded.iter().filter(|coded| self.encoding.is_smooth(coded)).collect();
        if smooth.is_empty() {
            return;
        }
        let limits = Limits { evaluations: self.evaluations, slope: 1e-5, gain: 1e-7 };
        for eight in starts.chunks_mut(LANES) {
            let mut descents: Vec<Descent> = eight
                .iter()
                .map(|start| {
                    let own: Vec<f64> = smooth.iter().map(|coded| start.point[coded.dimension]).collect();
                    Descent::new(&own, vec![(0.0, 1.0); own.len()], limits)
                })
                .collect();
            while descents.iter().any(|descent| descent.trial().is_some()) {
                for (start, descent) in eight.iter_mut().zip(&descents) {
                    let own = descent.trial().unwrap_or(descent.best().0);
                    smooth.iter().zip(own).for_each(|(coded, x)| start.point[coded.dimension] = *x);
                }
                let acquired = self.surface.values_and_slopes(&self.columns(eight));
                for (r, (start, descent)) in eight.iter().zip(&mut descents).enumerate() {
                    if descent.trial().is_some() {
                        let slope: Vec<f64> = smooth
                            .iter()
                            .map(|coded| match start.is_active[coded.dimension] {
                                true => -acquired.slope[coded.column].0[r] * self.surface.stretch()[coded.column],
                                false => 0.0,
                            })
                            .collect();
                        descent.tell(-acquired.value.0[r], &slope);
                    }
                }
            }
            for (start, descent) in eight.iter_mut().zip(&descents) {
                let (own, value) = descent.best();
                smooth.iter().zip(own).for_each(|(coded, x)| start.point[coded.dimension] = *x);
                start.value = -value;
            }
        }
    }

    /// Tries every value of every coordinate that has few, one coordinate after the other; tells whether any was
    /// better.
    pub fn value_by_value(&self, start: &mut Start) -> bool {
        let mut has_moved = false;
        for coded in self.encoding.coded.iter().filter(|coded| !coded.values.is_empty()) {
            if !start.is_active[coded.dimension] {
                continue;
            }
            let others = coded.values.iter().filter(|value| **value != start.point[coded.dimension]);
            let mut moved: Vec<Start> = others
                .map(|value| {
                    let mut moved = start.clone();
                    moved.point[coded.dimension] = *value;
                    moved
                })
                .collect();
            self.settle(&mut moved);
            let best = moved.into_iter().max_by(|left, right| left.value.total_cmp(&right.value));
            if let Some(best) = best.filter(|best| best.value > start.value) {
                *start = best;
                has_moved = true;
            }
        }
        has_moved
    }
}

/// Points around others, each coordinate moved by a normal number times a radius that is drawn from 10⁻³ to 10^(−½)
/// for each point, evenly in its logarithm; a choice changes with one part in three of the number of choices.
pub(super) fn around(encoding: &Encoding, center: &[f64], generator: &mut StreamReader) -> Vec<f64> {
    let mut uniform = || (generator.next_u64() >> 11) as f64 * 2_f64.powi(-53);
    let radius = libm::exp(-(0.5 + 2.5 * uniform()) * std::f64::consts::LN_10);
    let mut point = center.to_vec();
    let share = (2.0 / encoding.coded.len() as f64).max(0.2);
    for coded in &encoding.coded {
        let (moves, place) = (uniform(), uniform());
        let own = &mut point[coded.dimension];
        if coded.is_category() {
            if moves < share { *own = place; }
        } else if !coded.values.is_empty() {
            if moves < share.max(0.5) {
                let width = radius.max(1.0 / coded.values.len() as f64);
                *own = mirrored(*own + width * super::targets::normal_quantile(place.max(1e-12)));
            }
        } else {
            *own = mirrored(*own + radius * super::targets::normal_quantile(place.max(1e-12)));
        }
    }
    point
}

/// A coordinate, mirrored at 0 and 1.
fn mirrored(x: f64) -> f64 {
    let x = x.rem_euclid(2.0);
    if x > 1.0 { 2.0 - x } else { x }
}

/// The most promising candidates, no two of them close to each other: their indices.
pub(super) fn best_apart(candidates: &Candidates, values: &[f64], count: usize, width: usize) -> Vec<usize> {
    /// Squared distance in length scales: the kernel is 0.94 there.
    const NEAR: f64 = 0.07;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, other| values[*other].total_cmp(&values[*one]).then(one.cmp(other)));
    let mut taken: Vec<usize> = Vec::new();
    for &index in &order {
        if taken.len() == count {
            break;
        }
        if taken.iter().all(|other| candidates.squared_distance(index, *other, width) > NEAR) {
            taken.push(index);
        }
    }
    for &index in order.iter().take(count) {
        if taken.len() < count && !taken.contains(&index) {
            taken.push(index);
        }
    }
    taken
}
