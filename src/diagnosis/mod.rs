//! What is wrong with the data, or with what trains on them: one finding per file.
//!
//! A diagnosis looks at one thing and says what was seen, the likely cause, and what to try. Those of `data/` read
//! the table and its folds, in milliseconds; those of `training/` train a few small models, in seconds; those of
//! `study/` read the curves of a study that has results.

pub mod data;
mod finding;
mod patient;
pub mod study;
pub mod training;

pub use finding::{Finding, Severity};
pub use patient::{Column, Patient};

use crate::error::Result;

/// Looks at one thing.
pub trait Diagnosis: Sync {
    /// Its name, as findings carry it.
    fn name(&self) -> &'static str;
    /// What is well where it finds nothing, on one line.
    fn healthy(&self) -> &'static str;
    /// Whether there is anything for it to look at.
    fn applies(&self, _patient: &Patient<'_>) -> bool {
        true
    }
    /// What it finds; nothing where all is well.
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>>;
}

/// What one diagnosis came to.
pub struct Examined {
    /// Its name.
    pub name: &'static str,
    /// What is well where it found nothing, on one line.
    pub healthy: &'static str,
    /// What it found.
    pub findings: Vec<Finding>,
}

/// Runs the diagnoses that there is something to look at for, in their order.
pub fn examine(all: &[&'static dyn Diagnosis], patient: &Patient<'_>) -> Result<Vec<Examined>> {
    let run = |diagnosis: &&'static dyn Diagnosis| {
        let findings = diagnosis.examine(patient)?;
        Ok(Examined { name: diagnosis.name(), healthy: diagnosis.healthy(), findings })
    };
    all.iter().filter(|diagnosis| diagnosis.applies(patient)).map(run).collect()
}
