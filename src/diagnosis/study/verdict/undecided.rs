//! A high loss on training and validation rows alike, of which too few trials say what it comes from.

use super::super::noise_limited::FEWEST_TRIALS;
use super::{Case, Opinion, Verdict};

/// Undecided.
pub struct Undecided;

impl Verdict for Undecided {
    fn name(&self) -> &'static str {
        "undecided"
    }
    fn meaning(&self) -> &'static str {
        "models too small, or noise: too few trials to tell"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        // Of more than are asked for it does not matter how many.
        let complete = case.whole.record.complete().take(FEWEST_TRIALS).count();
        let holds = case.whole.is_alike && case.is_alike() && complete < FEWEST_TRIALS;
        holds.then(|| {
            Opinion::new(
                format!("{}; {}", case.text(), case.best_text()),
                format!("models too small, or noise that no model can learn: {complete} complete trials do not tell"),
                format!("{FEWEST_TRIALS} complete trials or more, of models of several sizes"),
            )
        })
    }
}
