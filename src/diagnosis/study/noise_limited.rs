//! Losses that no size of model gets below: what is left is noise, or needs other columns.

use super::Diagnosis;
use super::capacity::levers;
use super::record::{Record, listed};
use super::under_fitting::Alike;
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::model::hyperparameter::Capacity;
use crate::space::Domain;
use crate::trial::Trial;

/// A floor that capacity does not change.
pub struct NoiseLimited;

/// Rank correlation of capacity and score below which it is no matter.
const NO_MATTER: f64 = 0.4;
/// Complete trials that it takes to say so.
const FEWEST_TRIALS: usize = 10;

impl Diagnosis for NoiseLimited {
    fn name(&self) -> &'static str {
        "noise_limited"
    }
    fn healthy(&self) -> &'static str {
        "no floor is seen that models of all sizes come to"
    }
    fn applies(&self, record: &Record) -> bool {
        record.curves().next().is_some()
    }
    fn examine(&self, record: &Record) -> Result<Vec<Finding>> {
        let trials: Vec<&Trial> = record.complete().collect();
        let levers = levers(record);
        let is_free = |domain: &Domain| !matches!(domain, Domain::Fixed(_));
        let mut sizes = levers
            .iter()
            .filter(|lever| lever.capacity == Capacity::Raises && is_free(&lever.dimension.domain))
            .map(|lever| (lever.dimension.name.clone(), lever.correlation(&trials).coefficient))
            .peekable();
        let Some(alike) =
            Alike::of(record).filter(|_| sizes.peek().is_some() && trials.len() >= FEWEST_TRIALS)
        else {
            return Ok(Vec::new());
        };
        let sizes: Vec<(String, f64)> = sizes.collect();
        if sizes.iter().any(|(_, coefficient)| coefficient.abs() >= NO_MATTER) {
            return Ok(Vec::new());
        }
        let names: Vec<String> =
            sizes.iter().map(|(name, coefficient)| format!("{name} {coefficient:.2}")).collect();
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Note,
            place: listed(record.leaders()),
            seen: format!(
                "{}, whatever the size of the model (rank correlation with the score: {})",
                alike.text(),
                names.join(", ")
            ),
            cause: "noise in the labels, or columns that do not say more".to_owned(),
            advice: "other columns; a look at the rows that are most wrong (show --mistakes); more trials will not help"
                .to_owned(),
        }])
    }
}
