//! A loss that grew while it stayed a number, of a trial that came to nothing good.

use super::super::learning_rate_too_high::surely_jumps;
use super::diverged::of_steps;
use super::{Case, Opinion, Verdict};

/// Unstable.
pub struct Unstable;

impl Verdict for Unstable {
    fn name(&self) -> &'static str {
        "unstable"
    }
    fn meaning(&self) -> &'static str {
        "the loss jumped up on the way"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        // Of one of the best trials a jump has done no harm.
        let jumped = case.losses.is_some_and(surely_jumps) && !case.is_near_best() && !case.ties_with_best();
        jumped.then(|| of_steps(case, format!("{}: {}; {}", self.meaning(), case.text(), case.best_text())))
    }
}
