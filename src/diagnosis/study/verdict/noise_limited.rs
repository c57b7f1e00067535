//! A trial at the floor that models of all sizes come to.

use super::super::noise_limited::{ADVICE, CAUSE};
use super::{Case, Opinion, Verdict};

/// Noise-limited.
pub struct NoiseLimited;

impl Verdict for NoiseLimited {
    fn name(&self) -> &'static str {
        "noise_limited"
    }
    fn meaning(&self) -> &'static str {
        "it comes to a loss that no size of model gets below: what is left is noise, or needs other columns"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let floor = case.whole.floor.as_ref().filter(|_| case.is_alike() && case.is_near_best())?;
        let seen = format!(
            "{}; {}, and whatever the size of the model: {}",
            case.text(),
            case.best_text(),
            floor.compared
        );
        Some(Opinion::new(seen, CAUSE, ADVICE))
    }
}
