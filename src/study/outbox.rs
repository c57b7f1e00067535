//! What a run has to write: everything of one step goes to the disk in one transaction.

use super::checkpoint::FoldState;
use super::inside::Look;
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
    /// What was seen inside trials.
    pub inside: Vec<Look>,
    /// Trials that lose their histograms.
    pub histograms_lost: Vec<u64>,
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

    /// Whether it holds states of members, which take memory.
    pub fn holds_states(&self) -> bool {
        self.best.is_some() || !self.checkpoints.is_empty()
    }

    /// Writes everything; it is on the disk when this returns.
    pub fn commit(&self, store: &mut Store) -> Result<()> {
        let is_quiet = self.begun.is_empty() && self.states.is_empty() && self.passed.is_empty();
        let has_seen = !self.inside.is_empty() || !self.histograms_lost.is_empty();
        if is_quiet && self.solvers.is_empty() && !has_seen && !self.is_due() {
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
        writer.inside(&self.inside)?;
        writer.lose_histograms(&self.histograms_lost)?;
        for trial in &self.finished {
            writer.trial(trial)?;
        }
        if let Some(best) = &self.best {
            writer.best_models(best)?;
        }
        writer.commit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineKind;
    use crate::study::store::Header;

    /// Where the folds of a trial end more than a write apart, there is nothing else to write for the first of them:
    /// what was found of its decision functions was dropped.
    #[test]
    fn decision_functions_of_a_fold_alone_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let header = Header {
            name: "study".to_owned(),
            source: String::new(),
            fingerprint: String::new(),
            objective: "accuracy".to_owned(),
            tie_break: "log_loss".to_owned(),
            seed: 0,
            fold_count: 2,
            engine: EngineKind::Cpu,
            device: "a processor".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            test_value: None,
        };
        let mut store = Store::create(folder.path(), &header).unwrap();
        let outbox = Outbox { solvers: vec![(3, 1, "[]".to_owned())], ..Outbox::default() };
        outbox.commit(&mut store).unwrap();
        assert_eq!(store.solvers().unwrap()[&3], ["[]"]);
    }
}
