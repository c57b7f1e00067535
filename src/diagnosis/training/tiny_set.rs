//! A tiny data set must be fitted: one row, then a few of each class, to a loss near zero, with every member of every
//! family in the space. What cannot learn a handful of rows by heart is broken, whatever the data.

use super::small::{Example, examples, loss_of_ignorance, train_until, with_fold};
use crate::data::{Dataset, Targets};
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;
use crate::model::hyperparameter::SVM;
use crate::model::recipe::Member;
use std::collections::{BTreeMap, HashMap};

/// Fits of a few rows.
pub struct TinySet;

/// Share of the loss of ignorance that counts as near zero.
const NEAR_ZERO: f64 = 0.02;
/// Epochs that it may take.
const EPOCHS: u32 = 1000;
/// Rows of a class, and of values.
const OF_CLASS: usize = 3;
const OF_VALUES: usize = 8;
/// Most rows.
const MOST_ROWS: usize = 30;
/// Learning rates that are tried beside a configuration's own: what it takes to fit is not in question.
const LEARNING_RATES: [f64; 6] = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0];

impl Diagnosis for TinySet {
    fn name(&self) -> &'static str {
        "tiny_set"
    }
    fn healthy(&self) -> &'static str {
        "a few rows are learned by heart, with every family of the space"
    }
    fn applies(&self, patient: &Patient<'_>) -> bool {
        // A kernel machine is solved at once.
        patient.plan.model != SVM
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let examples: Vec<Example> = examples(patient)?.iter().map(Example::without_regularisers).collect();
        let dataset = patient.dataset();
        let rows = few_rows(patient);
        let mut findings = Vec::new();
        for (what, rows) in [("one row", &rows[..1.min(rows.len())]), ("a few rows", &rows[..])] {
            // A model without hidden layers separates what is separable alone.
            let fits = |example: &&Example| rows.len() == 1 || !example.member.network.hidden.is_empty();
            let asked: Vec<&Example> = examples.iter().filter(fits).collect();
            if rows.is_empty() || asked.is_empty() {
                continue;
            }
            let losses = best_losses(patient, dataset, rows, &asked)?;
            let limit = NEAR_ZERO * loss_of_ignorance(dataset.task);
            let failed = self.failures(patient, &asked, &losses, limit);
            if !failed.is_empty() {
                findings.push(self.finding(what, rows, patient, failed));
                break;
            }
            let worst = losses.iter().copied().fold(0.0, f64::max);
            patient.say(format!("{what} ({}) learned by heart: largest loss {worst:.1e}", rows.len()));
        }
        Ok(findings)
    }
}

/// Rows that differ in their features, by turns of each class.
fn few_rows(patient: &Patient<'_>) -> Vec<u32> {
    let (dataset, twins) = (patient.dataset(), patient.first_twins());
    let train = dataset.folds.first().map_or(&[][..], |fold| &fold.train);
    let distinct = train.iter().copied().filter(|&row| twins[row as usize] == row);
    match &dataset.targets {
        Targets::Values { .. } => distinct.take(OF_VALUES).collect(),
        Targets::Classes(classes) => {
            let mut counts: HashMap<u32, usize> = HashMap::new();
            let mut is_wanted = |row: &u32| {
                let count = counts.entry(classes[*row as usize]).or_default();
                *count += 1;
                *count <= OF_CLASS
            };
            distinct.filter(|row| is_wanted(row)).take(MOST_ROWS).collect()
        }
    }
}

/// (example) The least loss that it came to, over learning rates.
fn best_losses(
    patient: &Patient<'_>,
    dataset: &Dataset,
    rows: &[u32],
    examples: &[&Example],
) -> Result<Vec<f64>> {
    let variants = |example: &&Example| -> Vec<Member> {
        let with = |rate: f64| {
            let mut member = example.member.clone();
            member.recipe.learning_rate = rate;
            member.recipe.max_epochs = EPOCHS;
            member
        };
        let own = example.member.recipe.learning_rate;
        std::iter::once(own).chain(LEARNING_RATES).map(with).collect()
    };
    let members: Vec<Member> = examples.iter().flat_map(variants).collect();
    let enough = NEAR_ZERO * loss_of_ignorance(dataset.task);
    let trained = train_until(patient, with_fold(dataset, rows, rows), &members, EPOCHS, enough)?;
    let of_one = trained.chunks(1 + LEARNING_RATES.len());
    Ok(of_one
        .map(|rates| rates.iter().map(|trained| trained.least_loss).fold(f64::INFINITY, f64::min))
        .collect())
}

impl TinySet {
    /// What no configuration with it could fit, with the least loss.
    fn failures(
        &self,
        patient: &Patient<'_>,
        examples: &[&Example],
        losses: &[f64],
        limit: f64,
    ) -> Vec<(String, f64)> {
        let space = patient.plan.space.clone().unwrap_or_default();
        let mut least: BTreeMap<String, f64> = BTreeMap::new();
        for (example, &loss) in examples.iter().zip(losses) {
            let choices = example.choices(&space);
            let names = if choices.is_empty() { vec!["the model".to_owned()] } else { choices };
            for name in names {
                let known = least.entry(name).or_insert(f64::INFINITY);
                *known = known.min(loss);
            }
        }
        least.into_iter().filter(|(_, loss)| !(*loss <= limit)).collect()
    }

    fn finding(
        &self,
        what: &str,
        rows: &[u32],
        patient: &Patient<'_>,
        failed: Vec<(String, f64)>,
    ) -> Finding {
        let listed: Vec<String> =
            failed.iter().map(|(name, loss)| format!("{name} (loss {loss:.2e})")).collect();
        Finding {
            name: self.name(),
            severity: Severity::Error,
            place: patient.places_of(rows),
            seen: format!(
                "{what} could not be learned by heart in {EPOCHS} epochs with {}",
                listed.join(", ")
            ),
            cause: "the software, or labels that contradict each other: data cannot be too hard for this"
                .to_owned(),
            advice: "manytune --gradcheck; look at the labels of these rows".to_owned(),
        }
    }
}
