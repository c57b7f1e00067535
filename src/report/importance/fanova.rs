//! Functional ANOVA: which share of the objective's variance over the space each hyperparameter, and each pair, explains.
//!
//! A random forest predicts the objective over the unit cube, in which every hyperparameter is uniform; the variance of a
//! tree is divided exactly (Hutter, Hoos, Leyton-Brown, "An efficient approach for assessing hyperparameter importance",
//! ICML 2014). With leaves l of volume W and centred value v, and on axis j the shares s of a leaf and o of the overlap
//! of two, what the hyperparameters U do together beyond what fewer of them do is
//!
//! V(U) = Σ over pairs of leaves of v·W·v′·W′ · Π over j in U of (o / (s·s′) − 1),
//!
//! which is the paper's difference of marginal variances multiplied out: nothing cancels, and axes that a leaf does not
//! divide drop out. An importance is V(U) by the tree's variance, the mean over trees.
//!
//! An inactive hyperparameter does nothing, so it stands anywhere: at a random place, from which no tree can tell. Lists
//! of numbers in order are numbers, as for strategies. Diverged trials have no value and do not count.
//!
//! Departure: losses are winsorised on the worse side. One that is more than three times the middle half beyond the upper
//! quartile (Tukey's outer fence, *Exploratory Data Analysis*, 1977; also where the axes of the report end) counts as
//! the worst that is not. A few trials that all but diverged would otherwise have all of the variance, which then says
//! where they happened to stand. Where a quarter or more are as bad, the fence is beyond them: then they are what varies.

use super::forest::{Axis, Points, Region, Tree};
use super::{Effect, Evidence, Interaction, Measure, Measured, by_importance, place};
use crate::random::{Purpose, Stream, uniform};
use crate::search::is_ordered;
use crate::space::{Dimension, Domain, Value};
use rayon::prelude::*;

/// Optuna's number of trees.
const TREE_COUNT: u32 = 64;
/// Leaves of a tree, about, at most: the time grows with their square.
const MOST_LEAVES: usize = 400;
/// Places are whole multiples of this, so that no region is too thin for products of shares; a power of 2.
const FINEST: f64 = 1.0 / (1 << 30) as f64;
/// A forest that explains less than this of trials it has not seen says little of the space.
const POOR_FIT: f64 = 0.3;

/// Interquartile ranges from a quartile to what is far beyond it.
const REACH: f64 = 3.0;

/// The measure.
pub struct Fanova;

impl Measure for Fanova {
    fn name(&self) -> &'static str {
        "fanova"
    }
    fn summary(&self) -> &'static str {
        "which share of the objective's variance over the space it explains, alone and in pairs"
    }

    fn measure(&self, evidence: &Evidence<'_>) -> Measured {
        let free: Vec<&Dimension> = evidence.free().collect();
        let axes: Vec<Axis> = free.iter().map(|dimension| axis(&dimension.domain)).collect();
        let fence = Fence::of(evidence);
        let (places, values) = table(evidence, &free, &axes, fence);
        let leaf_count = values.len().div_ceil(MOST_LEAVES);
        let points = Points { axes: &axes, places: &places, values: &values, leaf_count };
        let trees: Vec<Tree> =
            (0..TREE_COUNT).into_par_iter().map(|number| Tree::grow(&points, number)).collect();
        let shares: Vec<Vec<f64>> =
            trees.par_iter().filter_map(|tree| shares(&tree.regions, axes.len())).collect();
        let fit = fit(&points, &trees);
        let mut notes = Vec::new();
        let diverged = evidence.points.iter().filter(|point| !point.loss.is_finite()).count();
        if diverged > 0 {
            notes.push(format!("{diverged} trials without a value do not count"));
        }
        let far =
            evidence.points.iter().filter(|point| point.loss.is_finite() && fence.is_beyond(point.loss));
        let far = far.count();
        if far > 0 {
            notes.push(format!(
                "{far} trials far worse than the rest, by more than {REACH} interquartile ranges, count as the worst of \
                 the rest"
            ));
        }
        match fit {
            None => notes.push("all trials with a value have the same one".to_owned()),
            Some(fit) if !(fit >= POOR_FIT) => {
                notes
                    .push(format!("the forest explains {fit:.2} of what it has not seen: take it with care"));
            }
            Some(_) => {}
        }
        let (hyperparameters, pairs) = effects(&free, &shares);
        Measured { name: self.name(), hyperparameters, pairs, fit, notes }
    }
}

fn axis(domain: &Domain) -> Axis {
    match domain {
        Domain::Choice(values) if !is_ordered(values) => Axis::Choice(values.len()),
        _ => Axis::Number,
    }
}

/// (point, axis) places and (point) values of the trials that have one.
fn table(
    evidence: &Evidence<'_>,
    free: &[&Dimension],
    axes: &[Axis],
    fence: Fence,
) -> (Vec<Vec<f64>>, Vec<f64>) {
    let valued = || evidence.points.iter().filter(|point| point.loss.is_finite());
    let scale = Scale::of(valued().map(|point| fence.apply(point.loss)));
    valued()
        .map(|point| {
            let stream = Stream::new(0, Purpose::Report, 1, point.number as u32, 0);
            let anywhere = |index: usize| f64::from(uniform(stream.word(index as u32)));
            let places = free.iter().zip(axes).enumerate().map(|(index, (dimension, axis))| {
                let value = point.configuration.get(&dimension.name);
                let found = value.and_then(|value| place_on(*axis, &dimension.domain, value));
                match (found, axis) {
                    (Some(place), _) => place,
                    (None, Axis::Number) => anywhere(index),
                    (None, Axis::Choice(count)) => (anywhere(index) * *count as f64).floor(),
                }
            });
            (places.collect(), scale.apply(fence.apply(point.loss)))
        })
        .unzip()
}

fn place_on(axis: Axis, domain: &Domain, value: &Value) -> Option<f64> {
    match axis {
        Axis::Choice(_) => domain.index(value).map(|index| index as f64),
        Axis::Number => {
            let place = domain.encode(value).or_else(|| place(domain, value));
            place.map(|place| (place / FINEST).round() * FINEST)
        }
    }
}

/// Beyond which losses are far worse than the rest.
#[derive(Clone, Copy)]
struct Fence {
    /// The worst loss that is not.
    worst: f64,
}

impl Fence {
    /// Of the trials that have a value. Where the middle half of them are alike nothing says what is far.
    fn of(evidence: &Evidence<'_>) -> Self {
        let losses = evidence.points.iter().map(|point| point.loss).filter(|loss| loss.is_finite());
        let mut losses: Vec<f64> = losses.collect();
        losses.sort_by(f64::total_cmp);
        // Halved: the difference of two finite numbers may be none.
        let quartile =
            |quarters: usize| losses.get(quarters * losses.len() / 4).copied().unwrap_or(0.0) / 2.0;
        let reach = REACH * (quartile(3) - quartile(1));
        let is_near = |loss: &f64| !(reach > 0.0) || loss / 2.0 <= quartile(3) + reach;
        let near = losses.partition_point(is_near);
        Self { worst: near.checked_sub(1).map_or(f64::INFINITY, |last| losses[last]) }
    }

    fn is_beyond(self, loss: f64) -> bool {
        loss > self.worst
    }

    fn apply(self, loss: f64) -> f64 {
        loss.min(self.worst)
    }
}

/// Brings values to [0, 1], where no square overflows; shares of variance are the same.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        Self {
            low: values.clone().fold(f64::INFINITY, f64::min),
            high: values.fold(f64::NEG_INFINITY, f64::max),
        }
    }

    fn apply(&self, value: f64) -> f64 {
        // Halved first: the difference of two finite numbers may be none.
        let width = self.high / 2.0 - self.low / 2.0;
        if width > 0.0 { (value / 2.0 - self.low / 2.0) / width } else { 0.0 }
    }
}

/// The single effects, then those of pairs in the order of the space, as shares of the tree's variance; `None` where it
/// has none.
fn shares(regions: &[Region], axis_count: usize) -> Option<Vec<f64>> {
    let sizes: Vec<Vec<f64>> =
        regions.iter().map(|region| region.parts.iter().map(|part| part.size()).collect()).collect();
    let volumes: Vec<f64> = sizes.iter().map(|sizes| sizes.iter().product()).collect();
    let mean: f64 = regions.iter().zip(&volumes).map(|(region, volume)| region.value * volume).sum();
    let masses: Vec<f64> =
        regions.iter().zip(&volumes).map(|(region, volume)| (region.value - mean) * volume).collect();
    let variance: f64 = masses.iter().zip(&volumes).map(|(mass, volume)| mass * mass / volume).sum();
    if !(variance > 0.0) {
        return None;
    }
    let mut sums = vec![0.0; axis_count + axis_count * (axis_count - 1) / 2];
    let mut excess: Vec<(usize, f64)> = Vec::with_capacity(axis_count);
    for a in 0..regions.len() {
        for b in a..regions.len() {
            let weight = masses[a] * masses[b] * if a == b { 1.0 } else { 2.0 };
            excess.clear();
            for (axis, (one, other)) in sizes[a].iter().zip(&sizes[b]).enumerate() {
                if *one < 1.0 && *other < 1.0 {
                    let overlap = regions[a].parts[axis].overlap(&regions[b].parts[axis]);
                    excess.push((axis, overlap / (one * other) - 1.0));
                }
            }
            for (at, &(first, one)) in excess.iter().enumerate() {
                sums[first] += weight * one;
                for &(second, other) in &excess[at + 1..] {
                    sums[pair_index(axis_count, first, second)] += weight * one * other;
                }
            }
        }
    }
    // A variance is not negative but for rounding.
    Some(sums.into_iter().map(|sum| (sum / variance).max(0.0)).collect())
}

/// Where a pair of axes stands behind the single ones, the lower axis first.
fn pair_index(axis_count: usize, first: usize, second: usize) -> usize {
    axis_count + first * (2 * axis_count - first - 1) / 2 + second - first - 1
}

fn effects(free: &[&Dimension], shares: &[Vec<f64>]) -> (Vec<Effect>, Vec<Interaction>) {
    let count = shares.len().max(1) as f64;
    let moments = |index: usize| {
        let mean = shares.iter().map(|shares| shares[index]).sum::<f64>() / count;
        let square = shares.iter().map(|shares| (shares[index] - mean).powi(2)).sum::<f64>() / count;
        (mean, Some(square.sqrt()))
    };
    let single = |(index, dimension): (usize, &&Dimension)| {
        let (importance, deviation) = moments(index);
        Effect { name: dimension.name.clone(), importance, deviation }
    };
    let mut hyperparameters: Vec<Effect> = free.iter().enumerate().map(single).collect();
    let mut pairs = Vec::new();
    for first in 0..free.len() {
        for second in first + 1..free.len() {
            let (importance, deviation) = moments(pair_index(free.len(), first, second));
            let names = [first, second].map(|axis| free[axis].name.clone());
            pairs.push(Interaction { names, importance, deviation });
        }
    }
    by_importance(&mut hyperparameters, |effect| effect.importance);
    by_importance(&mut pairs, |pair| pair.importance);
    (hyperparameters, pairs)
}

/// R² of what the trees say of points that they have not drawn.
fn fit(points: &Points<'_>, trees: &[Tree]) -> Option<f64> {
    let said = |point: usize| {
        let others: Vec<&Tree> = trees.iter().filter(|tree| !tree.is_drawn[point]).collect();
        let sum: f64 = others.iter().map(|tree| tree.predict(&points.places[point])).sum();
        (!others.is_empty()).then(|| sum / others.len() as f64)
    };
    let pairs: Vec<(f64, f64)> = (0..points.values.len())
        .into_par_iter()
        .filter_map(|point| Some((points.values[point], said(point)?)))
        .collect();
    let mean = pairs.iter().map(|(value, _)| value).sum::<f64>() / pairs.len() as f64;
    let total: f64 = pairs.iter().map(|(value, _)| (value - mean).powi(2)).sum();
    let rest: f64 = pairs.iter().map(|(value, said)| (value - said).powi(2)).sum();
    Some(1.0 - rest / total).filter(|fit| fit.is_finite())
}
