//! The trials of a search that is asked and told, from one end to the other.

use crate::space::Configuration;

/// A trial to evaluate.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// From 0, without gaps.
    pub number: u64,
    /// What to try.
    pub configuration: Configuration,
}

/// What became of a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It is not told yet.
    Pending,
    /// Its objective.
    Complete(f64),
    /// Its objective where it was stopped.
    Pruned(f64),
    /// It came to nothing.
    Failed,
}

/// A trial of a search that goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// What was tried.
    pub configuration: Configuration,
    /// What became of it.
    pub outcome: Outcome,
    /// Its values on the way, by step; only a schedule looks at them.
    pub intermediates: Vec<(u64, f64)>,
    /// Of how many rungs the schedule knew when it ended.
    pub rungs: usize,
    /// Whether the schedule had stopped it before it ended, as whatever.
    pub is_stopped: bool,
}

impl Past {
    /// A trial of which no schedule knew.
    pub const fn new(configuration: Configuration, outcome: Outcome) -> Self {
        Self { configuration, outcome, intermediates: Vec::new(), rungs: 0, is_stopped: false }
    }
}

/// The best of the trials that are complete.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The trial's number.
    pub number: u64,
    /// What was tried.
    pub configuration: Configuration,
    /// Its objective.
    pub value: f64,
}
