//! Who is on the engine: trials are admitted while there is room, and those that wait at a rung make room for
//! those that could train.
//!
//! A trial that waits stays on the device, untrained. Where another finds no room it is *frozen*: checkpointed
//! in the store and taken off; decided to go on, it is thawed from there, bit for bit where it stood. Who is on
//! the device when changes no result.

use super::checkpoint::FoldState;
use super::folds::Folds;
use super::run::Event;
use super::runner::{Active, Runner};
use super::schema;
use crate::error::{Error, ErrorKind, Result};
use crate::model::recipe::Member;
use crate::search::Next;
use crate::space::Configuration;
use crate::trial::{State, Trial};
use std::time::{Duration, Instant};

/// A trial that waits is left on the device for so long while others train: freezing and thawing it takes
/// about as long, and most decisions come sooner.
const FREEZE_AFTER: Duration = Duration::from_millis(100);

/// What came of an attempt to admit a trial.
enum Admitted {
    /// It trains, or cannot be trained at all.
    Settled,
    /// The device is full now.
    Full(Trial),
}

impl Runner<'_> {
    /// Admits trials while the engine has room for all folds of one; one trial always. Returns whether any
    /// was admitted, or failed.
    pub(super) fn fill(&mut self) -> Result<bool> {
        let mut any = false;
        while !self.is_taken_alone() {
            let Some(trial) = self.next_trial()? else { break };
            let members = match self.members(&trial.configuration) {
                Ok(members) => members,
                Err(error) => {
                    self.fail(trial, &error);
                    any = true;
                    continue;
                }
            };
            match self.admit_or_freeze(trial, members)? {
                Admitted::Settled => any = true,
                Admitted::Full(trial) => {
                    self.waiting.insert(trial.number, trial);
                    break;
                }
            }
        }
        Ok(any)
    }

    /// Whether a trial trains whose folds take turns: it has the device for itself.
    fn is_taken_alone(&self) -> bool {
        self.active.values().any(|active| active.parked.is_none() && active.folds.take_turns())
    }

    /// A trial that is known already before a new one, the lowest number first.
    fn next_trial(&mut self) -> Result<Option<Trial>> {
        if let Some((_, trial)) = self.waiting.pop_first() {
            return Ok(Some(trial));
        }
        let rungs = &self.rungs;
        let next = self.run.window.next(|number| rungs.cohort_start(number))?;
        for remark in self.run.window.remarks() {
            self.run.watch.event(&Event::Remark(&remark))?;
        }
        Ok(match next {
            Next::Trial(number, configuration) => {
                self.next_number = number + 1;
                Some(Trial::new(number, configuration, self.order, self.run.dataset.folds.len()))
            }
            Next::Wait | Next::Exhausted => None,
        })
    }

    /// One member per fold; an error where the configuration cannot be trained.
    pub(super) fn members(&self, configuration: &Configuration) -> Result<Vec<Member>> {
        let (network, recipe) = (self.run.build)(configuration)?;
        let member = |fold| Member { fold, repeat: 0, network: network.clone(), recipe: recipe.clone() };
        let members: Vec<Member> = (0..self.run.dataset.folds.len()).map(member).collect();
        self.run.engine.check(&members[0])?;
        Ok(members)
    }

    /// Admits a trial, in the place of trials that wait where there is no other.
    fn admit_or_freeze(&mut self, mut trial: Trial, members: Vec<Member>) -> Result<Admitted> {
        loop {
            let waits_in_turns = self.active.values().any(|active| active.folds.take_turns());
            let has_room = self.active.is_empty()
                || (!waits_in_turns && self.run.engine.room(&members[0]) >= members.len());
            if has_room {
                match self.admit(trial, members.clone())? {
                    Admitted::Full(back) => trial = back,
                    Admitted::Settled => return Ok(Admitted::Settled),
                }
            }
            if !self.freeze()? {
                return Ok(Admitted::Full(trial));
            }
        }
    }

    /// Gives a trial to the engine, from its checkpoint where it has one. One whose folds do not fit together
    /// on an empty device has it alone, fold by fold; one that does not fit at all fails.
    fn admit(&mut self, mut trial: Trial, members: Vec<Member>) -> Result<Admitted> {
        let number = trial.number;
        let mut states = self.run.store.checkpoint(number)?;
        let at_checkpoint = |state: &FoldState| state.is_after(trial.history.epoch_count());
        let has_work = states.iter().any(|state| state.outcome.is_none());
        if states.len() != members.len() || !states.iter().all(at_checkpoint) || !has_work {
            if !trial.lineage.is_empty() {
                let found = format!("trial {number} has no checkpoint");
                return Err(schema::damaged(self.run.store.folder(), found));
            }
            states.clear();
            trial = Trial::new(number, trial.configuration, self.order, members.len());
        }
        let is_resumed = !states.is_empty();
        let rungs = self.rungs.epochs(number, self.steps_per_epoch(&members[0].recipe));
        let mut folds = Folds::new(number, members, states);
        let is_alone = self.active.is_empty();
        match folds.sit(self.run.engine, &mut self.names) {
            Ok(()) if is_alone || !folds.take_turns() => {}
            Err(error) if error.kind != ErrorKind::Device => return Err(error),
            Err(error) if is_alone => {
                self.fail(trial, &error);
                return Ok(Admitted::Settled);
            }
            _ => {
                folds.retire(self.run.engine, &mut self.names);
                return Ok(Admitted::Full(trial));
            }
        }
        if !is_resumed {
            let first = folds.first().map(|id| (number, 0, id));
            self.look_inside(first.as_slice())?;
        }
        folds.train(self.run.engine)?;
        trial.state = State::Running;
        if is_resumed {
            self.outbox.states.push((number, State::Running));
        } else {
            self.outbox.begun.push(trial.clone());
        }
        let now = Instant::now();
        let began = now.checked_sub(Duration::from_secs_f64(trial.seconds)).unwrap_or(now);
        self.active.insert(number, Active { trial, folds, rungs, began, saved: now, parked: None });
        Ok(Admitted::Settled)
    }

    /// Takes the trial off the device that has waited for long and is likely to wait the longest: that of the
    /// highest number. Where none trains, any that waits has waited for long enough. Returns whether there was
    /// one.
    fn freeze(&mut self) -> Result<bool> {
        let trains = self.active.values().any(|active| active.parked.is_none());
        let may_go =
            |active: &Active| active.parked.is_some_and(|since| !trains || since.elapsed() >= FREEZE_AFTER);
        let Some((&number, _)) = self.active.iter().rev().find(|(_, active)| may_go(active)) else {
            return Ok(false);
        };
        let Some(Active { mut trial, folds, began, .. }) = self.active.remove(&number) else {
            return Ok(false);
        };
        trial.seconds = began.elapsed().as_secs_f64();
        let states = folds.states(self.run.engine)?;
        folds.retire(self.run.engine, &mut self.names);
        self.outbox.checkpoints.push((trial.clone(), states));
        self.frozen.insert(number, trial);
        // On the disk before its room is taken: what is held in memory stays within what was planned.
        self.write()?;
        Ok(true)
    }

    /// A trial that cannot be trained; one that found no room is tried again when the study is.
    fn fail(&mut self, mut trial: Trial, error: &Error) {
        trial.fail(error);
        self.end(trial);
    }
}
