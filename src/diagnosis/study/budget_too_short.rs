//! Best trials that were getting better still when their epochs ran out.

use super::learning_rate_too_low::Slow;
use super::losses::is_late;
use super::record::{Record, listed, median};
use super::{Diagnosis, Losses};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::trial::Trial;

/// Too few epochs.
pub struct BudgetTooShort;

/// Share of the leaders that must be falling still.
const MOST_LEADERS: f64 = 0.6;

impl Diagnosis for BudgetTooShort {
    fn name(&self) -> &'static str {
        "budget_too_short"
    }
    fn healthy(&self) -> &'static str {
        "the best trials had epochs enough"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.curves().next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let most = record.plan.max_epochs;
        let leaders = record.leading_curves();
        let is_cut = |(trial, losses): &&(&Trial, &Losses)| {
            let is_late = trial.best().is_some_and(|best| is_late(best.epoch, most));
            is_late && Losses::is_falling(&losses.validation)
        };
        let cut: Vec<&(&Trial, &Losses)> = leaders.iter().filter(is_cut).collect();
        // Where steps are too small more epochs are the dear way.
        if cut.is_empty()
            || (cut.len() as f64) < MOST_LEADERS * leaders.len() as f64
            || Slow::of(record).is_some()
        {
            return Ok(Vec::new());
        }
        let fallen = cut.iter().map(|(_, losses)| {
            let half = losses.validation[losses.validation.len() / 2];
            (half - losses.at_end()) / half
        });
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: listed(cut.iter().map(|(trial, _)| *trial)),
            seen: format!(
                "{} of the {} best trials were at their best after all {most} epochs; in the second half of them \
                 the validation loss fell by {:.0} % still",
                cut.len(),
                leaders.len(),
                100.0 * median(fallen)
            ),
            cause: "too few epochs for these learning rates".to_owned(),
            advice: format!("max_epochs = {}; a larger learning_rate", 3 * u64::from(most)),
        }])
    }
}
