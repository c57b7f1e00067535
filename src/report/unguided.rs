//! What trials found that no result led, beside those that results led: what the strategy adds.

use super::{Division, Leaderboard, Outline};
use crate::search::Unguided;

/// The trials at the opening of a study, before any result leads the strategy, and those behind them.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// How its trials were chosen.
    pub unguided: Unguided,
    /// What those of them came to that have ended, the best first; `None` for one without a value.
    pub values: Vec<Option<f64>>,
    /// What the trials behind it came to that have ended, by number.
    pub guided: Vec<Option<f64>>,
    /// The best of as many guided trials, from the first on; of all where they are fewer.
    pub guided_at_same_budget: Option<f64>,
    /// The best of all trials that the strategy proposed.
    pub best: Option<f64>,
}

impl Opening {
    /// Of a leaderboard. `None` where random search has a share of the trials, which says more; where which trials
    /// they are is not known; where none has a value; and before a grid has ended, whose cells go in an order.
    pub fn of(board: &Leaderboard) -> Option<Self> {
        let Division { share, enqueued, unguided, .. } = board.title.division;
        let (unguided, end) = unguided.filter(|_| share == 0.0)?;
        let is_own = |trial: &&Outline| trial.key.state.is_finished() && trial.key.number >= enqueued;
        let ended: Vec<&Outline> = board.outlines.iter().filter(is_own).collect();
        let split = ended.partition_point(|trial| end.is_none_or(|end| trial.key.number < end));
        let compare = |a: &f64, b: &f64| board.order.objective.compare(*a, *b);
        let best = |values: &[Option<f64>]| values.iter().flatten().copied().min_by(compare);
        let mut values: Vec<Option<f64>> = ended[..split].iter().map(|trial| trial.unled).collect();
        let guided: Vec<Option<f64>> = ended[split..].iter().map(|trial| trial.key.value()).collect();
        values.sort_by(|a, b| {
            a.is_none().cmp(&b.is_none()).then(compare(&a.unwrap_or(0.0), &b.unwrap_or(0.0)))
        });
        let is_part = matches!(unguided, Unguided::Cells(cells) if (values.len() as u64) < cells);
        (!is_part && best(&values).is_some()).then(|| Self {
            unguided,
            guided_at_same_budget: best(&guided[..values.len().min(guided.len())]),
            best: [best(&values), best(&guided)].into_iter().flatten().min_by(compare),
            values,
            guided,
        })
    }

    /// How its trials were chosen, in a word.
    pub fn how(&self) -> &'static str {
        match self.unguided {
            Unguided::Random => "random",
            Unguided::Even | Unguided::EvenUntil(_) => "even",
            Unguided::Cells(_) => "grid",
        }
    }
}
