//! Draws each hyperparameter from its own distribution (Bergstra and Bengio, 2012); never the same
//! configuration twice while a finite space has others.

use super::cells::Cells;
use super::{Settings, Strategy, StrategyKind, Told};
use crate::error::Result;
use crate::random::{Purpose, Stream};
use crate::space::{Configuration, Space, value_text};
use std::collections::HashSet;

pub(super) const NAME: &str = "random";

/// Draws of a trial that may fall on a configuration already proposed, before the next free cell of
/// the space is taken instead.
const MOST_DRAWS: usize = 64;

/// Draws each hyperparameter from its own distribution.
pub struct Random;

impl StrategyKind for Random {
    fn name(&self) -> &'static str {
        NAME
    }
    fn summary(&self) -> &'static str {
        "each hyperparameter from its own distribution, no configuration twice"
    }
    fn size(&self, space: &Space) -> Option<u128> {
        Cells::all(space).map(|cells| cells.len().unwrap_or(u128::MAX))
    }
    fn learns(&self) -> bool {
        false
    }
    fn create(&self, settings: Settings) -> Box<dyn Strategy> {
        Box::new(Draws { seed: settings.seed, proposed: None })
    }
}

/// A random search; trial n draws from stream n.
struct Draws {
    seed: u64,
    /// What a finite space has proposed so far.
    proposed: Option<Proposed>,
}

/// The proposals of trials 0 to `next_number` − 1 of a finite space.
struct Proposed {
    space: Space,
    cells: Option<Cells>,
    next_number: u64,
    seen: HashSet<String>,
}

impl Strategy for Draws {
    fn ask(
        &mut self,
        space: &Space,
        _: &[Told],
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        let (seed, numbers) = (self.seed, first_number..first_number.saturating_add(count as u64));
        let proposed = self.proposed_before(space, first_number);
        // What a trial draws depends on what those before it drew: they are drawn again, and dropped.
        while proposed.cells.is_some() && proposed.next_number < first_number {
            if proposed.draw(seed).is_none() {
                return Ok(Vec::new());
            }
        }
        proposed.next_number = first_number;
        Ok(numbers.map_while(|_| proposed.draw(seed)).collect())
    }
}

impl Draws {
    /// The proposals so far, from none where they are of another space or already past this trial.
    fn proposed_before(&mut self, space: &Space, first_number: u64) -> &mut Proposed {
        let fits = |known: &Proposed| known.space == *space && known.next_number <= first_number;
        if !self.proposed.as_ref().is_some_and(fits) {
            self.proposed = None;
        }
        self.proposed.get_or_insert_with(|| Proposed {
            space: space.clone(),
            cells: Cells::all(space).filter(|cells| cells.len().is_some()),
            next_number: 0,
            seen: HashSet::new(),
        })
    }
}

impl Proposed {
    /// The configuration of the next trial; `None` where all have been proposed.
    fn draw(&mut self, seed: u64) -> Option<Configuration> {
        let number = self.next_number;
        let stream = Stream::new(seed, Purpose::Search, 0, number as u32, (number >> 32) as u32);
        let mut generator = stream.reader();
        let Some(cells) = &self.cells else {
            self.next_number += 1;
            return Some(self.space.sample(&mut generator));
        };
        let cell_count = cells.len().filter(|&len| (self.seen.len() as u128) < len)?;
        let mut drawn = None;
        for _ in 0..MOST_DRAWS {
            let configuration = self.space.sample(&mut generator);
            if self.seen.insert(key(&configuration)) {
                drawn = Some(configuration);
                break;
            }
        }
        // Nearly exhausted: from a random cell to the next free one, at most one more than were taken.
        if drawn.is_none() {
            let start = u128::from(rand::Rng::next_u64(&mut generator)) % cell_count;
            drawn = (0..cell_count)
                .filter_map(|i| cells.at((start + i) % cell_count))
                .find(|configuration| self.seen.insert(key(configuration)));
        }
        self.next_number += 1;
        drawn
    }
}

/// A configuration as a key: equal for the same configuration only.
fn key(configuration: &Configuration) -> String {
    configuration.iter().map(|(name, value)| format!("{name}={};", value_text(value))).collect()
}
