//! Draws each hyperparameter from its own distribution (Bergstra and Bengio, 2012); never the same
//! configuration twice while a finite space has others.

use super::{Distinct, Settings, Strategy, StrategyKind, Trials, Unguided};
use crate::error::Result;
use crate::setting::Chosen;
use crate::space::{Configuration, Space};

/// Draws each hyperparameter from its own distribution.
pub struct Random;

impl StrategyKind for Random {
    fn name(&self) -> &'static str {
        "random"
    }
    fn summary(&self) -> &'static str {
        "each hyperparameter from its own distribution, no configuration twice"
    }
    fn learns(&self, _: &Chosen) -> bool {
        false
    }
    fn unguided(&self, _: &Space, _: &Settings) -> Unguided {
        Unguided::Random
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(Draws { settings: settings.clone(), proposed: None })
    }
}

/// A random search; trial n draws from stream n.
struct Draws {
    settings: Settings,
    /// What a finite space has proposed so far.
    proposed: Option<Distinct>,
}

impl Strategy for Draws {
    fn ask(
        &mut self,
        space: &Space,
        _: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        let seed = self.settings.seed;
        let mut proposed = Distinct::before(self.proposed.take(), space, seed, first_number);
        proposed.enqueue(&self.settings.enqueued);
        if !proposed.is_finite() {
            proposed.skip_to(first_number);
        }
        // What a trial draws depends on what those before it drew: they are drawn again, and dropped.
        let mut is_exhausted = false;
        while !is_exhausted && proposed.next_number() < first_number {
            is_exhausted = proposed.draw().is_none();
        }
        let count = if is_exhausted { 0 } else { count };
        let drawn = (0..count).map_while(|_| proposed.draw()).collect();
        self.proposed = Some(proposed);
        Ok(drawn)
    }
}
