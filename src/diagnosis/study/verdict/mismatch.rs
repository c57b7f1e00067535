//! A trial that shows what the whole study does: training and validation rows are not of one kind.

use super::{Case, Opinion, Verdict};

/// Mismatch.
pub struct Mismatch;

impl Verdict for Mismatch {
    fn name(&self) -> &'static str {
        "mismatch"
    }
    fn meaning(&self) -> &'static str {
        "what is learned from training rows does not hold for validation rows, or these are far easier"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let losses = case.losses?;
        // Where other trials do not show it, it is this configuration's doing.
        let sign = *case.whole.signs.iter().find(|sign| sign.is_of(losses))?;
        let seen = format!(
            "{}; at the end the training loss is {:.2}; other trials show the same",
            case.text(),
            losses.train_at_end()
        );
        Some(Opinion::new(seen, sign.cause(), sign.advice(case.whole.record)))
    }
}
