//! Classes with few rows.

use super::percent;
use crate::data::Targets;
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;

/// Rare classes.
pub struct Imbalance;

/// The share of rows below which a class of two or three is rare; of K classes, a share of 1/K.
const SHARE: f64 = 0.05;
/// A class with this share of its even one is rare.
const OF_EVEN: f64 = 0.2;
/// Fewest rows of a class in a fold's validation rows for a score of it.
const FEWEST: f64 = 5.0;

impl Diagnosis for Imbalance {
    fn name(&self) -> &'static str {
        "imbalance"
    }
    fn healthy(&self) -> &'static str {
        "no class is rare"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let Targets::Classes(classes) = &patient.dataset().targets else { return Ok(Vec::new()) };
        let names = patient.prepared.encoder.class_names();
        let mut counts = vec![0_usize; names.len()];
        classes.iter().for_each(|&class| counts[class as usize] += 1);
        let (all, folds) = (classes.len(), patient.dataset().folds.len().max(1));
        let rare = SHARE.min(OF_EVEN / names.len().max(1) as f64);
        let is_rare = |count: usize| (count as f64) < (rare * all as f64).max(FEWEST * folds as f64);
        let few: Vec<String> = names
            .iter()
            .zip(&counts)
            .filter(|(_, count)| is_rare(**count))
            .map(|(name, &count)| format!("{name}: {count} rows ({})", percent(count, all)))
            .collect();
        if few.is_empty() {
            return Ok(Vec::new());
        }
        // A class may be as frequent as the others and have too few rows all the same.
        let (cause, advice) = match counts.iter().any(|&count| (count as f64) < rare * all as f64) {
            true => (
                "accuracy hardly counts a rare class, and a fold may have a handful of its rows",
                "objective = \"balanced_accuracy\"; class_weight = \"balanced\" under [space]; fewer folds",
            ),
            false => (
                "few rows: a fold has a handful of a class, and scores hang on each of them",
                "more rows; or fewer folds, and repeats under [data]",
            ),
        };
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: format!("target {}", patient.prepared.encoder.target_name()),
            seen: few.join(", "),
            cause: cause.to_owned(),
            advice: advice.to_owned(),
        }])
    }
}
