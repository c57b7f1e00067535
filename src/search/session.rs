//! Ask and tell: a search of an objective that the caller evaluates.
//!
//! ```
//! use manytune::model::metric::Direction;
//! use manytune::search::{Search, Settings};
//! use manytune::space::{Dimension, Domain, Space, Value};
//!
//! let x = Domain::Float { low: -2.0, high: 3.0, log: false, step: None };
//! let space = Space::new(vec![Dimension::new("x", x)])?;
//! let mut search = Search::new(space, "random", Settings::new(7, Direction::Minimize))?;
//! for trial in search.ask(20)? {
//!     let Value::Float(x) = trial.configuration["x"] else { unreachable!() };
//!     search.tell(trial.number, (x - 1.0).powi(2))?;
//! }
//! assert!(search.best().is_some_and(|best| best.value < 0.1));
//! # Ok::<(), manytune::error::Error>(())
//! ```

use super::{
    Pending, Settings, Strategy, StrategyKind, Told, Trials, named, refuse_empty, refuse_impossible,
};
use crate::error::{Error, Result};
use crate::space::{Configuration, Space};
use std::collections::BTreeMap;

/// A trial to evaluate.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// From 0, without gaps.
    pub number: u64,
    /// What to try.
    pub configuration: Configuration,
}

/// What became of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It is not told yet.
    Pending,
    /// Its objective.
    Complete(f64),
    /// Its objective where it was stopped.
    Pruned(f64),
    /// It came to nothing.
    Failed,
}

/// A trial of a search that goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// What was tried.
    pub configuration: Configuration,
    /// What became of it.
    pub outcome: Outcome,
}

/// The best of the trials that are complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The trial's number.
    pub number: u64,
    /// What was tried.
    pub configuration: Configuration,
    /// Its objective.
    pub value: f64,
}

/// A search under way. The same seed and the same calls give the same proposals on any machine; results
/// that are told between two calls of [`ask`](Self::ask) may be told in any order.
pub struct Search {
    space: Space,
    kind: &'static dyn StrategyKind,
    strategy: Box<dyn Strategy>,
    settings: Settings,
    next_number: u64,
    is_exhausted: bool,
    pending: BTreeMap<u64, Configuration>,
    /// By number; empty where the strategy does not learn.
    told: Vec<Told>,
    best: Option<Best>,
}

impl Search {
    /// A search at its start, by the strategy of this name (or `auto`).
    ///
    /// Errors are of kind usage: an unknown strategy, a setting that it does not have or out of range, a
    /// space in which nothing is free, constraints that nothing meets, an enqueued configuration that is not
    /// of the space.
    pub fn new(space: Space, strategy: &str, settings: Settings) -> Result<Self> {
        let kind = named("search.strategy", strategy)?;
        let chosen = settings.chosen.of_member("search", kind.name(), kind.settings(), false)?;
        let settings = Settings { chosen, ..settings };
        refuse_fixed(&space)?;
        refuse_impossible(&space)?;
        refuse_empty(kind, &space, &settings)?;
        refuse_foreign(&space, &settings.enqueued)?;
        Ok(Self {
            strategy: super::start(kind, &settings),
            space,
            kind,
            settings,
            next_number: 0,
            is_exhausted: false,
            pending: BTreeMap::new(),
            told: Vec::new(),
            best: None,
        })
    }

    /// Goes on behind the trials that a search came to before, in the order of their numbers from 0 on.
    ///
    /// Refused where trials were asked for already.
    pub fn resume(&mut self, past: impl IntoIterator<Item = Past>) -> Result<()> {
        if self.next_number > 0 {
            return Err(Error::usage(
                "resume",
                format!("{} trials were asked for already", self.next_number),
            )
            .allowed("a search at its start"));
        }
        for Past { configuration, outcome } in past {
            self.pending.insert(self.next_number, configuration);
            self.next_number += 1;
            self.settle(self.next_number - 1, outcome)?;
        }
        Ok(())
    }

    /// The next trials, at most `count`; fewer where the strategy has no more to propose, or none before more
    /// results are told.
    ///
    /// Asked for while others are pending, the strategy sees those results that are told.
    pub fn ask(&mut self, count: usize) -> Result<Vec<Asked>> {
        let mut pending = Vec::new();
        if self.kind.learns(&self.settings.chosen) {
            pending
                .extend(self.pending.iter().map(|(&number, c)| Pending { number, configuration: c.clone() }));
        }
        let proposed = self.propose(self.next_number, count, usize::MAX, pending)?;
        self.is_exhausted = proposed.len() < count && self.strategy.needs() <= self.settled_count();
        Ok(self.hand_out(proposed))
    }

    /// The rest of the batch that the next trial is in, without trials from number `limit` on; none where
    /// the strategy has no more to propose. A batch in which a strategy needs the results of trials before it
    /// goes on comes in parts.
    ///
    /// Batches begin at multiples of `size` (at least 1) and are proposed with the results before them
    /// alone: a search that ended within a batch and is given a larger limit proposes what it would have
    /// proposed at once. Refused while a trial before the batch is pending.
    pub fn ask_batch(&mut self, size: u64, limit: u64) -> Result<Vec<Asked>> {
        let size = size.max(1);
        let mut first = self.next_number / size * size;
        let end = limit.min(first.saturating_add(size));
        if end <= self.next_number {
            return Ok(Vec::new());
        }
        loop {
            self.refuse_pending_before(first)?;
            let known = self.told.partition_point(|told| told.number < first);
            let mut proposed = self.propose(first, (end - first) as usize, known, Vec::new())?;
            let is_short = first + (proposed.len() as u64) < end;
            let needed = if is_short { self.strategy.needs() } else { 0 };
            proposed.drain(..proposed.len().min((self.next_number - first) as usize));
            if proposed.is_empty() && needed > first && first < self.next_number {
                // The rest of the batch is proposed on the results of all that the strategy needs.
                first = needed.min(self.next_number);
                continue;
            }
            self.is_exhausted = is_short && needed <= first;
            return Ok(self.hand_out(proposed));
        }
    }

    fn refuse_pending_before(&self, first: u64) -> Result<()> {
        match self.pending.range(..first).next() {
            None => Ok(()),
            Some((number, _)) => Err(Error::usage(format!("trial {number}"), "is pending")
                .allowed(format!("a batch from trial {first} on once those before it are told"))),
        }
    }

    /// The first trial that is not told: all before it are.
    fn settled_count(&self) -> u64 {
        self.pending.first_key_value().map_or(self.next_number, |(number, _)| *number)
    }

    /// Takes a trial's objective in: any finite number, in its own unit and sign.
    ///
    /// Refused, with nothing changed: a number that was never asked for, a trial that was told before, NaN
    /// and infinity.
    pub fn tell(&mut self, number: u64, value: f64) -> Result<()> {
        self.check(number, value)?;
        self.settle(number, Outcome::Complete(value))
    }

    /// Takes in that a trial came to nothing: the strategy learns that its configuration is no good.
    ///
    /// Refused, with nothing changed: a number that was never asked for, a trial that was told before.
    pub fn fail(&mut self, number: u64) -> Result<()> {
        self.check(number, 0.0)?;
        self.settle(number, Outcome::Failed)
    }

    /// The best complete trial so far; among equals the one of the lowest number.
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// The trials that are asked for and not told, by number.
    pub fn pending(&self) -> impl Iterator<Item = (u64, &Configuration)> {
        self.pending.iter().map(|(number, configuration)| (*number, configuration))
    }

    /// How many trials were asked for.
    pub fn asked_count(&self) -> u64 {
        self.next_number
    }

    /// How many trials are told.
    pub fn told_count(&self) -> u64 {
        self.next_number - self.pending.len() as u64
    }

    /// Whether the strategy has proposed all that it has.
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// What the strategy has decided since this was last asked, one decision a line.
    pub fn remarks(&mut self) -> Vec<String> {
        self.strategy.remarks()
    }

    /// How the search goes about it.
    pub fn strategy(&self) -> &'static dyn StrategyKind {
        self.kind
    }

    /// The configurations of trials `first`, `first + 1`, …: enqueued ones, then those of the strategy, given
    /// the first `known` results.
    fn propose(
        &mut self,
        first: u64,
        count: usize,
        known: usize,
        mut pending: Vec<Pending>,
    ) -> Result<Vec<Configuration>> {
        let enqueued = self.settings.enqueued.iter().skip(usize::try_from(first).unwrap_or(usize::MAX));
        let mut proposed: Vec<Configuration> = enqueued.take(count).cloned().collect();
        if proposed.len() < count {
            let from = first + proposed.len() as u64;
            if self.kind.learns(&self.settings.chosen) {
                let numbered = (first..).zip(&proposed);
                pending.extend(numbered.map(|(number, c)| Pending { number, configuration: c.clone() }));
            }
            let trials = Trials { told: &self.told[..known.min(self.told.len())], pending: &pending };
            proposed.extend(self.strategy.ask(&self.space, trials, from, count - proposed.len())?);
        }
        Ok(proposed)
    }

    fn hand_out(&mut self, proposed: Vec<Configuration>) -> Vec<Asked> {
        let asked = (self.next_number..).zip(proposed);
        let asked: Vec<Asked> =
            asked.map(|(number, configuration)| Asked { number, configuration }).collect();
        self.next_number += asked.len() as u64;
        self.pending.extend(asked.iter().map(|asked| (asked.number, asked.configuration.clone())));
        asked
    }

    /// Refuses what cannot be told.
    fn check(&self, number: u64, value: f64) -> Result<()> {
        let place = format!("trial {number}");
        if number >= self.next_number {
            let allowed = match self.next_number {
                0 => "nothing before a trial is asked for".to_owned(),
                count => format!("trials 0 to {} were; {}", count - 1, self.open()),
            };
            return Err(Error::usage(place, "was never asked for").allowed(allowed));
        }
        if !self.pending.contains_key(&number) {
            return Err(
                Error::usage(place, "was told before").allowed(format!("each trial once; {}", self.open()))
            );
        }
        match value.is_finite() {
            true => Ok(()),
            false => Err(Error::usage(place, format!("a value of {value}"))
                .allowed("a finite number")
                .advice("say that a trial failed where its objective has no value")),
        }
    }

    /// Which trials are not told, in words.
    fn open(&self) -> String {
        const MOST_NAMED: usize = 8;
        let numbers: Vec<String> = self.pending.keys().take(MOST_NAMED).map(u64::to_string).collect();
        match numbers.len() {
            0 => "none is open".to_owned(),
            count => {
                let more = if self.pending.len() > count { ", …" } else { "" };
                format!("not told yet: {}{more}", numbers.join(", "))
            }
        }
    }

    /// Ends a pending trial, unless it stays pending.
    fn settle(&mut self, number: u64, outcome: Outcome) -> Result<()> {
        let (value, is_pruned) = match outcome {
            Outcome::Pending => return Ok(()),
            // Zero has one sign, which the store may not keep.
            Outcome::Complete(value) => (Some(value + 0.0), false),
            Outcome::Pruned(value) => (Some(value + 0.0), true),
            Outcome::Failed => (None, false),
        };
        let Some(configuration) = self.pending.remove(&number) else { return self.check(number, 0.0) };
        if let Some(value) = value.filter(|_| !is_pruned)
            && self.is_best(number, value)
        {
            self.best = Some(Best { number, configuration: configuration.clone(), value });
        }
        if self.kind.learns(&self.settings.chosen) {
            let place = self.told.partition_point(|told| told.number < number);
            self.told.insert(place, Told { number, configuration, value, is_pruned });
        }
        Ok(())
    }

    fn is_best(&self, number: u64, value: f64) -> bool {
        self.best.as_ref().is_none_or(|best| {
            let order = self.settings.direction.compare(value, best.value);
            order.then(number.cmp(&best.number)).is_lt()
        })
    }
}

/// Refuses a space that has a single configuration.
fn refuse_fixed(space: &Space) -> Result<()> {
    if space.dimensions.iter().any(|dimension| dimension.domain.size() != Some(1)) {
        return Ok(());
    }
    let found = match space.dimensions.is_empty() {
        true => "no hyperparameter",
        false => "no free hyperparameter: every one has a single value",
    };
    Err(Error::usage("space", found)
        .allowed("at least one range, or list of two or more choices")
        .advice("x = { uniform = [0.0, 1.0] }"))
}

/// Refuses a configuration that the space does not have.
fn refuse_foreign(space: &Space, enqueued: &[Configuration]) -> Result<()> {
    match enqueued.iter().position(|configuration| !space.contains(configuration)) {
        None => Ok(()),
        Some(index) => {
            Err(Error::usage("search.enqueue", format!("configuration {index} is not of the space"))
                .allowed("a value of its range or list for each active hyperparameter, and for no other"))
        }
    }
}
