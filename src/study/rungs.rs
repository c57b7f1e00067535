//! Trials at rungs: tells the schedule where they stand, and knows which rungs each has passed.

use crate::model::metric::Direction;
use crate::schedule::{Decision, End, Records, Schedule, Standing};
use crate::trial::{State, Trial};
use std::collections::{BTreeMap, HashMap};

/// The schedule of a run, and what it sees.
pub struct Rungs<'a> {
    schedule: &'a dyn Schedule,
    direction: Direction,
    records: Records,
    /// Rungs passed, of trials that have passed one and may come to another.
    passed: HashMap<u64, usize>,
    /// The rung that each waiting trial waits at.
    waiting: BTreeMap<u64, usize>,
}

impl<'a> Rungs<'a> {
    /// With no trial yet. `passed` are the rungs that trials of the study had passed before this run.
    pub fn new(
        schedule: &'a dyn Schedule,
        direction: Direction,
        passed: HashMap<u64, usize>,
        folds: usize,
    ) -> Self {
        let folds = if schedule.needs_folds() { folds } else { 0 };
        let records = Records::new(direction, folds);
        Self { schedule, direction, records, passed, waiting: BTreeMap::new() }
    }

    /// (rung) The epochs after which a trial stands at a rung.
    pub fn epochs(&self, number: u64, steps_per_epoch: u64) -> Vec<u32> {
        self.schedule.rungs(number, steps_per_epoch)
    }

    /// The first number of the trials that one must be under way together with.
    pub fn cohort_start(&self, number: u64) -> u64 {
        self.schedule.cohort(number).start
    }

    /// Takes a stored trial in: the rungs it came to, and how it ended.
    pub fn resume(&mut self, trial: &Trial, rungs: &[u32]) {
        // One that ended by itself at a rung did not wait there.
        let is_complete = trial.state == State::Complete;
        let epochs = trial.history.epoch_count() - u32::from(is_complete);
        for (rung, epoch) in rungs.iter().enumerate().take_while(|(_, epoch)| **epoch <= epochs) {
            self.records.reach(trial.number, rung, &standing(trial, *epoch, self.direction));
        }
        match trial.is_open() {
            true => drop(self.wait_at(trial, rungs)),
            false => self.end(trial),
        }
    }

    /// Takes in that a trial has ended an epoch. Returns whether it has to wait for a decision.
    pub fn reach(&mut self, trial: &Trial, rungs: &[u32]) -> bool {
        let epochs = trial.history.epoch_count();
        if let Ok(rung) = rungs.binary_search(&epochs) {
            self.records.reach(trial.number, rung, &standing(trial, epochs, self.direction));
        }
        self.wait_at(trial, rungs)
    }

    fn wait_at(&mut self, trial: &Trial, rungs: &[u32]) -> bool {
        let Ok(rung) = rungs.binary_search(&trial.history.epoch_count()) else { return false };
        let waits = rung >= self.passed.get(&trial.number).copied().unwrap_or(0);
        if waits {
            self.waiting.insert(trial.number, rung);
        }
        waits
    }

    /// Whether a trial waits at a rung.
    pub fn is_waiting(&self, number: u64) -> bool {
        self.waiting.contains_key(&number)
    }

    /// Decides about the trial of the lowest number that it can decide about now. Returns it, the rungs it has
    /// come to, and what becomes of it: it waits no longer.
    pub fn decide(&mut self) -> Option<(u64, usize, Decision)> {
        // What one trial of a cohort waits for at a rung, all others there wait for too.
        let mut blocked = None;
        let (number, rung, decision) = self.waiting.iter().find_map(|(&number, &rung)| {
            let place = Some((self.cohort_start(number), rung));
            if blocked == place {
                return None;
            }
            let decision = self.schedule.decide(&self.records, number, rung);
            blocked = if decision.is_none() { place } else { blocked };
            Some((number, rung, decision?))
        })?;
        self.waiting.remove(&number);
        self.passed.insert(number, rung + 1);
        Some((number, rung + 1, decision))
    }

    /// No trial of this number or a higher one is to come.
    pub fn set_end(&mut self, end: Option<u64>) {
        self.records.set_end(end);
    }

    /// Takes in that a trial has ended.
    pub fn end(&mut self, trial: &Trial) {
        let end = match trial.state {
            State::Complete => End::Complete(standing(trial, trial.history.epoch_count(), self.direction)),
            State::Pruned => End::Pruned,
            _ => End::Lost,
        };
        self.records.finish(trial.number, &end);
        self.passed.remove(&trial.number);
        self.waiting.remove(&trial.number);
    }

    /// Forgets what no decision on a trial from this number on looks at.
    pub fn forget_before(&mut self, lowest_open: u64) {
        self.records.forget_before(self.schedule.looks_back_to(lowest_open));
    }
}

/// How good a trial was after so many epochs, at least 1: the best since it last took over from another.
fn standing(trial: &Trial, epochs: u32, direction: Direction) -> Standing {
    let history = &trial.history;
    let since = trial.lineage.last().map_or(0, |last| last.epoch);
    // Of rungs before that nothing is decided any more.
    let since = if since < epochs { since } else { 0 };
    let (mut value, mut epoch) = (f64::NAN, since + 1);
    for (at, mean) in (1..=epochs).zip(history.mean_values()).skip(since as usize) {
        if direction.better(mean, value) {
            (value, epoch) = (mean, at);
        }
    }
    let folds = history.at(epoch).iter().map(|fold| fold.score.value).collect();
    Standing { value, folds }
}
