//! A trial that fails on its own training rows as on others, where better can be had.

use super::super::capacity;
use super::super::under_fitting::is_close;
use super::{Case, Opinion, Verdict};
use crate::model::hyperparameter::Capacity;

/// Under-fitting.
pub struct UnderFitting;

impl Verdict for UnderFitting {
    fn name(&self) -> &'static str {
        "under_fitting"
    }
    fn meaning(&self) -> &'static str {
        "training rows are failed on as much as validation rows, and other trials do better, or may"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let record = case.whole.record;
        let more = format!("more capacity: {}", capacity::change(record, case.trial, Capacity::Raises));
        if case.is_near_best() || case.ties_with_best() {
            let lacking = case.whole.lacking.as_ref().filter(|_| case.is_alike())?;
            return Some(Opinion::new(
                format!("{}; {}", case.text(), lacking.evidence()),
                lacking.cause(),
                more,
            ));
        }
        // It fails on its own training rows by more than the best does on rows it has not seen. Where the training loss
        // fell on behind the least validation loss, training rows can be learned.
        let losses = case.losses?;
        let train = losses.train_at_best().min(losses.train_at_end());
        if !is_close(losses.train_at_best(), losses.least()) || !case.is_worse_than_best(train) {
            return None;
        }
        let seen = format!("{}; {}", case.text(), case.best_text());
        Some(match case.better_no_larger() {
            Some(number) => Opinion::new(
                seen,
                format!("its steps do not get there: trial {number} has no more capacity and does better"),
                format!("learning_rate, optimizer and batch_size as in trial {number}"),
            ),
            None => Opinion::new(
                seen,
                "a model too small, or held back too much, or steps that do not get there: none with as little capacity \
                 does better",
                format!("{more}; another learning_rate"),
            ),
        })
    }
}
