//! A trial that is no better on validation rows than always saying the same.

use super::super::capacity;
use super::super::mismatch::{Sign, has_learned_nothing};
use super::{Case, Opinion, Verdict};
use crate::model::hyperparameter::Capacity;

/// Nothing learned.
pub struct NothingLearned;

impl Verdict for NothingLearned {
    fn name(&self) -> &'static str {
        "nothing_learned"
    }
    fn meaning(&self) -> &'static str {
        "on validation rows it is no better than always saying the same"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        case.losses.filter(|losses| has_learned_nothing(losses))?;
        let record = case.whole.record;
        let (cause, advice) = match case.is_near_best() {
            true => (
                "columns that say next to nothing of the target, or too few rows to find what they say",
                Sign::Useless.advice(record),
            ),
            false => (
                "what it learns of training rows does not hold for others, though other trials find what does",
                format!("less capacity: {}", capacity::change(record, case.trial, Capacity::Lowers)),
            ),
        };
        Some(Opinion::new(format!("{}; {}", case.text(), case.best_text()), cause, advice))
    }
}
