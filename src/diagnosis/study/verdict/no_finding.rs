//! A trial that others do better than, though its curves show no fault.

use super::{Case, Opinion, Verdict};

/// Nothing found.
pub struct NoFinding;

impl Verdict for NoFinding {
    fn name(&self) -> &'static str {
        "no_finding"
    }
    fn meaning(&self) -> &'static str {
        "other trials do better, and the curves do not say why"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        Some(Opinion::new(
            format!("{}; {}", case.text(), case.best_text()),
            "neither too small nor too large by its curves",
            "what the best trials have: manytune show RUN, and --importance",
        ))
    }
}
