//! A trial that nothing in the study does clearly better than, and that shows no fault.

use super::{Case, Opinion, Verdict};

/// Well fitted.
pub struct WellFitted;

impl Verdict for WellFitted {
    fn name(&self) -> &'static str {
        "well_fitted"
    }
    fn meaning(&self) -> &'static str {
        "none does clearly better, in validation loss or in score, and the curves show no fault"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let is_tied = case.ties_with_best();
        (is_tied || case.is_near_best()).then(|| {
            let tied = if is_tied { ", and the folds do not tell its score from the best" } else { "" };
            Opinion::new(
                format!("{}; {}{tied}", case.text(), case.best_text()),
                "what it learns from training rows holds for validation rows",
                "nothing for its fit; manytune noise RUN says whether a better trial is better by luck",
            )
        })
    }
}
