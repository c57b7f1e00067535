//! Curves that fell still where they ended: they say nothing of the fit.

use super::super::Losses;
use super::super::learning_rate_too_low::LITTLE;
use super::super::losses::FALL;
use super::{Case, Opinion, Verdict};
use crate::trial::State;

/// Still improving.
pub struct StillImproving;

impl Verdict for StillImproving {
    fn name(&self) -> &'static str {
        "still_improving"
    }
    fn meaning(&self) -> &'static str {
        "the validation loss fell still where the curve ends: it says nothing of the fit"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let losses = case.losses.filter(|losses| losses.train_at_end() >= LITTLE)?;
        let curve = &losses.validation;
        let fallen = curve[curve.len() / 2] - losses.at_end();
        // What was not trained to its end need not fall as steadily.
        let was_cut = case.trial.state != State::Complete && fallen >= FALL && Losses::ends_low(curve);
        if !was_cut && !Losses::is_improving(curve) {
            return None;
        }
        let plan = &case.whole.record.plan;
        let (cause, advice) = match case.trial.state {
            State::Pruned => (
                "the schedule stopped it".to_owned(),
                "nothing of its own; a larger min_epochs, where many such trials might have ended well"
                    .to_owned(),
            ),
            State::Running | State::Interrupted => {
                ("it has not ended".to_owned(), "the same command again, once it has".to_owned())
            }
            _ if case.trial.history.epoch_count() >= plan.max_epochs => (
                format!("max_epochs = {} ended it", plan.max_epochs),
                format!("max_epochs = {}; a larger learning_rate", 3 * u64::from(plan.max_epochs)),
            ),
            _ => (
                format!(
                    "patience = {} ended it: the objective was no better, though the loss was",
                    plan.patience
                ),
                "a larger patience, or learning_rate".to_owned(),
            ),
        };
        let seen = format!("{}; in the second half of the epochs it fell by {fallen:.2} still", case.text());
        Some(Opinion::new(seen, cause, advice))
    }
}
