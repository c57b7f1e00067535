//! Leaderboards whose order is noise: how many trials the folds cannot tell from the best.

use super::Diagnosis;
use super::record::Record;
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::sample::Sample;
use crate::trial::Trial;

/// An order that other folds would change.
pub struct Ranking;

/// Standard errors of the mean difference over folds within which a trial cannot be told from the best.
const NEAR: f64 = 2.0;
/// Share of the complete trials that cannot, from which it is said.
const MOST_TRIALS: f64 = 0.5;
/// Complete trials, and folds, that it takes.
const FEWEST_TRIALS: usize = 10;
pub(super) const FEWEST_FOLDS: usize = 3;

impl Diagnosis for Ranking {
    fn name(&self) -> &'static str {
        "ranking"
    }
    fn healthy(&self) -> &'static str {
        "the folds tell the best trials from most others"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.header.fold_count >= FEWEST_FOLDS
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let trials: Vec<(&Trial, Vec<f64>)> =
            record.complete().filter_map(|trial| Some((trial, trial.fold_values()?))).collect();
        let Some((best, own)) = trials.first().filter(|_| trials.len() >= FEWEST_TRIALS) else {
            return Ok(Vec::new());
        };
        let near = trials.iter().skip(1).filter(|(_, values)| is_near(own, values)).count();
        if (near as f64) < MOST_TRIALS * (trials.len() - 1) as f64 {
            return Ok(Vec::new());
        }
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Note,
            place: format!("trial {}", best.number),
            seen: format!(
                "{near} of {} other trials are within {NEAR} standard errors of it, fold by fold",
                trials.len() - 1
            ),
            cause: "most of the space is as good: what the order of the leaderboard says is mostly noise of the folds"
                .to_owned(),
            advice: "--repeats 3, or more folds; manytune noise says what other seeds do; of equals take the simplest"
                .to_owned(),
        }])
    }
}

/// Whether the mean of the differences over folds is within so many of its standard errors.
pub(super) fn is_near(best: &[f64], other: &[f64]) -> bool {
    let differences: Vec<f64> = best.iter().zip(other).map(|(best, other)| best - other).collect();
    let differences = Sample::of(&differences);
    differences.mean.abs() <= NEAR * differences.standard_error()
}
