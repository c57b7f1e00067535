//! Acts on what the schedule decides about the trials that wait at rungs.

use super::checkpoint::FoldState;
use super::runner::{Active, Runner};
use super::schema;
use super::succession::{Explore, explore};
use crate::error::{Error, Result};
use crate::schedule::Decision;
use crate::trial::{State, Succession, Trial};
use std::time::Instant;

impl Runner<'_> {
    /// Decides about the trials that wait at rungs, as far as is possible now. Returns whether it has about any.
    pub(super) fn decide(&mut self) -> Result<bool> {
        self.rungs.set_end(self.run.window.end());
        let (mut any, mut takes_over, mut going_on) = (false, false, Vec::new());
        while let Some((number, passed, decision)) = self.rungs.decide() {
            any = true;
            match decision {
                Decision::Stop => {
                    self.prune(number)?;
                    continue;
                }
                Decision::Continue => {}
                Decision::TakeOver { donor, resample } => {
                    self.take_over(number, donor, resample)?;
                    takes_over = true;
                }
            }
            self.outbox.passed.push((number, passed));
            going_on.push(number);
        }
        // Only now: until all have taken over what they do, none may train.
        going_on.into_iter().try_for_each(|number| self.go_on(number))?;
        if takes_over {
            self.write()?;
        }
        Ok(any)
    }

    fn go_on(&mut self, number: u64) -> Result<()> {
        if let Some(active) = self.active.get_mut(&number) {
            active.parked = None;
            active.folds.train(self.run.engine)?;
        } else if let Some(trial) = self.frozen.remove(&number) {
            self.waiting.insert(number, trial);
        }
        Ok(())
    }

    fn prune(&mut self, number: u64) -> Result<()> {
        if let Some(active) = self.active.remove(&number) {
            return self.finish(active, State::Pruned).map(drop);
        }
        if let Some(mut trial) = self.frozen.remove(&number) {
            trial.state = State::Pruned;
            self.end(trial);
        }
        Ok(())
    }

    /// Gives a trial the state of another that waits at the same rung, and its hyperparameters, changed. What
    /// it is now is on the disk before anything is trained from it: the donor may be gone when the run is gone
    /// on with. On the engine the state is copied there.
    fn take_over(&mut self, number: u64, donor: u64, resample: f64) -> Result<()> {
        let (giver, states) = self.standing_of(donor)?;
        let old = self.active.remove(&number);
        let frozen = self.frozen.remove(&number);
        let (mut trial, began) = match &old {
            Some(Active { trial, began, .. }) => (trial.clone(), Some(*began)),
            None => (frozen.ok_or_else(|| lost(number))?, None),
        };
        let epoch = giver.history.epoch_count();
        let chance = Explore { seed: self.run.seed, number, epoch, resample };
        let configuration = explore(self.run.window.space(), &giver.configuration, chance, self.run.build);
        let before = std::mem::replace(&mut trial.configuration, configuration);
        let value = trial.history.best().map_or(f64::NAN, |best| best.score.value);
        let succession = Succession { epoch, donor, value, before };
        trial.lineage.push(succession.clone());
        trial.history = giver.history.clone();
        trial.history.take_over();
        trial.seconds = began.map_or(trial.seconds, |began| began.elapsed().as_secs_f64());
        self.outbox.successions.push((number, succession));
        self.outbox.checkpoints.push((trial.clone(), states.clone()));
        if let Some(active) = old {
            active.folds.retire(self.run.engine, &mut self.names);
            return self.copy_on_engine(active, trial, donor, states);
        }
        self.frozen.insert(number, trial);
        Ok(())
    }

    /// A trial that waits, and where its folds stand.
    fn standing_of(&mut self, number: u64) -> Result<(Trial, Vec<FoldState>)> {
        if let Some(active) = self.active.get(&number) {
            return Ok((active.trial.clone(), active.folds.states(self.run.engine)?));
        }
        let trial = self.frozen.get(&number).ok_or_else(|| lost(number))?.clone();
        let states = self.run.store.checkpoint(number)?;
        let is_whole =
            !states.is_empty() && states.iter().all(|state| state.is_after(trial.history.epoch_count()));
        match is_whole {
            true => Ok((trial, states)),
            false => {
                Err(schema::damaged(self.run.store.folder(), format!("trial {number} has no checkpoint")))
            }
        }
    }

    /// Copies the members of the donor for a trial that was on the engine, or leaves it to be admitted from the
    /// store where that is not possible.
    fn copy_on_engine(
        &mut self,
        old: Active,
        trial: Trial,
        donor: u64,
        states: Vec<FoldState>,
    ) -> Result<()> {
        let number = trial.number;
        let members = self.members(&trial.configuration)?;
        if let Some(giver) = self.active.get(&donor) {
            let copied = giver.folds.copy_to(number, members, states, self.run.engine, &mut self.names)?;
            if !copied.take_turns() {
                let parked = Some(Instant::now());
                self.active.insert(number, Active { trial, folds: copied, parked, ..old });
                return Ok(());
            }
            copied.retire(self.run.engine, &mut self.names);
        }
        self.frozen.insert(number, trial);
        Ok(())
    }
}

fn lost(number: u64) -> Error {
    Error::device("schedule", format!("trial {number} does not wait at a rung"))
        .advice("run the same command again: it goes on where it stopped")
}
