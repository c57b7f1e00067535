//! A loss that became infinite or not a number.

use super::super::learning_rate_too_high::{CAUSE, LEARNING_RATE, advice, rate};
use super::super::region::short;
use super::{Case, Opinion, Verdict};
use crate::trial::State;

/// Diverged.
pub struct Diverged;

impl Verdict for Diverged {
    fn name(&self) -> &'static str {
        "diverged"
    }
    fn meaning(&self) -> &'static str {
        "a loss became infinite or not a number"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        (case.trial.state == State::Diverged).then(|| {
            let at = case.trial.diverged_at_step.map_or(String::new(), |step| format!(" at step {step}"));
            of_steps(case, format!("{}{at}", self.meaning()))
        })
    }
}

/// A loss that grew, with what may be done about its steps.
pub(super) fn of_steps(case: &Case<'_>, seen: String) -> Opinion {
    let Some(own) = rate(case.trial) else {
        return Opinion::new(
            seen,
            CAUSE,
            "learning_rate by factors of 10 below its default; clip_norm = 1.0",
        );
    };
    let seen = format!("{seen}, with {LEARNING_RATE} = {}", short(own));
    let well = case.whole.grew.iter().filter(|(_, grew)| !grew).filter_map(|(trial, _)| rate(trial));
    // Where others train with as large a rate, it is what goes with it.
    match well.fold(f64::NEG_INFINITY, f64::max) >= own {
        true => Opinion::new(
            seen,
            "steps too large for this configuration: other trials train with as large a learning_rate",
            "a smaller learning_rate beside the rest of this configuration; clip_norm = 1.0; warmup_epochs",
        ),
        false => Opinion::new(seen, CAUSE, advice(&case.whole.grew, None)),
    }
}
