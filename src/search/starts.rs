//! The first trials of a strategy that learns, before there is anything to learn from.

use super::sobol::Sobol;
use super::{Distinct, Settings, sequence};
use crate::setting::Setting;
use crate::space::{Configuration, Space};

/// How many trials a strategy that learns spreads over the space first.
pub(super) const STARTUP: Setting = Setting {
    name: "startup_trials",
    summary: "trials of a Sobol sequence before the first that learns",
    default: 10.0,
    low: 1.0,
    high: 1e6,
    whole: true,
};

/// A scrambled Sobol sequence over a space, whose point 0 is the first trial that is not enqueued.
pub(super) struct Starts {
    sequence: Sobol,
    enqueued: u64,
}

impl Starts {
    /// Of a space.
    pub(super) fn new(space: &Space, settings: &Settings) -> Self {
        let sequence = Sobol::new(sequence::free_dimensions(space).count(), settings.seed);
        Self { sequence, enqueued: settings.enqueued.len() as u64 }
    }

    /// Point `index` of the sequence: a coordinate for every dimension of the space.
    pub(super) fn point(&self, space: &Space, index: u64) -> Vec<f64> {
        sequence::spread(space, &self.sequence.point(index))
    }

    /// The configuration of a trial.
    pub(super) fn configuration(&self, space: &Space, number: u64) -> Configuration {
        space.decode(&self.point(space, number.saturating_sub(self.enqueued)))
    }

    /// Trials from a number on; fewer where the space is exhausted.
    pub(super) fn propose(
        &self,
        space: &Space,
        proposed: &mut Distinct,
        first_number: u64,
        count: usize,
    ) -> Vec<Configuration> {
        let numbers = (first_number..).take(count);
        numbers.map_while(|number| proposed.admit(self.configuration(space, number))).collect()
    }
}
