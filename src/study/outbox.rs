//! What a run has to write: everything of one step goes to the disk in one transaction.

use super::checkpoint::FoldState;
use super::store::{BestModels, Store};
use crate::error::Result;
use crate::trial::{State, Succession, Trial};

/// What goes to the disk in the next transaction.
#[derive(Default)]
pub struct Outbox {
    /// Trials admitted at their beginning. Each gets a row before any later one has ended, so that the
    /// numbers in the store have no gaps.
    pub begun: Vec<Trial>,
    /// Trials whose rows change in their state alone, and stay what their checkpoints belong to.
    pub states: Vec<(u64, State)>,
    /// Trials that took over the state of others; what they are now is among the checkpoints.
    pub successions: Vec<(u64, Succession)>,
    /// Rungs that trials have passed.
    pub passed: Vec<(u64, usize)>,
    /// How the decision functions of kernel machines were found: trial, fold, JSON.
    pub solvers: Vec<(u64, usize, String)>,
    /// Trials that go on, and where they stand.
    pub checkpoints: Vec<(Trial, Vec<FoldState>)>,
    /// Trials that have ended.
    pub finished: Vec<Trial>,
    /// The models of the best trial, where that is a new one.
    pub best: Option<BestModels>,
}

impl Outbox {
    /// Whether it holds what must not wait.
    pub fn is_due(&self) -> bool {
        !self.finished.is_empty() || !self.checkpoints.is_empty()
    }

    /// Writes everything; it is on the disk when this returns.
    pub fn commit(&self, store: &mut Store) -> Result<()> {
        let is_quiet = self.begun.is_empty() && self.states.is_empty() && self.passed.is_empty();
        if is_quiet && !self.is_due() {
            return Ok(());
        }
        let writer = store.begin()?;
        for trial in &self.begun {
            writer.trial(trial)?;
        }
        for (number, state) in &self.states {
            writer.state(*number, *state)?;
        }
        for (trial, folds) in &self.checkpoints {
            writer.trial(trial)?;
            writer.checkpoint(trial.number, folds)?;
        }
        for (number, succession) in &self.successions {
            writer.succession(*number, succession)?;
        }
        writer.passed(&self.passed)?;
        writer.solvers(&self.solvers)?;
        for trial in &self.finished {
            writer.trial(trial)?;
        }
        if let Some(best) = &self.best {
            writer.best_models(best)?;
        }
        writer.commit()
    }
}
