//! Diagnoses of a study that has results: what its losses, scores and divergences say, and what to try next.

mod budget_too_short;
mod by_depth;
mod capacity;
mod dead_units;
mod early_stops;
mod edge_of_range;
mod exploding_gradients;
mod inside;
mod learning_rate_too_high;
mod learning_rate_too_low;
mod losses;
mod mismatch;
mod noise_limited;
mod over_fitting;
mod ranking;
mod ranks;
mod rarely_updated;
mod record;
pub mod region;
mod saturation;
mod under_fitting;
mod update_ratio;
mod vanishing_gradients;
pub mod verdict;

pub use losses::Losses;
pub use record::Record;

use super::{Examined, Finding};
use crate::error::Result;

/// Every diagnosis of a study, in the order of the report.
pub static ALL: &[&dyn Diagnosis] = &[
    &mismatch::Mismatch,
    &learning_rate_too_high::LearningRateTooHigh,
    &learning_rate_too_low::LearningRateTooLow,
    &dead_units::DeadUnits,
    &saturation::Saturation,
    &vanishing_gradients::VanishingGradients,
    &exploding_gradients::ExplodingGradients,
    &update_ratio::UpdateRatio,
    &rarely_updated::RarelyUpdated,
    &budget_too_short::BudgetTooShort,
    &under_fitting::UnderFitting,
    &over_fitting::OverFitting,
    &noise_limited::NoiseLimited,
    &edge_of_range::EdgeOfRange,
    &early_stops::EarlyStops,
    &ranking::Ranking,
];

/// Looks at one thing.
pub trait Diagnosis: Sync {
    /// Its name, as findings carry it.
    fn name(&self) -> &'static str;
    /// What is well where it finds nothing, on one line.
    fn healthy(&self) -> &'static str;
    /// Whether there is anything for it to look at.
    fn applies(&self, _record: &Record<'_>) -> bool {
        true
    }
    /// What it finds; nothing where all is well.
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>>;
}

/// Runs the diagnoses that there is something to look at for, in their order.
pub fn examine(all: &[&'static dyn Diagnosis], record: &Record<'_>) -> Result<Vec<Examined>> {
    let run = |diagnosis: &&'static dyn Diagnosis| {
        let findings = diagnosis.examine(record)?;
        Ok(Examined { name: diagnosis.name(), healthy: diagnosis.healthy(), findings })
    };
    all.iter().filter(|diagnosis| diagnosis.applies(record)).map(run).collect()
}
