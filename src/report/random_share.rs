//! What random search found beside the strategy, where the study left it a share of the trials.

use super::Leaderboard;
use crate::search::{Unguided, is_random};
use crate::trial::{Order, RankKey};

/// How a study's trials were divided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Division {
    /// The strategy's name.
    pub strategy: String,
    /// The share of the trials that was drawn at random.
    pub share: f64,
    /// The first trials, which were enqueued and belong to neither.
    pub enqueued: u64,
    /// Which trials no result led, and the number of the first that results may have led, where there is one.
    pub unguided: Option<(Unguided, Option<u64>)>,
}

/// What both found, of the trials that have ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Trials drawn at random.
    pub random_count: usize,
    /// The best of them.
    pub random_value: Option<f64>,
    /// The best of the strategy's first trials, as many as were drawn at random.
    pub strategy_value_at_same_budget: Option<f64>,
    /// Trials that the strategy proposed.
    pub strategy_count: usize,
    /// The best of them.
    pub strategy_value: Option<f64>,
}

impl Comparison {
    /// Of a leaderboard; `None` where random search had no share, or none of it has ended.
    pub fn of(board: &Leaderboard) -> Option<Self> {
        let Division { share, enqueued, .. } = board.title.division;
        let ended = board.outlines.iter().map(|outline| outline.key);
        let ended = ended.filter(|trial| trial.state.is_finished() && trial.number >= enqueued);
        let (random, own): (Vec<RankKey>, Vec<RankKey>) =
            ended.partition(|trial| is_random(share, trial.number));
        let best = |trials: &[RankKey]| value_of_best(board.order, trials);
        (!random.is_empty()).then(|| Self {
            random_count: random.len(),
            random_value: best(&random),
            strategy_value_at_same_budget: best(&own[..random.len().min(own.len())]),
            strategy_count: own.len(),
            strategy_value: best(&own),
        })
    }
}

/// The best value that a trial came to, also one that the schedule then stopped: what both sides are given alike.
fn value_of_best(order: Order, trials: &[RankKey]) -> Option<f64> {
    let values = trials.iter().filter_map(|trial| trial.score).map(|score| score.value);
    values.min_by(|a, b| order.objective.compare(*a, *b))
}
