//! The mixture of the good trials: what candidates are drawn from.

use super::kernels::{Kernels, middle};
use super::mixture::Weights;
use super::neighbours::kth_of;
use super::pool::Pool;
use super::{split, width};
use crate::random::StreamReader;
use crate::search::frame::{Frame, Member};
use crate::search::normal;
use crate::space::Configuration;

/// The deviation of a kernel, in distances to the k-th nearest neighbour.
const SCALE: f64 = 0.6;
/// The least scale of a number, beside a root mean square of 1.
const LEAST_SCALE: f64 = 0.1;
/// The variance of a uniform number.
const UNIFORM_VARIANCE: f64 = 1.0 / 12.0;

/// Kernels around the good trials.
pub struct Likely {
    kernels: Kernels,
    weights: Weights,
    /// (kernel, number) centre and deviation; `None` where the trial does not have it.
    bells: Vec<Vec<Option<(f64, f64)>>>,
    /// (kernel, choice)
    values: Vec<Vec<Option<usize>>>,
    value_counts: Vec<usize>,
}

impl Likely {
    /// Of the trials of a pool at these positions, the best first, among those told at all.
    pub fn new(frame: &Frame, pool: &Pool, good: &[usize], told: &[usize]) -> Self {
        let weights = split::weights(good.len());
        let members: Vec<&Member> = good.iter().map(|&index| pool.member(index)).collect();
        let scales = scales(&members, &weights, frame.number_count());
        let mut kernels = Kernels::new(frame);
        let mut bells = Vec::new();
        for (&index, member) in good.iter().zip(&members) {
            // Trials under way are left out: they lie close to each other, and tell nothing of what is good.
            let all = pool.places().squares(index, pool.count(), scales.iter().copied());
            let squares = told.iter().map(|&other| all[other]).collect();
            let distance = kth_of(squares, told.len()).map_or(1.0 / SCALE, f64::sqrt);
            let deviations: Vec<f64> = (member.cells.iter().zip(&scales))
                .map(|(cell, scale)| width(*cell, SCALE * distance * scale))
                .collect();
            kernels.push(member, deviations.iter().copied());
            let bell = |(cell, deviation): (&Option<(f64, f64)>, f64)| cell.map(|c| (middle(c), deviation));
            bells.push(member.cells.iter().zip(deviations).map(bell).collect());
        }
        let values = members.iter().map(|member| member.values.clone()).collect();
        let value_counts = frame.value_counts().collect();
        Self { kernels, weights: Weights::new(&weights), bells, values, value_counts }
    }

    /// The logarithm of its density, relative to the space's own.
    pub fn log_density(&self, member: &Member, sums: &mut Vec<f64>) -> f64 {
        self.weights.log_density(&self.kernels, member, sums)
    }

    /// A configuration drawn from it.
    pub fn draw(&self, frame: &Frame, generator: &mut StreamReader) -> Configuration {
        let kernel = self.weights.kernel(normal::uniform(generator));
        let bell = |number: usize| kernel.and_then(|kernel| self.bells[kernel][number]);
        let point: Vec<f64> =
            (0..frame.number_count()).map(|number| draw_number(bell(number), generator)).collect();
        let choices = self.value_counts.iter().enumerate().map(|(choice, &count)| {
            let own = kernel.and_then(|kernel| self.values[kernel][choice]);
            let (stays, other) = (normal::uniform(generator), normal::uniform(generator));
            let stay = 1.0 / (1.0 + count as f64 * self.weights.smoothing());
            own.filter(|_| stays < stay).unwrap_or((other * count as f64) as usize)
        });
        frame.configuration(&point, &choices.collect::<Vec<_>>())
    }
}

/// A number of a normal distribution cut off at 0 and 1, uniform where there is none. More than a third of the
/// draws fall inside for a centre in [0, 1] and a deviation of at most 1.
pub fn draw_number(bell: Option<(f64, f64)>, generator: &mut StreamReader) -> f64 {
    /// All of them miss once in 10¹¹ numbers.
    const MOST_DRAWS: usize = 64;
    let Some((center, deviation)) = bell else { return normal::uniform(generator) };
    (0..MOST_DRAWS)
        .map(|_| center + deviation * normal::draw(generator))
        .find(|place| (0.0..=1.0).contains(place))
        .unwrap_or(center)
}

/// How wide the kernels are in each number beside the others: the root of the good trials' weighted deviation,
/// with a root mean square of 1.
///
/// By the deviation itself, distances would be those of whitened trials (Silverman, "Density estimation", 1986,
/// section 4.2.1, after Fukunaga); its root is half way from there to no scales at all, since a deviation of ten
/// trials is uncertain.
fn scales(members: &[&Member], weights: &[f64], count: usize) -> Vec<f64> {
    let deviation = |number: usize| {
        let places: Vec<(f64, f64)> = (members.iter().zip(weights))
            .filter_map(|(member, weight)| member.cells[number].map(|cell| (middle(cell), *weight)))
            .collect();
        variance(&places).sqrt()
    };
    let roots: Vec<f64> = (0..count).map(|number| deviation(number).sqrt()).collect();
    let mean = roots.iter().map(|root| root * root).sum::<f64>() / count as f64;
    match mean > 0.0 {
        true => roots.iter().map(|root| (root / mean.sqrt()).max(LEAST_SCALE)).collect(),
        false => vec![1.0; count],
    }
}

/// The variance of weighted places, that of a uniform number where there are fewer than two.
fn variance(places: &[(f64, f64)]) -> f64 {
    if places.len() < 2 {
        return UNIFORM_VARIANCE;
    }
    let whole: f64 = places.iter().map(|(_, weight)| weight).sum();
    let mean = places.iter().map(|(place, weight)| place * weight).sum::<f64>() / whole;
    places.iter().map(|(place, weight)| weight * (place - mean) * (place - mean)).sum::<f64>() / whole
}
