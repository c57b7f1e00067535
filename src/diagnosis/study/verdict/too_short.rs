//! Curves of so few epochs that they say nothing.

use super::super::losses::FEWEST_EPOCHS;
use super::{Case, Opinion, Verdict};
use crate::trial::State;

/// Too short.
pub struct TooShort;

impl Verdict for TooShort {
    fn name(&self) -> &'static str {
        "too_short"
    }
    fn meaning(&self) -> &'static str {
        "too few epochs to say anything of the fit"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let epochs = case.losses?.validation.len();
        let (cause, advice) = match case.trial.state {
            State::Pruned => ("the schedule stopped it", "a larger min_epochs, where such trials matter"),
            State::Complete => ("max_epochs or patience ended it", "a larger max_epochs"),
            _ => ("it has not ended", "the same command again, once it has"),
        };
        let seen = format!("{}; a curve takes {FEWEST_EPOCHS} epochs at least", case.text());
        (epochs < FEWEST_EPOCHS).then(|| Opinion::new(seen, cause, advice))
    }
}
