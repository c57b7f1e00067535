//! A share of the trials for random search, so that a model-based result always has what it must beat beside it.

use super::{Distinct, Settings, Strategy, Trials};
use crate::error::Result;
use crate::space::{Configuration, Space};

/// Whether a trial is in the random share: evenly spread, the share of any first n trials is right to within one.
pub fn is_random(share: f64, number: u64) -> bool {
    let count = |trials: u64| (trials as f64 * share).floor();
    count(number.saturating_add(1)) > count(number)
}

/// A strategy, some of whose trials are drawn at random: those that [`is_random`] names. Random search draws the
/// same for a trial of the same number.
pub(super) struct Shared {
    strategy: Box<dyn Strategy>,
    seed: u64,
    share: f64,
    known: Option<Distinct>,
}

impl Shared {
    /// This strategy with the random share of these settings.
    pub(super) fn new(strategy: Box<dyn Strategy>, settings: &Settings) -> Self {
        Self { strategy, seed: settings.seed, share: settings.random_share, known: None }
    }
}

impl Strategy for Shared {
    fn ask(
        &mut self,
        space: &Space,
        trials: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        let proposed = self.strategy.ask(space, trials, first_number, count)?;
        let mut known = Distinct::before(self.known.take(), space, self.seed, first_number);
        known.learn(trials, first_number);
        let mixed = (first_number..).zip(proposed).map_while(|(number, proposed)| {
            match is_random(self.share, number) {
                true => known.draw(),
                false => known.admit(proposed),
            }
        });
        let mixed = mixed.collect();
        self.known = Some(known);
        Ok(mixed)
    }

    fn needs(&self) -> u64 {
        self.strategy.needs()
    }

    fn remarks(&mut self) -> Vec<String> {
        self.strategy.remarks()
    }
}
