//! The members of one trial on the engine, one per fold, trained in step.
//!
//! Where the device cannot hold all of them at once they take turns within each epoch: those that wait
//! are snapshots meanwhile. A member's bits do not depend on it.

use crate::engine::{Engine, MemberId, Report, Snapshot};
use crate::error::{ErrorKind, Result};
use crate::model::recipe::Member;
use std::collections::HashMap;

/// Names members for the engine, and knows whose they are.
#[derive(Default)]
pub struct Names {
    next: MemberId,
    /// Trial and fold of each member on the engine.
    homes: HashMap<MemberId, (u64, usize)>,
}

impl Names {
    fn new_name(&mut self, trial: u64, fold: usize) -> MemberId {
        let id = self.next;
        self.next += 1;
        self.homes.insert(id, (trial, fold));
        id
    }

    fn forget(&mut self, ids: &[MemberId]) {
        for id in ids {
            self.homes.remove(id);
        }
    }

    /// Trial and fold of a member; `None` where it was retired.
    pub fn home(&self, id: MemberId) -> Option<(u64, usize)> {
        self.homes.get(&id).copied()
    }
}

/// Where a member is.
enum Seat {
    /// On the engine.
    Taken(MemberId),
    /// Waiting for its turn; `None` at its initial parameters.
    Left(Option<Snapshot>),
}

/// The members of one trial.
pub struct Folds {
    trial: u64,
    /// (fold)
    members: Vec<Member>,
    /// (fold)
    seats: Vec<Seat>,
    /// (fold) of the epoch in training; `None` while it is to come.
    reports: Vec<Option<Report>>,
    /// Reports that the engine was asked for.
    awaited: usize,
}

impl Folds {
    /// Members at their initial parameters, or at those of a checkpoint with one snapshot per fold. None
    /// is on the engine yet.
    pub fn new(trial: u64, members: Vec<Member>, checkpoint: Vec<Snapshot>) -> Self {
        let mut snapshots = checkpoint.into_iter();
        let seats = members.iter().map(|_| Seat::Left(snapshots.next())).collect();
        let reports = vec![None; members.len()];
        Self { trial, members, seats, reports, awaited: 0 }
    }

    /// Puts on the engine, in the order of folds, those that still have to report this epoch, as far as
    /// it has room. Returns how many of them wait for another turn; an error where none found room.
    pub fn sit(&mut self, engine: &mut dyn Engine, names: &mut Names) -> Result<usize> {
        let mut seated = 0;
        for fold in 0..self.members.len() {
            let Seat::Left(snapshot) = &self.seats[fold] else { continue };
            if self.reports[fold].is_some() {
                continue;
            }
            let id = names.new_name(self.trial, fold);
            let member = self.members[fold].clone();
            let admitted = match snapshot {
                Some(snapshot) => engine.restore(id, member, snapshot),
                None => engine.admit(id, member),
            };
            if let Err(error) = admitted {
                names.forget(&[id]);
                let is_full = error.kind == ErrorKind::Device && seated > 0;
                return if is_full { Ok(self.waiting()) } else { Err(error) };
            }
            self.seats[fold] = Seat::Taken(id);
            seated += 1;
        }
        Ok(self.waiting())
    }

    fn waiting(&self) -> usize {
        let waits =
            |(seat, report): (&Seat, &Option<Report>)| matches!(seat, Seat::Left(_)) && report.is_none();
        self.seats.iter().zip(&self.reports).filter(|&pair| waits(pair)).count()
    }

    fn ids(&self) -> Vec<MemberId> {
        let taken = |seat: &Seat| match seat {
            Seat::Taken(id) => Some(*id),
            Seat::Left(_) => None,
        };
        self.seats.iter().filter_map(taken).collect()
    }

    /// Whether the device cannot hold all members at once.
    pub fn take_turns(&self) -> bool {
        self.seats.iter().any(|seat| matches!(seat, Seat::Left(_)))
    }

    /// Whether the engine is at work for this trial.
    pub fn is_training(&self) -> bool {
        self.awaited > 0
    }

    /// Asks the engine for one epoch of the members it holds.
    pub fn train(&mut self, engine: &mut dyn Engine) -> Result<()> {
        let ids = self.ids();
        engine.train(&ids)?;
        self.awaited = ids.len();
        Ok(())
    }

    /// Takes in a report. Returns those of all folds, in order, once the epoch is complete; until then
    /// members that wait get their turn.
    pub fn take(
        &mut self,
        fold: usize,
        report: Report,
        engine: &mut dyn Engine,
        names: &mut Names,
    ) -> Result<Option<Vec<Report>>> {
        self.reports[fold] = Some(report);
        self.awaited -= 1;
        if self.awaited > 0 {
            return Ok(None);
        }
        if self.waiting() > 0 {
            self.stand(engine, names)?;
            self.sit(engine, names)?;
            self.train(engine)?;
            return Ok(None);
        }
        Ok(Some(self.reports.iter_mut().filter_map(Option::take).collect()))
    }

    /// Takes every member off the engine, keeping its state.
    fn stand(&mut self, engine: &mut dyn Engine, names: &mut Names) -> Result<()> {
        let ids = self.ids();
        let mut snapshots = engine.snapshot(&ids)?.into_iter();
        for seat in &mut self.seats {
            if let Seat::Taken(_) = seat {
                *seat = Seat::Left(snapshots.next());
            }
        }
        engine.retire(&ids);
        names.forget(&ids);
        Ok(())
    }

    /// Keeps every member's parameters as they are now.
    pub fn keep(&mut self, engine: &mut dyn Engine) -> Result<()> {
        for seat in &mut self.seats {
            if let Seat::Left(Some(snapshot)) = seat {
                snapshot.kept = Some(snapshot.parameters.clone());
            }
        }
        engine.keep(&self.ids())
    }

    /// (fold) The states of all members, between two epochs.
    pub fn snapshot(&self, engine: &mut dyn Engine) -> Result<Vec<Snapshot>> {
        let mut taken = engine.snapshot(&self.ids())?.into_iter();
        let state = |seat: &Seat| match seat {
            Seat::Taken(_) => taken.next(),
            Seat::Left(snapshot) => snapshot.clone(),
        };
        Ok(self.seats.iter().filter_map(state).collect())
    }

    /// Takes every member off the engine for good.
    pub fn retire(&self, engine: &mut dyn Engine, names: &mut Names) {
        let ids = self.ids();
        engine.retire(&ids);
        names.forget(&ids);
    }
}
