//! No configuration twice: what was proposed so far, and what is left of a finite space.

use super::Trials;
use super::cells::Cells;
use crate::random::{Purpose, Stream, StreamReader};
use crate::space::{Configuration, Space, Value, value_text};
use std::collections::HashSet;

/// Draws of a trial that may fall on a configuration already proposed, before the next free cell of
/// the space is taken instead.
const MOST_DRAWS: usize = 64;

/// The proposals of trials 0 to [`next_number`](Self::next_number) − 1.
pub struct Distinct {
    space: Space,
    seed: u64,
    /// Of a finite space that can be counted.
    cells: Option<Cells>,
    seen: HashSet<Vec<u64>>,
    next_number: u64,
}

impl Distinct {
    /// Nothing proposed yet.
    pub fn new(space: &Space, seed: u64) -> Self {
        let cells = Cells::all(space).filter(|cells| cells.len().is_some());
        Self { space: space.clone(), seed, cells, seen: HashSet::new(), next_number: 0 }
    }

    /// The same, where it is of this space and not past this trial; else from nothing.
    pub fn before(known: Option<Self>, space: &Space, seed: u64, number: u64) -> Self {
        known
            .filter(|known| known.space == *space && known.next_number <= number)
            .unwrap_or_else(|| Self::new(space, seed))
    }

    /// Takes in what was proposed since it was last told, up to `first_number` − 1.
    pub fn learn(&mut self, trials: Trials<'_>, first_number: u64) {
        let told = trials.told.iter().map(|told| (told.number, &told.configuration));
        let pending = trials.pending.iter().map(|asked| (asked.number, &asked.configuration));
        let known = self.next_number;
        for (_, configuration) in told.chain(pending).filter(|(number, _)| *number >= known) {
            self.seen.insert(key(&self.space, configuration));
        }
        self.next_number = self.next_number.max(first_number);
    }

    /// Takes in the configurations of the first trials, where nothing is known yet.
    pub fn enqueue(&mut self, enqueued: &[Configuration]) {
        if self.next_number == 0 {
            self.seen.extend(enqueued.iter().map(|configuration| key(&self.space, configuration)));
            self.next_number = enqueued.len() as u64;
        }
    }

    /// Goes on at this trial, whatever those before it were: for a space that has no end.
    pub fn skip_to(&mut self, number: u64) {
        self.next_number = self.next_number.max(number);
    }

    /// The first trial whose proposal is not known.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Whether proposals can run out.
    pub fn is_finite(&self) -> bool {
        self.cells.is_some()
    }

    /// The configuration of the next trial: what is proposed where that is new, else a random one that is.
    /// `None` where the space has no other.
    pub fn admit(&mut self, proposed: Configuration) -> Option<Configuration> {
        match self.seen.insert(key(&self.space, &proposed)) {
            true => {
                self.next_number += 1;
                Some(proposed)
            }
            false => self.draw(),
        }
    }

    /// A random configuration for the next trial, new where the space is finite; `None` where it has no
    /// other. Trial n draws from stream n.
    pub fn draw(&mut self) -> Option<Configuration> {
        let mut generator = self.generator();
        let drawn = match &self.cells {
            None => Some(self.space.sample(&mut generator)),
            Some(_) => self.draw_new(&mut generator),
        }?;
        self.next_number += 1;
        Some(drawn)
    }

    fn draw_new(&mut self, generator: &mut StreamReader) -> Option<Configuration> {
        let cells = self.cells.as_ref()?;
        let cell_count = cells.len().filter(|&len| (self.seen.len() as u128) < len)?;
        for _ in 0..MOST_DRAWS {
            let configuration = self.space.sample(generator);
            if self.seen.insert(key(&self.space, &configuration)) {
                return Some(configuration);
            }
        }
        // Nearly exhausted: from a random cell to the next free one, at most one more than were taken.
        let start = u128::from(rand::Rng::next_u64(generator)) % cell_count;
        (0..cell_count)
            .filter_map(|i| cells.at((start + i) % cell_count))
            .find(|configuration| self.seen.insert(key(&self.space, configuration)))
    }

    fn generator(&self) -> StreamReader {
        let number = self.next_number;
        Stream::new(self.seed, Purpose::Search, 0, number as u32, (number >> 32) as u32).reader()
    }
}

/// A configuration as a key: equal for the same configuration of a space only.
fn key(space: &Space, configuration: &Configuration) -> Vec<u64> {
    let part = |name: &String| match configuration.get(name) {
        None => vec![0],
        Some(Value::Bool(value)) => vec![1, u64::from(*value)],
        Some(Value::Int(value)) => vec![2, *value as u64],
        Some(Value::Float(value)) => vec![3, value.to_bits()],
        Some(value) => {
            let text = value_text(value).into_bytes();
            std::iter::once(4 + text.len() as u64).chain(text.into_iter().map(u64::from)).collect()
        }
    };
    space.dimensions.iter().flat_map(|dimension| part(&dimension.name)).collect()
}
