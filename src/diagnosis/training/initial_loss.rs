//! The loss before any training: about that of a model that knows nothing, ln K for K classes.

use super::small::{Example, examples, loss_of_ignorance, thinned, train, with_fold};
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::Result;
use crate::model::hyperparameter::SVM;

/// Initial weights that claim to know something.
pub struct InitialLoss;

/// Times the loss of ignorance that an initial loss may be.
const MOST: f64 = 4.0;
/// Rows that are scored.
const ROWS: usize = 512;

impl Diagnosis for InitialLoss {
    fn name(&self) -> &'static str {
        "initial_loss"
    }
    fn healthy(&self) -> &'static str {
        "networks begin where one that knows nothing is"
    }
    fn applies(&self, patient: &Patient<'_>) -> bool {
        // A kernel machine is solved at once.
        patient.plan.model != SVM
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let still = |mut example: Example| {
            example = example.without_regularisers();
            example.member.recipe.learning_rate = 0.0;
            example
        };
        let examples: Vec<Example> = examples(patient)?.into_iter().map(still).collect();
        let dataset = patient.dataset();
        let Some(fold) = dataset.folds.first().filter(|_| !examples.is_empty()) else {
            return Ok(Vec::new());
        };
        let rows = with_fold(dataset, &thinned(&fold.train, ROWS), &thinned(&fold.train, ROWS));
        let members: Vec<_> = examples.iter().map(|example| example.member.clone()).collect();
        let losses: Vec<f64> =
            train(patient, rows, &members, 1)?.iter().map(|trained| trained.loss()).collect();
        let expected = loss_of_ignorance(dataset.task);
        let mut sorted = losses.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted[sorted.len() / 2];
        patient.say(format!(
            "loss before training: {middle:.3} (median of {}); knowing nothing: {expected:.3}",
            losses.len()
        ));
        let worst = examples.iter().zip(&losses).max_by(|a, b| a.1.total_cmp(b.1));
        let Some((example, &loss)) = worst.filter(|(_, loss)| **loss > MOST * expected) else {
            return Ok(Vec::new());
        };
        let space = patient.plan.space.clone().unwrap_or_default();
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: example.choices(&space).join(", "),
            seen: format!(
                "a loss of {loss:.3} before training; a network that knows nothing has {expected:.3}"
            ),
            cause: "numbers that are not scaled, or weights that begin too large".to_owned(),
            advice: "data.scale = \"standard\"; another initializer; look for outliers".to_owned(),
        }])
    }
}
