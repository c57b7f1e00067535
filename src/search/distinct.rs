//! No configuration twice, and none that a constraint forbids: what was proposed so far, and what is left of a
//! finite space.

use super::Trials;
use super::cells::{Cells, Remaining};
use crate::random::{Purpose, Stream, StreamReader};
use crate::space::{Configuration, Domain, Space, Value, value_text};
use rand::Rng;
use std::collections::{BTreeSet, HashSet};

/// Draws of a trial that may fall on a configuration already proposed, before the next free cell of
/// the space is taken instead.
const MOST_REPEATS: usize = 64;
/// Draws of a trial that constraints may forbid, where cells are left to take instead.
const MOST_FORBIDDEN: usize = 1000;
/// The same where there are none: the study ends behind them.
const MOST_DRAWS: usize = 1_000_000;
/// Layers of the streams of random draws and of those near a proposal; strategies have those between.
const DRAW: usize = 0;
const NEAR: usize = 1000;

/// The proposals of trials 0 to [`next_number`](Self::next_number) − 1.
pub struct Distinct {
    space: Space,
    seed: u64,
    /// Whether the space is finite and can be counted.
    is_finite: bool,
    /// What it allows, where that can be counted too.
    cells: Option<Remaining>,
    seen: HashSet<Vec<u64>>,
    /// Whether draws are remembered: of a space that has no end only where other proposals are.
    remembers: bool,
    next_number: u64,
}

impl Distinct {
    /// Nothing proposed yet.
    pub fn new(space: &Space, seed: u64) -> Self {
        let cells = Cells::all(space).filter(|cells| cells.len().is_some());
        let is_finite = cells.is_some();
        let cells = cells.map(|cells| Remaining::new(space, cells, BTreeSet::new()));
        Self {
            space: space.clone(),
            seed,
            is_finite,
            cells: cells.filter(|cells| cells.len().is_some()),
            seen: HashSet::new(),
            remembers: is_finite,
            next_number: 0,
        }
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
        self.remembers = true;
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
        self.is_finite
    }

    /// The configuration of the next trial: what is proposed where that is new and allowed. Where a constraint
    /// forbids it, one near it that is; where it was proposed before, a random one. `None` where the space has
    /// no other, or none was found in a million draws.
    pub fn admit(&mut self, proposed: Configuration) -> Option<Configuration> {
        self.admit_first_of([proposed])
    }

    /// The same of several proposals, the best first: the first that is new and allowed. Where none is, one near
    /// the first that a constraint forbids, else a random one.
    pub fn admit_first_of(
        &mut self,
        proposed: impl IntoIterator<Item = Configuration>,
    ) -> Option<Configuration> {
        let mut forbidden = None;
        for configuration in proposed {
            if !self.space.allows(&configuration) {
                forbidden = forbidden.or(Some(configuration));
            } else if self.seen.insert(key(&self.space, &configuration)) {
                self.next_number += 1;
                return Some(configuration);
            }
        }
        match forbidden.and_then(|configuration| self.draw_near(&configuration)) {
            Some(near) => {
                self.next_number += 1;
                Some(near)
            }
            None => self.draw(),
        }
    }

    /// Whether a configuration was not proposed before and the constraints allow it.
    pub fn is_free(&self, configuration: &Configuration) -> bool {
        self.space.allows(configuration) && !self.seen.contains(&key(&self.space, configuration))
    }

    /// A random configuration that the constraints allow for the next trial, new where the space is finite;
    /// `None` where it has no other, or none was found in a million draws. Trial n draws from stream n.
    pub fn draw(&mut self) -> Option<Configuration> {
        let drawn = self.draw_new(&mut self.generator(DRAW))?;
        self.next_number += 1;
        Some(drawn)
    }

    fn draw_new(&mut self, generator: &mut StreamReader) -> Option<Configuration> {
        let left = self.cells.as_ref().and_then(Remaining::len);
        if left.is_some_and(|left| self.seen.len() as u128 >= left) {
            return None;
        }
        let (mut repeated, mut repeats) = (None, 0);
        for _ in 0..if left.is_some() { MOST_FORBIDDEN } else { MOST_DRAWS } {
            let drawn = self.space.sample(generator);
            if !self.space.allows(&drawn) {
                continue;
            }
            if self.is_new(&drawn) {
                return Some(drawn);
            }
            repeats += 1;
            // Of a space that has no end some parts may: better one of them again than none.
            repeated = (!self.is_finite).then_some(drawn);
            if repeats >= MOST_REPEATS && (left.is_some() || repeated.is_some()) {
                break;
            }
        }
        match left {
            Some(left) => self.next_free(generator.next_u64(), left),
            None => repeated,
        }
    }

    /// Nearly exhausted: from a random cell to the next free one, at most one more than were taken.
    fn next_free(&mut self, start: u64, left: u128) -> Option<Configuration> {
        (0..left).find_map(|i| {
            let configuration = self.cells.as_mut()?.at((u128::from(start) + i) % left)?;
            self.is_new(&configuration).then_some(configuration)
        })
    }

    /// A new configuration that the constraints allow, near one that they forbid: each coordinate moves by up to
    /// a radius that doubles until one is found, a choice changes with the radius as its probability.
    fn draw_near(&mut self, forbidden: &Configuration) -> Option<Configuration> {
        /// 1/128, 1/64, …, 1, so many times each.
        const TRIES: usize = 16;
        let mut generator = self.generator(NEAR);
        let center = self.space.encode(forbidden);
        (0..8 * TRIES).find_map(|i| {
            let radius = f64::from(1_u32 << (i / TRIES)) / 128.0;
            let point: Vec<f64> = self
                .space
                .dimensions
                .iter()
                .zip(&center)
                .map(|(dimension, center)| near(&dimension.domain, *center, radius, &mut generator))
                .collect();
            let configuration = self.space.decode(&point);
            (self.space.allows(&configuration) && self.is_new(&configuration)).then_some(configuration)
        })
    }

    /// Whether it was not proposed before; remembers it.
    fn is_new(&mut self, configuration: &Configuration) -> bool {
        let key = key(&self.space, configuration);
        if self.remembers { self.seen.insert(key) } else { !self.seen.contains(&key) }
    }

    fn generator(&self, layer: usize) -> StreamReader {
        let number = self.next_number;
        Stream::new(self.seed, Purpose::Search, layer, number as u32, (number >> 32) as u32).reader()
    }
}

/// A coordinate within a radius of another, mirrored at 0 and 1; anywhere where there is no other.
fn near(domain: &Domain, center: Option<f64>, radius: f64, generator: &mut StreamReader) -> f64 {
    let mut uniform = || (generator.next_u64() >> 11) as f64 * 2_f64.powi(-53);
    let (first, second) = (uniform(), uniform());
    let Some(center) = center else { return first };
    match domain {
        Domain::Choice(_) if second >= radius => center,
        Domain::Choice(_) => first,
        _ => {
            let moved = (center + radius * (2.0 * first - 1.0)).abs();
            if moved > 1.0 { 2.0 - moved } else { moved }
        }
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
