//! Schedules that decide by values that say nothing of how trials end.

use super::Diagnosis;
use super::ranks::correlation;
use super::record::Record;
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::trial::{State, Trial};

/// Trials stopped by values that do not foretell.
pub struct EarlyStops;

/// Trials that went on, to judge by.
const FEWEST: usize = 8;
/// Rank correlation of a value at the first rung with the last one below which it foretells nothing.
const FORETELLS: f64 = 0.2;

impl Diagnosis for EarlyStops {
    fn name(&self) -> &'static str {
        "early_stops"
    }
    fn healthy(&self) -> &'static str {
        "what the schedule decides by foretells how trials end"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.trials.iter().any(|trial| trial.state == State::Pruned)
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let pruned: Vec<&Trial> = record.trials.iter().filter(|trial| trial.state == State::Pruned).collect();
        let Some(first) = pruned.iter().map(|trial| trial.history.epoch_count()).min() else {
            return Ok(Vec::new());
        };
        let direction = record.order.objective;
        let value = |trial: &Trial| -> Option<(f64, f64)> {
            let values = trial.history.mean_values();
            let reached = values.get(..first as usize)?.iter().copied();
            let at_rung =
                reached.reduce(|best, value| if direction.better(value, best) { value } else { best })?;
            (values.len() > first as usize).then_some((at_rung, trial.score()?.value))
        };
        let pairs: Vec<(f64, f64)> = record.complete().filter_map(value).collect();
        let found = correlation(&pairs);
        if pairs.len() < FEWEST || found.coefficient >= FORETELLS {
            return Ok(Vec::new());
        }
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: format!("schedule.kind = \"{}\"", record.plan.schedule),
            seen: format!(
                "of the {} trials that went on past epoch {first} the value there has a rank correlation of {:.2} with \
                 what they came to; {} trials were stopped by such values",
                pairs.len(),
                found.coefficient,
                pruned.len()
            ),
            cause: "trials that begin slowly and end well, or values too noisy so early: the winner's kind may have been \
                    stopped"
                .to_owned(),
            advice: format!("min_epochs = {} or more; or schedule.kind = \"none\"", 3 * first),
        }])
    }
}
