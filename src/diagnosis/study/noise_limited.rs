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
pub(super) const MATTERS: f64 = 0.05;
/// Complete trials that it takes to say so.
pub(super) const FEWEST_TRIALS: usize = 10;
/// The likely cause, and what to try.
pub(super) const CAUSE: &str = "noise in the labels, or columns that do not say more";
pub(super) const ADVICE: &str = "other columns; a look at the rows that are most wrong (show --mistakes)";

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
        let Some(Floor { alike, compared }) = Floor::of(record) else { return Ok(Vec::new()) };
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Note,
            place: listed(record.leaders()),
            seen: format!("{}, and whatever the size of the model: {compared}", alike.text()),
            cause: CAUSE.to_owned(),
            advice: format!("{ADVICE}; more trials will not help"),
        }])
    }
}

/// A floor that models of all sizes come to.
pub(super) struct Floor {
    alike: Alike,
    /// What models of most size come to, and the others.
    pub(super) compared: String,
}

impl Floor {
    /// `None` where none is seen.
    pub(super) fn of(record: &Record<'_>) -> Option<Self> {
        let alike = Alike::of(record).filter(|_| record.complete().count() >= FEWEST_TRIALS)?;
        let levers = levers(record);
        let is_size = |lever: &&Lever<'_>| lever.capacity == Capacity::Raises && lever.is_free();
        let sizes: Vec<(&Lever<'_>, [f64; 2])> =
            levers.iter().filter(is_size).map(|lever| (lever, least(record, lever))).collect();
        // Where one side is empty the other says nothing.
        let is_no_matter = |(_, [most, others]): &(&Lever<'_>, [f64; 2])| (most - others).abs() <= MATTERS;
        if sizes.is_empty() || !sizes.iter().all(is_no_matter) {
            return None;
        }
        let compared: Vec<String> = sizes
            .iter()
            .map(|(lever, [most, others])| {
                format!("with most {} {most:.2}, of the others {others:.2}", lever.dimension.name)
            })
            .collect();
        Some(Self { alike, compared: compared.join(", ") })
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
