//! The members of one trial on the engine, one per fold, trained in step.
//!
//! Where the device cannot hold all of them at once they take turns within each epoch: those that wait
//! are snapshots meanwhile. A member's bits do not depend on it, nor on being stopped between two steps.

use super::checkpoint::{FoldState, Outcome};
use crate::engine::{Engine, MemberId, Snapshot};
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
    outcomes: Vec<Option<Outcome>>,
    /// Reports that the engine was asked for.
    awaited: usize,
}

impl Folds {
    /// Members at their initial parameters, or as a checkpoint with one state per fold has them. None is
    /// on the engine yet.
    pub fn new(trial: u64, members: Vec<Member>, checkpoint: Vec<FoldState>) -> Self {
        let mut states = checkpoint.into_iter();
        let (seats, outcomes) = members
            .iter()
            .map(|_| states.next().map_or((None, None), |state| (state.snapshot, state.outcome)))
            .map(|(snapshot, outcome)| (Seat::Left(snapshot), outcome))
            .unzip();
        Self { trial, members, seats, outcomes, awaited: 0 }
    }

    /// Puts members on the engine as far as it has room, in the order of folds: first those that still
    /// have to train this epoch. An error where none found room.
    pub fn sit(&mut self, engine: &mut dyn Engine, names: &mut Names) -> Result<()> {
        let mut seated = 0;
        let mut order: Vec<usize> = (0..self.members.len()).collect();
        order.sort_by_key(|&fold| self.outcomes[fold].is_some());
        for fold in order {
            let Seat::Left(snapshot) = &self.seats[fold] else { continue };
            let id = names.new_name(self.trial, fold);
            let member = self.members[fold].clone();
            let admitted = match snapshot {
                Some(snapshot) => engine.restore(id, member, snapshot),
                None => engine.admit(id, member),
            };
            if let Err(error) = admitted {
                names.forget(&[id]);
                let is_full = error.kind == ErrorKind::Device && seated > 0;
                return if is_full { Ok(()) } else { Err(error) };
            }
            self.seats[fold] = Seat::Taken(id);
            seated += 1;
        }
        Ok(())
    }

    fn waiting(&self) -> usize {
        let waits =
            |(seat, outcome): (&Seat, &Option<Outcome>)| matches!(seat, Seat::Left(_)) && outcome.is_none();
        self.seats.iter().zip(&self.outcomes).filter(|&pair| waits(pair)).count()
    }

    fn ids(&self) -> Vec<MemberId> {
        let taken = |seat: &Seat| match seat {
            Seat::Taken(id) => Some(*id),
            Seat::Left(_) => None,
        };
        self.seats.iter().filter_map(taken).collect()
    }

    /// The member of the first fold; `None` where it waits for its turn.
    pub fn first(&self) -> Option<MemberId> {
        match self.seats.first() {
            Some(Seat::Taken(id)) => Some(*id),
            _ => None,
        }
    }

    /// Whether the device cannot hold all members at once.
    pub fn take_turns(&self) -> bool {
        self.seats.iter().any(|seat| matches!(seat, Seat::Left(_)))
    }

    /// Asks the engine for this epoch of the members it holds that have not ended it.
    pub fn train(&mut self, engine: &mut dyn Engine) -> Result<()> {
        let to_train = |(seat, outcome): (&Seat, &Option<Outcome>)| match seat {
            Seat::Taken(id) if outcome.is_none() => Some(*id),
            _ => None,
        };
        let ids: Vec<MemberId> = self.seats.iter().zip(&self.outcomes).filter_map(to_train).collect();
        engine.train(&ids)?;
        self.awaited = ids.len();
        Ok(())
    }

    /// Members of another trial in the state of these, which none trains: copied on the engine where all of
    /// these are there. Those that found no place there are left with their states.
    pub fn copy_to(
        &self,
        trial: u64,
        members: Vec<Member>,
        states: Vec<FoldState>,
        engine: &mut dyn Engine,
        names: &mut Names,
    ) -> Result<Self> {
        let mut copies = Self::new(trial, members, states);
        for (fold, from) in self.ids().into_iter().enumerate().filter(|_| !self.take_turns()) {
            let id = names.new_name(trial, fold);
            match engine.copy(id, copies.members[fold].clone(), from) {
                Ok(()) => copies.seats[fold] = Seat::Taken(id),
                Err(error) => {
                    names.forget(&[id]);
                    return if error.kind == ErrorKind::Device { Ok(copies) } else { Err(error) };
                }
            }
        }
        Ok(copies)
    }

    /// Tells the engine that the members will wait.
    pub fn rest(&self, engine: &mut dyn Engine) {
        engine.rest(&self.ids());
    }

    /// Takes in what the epoch came to for one fold. Returns that of all folds, in order, once the epoch
    /// is complete.
    pub fn take(&mut self, fold: usize, outcome: Outcome) -> Option<Vec<Outcome>> {
        self.outcomes[fold] = Some(outcome);
        self.awaited -= 1;
        let is_complete = self.outcomes.iter().all(Option::is_some);
        is_complete.then(|| self.outcomes.iter_mut().filter_map(Option::take).collect())
    }

    /// Gives members that wait their turn, once no other trains.
    pub fn change_turns(&mut self, engine: &mut dyn Engine, names: &mut Names) -> Result<()> {
        if self.awaited > 0 || self.waiting() == 0 {
            return Ok(());
        }
        self.stand(engine, names)?;
        self.sit(engine, names)?;
        self.train(engine)
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

    /// (fold) Where all members stand, while none is being trained.
    pub fn states(&self, engine: &mut dyn Engine) -> Result<Vec<FoldState>> {
        let mut taken = engine.snapshot(&self.ids())?.into_iter();
        let state = |(seat, outcome): (&Seat, &Option<Outcome>)| {
            let snapshot = match seat {
                Seat::Taken(_) => taken.next(),
                Seat::Left(snapshot) => snapshot.clone(),
            };
            FoldState { snapshot, outcome: *outcome }
        };
        Ok(self.seats.iter().zip(&self.outcomes).map(state).collect())
    }

    /// Takes every member off the engine for good.
    pub fn retire(&self, engine: &mut dyn Engine, names: &mut Names) {
        let ids = self.ids();
        engine.retire(&ids);
        names.forget(&ids);
    }
}
