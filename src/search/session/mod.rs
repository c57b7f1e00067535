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

mod stops;
mod trial;

pub use trial::{Asked, Best, Outcome, Past};

use super::{
    Pending, Settings, Strategy, StrategyKind, Told, Trials, complete, named, refuse_empty, refuse_fixed,
    refuse_impossible, start,
};
use crate::error::{Error, Result};
use crate::schedule::{self, End, Standing};
use crate::space::{Configuration, Space};
use std::collections::BTreeMap;
use stops::Stops;

/// A search under way. The same seed and the same calls give the same proposals on any machine; results
/// that are told between two calls of [`ask`](Self::ask) may be told in any order.
pub struct Search {
    space: Space,
    kind: &'static dyn StrategyKind,
    strategy: Box<dyn Strategy>,
    settings: Settings,
    next_number: u64,
    /// No trial has this number or a higher one.
    limit: u64,
    is_exhausted: bool,
    pending: BTreeMap<u64, Configuration>,
    /// Whether what is told changes what is proposed.
    learns: bool,
    /// By number; empty where the strategy does not learn.
    told: Vec<Told>,
    best: Option<Best>,
    /// Where a schedule decides which trials should stop.
    stops: Option<Stops>,
}

impl Search {
    /// A search at its start, by the strategy of this name.
    ///
    /// Errors are of kind usage: an unknown strategy, a setting that it does not have or out of range, a
    /// space in which nothing is free or nothing meets the constraints, enqueued values that are not of the
    /// space. What enqueued configurations leave open is drawn at random.
    pub fn new(space: Space, strategy: &str, settings: Settings) -> Result<Self> {
        let kind = named("search.strategy", strategy)?;
        let chosen = settings.chosen.of_member("search", kind.name(), kind.settings(), false)?;
        refuse_fixed(&space)?;
        refuse_impossible(&space, kind)?;
        let enqueued = complete(&space, &settings.enqueued, settings.seed)?;
        let settings = Settings { chosen, enqueued, ..settings };
        refuse_empty(kind, &space, &settings)?;
        Ok(Self {
            strategy: start(kind, &settings),
            learns: kind.learns(&settings.chosen),
            space,
            kind,
            settings,
            next_number: 0,
            limit: u64::MAX,
            is_exhausted: false,
            pending: BTreeMap::new(),
            told: Vec::new(),
            best: None,
            stops: None,
        })
    }

    /// The same search, with a schedule of this name that decides which trials should stop, by their values on
    /// the way ([`report`](Self::report)). A step is what the settings call an epoch.
    ///
    /// Errors are of kind usage: an unknown schedule, one whose trials go on from the weights of others, a setting
    /// that it does not have or out of range, trials that were asked for already.
    pub fn with_schedule(mut self, name: &str, settings: &schedule::Settings) -> Result<Self> {
        let kind = schedule::named("schedule.kind", name)?;
        if kind.takes_over() {
            let found = format!(
                "{name}, whose trials go on from the weights of others, which a search does not have"
            );
            let others = schedule::ALL.iter().filter(|kind| !kind.takes_over()).map(|kind| kind.name());
            return Err(Error::usage("schedule.kind", found).allowed(others.collect::<Vec<_>>().join(", ")));
        }
        let chosen = settings.chosen.of_member("schedule", kind.name(), kind.settings(), false)?;
        self.refuse_begun("a schedule")?;
        let schedule = kind.create(&schedule::Settings { chosen, ..settings.clone() });
        self.stops = Some(Stops::new(schedule, self.settings.direction));
        Ok(self)
    }

    /// Goes on behind the trials that a search came to before, in the order of their numbers from 0 on.
    ///
    /// Refused where trials were asked for already.
    pub fn resume(&mut self, past: impl IntoIterator<Item = Past>) -> Result<()> {
        self.refuse_begun("resume")?;
        for past in past {
            let number = self.begin(past.configuration);
            if let Some(stops) = &mut self.stops {
                match past.outcome {
                    // A schedule waits for the trials that it does not know yet.
                    Outcome::Pending => {
                        past.intermediates
                            .iter()
                            .for_each(|(step, value)| stops.report(number, *step, *value));
                    }
                    // What a schedule has stopped has ended for it, whatever it was told as.
                    outcome => {
                        let end = if past.is_stopped { End::Pruned } else { end_of(outcome) };
                        stops.replay(number, &past.intermediates, past.rungs, &end);
                    }
                }
            }
            self.settle(number, past.outcome)?;
        }
        self.set_end();
        Ok(())
    }

    /// From now on there are to be at most so many trials; fewer than were asked for takes none away.
    pub fn set_limit(&mut self, trials: u64) {
        self.limit = trials;
        self.set_end();
    }

    /// The next trials, at most `count`; fewer at the [limit](Self::set_limit), where the strategy has no more
    /// to propose ([`is_exhausted`](Self::is_exhausted)), or none before more trials are told: a grid that is
    /// refined proposes pass by pass.
    ///
    /// Asked for while others are pending, the strategy sees those results that are told.
    pub fn ask(&mut self, count: usize) -> Result<Vec<Asked>> {
        let count =
            usize::try_from(self.limit.saturating_sub(self.next_number)).unwrap_or(usize::MAX).min(count);
        let pending = self.pending.iter().filter(|_| self.learns);
        let pending = pending.map(|(&number, c)| Pending { number, configuration: c.clone() }).collect();
        let proposed = self.propose(self.next_number, count, usize::MAX, pending)?;
        let known = self.pending.first_key_value().map_or(self.next_number, |(number, _)| *number);
        self.is_exhausted = proposed.len() < count && self.strategy.needs() <= known;
        Ok(self.hand_out(proposed))
    }

    /// The rest of the batch that the next trial is in; none at the [limit](Self::set_limit), and where the
    /// strategy has no more to propose.
    ///
    /// Batches begin at multiples of `size` (at least 1) and are proposed with the results before them
    /// alone: a search that ended within a batch and is given a larger limit proposes what it would have
    /// proposed at once. A batch is shorter where a pass of the strategy ends in it. Refused while a trial is
    /// pending whose result is needed.
    pub fn ask_batch(&mut self, size: u64) -> Result<Vec<Asked>> {
        let size = size.max(1);
        let mut first = self.next_number / size * size;
        let end = self.limit.min(first.saturating_add(size));
        if end <= self.next_number {
            return Ok(Vec::new());
        }
        loop {
            if let Some((number, _)) = self.pending.range(..first).next() {
                return Err(Error::usage(format!("trial {number}"), "is pending")
                    .allowed(format!("a batch from trial {first} on once those before it are told")));
            }
            let known = self.told.partition_point(|told| told.number < first);
            let mut proposed = self.propose(first, (end - first) as usize, known, Vec::new())?;
            let is_short = first + (proposed.len() as u64) < end;
            let needed = if is_short { self.strategy.needs().min(self.next_number) } else { 0 };
            proposed.drain(..proposed.len().min((self.next_number - first) as usize));
            if !proposed.is_empty() || needed <= first {
                self.is_exhausted = is_short && self.strategy.needs() <= first;
                return Ok(self.hand_out(proposed));
            }
            // The next pass begins within the batch: the rest is asked for by itself, on the results before it.
            first = needed;
        }
    }

    /// What the strategy has decided since this was last asked, for the user to read, one decision a line.
    pub fn remarks(&mut self) -> Vec<String> {
        self.strategy.remarks()
    }

    /// Takes a trial's objective in: any finite number, in its own unit and sign.
    ///
    /// Refused, with nothing changed: a number that was never asked for, a trial that was told before, NaN
    /// and infinity.
    pub fn tell(&mut self, number: u64, value: f64) -> Result<()> {
        self.check(number, value)?;
        let is_pruned = self.should_stop(number);
        self.settle(number, if is_pruned { Outcome::Pruned(value) } else { Outcome::Complete(value) })
    }

    /// Takes in what a pending trial has come to at a step on its way. Gives all pending trials that should
    /// stop: they are told like any other, and count as pruned. Without a schedule there are none.
    ///
    /// Refused as [`tell`](Self::tell) does.
    pub fn report(&mut self, number: u64, step: u64, value: f64) -> Result<Vec<u64>> {
        self.check(number, value)?;
        let Some(stops) = &mut self.stops else { return Ok(Vec::new()) };
        stops.report(number, step, value + 0.0);
        Ok(stops.stopped())
    }

    /// Whether a pending trial should stop: what [`Past::is_stopped`] is to be when it ends.
    pub fn should_stop(&self, number: u64) -> bool {
        self.stops.as_ref().is_some_and(|stops| stops.is_stopped(number))
    }

    /// Of how many rungs of a pending trial the schedule knows: what [`Past::rungs`] is to be when it ends.
    pub fn rungs(&self, number: u64) -> usize {
        self.stops.as_ref().map_or(0, |stops| stops.shown(number))
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
            if self.learns {
                let numbered = (first..).zip(&proposed);
                pending.extend(numbered.map(|(number, c)| Pending { number, configuration: c.clone() }));
            }
            let trials = Trials { told: &self.told[..known.min(self.told.len())], pending: &pending };
            proposed.extend(self.strategy.ask(&self.space, trials, from, count - proposed.len())?);
        }
        Ok(proposed)
    }

    fn hand_out(&mut self, proposed: Vec<Configuration>) -> Vec<Asked> {
        let begin = |configuration: Configuration| {
            let number = self.begin(configuration.clone());
            Asked { number, configuration }
        };
        let asked = proposed.into_iter().map(begin).collect();
        self.set_end();
        asked
    }

    /// The next trial, with its configuration, is under way.
    fn begin(&mut self, configuration: Configuration) -> u64 {
        let number = self.next_number;
        self.pending.insert(number, configuration);
        if let Some(stops) = &mut self.stops {
            stops.begin(number);
        }
        self.next_number += 1;
        number
    }

    /// Tells the schedule whether there are to be more trials.
    fn set_end(&mut self) {
        let is_end = self.is_exhausted || self.next_number >= self.limit;
        if let Some(stops) = &mut self.stops {
            stops.set_end(is_end.then_some(self.next_number));
        }
    }

    fn refuse_begun(&self, place: &str) -> Result<()> {
        match self.next_number {
            0 => Ok(()),
            count => Err(Error::usage(place, format!("{count} trials were asked for already"))
                .allowed("a search at its start")),
        }
    }

    /// Refuses what cannot be told: a number that was never asked for, a trial that was told before, NaN and
    /// infinity.
    pub fn check(&self, number: u64, value: f64) -> Result<()> {
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
        if let Some(stops) = &mut self.stops {
            stops.end(number, &end_of(outcome));
        }
        if let Some(value) = value.filter(|_| !is_pruned)
            && self.is_best(number, value)
        {
            self.best = Some(Best { number, configuration: configuration.clone(), value });
        }
        if self.learns {
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

/// How a trial ended, for a schedule.
fn end_of(outcome: Outcome) -> End {
    match outcome {
        Outcome::Complete(value) => End::Complete(Standing { value, folds: Vec::new() }),
        Outcome::Pruned(_) => End::Pruned,
        Outcome::Failed | Outcome::Pending => End::Lost,
    }
}
