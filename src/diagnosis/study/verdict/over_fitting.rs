//! A trial that learns its training rows by heart.

use super::super::capacity;
use super::super::mismatch::Sign;
use super::super::over_fitting::{CAUSE, is_apart, turns_up};
use super::{Case, Opinion, Verdict};
use crate::model::hyperparameter::Capacity;

/// Over-fitting.
pub struct OverFitting;

impl Verdict for OverFitting {
    fn name(&self) -> &'static str {
        "over_fitting"
    }
    fn meaning(&self) -> &'static str {
        "training rows are learned by heart: validation loss stays far above training loss, or turns up"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let losses = case.losses?;
        let (turned, is_apart) = (turns_up(losses), is_apart(losses.train_at_best(), losses.least()));
        // What the whole study shows is a mismatch, which was asked for before.
        if !turned && !is_apart && !Sign::Useless.is_of(losses) {
            return None;
        }
        let after = match turned {
            true => format!(
                "; then it rose by {:.2}, while the training loss fell to {:.2}",
                losses.at_end() - losses.least(),
                losses.train_at_end()
            ),
            false => format!("; the training loss ends at {:.2}", losses.train_at_end()),
        };
        let less = capacity::change(case.whole.record, case.trial, Capacity::Lowers);
        let stop = if turned { "; a smaller patience" } else { "" };
        let advice = format!("less capacity: {less}{stop}; more rows");
        Some(Opinion::new(format!("{}{after}", case.text()), CAUSE, advice))
    }
}
