//! Asks a strategy for trials while others are still in training, so that what is proposed never depends on
//! which of them end first.
//!
//! Proposals come in chunks that begin at multiples of a quarter of the batch. The chunk of trials
//! k·c … (k+1)·c − 1 is asked for once every trial below (k+1)·c − b is told (b: the batch), with the
//! results of exactly those: at most b trials are under way, and a study proposes the same on any machine,
//! and after any interruption. A strategy that does not learn is never waited for; one that proposes in
//! passes may ask for more results than that ([`Strategy::needs`]).

use super::{Pending, Strategy, Told, Trials};
use crate::error::{Error, Result};
use crate::space::{Configuration, Space};
use std::collections::{BTreeMap, VecDeque};

/// Trials asked of a strategy at a time where it does not learn.
const UNLEARNED_CHUNK: u64 = 64;

/// What comes next.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// This trial.
    Trial(u64, Configuration),
    /// Nothing before more results are told.
    Wait,
    /// Nothing: all trials were proposed.
    Exhausted,
}

/// A strategy being asked.
pub struct Window<'a> {
    space: &'a Space,
    strategy: Box<dyn Strategy>,
    learns: bool,
    /// Trials under way at most.
    batch: u64,
    /// Trials of the study; `None`: as many as the strategy proposes.
    limit: Option<u64>,
    enqueued: &'a [Configuration],
    /// The first number that was not asked for.
    next_number: u64,
    asked: VecDeque<(u64, Configuration)>,
    is_exhausted: bool,
    /// Where the strategy learns: every configuration proposed so far.
    proposed: Vec<Configuration>,
    /// Results by number, without a gap from 0 on.
    told: Vec<Told>,
    /// Results behind a gap.
    early: BTreeMap<u64, Told>,
}

/// What a window is opened with.
pub struct Options<'a> {
    /// What is searched.
    pub space: &'a Space,
    /// Whether what is told changes what is proposed.
    pub learns: bool,
    /// Trials under way at most, at least 1.
    pub batch: u64,
    /// Trials of the study; `None`: as many as the strategy proposes.
    pub limit: Option<u64>,
    /// The configurations of the first trials.
    pub enqueued: &'a [Configuration],
}

impl<'a> Window<'a> {
    /// A window on a strategy at its start.
    pub fn new(strategy: Box<dyn Strategy>, options: Options<'a>) -> Self {
        let Options { space, learns, batch, limit, enqueued } = options;
        Self {
            space,
            strategy,
            learns,
            batch: batch.max(1),
            limit,
            enqueued,
            next_number: 0,
            asked: VecDeque::new(),
            is_exhausted: false,
            proposed: Vec::new(),
            told: Vec::new(),
            early: BTreeMap::new(),
        }
    }

    /// Goes on behind the trials that a study already has, in the order of their numbers, without gaps.
    pub fn resume(&mut self, known: impl IntoIterator<Item = Configuration>) {
        for configuration in known {
            self.next_number += 1;
            if self.learns {
                self.proposed.push(configuration);
            }
        }
    }

    /// What is searched.
    pub fn space(&self) -> &'a Space {
        self.space
    }

    /// Whether a trial of this number belongs to the study.
    pub fn is_within(&self, number: u64) -> bool {
        self.limit.is_none_or(|limit| number < limit)
    }

    /// The next trial. `start` gives the first number of the trials that a trial must be under way
    /// together with: none of them is waited for.
    pub fn next(&mut self, start: impl Fn(u64) -> u64) -> Result<Next> {
        if self.asked.is_empty() && !self.is_exhausted && !self.ask(start)? {
            return Ok(Next::Wait);
        }
        Ok(self.asked.pop_front().map_or(Next::Exhausted, |(number, asked)| Next::Trial(number, asked)))
    }

    /// Takes a trial's result in, whichever ends first.
    pub fn tell(&mut self, told: Told) {
        if !self.learns {
            return;
        }
        self.early.insert(told.number, told);
        while let Some(next) = self.early.remove(&(self.told.len() as u64)) {
            self.told.push(next);
        }
    }

    /// What the strategy has decided since this was last asked, one decision a line.
    pub fn remarks(&mut self) -> Vec<String> {
        self.strategy.remarks()
    }

    /// Whether all trials were proposed and handed out.
    pub fn is_exhausted(&self) -> bool {
        self.asked.is_empty()
            && (self.is_exhausted || self.limit.is_some_and(|limit| self.next_number >= limit))
    }

    /// The number that no trial of the study has, where that is known: all were proposed and handed out.
    pub fn end(&self) -> Option<u64> {
        let limit = self.limit.unwrap_or(u64::MAX);
        self.is_exhausted().then(|| self.next_number.min(limit))
    }

    /// Asks for the chunk of the next number; false where it must wait.
    fn ask(&mut self, start: impl Fn(u64) -> u64) -> Result<bool> {
        let size = if self.learns { chunk_size(self.batch) } else { UNLEARNED_CHUNK };
        let mut first = self.next_number / size * size;
        let end = self.limit.map_or(first + size, |limit| limit.min(first + size));
        if end <= self.next_number {
            self.is_exhausted = true;
            return Ok(true);
        }
        let mut known = match self.learns {
            true => results_before(first, self.batch, &start),
            false => 0,
        };
        loop {
            if known > self.told.len() as u64 {
                return Ok(false);
            }
            let chunk = self.chunk(first, end, known as usize)?;
            let has_new = first + chunk.len() as u64 > self.next_number;
            let needed = if first + (chunk.len() as u64) < end { self.strategy.needs() } else { 0 };
            if has_new || needed <= known {
                self.is_exhausted = first + (chunk.len() as u64) < end && needed <= known;
                self.take(first, chunk);
                return Ok(true);
            }
            refuse_to_wait(needed, start(self.next_number))?;
            // The rest of the chunk is asked for by itself, on the results of all that the strategy needs.
            known = needed.min(self.next_number);
            first = first.max(known);
        }
    }

    /// Takes in the configurations of trials from `first` on; those known already are the same.
    fn take(&mut self, first: u64, chunk: Vec<Configuration>) {
        for (number, configuration) in (first..).zip(chunk).skip((self.next_number - first) as usize) {
            if self.learns {
                self.proposed.push(configuration.clone());
            }
            self.asked.push_back((number, configuration));
            self.next_number += 1;
        }
    }

    /// The configurations of trials `first` to `end` − 1, given the results of the first `known`.
    fn chunk(&mut self, first: u64, end: u64, known: usize) -> Result<Vec<Configuration>> {
        let enqueued = self.enqueued.iter().skip(first as usize).take((end - first) as usize);
        let mut chunk: Vec<Configuration> = enqueued.cloned().collect();
        let from = first + chunk.len() as u64;
        if from == end {
            return Ok(chunk);
        }
        let configuration = |number: u64| match self.proposed.get(number as usize) {
            Some(configuration) => configuration.clone(),
            None => chunk[(number - first) as usize].clone(),
        };
        let pending: Vec<Pending> = (known as u64..if self.learns { from } else { 0 })
            .map(|number| Pending { number, configuration: configuration(number) })
            .collect();
        let trials = Trials { told: &self.told[..known], pending: &pending };
        chunk.extend(self.strategy.ask(self.space, trials, from, (end - from) as usize)?);
        Ok(chunk)
    }
}

/// Trials asked of a strategy that learns at a time.
fn chunk_size(batch: u64) -> u64 {
    batch.div_ceil(4)
}

/// How many results a strategy that learns knows when it proposes the trial of a number, with `batch` (at least 1)
/// trials under way at most. `start` gives the first number of the trials that one must be under way together with.
pub fn results_before(number: u64, batch: u64, start: impl Fn(u64) -> u64) -> u64 {
    let size = chunk_size(batch);
    let first = number / size * size;
    (first + size).saturating_sub(batch).min(start(first))
}

/// A strategy cannot wait for trials that wait for the one that it is asked for.
fn refuse_to_wait(needed: u64, start: u64) -> Result<()> {
    if needed <= start {
        return Ok(());
    }
    let found = format!("the strategy waits for trial {}, and the schedule for trials beside it", needed - 1);
    Err(Error::usage("search.strategy", found)
        .allowed("a strategy that works in passes beside a schedule that decides over each trial alone")
        .advice("another schedule.kind, or the strategy without passes: refine = 0"))
}
