//! A model that was saved and read again says exactly what it said before.

use super::small::{Example, examples, thinned, train, with_fold};
use crate::diagnosis::{Diagnosis, Finding, Patient, Severity};
use crate::error::{Error, Result};
use crate::model::metric;
use crate::study::model::{Predictions, Preprocessing, SavedModel, Which};
use crate::study::store::BestModels;
use crate::trial::{Order, Trial};

/// Models that change on the disk.
pub struct Reload;

/// Rows that are trained on, and predicted.
const ROWS: usize = 500;

impl Diagnosis for Reload {
    fn name(&self) -> &'static str {
        "reload"
    }
    fn healthy(&self) -> &'static str {
        "a saved model says what it said before"
    }
    fn examine(&self, patient: &Patient<'_>) -> Result<Vec<Finding>> {
        let Some(example) = examples(patient)?.into_iter().next() else { return Ok(Vec::new()) };
        let dataset = patient.dataset();
        let Some(fold) = dataset.folds.first() else { return Ok(Vec::new()) };
        let rows = with_fold(dataset, &thinned(&fold.train, ROWS), &thinned(&fold.validation, ROWS));
        let trained = train(patient, rows.clone(), std::slice::from_ref(&example.member), 1)?;
        let models =
            BestModels { trial: 0, folds: trained.into_iter().map(|one| one.state.parameters).collect() };
        let features: Vec<f32> =
            rows.folds[0].validation.iter().flat_map(|&row| dataset.row(row)).copied().collect();
        let preprocessing = || Preprocessing::new(&rows, &patient.prepared.encoder, [0]);
        let network = example.member.network.clone();
        let is_machine = example.member.recipe.machine.is_some();
        let before = SavedModel::new(&models, network, is_machine, preprocessing())?.predict(&features);
        let after = reloaded(patient, &example, &models, &preprocessing())?.predict(&features);
        if bits(&before) == bits(&after) {
            return Ok(Vec::new());
        }
        Ok(vec![Finding {
            name: self.name(),
            severity: Severity::Error,
            place: "the first model".to_owned(),
            seen: "predictions changed when the model was saved and read again".to_owned(),
            cause: "the software, or the disk".to_owned(),
            advice: "check the disk; report it with the study".to_owned(),
        }])
    }
}

/// The model, written to a folder of its own and read from there.
fn reloaded(
    patient: &Patient<'_>,
    example: &Example,
    models: &BestModels,
    preprocessing: &Preprocessing,
) -> Result<SavedModel> {
    let unwritable = |error: std::io::Error| {
        Error::store(std::env::temp_dir().display(), format!("no folder can be made: {error}"))
            .advice("TMPDIR=<a folder that can be written to>")
    };
    let folder = tempfile::tempdir().map_err(unwritable)?;
    let metric = patient.plan.metric(patient.dataset().task)?;
    let order = Order {
        objective: metric.direction(),
        tie_break: metric::tie_breaker(patient.dataset().task).direction(),
    };
    let trial = Trial::new(0, example.configuration.clone(), order, 1);
    preprocessing.save(folder.path(), Which::Best)?;
    crate::study::model::save_weights(
        folder.path(),
        Which::Best,
        &trial,
        1,
        &example.member.network,
        models,
    )?;
    SavedModel::open(folder.path(), Which::Best)
}

fn bits(predictions: &Predictions) -> Vec<u64> {
    let (Predictions::Probabilities(numbers) | Predictions::Votes(numbers) | Predictions::Values(numbers)) =
        predictions;
    numbers.iter().map(|number| number.to_bits()).collect()
}
