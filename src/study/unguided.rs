//! Which trials of a study no result led.

use super::external;
use super::plan::Plan;
use crate::model::metric::Direction;
use crate::schedule;
use crate::search::{self, Unguided, results_before};

impl Plan {
    /// How the trials that no result led were chosen, and the number of the first that results may have led, of
    /// `count` trials. `None` where it cannot be known: the plan was never settled, or of an older version.
    pub fn unguided(
        &self,
        direction: Direction,
        fold_count: usize,
        count: u64,
    ) -> Option<(Unguided, Option<u64>)> {
        let kind = search::find(&self.strategy)?;
        let settings = self.search_settings(direction);
        let unguided = kind.unguided(self.space.as_ref()?, &settings);
        let schedule = schedule::create(&self.schedule, &self.schedule_settings(fold_count)).ok()?;
        let start = |number: u64| schedule.cohort(number).start;
        let results = |number: u64| results_before(number, settings.batch, start);
        Some((unguided, unguided.end(settings.enqueued.len() as u64, count, results)))
    }
}

impl external::plan::Plan {
    /// The same of a search, which tells a strategy all that came before a batch.
    pub fn unguided(&self, count: u64) -> (Unguided, Option<u64>) {
        let settings = self.search_settings();
        let unguided = self.strategy.unguided(&self.space, &settings);
        let results = |number: u64| number / settings.batch * settings.batch;
        (unguided, unguided.end(settings.enqueued.len() as u64, count, results))
    }
}
