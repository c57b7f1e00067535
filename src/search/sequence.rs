//! Strategies whose trial n is point n of a sequence in the unit cube, whatever came of those before.

use super::{Distinct, Settings, Strategy, Trials};
use crate::error::Result;
use crate::space::{Configuration, Dimension, Domain, Space};

/// Points of the unit cube, by number.
pub(super) trait Sequence: Send {
    /// Point `index`, from 0 on: a coordinate in [0, 1] per dimension.
    fn point(&self, index: u64) -> Vec<f64>;
}

/// The dimensions that take a coordinate of a sequence: those of more than one value, whether active or not.
pub(super) fn free_dimensions(space: &Space) -> impl Iterator<Item = &Dimension> {
    space.dimensions.iter().filter(|dimension| is_free(dimension))
}

fn is_free(dimension: &Dimension) -> bool {
    !matches!(dimension.domain, Domain::Fixed(_))
}

/// A search along a sequence: the first trial that is not enqueued is point 0.
///
/// Where a finite space has been given a point's configuration before, a random new one takes its place.
pub(super) struct Points<S> {
    settings: Settings,
    /// Makes the sequence of a number of dimensions and a seed.
    create: fn(usize, u64) -> S,
    /// The sequence of the space last asked about.
    sequence: Option<(Space, S)>,
    /// What a finite space has proposed so far.
    proposed: Option<Distinct>,
}

impl<S: Sequence> Points<S> {
    /// At its start.
    pub fn new(settings: &Settings, create: fn(usize, u64) -> S) -> Self {
        Self { settings: settings.clone(), create, sequence: None, proposed: None }
    }

    /// What has been proposed before a trial, as far as its proposal depends on it.
    fn before(&self, known: Option<Distinct>, space: &Space, number: u64) -> Distinct {
        let mut proposed = Distinct::before(known, space, self.settings.seed, number);
        if !proposed.is_finite() {
            // Endless: only what is enqueued is remembered, so that any trial can be asked for at once.
            proposed = Distinct::new(space, self.settings.seed);
        }
        proposed.enqueue(&self.settings.enqueued);
        if !proposed.is_finite() {
            proposed.skip_to(number);
        }
        proposed
    }

    fn configuration(&self, space: &Space, number: u64) -> Configuration {
        let index = number - self.settings.enqueued.len() as u64;
        let point = self.sequence.as_ref().map(|(_, sequence)| sequence.point(index)).unwrap_or_default();
        space.decode(&spread(space, &point))
    }
}

/// A coordinate for every dimension of a space, fixed ones too, from one for every free dimension.
pub(super) fn spread(space: &Space, free: &[f64]) -> Vec<f64> {
    let mut free = free.iter();
    let coordinate = |dimension| if is_free(dimension) { free.next().copied() } else { None };
    space.dimensions.iter().map(coordinate).map(|coordinate| coordinate.unwrap_or(0.0)).collect()
}

impl<S: Sequence> Strategy for Points<S> {
    fn ask(
        &mut self,
        space: &Space,
        _: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        if self.sequence.as_ref().is_none_or(|(known, _)| known != space) {
            let sequence = (self.create)(free_dimensions(space).count(), self.settings.seed);
            self.sequence = Some((space.clone(), sequence));
        }
        let known = self.proposed.take();
        let mut proposed = self.before(known, space, first_number);
        let mut found = Vec::new();
        while found.len() < count {
            let number = proposed.next_number();
            // What a finite space admits depends on what it did before: that is proposed again, and dropped.
            let Some(next) = proposed.admit(self.configuration(space, number)) else { break };
            if number >= first_number {
                found.push(next);
            }
            if !proposed.is_finite() {
                proposed = self.before(None, space, number + 1);
            }
        }
        self.proposed = Some(proposed);
        Ok(found)
    }
}
