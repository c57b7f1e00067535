//! Losses that no size of model gets below: what is left is noise, or needs other columns.

use super::Diagnosis;
use super::capacity::{Lever, levers};
use super::record::{Record, listed, median};
use super::under_fitting::Alike;
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::model::hyperparameter::Capacity;
use crate::trial::State;

/// A floor that capacity does not change.
pub struct NoiseLimited;

/// Shares of the loss of always saying the same by which models of most capacity are to differ from the others.
const MATTERS: f64 = 0.05;
/// Complete trials that it takes to say so.
const FEWEST_TRIALS: usize = 10;

impl Diagnosis for NoiseLimited {
    fn name(&self) -> &'static str {
        "noise_limited"
    }
    fn healthy(&self) -> &'static str {
        "no floor is seen that models of all sizes come to"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.curves().next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let Some(alike) = Alike::of(record).filter(|_| record.complete().count() >= FEWEST_TRIALS) else {
            return Ok(Vec::new());
        };
        let levers = levers(record);
        let is_size = |lever: &&Lever<'_>| lever.capacity == Capacity::Raises && lever.is_free();
        let sizes: Vec<(&Lever<'_>, [f64; 2])> =
            levers.iter().filter(is_size).map(|lever| (lever, least(record, lever))).collect();
        // Where one side is empty the other says nothing.
        let is_no_matter = |(_, [most, others]): &(&Lever<'_>, [f64; 2])| (most - others).abs() <= MATTERS;
        if sizes.is_empty() || !sizes.iter().all(is_no_matter) {
            return Ok(Vec::new());
        }
        let compared: Vec<String> = sizes
            .iter()
            .map(|(lever, [most, others])| {
                format!("with most {} {most:.2}, of the others {others:.2}", lever.dimension.name)
            })
            .collect();
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Note,
            place: listed(record.leaders()),
            seen: format!(
                "{}, and whatever the size of the model: {}",
                alike.text(),
                compared.join(", ")
            ),
            cause: "noise in the labels, or columns that do not say more".to_owned(),
            advice: "other columns; a look at the rows that are most wrong (show --mistakes); more trials will not help"
                .to_owned(),
        }])
    }
}

/// Medians of the least validation loss of complete trials: of those with as much capacity by a lever as is searched, and
/// of the others.
fn least(record: &Record<'_>, lever: &Lever<'_>) -> [f64; 2] {
    let side = |wanted: bool| {
        let complete = record.curves().filter(|(trial, _)| trial.state == State::Complete);
        median(
            complete.filter(|(trial, _)| lever.is_at_most(trial) == wanted).map(|(_, losses)| losses.least()),
        )
    };
    [side(true), side(false)]
}
