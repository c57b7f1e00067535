//! The joint distribution of a configuration, and one generation's lesson for all of it.

use super::frequencies::Frequencies;
use super::gaussian::Gaussian;
use super::margin::keep_margin;
use super::rates::{Rates, parent_weights};
use crate::random::StreamReader;
use crate::search::frame::{Frame, Member};
use crate::search::normal;
use crate::space::Configuration;

/// A deviation of all continuous coordinates, as a share of their ranges, past which nothing is left to refine.
const LEAST_DEVIATION: f64 = 1e-6;

/// A normal distribution of the numbers beside frequencies of the choices.
pub struct Model {
    gaussian: Gaussian,
    frequencies: Vec<Frequencies>,
    rates: Rates,
    /// η of the choices: that of the step's path, c_σ, in as many dimensions as there are choices.
    choice_rate: f64,
    is_sound: bool,
}

impl Model {
    /// The distribution around the better half of some members, the best first, at least 1, for generations of
    /// this many.
    ///
    /// The mean is the parents' by weight of rank, each coordinate from those that have it.
    pub fn around(ranked: &[Member], step: f64, generation: usize, frame: &Frame) -> Self {
        let weights = parent_weights(ranked.len());
        let parents = || ranked.iter().zip(&weights);
        let coordinate = |i: usize| {
            let places = || parents().filter_map(|(member, weight)| Some((member.cells[i]?, *weight)));
            let sum: f64 = places().map(|(_, weight)| weight).sum();
            let mean = places().map(|((low, high), weight)| weight * 0.5 * (low + high)).sum::<f64>() / sum;
            if sum > 0.0 { mean } else { 0.5 }
        };
        let gaussian = Gaussian::new((0..frame.number_count()).map(coordinate).collect(), step);
        let rates = Rates::new(frame.number_count().max(1), generation);
        let choice_count = frame.value_counts().count() as f64;
        let mut model = Self {
            gaussian,
            frequencies: frame.value_counts().map(Frequencies::new).collect(),
            choice_rate: (rates.effective + 2.0) / (choice_count + rates.effective + 5.0),
            rates,
            is_sound: true,
        };
        model.learn_choices(ranked, &weights);
        model.settle(frame);
        model
    }

    /// A configuration.
    pub fn draw(&self, frame: &Frame, generator: &mut StreamReader) -> Configuration {
        let point = self.gaussian.draw(generator);
        let values: Vec<usize> =
            self.frequencies.iter().map(|choice| choice.value(normal::uniform(generator))).collect();
        frame.configuration(&point, &values)
    }

    /// Learns from a generation, the best first, each with a generator for what its configuration leaves open.
    /// Only the first `sound_count` came to something: the others are never parents.
    pub fn learn(&mut self, mut ranked: Vec<(Member, StreamReader)>, sound_count: usize, frame: &Frame) {
        let points: Vec<Vec<f64>> =
            ranked.iter_mut().map(|(member, generator)| self.point_of(member, generator)).collect();
        let mut weights = self.rates.weights.clone();
        let parent_count = self.rates.parent_count;
        weights[sound_count.min(parent_count)..parent_count].fill(0.0);
        self.gaussian.learn(&points, &weights, &self.rates);
        let members: Vec<Member> = ranked.into_iter().map(|(member, _)| member).collect();
        self.learn_choices(&members, &weights[..parent_count]);
        self.settle(frame);
    }

    /// Widens the distribution, where a generation had nothing to tell its members apart by.
    pub fn widen(&mut self) {
        self.gaussian.widen(&self.rates);
    }

    /// Whether the distribution has nothing left to find, or has lost its numbers to rounding.
    pub fn is_spent(&self, frame: &Frame) -> bool {
        let mut continuous = (0..frame.number_count()).filter(|i| frame.is_continuous(*i)).peekable();
        let is_narrow =
            continuous.peek().is_some() && continuous.all(|i| self.gaussian.deviation(i) < LEAST_DEVIATION);
        is_narrow || !self.is_sound
    }

    /// A point that decodes to a member's configuration, as this distribution would have drawn it: anywhere in
    /// the cells of its values, and anywhere at all where a hyperparameter is inactive, so that what is left open
    /// neither narrows nor widens the distribution.
    fn point_of(&self, member: &Member, generator: &mut StreamReader) -> Vec<f64> {
        let coordinate = |(i, cell): (usize, &Option<(f64, f64)>)| {
            let (low, high) = cell.unwrap_or((0.0, 1.0));
            let share = normal::uniform(generator);
            if low == high {
                return low;
            }
            let (mean, deviation) = (self.gaussian.mean[i], self.gaussian.deviation(i));
            let z = normal::between((low - mean) / deviation, (high - mean) / deviation, share);
            (mean + deviation * z).clamp(low, high)
        };
        member.cells.iter().enumerate().map(coordinate).collect()
    }

    fn learn_choices(&mut self, ranked: &[Member], weights: &[f64]) {
        let count = self.frequencies.len();
        for (choice, frequencies) in self.frequencies.iter_mut().enumerate() {
            let parents = ranked.iter().zip(weights);
            let values: Vec<_> = parents.map(|(member, weight)| (member.values[choice], *weight)).collect();
            frequencies.learn(&values, self.choice_rate, count);
        }
    }

    /// Keeps the margins, and factors what was learned.
    fn settle(&mut self, frame: &Frame) {
        let members = self.rates.weights.len() as f64;
        keep_margin(&mut self.gaussian, frame, 1.0 / (members * frame.dimension_count().max(1) as f64));
        self.is_sound = self.gaussian.factor();
    }
}
