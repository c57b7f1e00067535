//! What a leaderboard says of all trials together, also of those that it does not show.

use crate::trial::{RankKey, Trial};

/// A trial without what takes memory: its hyperparameters and its curves.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Its number, its state and its score.
    pub key: RankKey,
    /// What it came to before it took over from another: what follows others is led by results.
    pub unled: Option<f64>,
    /// For a failed trial, why.
    pub failure: Option<Box<str>>,
}

impl Outline {
    /// Of a trial.
    pub fn of(trial: &Trial) -> Self {
        let before = trial.lineage.first().map(|first| first.value);
        Self {
            key: trial.rank_key(),
            unled: before.or_else(|| trial.value()).filter(|value| value.is_finite()),
            failure: trial.failure.as_deref().map(Box::from),
        }
    }
}
