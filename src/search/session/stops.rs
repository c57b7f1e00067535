//! Which of the trials under way should stop: what a schedule decides over their values on the way.
//!
//! Nobody waits here for a decision. A trial comes to a rung with the first value told at or behind the rung's
//! step, the best so far; it counts at the next rung once it has passed this one. So a decision does not depend
//! on how far trials went while it was not made, but for those that ended meanwhile by themselves.

use crate::model::metric::Direction;
use crate::schedule::{Decision, End, Records, Schedule, Standing};
use std::collections::BTreeMap;

/// A schedule, and what it sees.
pub(super) struct Stops {
    schedule: Box<dyn Schedule>,
    direction: Direction,
    records: Records,
    /// Trials under way.
    tracks: BTreeMap<u64, Track>,
}

/// A trial under way.
struct Track {
    /// (rung) Its step.
    rungs: Vec<u32>,
    /// (rung) The best so far where it came to the rung.
    reached: Vec<f64>,
    /// Rungs that the schedule knows of.
    shown: usize,
    /// Rungs that the schedule has let it pass.
    passed: usize,
    best: f64,
    is_stopped: bool,
}

impl Track {
    /// Takes a value in; whether it brings the trial to a rung.
    fn come_to(&mut self, step: u64, value: f64, direction: Direction) -> bool {
        if direction.better(value, self.best) {
            self.best = value;
        }
        let before = self.reached.len();
        let count = self.rungs[before..].iter().take_while(|rung| u64::from(**rung) <= step).count();
        self.reached.resize(before + count, self.best);
        count > 0
    }
}

impl Stops {
    /// Of no trial yet.
    pub fn new(schedule: Box<dyn Schedule>, direction: Direction) -> Self {
        Self { schedule, direction, records: Records::new(direction, 0), tracks: BTreeMap::new() }
    }

    /// A trial begins.
    pub fn begin(&mut self, number: u64) {
        let rungs = self.schedule.rungs(number, 1);
        let (reached, best) = (Vec::new(), f64::NAN);
        let track = Track { rungs, reached, shown: 0, passed: 0, best, is_stopped: false };
        self.tracks.insert(number, track);
    }

    /// A trial under way has come to a value at a step.
    pub fn report(&mut self, number: u64, step: u64, value: f64) {
        let track = self.tracks.get_mut(&number);
        if track.is_some_and(|track| track.come_to(step, value, self.direction)) {
            self.decide();
        }
    }

    /// A trial of an earlier run, by its values on the way. The schedule knew of so many of its rungs when it
    /// ended.
    pub fn replay(&mut self, number: u64, values: &[(u64, f64)], rungs: usize, end: &End) {
        let Some(mut track) = self.tracks.remove(&number) else { return };
        for (step, value) in values {
            track.come_to(*step, *value, self.direction);
        }
        for (rung, best) in track.reached.iter().enumerate().take(rungs) {
            self.records.reach(number, rung, &standing(*best));
        }
        self.records.finish(number, end);
    }

    /// A trial has ended.
    pub fn end(&mut self, number: u64, end: &End) {
        // One that was stopped has ended for the schedule already.
        if self.tracks.remove(&number).is_some_and(|track| !track.is_stopped) {
            self.records.finish(number, end);
            self.decide();
        }
        let lowest = self.tracks.first_key_value().map_or(number + 1, |(lowest, _)| *lowest);
        self.records.forget_before(self.schedule.looks_back_to(lowest));
    }

    /// The number that no trial has for as long as those before it have not ended, where that is known.
    pub fn set_end(&mut self, end: Option<u64>) {
        self.records.set_end(end);
        self.decide();
    }

    /// The trials under way that should stop.
    pub fn stopped(&self) -> Vec<u64> {
        self.tracks.iter().filter(|(_, track)| track.is_stopped).map(|(number, _)| *number).collect()
    }

    /// Whether a trial under way should stop.
    pub fn is_stopped(&self, number: u64) -> bool {
        self.tracks.get(&number).is_some_and(|track| track.is_stopped)
    }

    /// How many rungs of a trial under way the schedule knows of.
    pub fn shown(&self, number: u64) -> usize {
        self.tracks.get(&number).map_or(0, |track| track.shown)
    }

    /// Decides what can be decided, until nothing more can.
    fn decide(&mut self) {
        let Self { schedule, records, tracks, .. } = self;
        let mut has_changed = true;
        while std::mem::take(&mut has_changed) {
            for (&number, track) in tracks.iter_mut().filter(|(_, track)| !track.is_stopped) {
                while let Some(best) = track.reached.get(track.passed) {
                    if track.shown == track.passed {
                        records.reach(number, track.passed, &standing(*best));
                        track.shown += 1;
                        has_changed = true;
                    }
                    match schedule.decide(records, number, track.passed) {
                        None => break,
                        Some(Decision::Stop) => {
                            records.finish(number, &End::Pruned);
                            track.is_stopped = true;
                            has_changed = true;
                            break;
                        }
                        Some(_) => track.passed += 1,
                    }
                }
            }
        }
    }
}

fn standing(value: f64) -> Standing {
    Standing { value, folds: Vec::new() }
}
