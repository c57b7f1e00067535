//! What a run has to write: everything of one step goes to the disk in one transaction.

use super::checkpoint::FoldState;
use super::store::{BestModels, Store};
use crate::error::Result;
use crate::trial::{State, Trial};

/// What goes to the disk in the next transaction.
#[derive(Default)]
pub struct Outbox {
    /// Trials admitted at their beginning. Each gets a row before any later one has ended, so that the
    /// numbers in the store have no gaps.
    pub begun: Vec<Trial>,
    /// Numbers of trials admitted from a checkpoint: their rows stay what the checkpoint belongs to.
    pub resumed: Vec<u64>,
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
        if self.begun.is_empty() && self.resumed.is_empty() && !self.is_due() {
            return Ok(());
        }
        let writer = store.begin()?;
        for trial in &self.begun {
            writer.trial(trial)?;
        }
        for number in &self.resumed {
            writer.state(*number, State::Running)?;
        }
        for (trial, folds) in &self.checkpoints {
            writer.trial(trial)?;
            writer.checkpoint(trial.number, folds)?;
        }
        for trial in &self.finished {
            writer.trial(trial)?;
        }
        if let Some(best) = &self.best {
            writer.best_models(best)?;
        }
        writer.commit()
    }
}
