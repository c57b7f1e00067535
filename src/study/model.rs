//! The saved model: weights of every fold as safetensors, and beside them, as JSON, what turns rows of
//! a file into features and outputs into predictions.
//!
//! The weights file says by itself which trial and which network it holds; the JSON depends on the data
//! and folds alone. Each is replaced whole, so the two always fit.

use super::files;
use super::store::{BestModels, DATABASE, Store};
use super::weights::{self, FORMAT, check_content, check_format, unwritable};

pub use super::weights::save as save_weights;
use crate::data::{Dataset, Encoder, TargetUnit, Task, Transform, checksum};
use crate::error::{Error, Result};
use crate::model::hyperparameter;
use crate::model::metric::most_probable;
use crate::model::network::{self, Workspace};
use crate::model::recipe::Network;
use crate::model::svm::machine::{Machine, Verdict};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// Rows predicted at a time: bounds the workspace of a thread.
const ROWS_AT_ONCE: usize = 256;

/// Which of a study's models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The fold models of the best trial.
    Best,
    /// Its configuration, trained on all rows.
    Refit,
}

impl Which {
    /// The names of the weights file and of its preprocessing.
    pub fn files(self) -> (&'static str, &'static str) {
        match self {
            Self::Best => ("best.safetensors", "best.json"),
            Self::Refit => ("refit.safetensors", "refit.json"),
        }
    }
}

/// From rows of a file to features, and from outputs to predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    format: u32,
    /// Of this very file with no checksum in it.
    checksum: String,
    /// Of the data of the study that it belongs to, and their folds; none in files of earlier versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    fingerprint: String,
    /// The column that is predicted.
    pub target: String,
    /// (class) labels as the data have them; empty for regression.
    pub classes: Vec<String>,
    /// (feature) names after encoding.
    pub features: Vec<String>,
    /// What each fold learned from its training rows.
    pub folds: Vec<FoldPreprocessing>,
    /// Encodes rows.
    pub encoder: Encoder,
}

/// What one fold learned from its training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldPreprocessing {
    /// (feature)
    pub transforms: Vec<Transform>,
    /// What an output means; `None` for classes.
    pub target_unit: Option<TargetUnit>,
}

impl Preprocessing {
    /// What some folds of a data set learned.
    pub fn new(dataset: &Dataset, encoder: &Encoder, folds: impl IntoIterator<Item = usize>) -> Self {
        let fold = |fold: usize| FoldPreprocessing {
            transforms: dataset.folds[fold].transforms.clone(),
            target_unit: dataset.target_unit(fold),
        };
        Self {
            format: FORMAT,
            checksum: String::new(),
            fingerprint: String::new(),
            target: encoder.target_name().to_owned(),
            classes: encoder.class_names().to_vec(),
            features: encoder.feature_names(),
            folds: folds.into_iter().map(fold).collect(),
            encoder: encoder.clone(),
        }
    }

    /// The same, of the study whose data have this fingerprint.
    pub fn of_study(self, fingerprint: &str) -> Self {
        Self { fingerprint: fingerprint.to_owned(), ..self }
    }

    fn is_of(&self, fingerprint: &str) -> bool {
        self.fingerprint.is_empty() || self.fingerprint == fingerprint
    }

    /// Reads the file beside the weights.
    fn open(folder: &Path, which: Which) -> Result<Self> {
        let path = folder.join(which.files().1);
        let read = || -> Result<Self, String> {
            let bytes = fs::read(&path).map_err(|error| error.to_string())?;
            let found: Self = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
            check_format(found.format)?;
            check_content(&found.checksum, &found.sealed()?.checksum)?;
            Ok(found)
        };
        read().map_err(|found| damaged(&path, found))
    }

    fn text(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec_pretty(self).map_err(|error| error.to_string())
    }

    /// With the checksum of itself.
    fn sealed(&self) -> Result<Self, String> {
        let open = Self { checksum: String::new(), ..self.clone() };
        Ok(Self { checksum: checksum([open.text()?.as_slice()]), ..open })
    }

    /// Writes the file beside the weights, unless it is there as it should be.
    pub fn save(&self, folder: &Path, which: Which) -> Result<()> {
        let path = folder.join(which.files().1);
        let sealed = self.sealed().and_then(|sealed| sealed.text());
        let mut text = sealed.map_err(|error| unwritable(&path, &error))?;
        text.push(b'\n');
        if fs::read(&path).is_ok_and(|found| found == text) {
            return Ok(());
        }
        files::write(&path, &text)
    }
}

/// A model that can predict.
pub struct SavedModel {
    /// The number of the trial it comes from.
    pub trial: u64,
    /// From rows to features and back.
    pub preprocessing: Preprocessing,
    network: Network,
    /// (fold) parameters.
    folds: Vec<Vec<f32>>,
    /// (fold) What the parameters are of, where it is kernel machines instead of the network.
    machines: Option<Vec<Machine>>,
}

/// What a model says of some rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Predictions {
    /// (row, class) probabilities, the mean over the fold models.
    Probabilities(Vec<f64>),
    /// (row, class) the share of the fold models that say so, of models that know no probabilities.
    Votes(Vec<f64>),
    /// (row) values in the target's own unit, the mean over the fold models.
    Values(Vec<f64>),
}

impl SavedModel {
    /// The models of a trial, in memory.
    ///
    /// An error says that the parameters are not those of kernel machines, where they are to be.
    pub fn new(
        models: &BestModels,
        network: Network,
        is_machine: bool,
        preprocessing: Preprocessing,
    ) -> Result<Self> {
        let machines = is_machine.then(|| weights::machines(&models.folds)).transpose();
        let machines = machines.map_err(|found| damaged(Path::new(DATABASE), found))?;
        Ok(Self { trial: models.trial, preprocessing, network, folds: models.folds.clone(), machines })
    }

    /// The fold models of the best trial of the study in a folder.
    ///
    /// The weights file is written just after the database; where the two differ, a run is between the
    /// two or was killed there, and the database is right; the same where the file is damaged. `say` hears
    /// of it.
    pub fn of_best(folder: &Path, say: &mut dyn FnMut(&str)) -> Result<Self> {
        if !Store::exists(folder) && folder.join(Which::Best.files().0).is_file() {
            return Self::open(folder, Which::Best);
        }
        let store = Store::read(folder)?;
        let models = store.best_models()?.ok_or_else(|| none_yet(folder))?;
        let preprocessing = Preprocessing::open(folder, Which::Best)?;
        if !preprocessing.is_of(&store.header()?.fingerprint)
            || preprocessing.folds.len() != models.folds.len()
        {
            let path = folder.join(Which::Best.files().1);
            return Err(damaged(&path, "it belongs to another study than the database beside it".to_owned()));
        }
        let found = match Self::open(folder, Which::Best) {
            Ok(model) if model.trial == models.trial && model.folds == models.folds => return Ok(model),
            Ok(model) => format!("holds another model, of trial {}", model.trial),
            Err(error) => error.found,
        };
        let model = Self::of_store(folder, &store, &models, preprocessing)?;
        let file = folder.join(Which::Best.files().0);
        say(&format!(
            "{}: {found}; the model of trial {} in the database is used",
            file.display(),
            models.trial
        ));
        Ok(model)
    }

    fn of_store(
        folder: &Path,
        store: &Store,
        models: &BestModels,
        preprocessing: Preprocessing,
    ) -> Result<Self> {
        let task = match preprocessing.classes.len() {
            0 => Task::Regression,
            class_count => Task::Classification { class_count },
        };
        let trial = store.trial(models.trial)?.ok_or_else(|| none_yet(folder))?;
        // The length of the learning-rate schedule is nothing to a trained network.
        let (network, recipe) =
            hyperparameter::build(&trial.configuration, task, preprocessing.features.len(), 1)?;
        Self::new(models, network, recipe.machine.is_some(), preprocessing)
    }

    /// Whether it belongs to the study whose data have this fingerprint, as far as its files say.
    pub fn is_of(&self, fingerprint: &str) -> bool {
        self.preprocessing.is_of(fingerprint)
    }

    /// Reads a model from a study's folder. Errors are of kind store: no model yet, a damaged file.
    pub fn open(folder: &Path, which: Which) -> Result<Self> {
        let path = folder.join(which.files().0);
        let preprocessing = Preprocessing::open(folder, which)?;
        let read = || {
            let bytes = fs::read(&path).map_err(|error| error.to_string())?;
            let (description, folds) = weights::decode(&bytes)?;
            let machines = description.is_machine().then(|| weights::machines(&folds)).transpose()?;
            Ok((description.trial, description.network()?, folds, machines))
        };
        let (trial, network, folds, machines) = read().map_err(|found| damaged(&path, found))?;
        if preprocessing.features.len() != network.input_count
            || preprocessing.classes.len().max(1) != network.output_count
            || preprocessing.folds.len() != folds.len()
        {
            return Err(damaged(&path, "it does not fit the preprocessing beside it".to_owned()));
        }
        Ok(Self { trial, preprocessing, network, folds, machines })
    }

    /// (fold) The kernel machines, where it is some.
    pub fn machines(&self) -> Option<&[Machine]> {
        self.machines.as_deref()
    }

    /// The model of one fold alone.
    pub fn one_fold(&self, fold: usize) -> Self {
        let folds = vec![self.preprocessing.folds[fold].clone()];
        Self {
            trial: self.trial,
            preprocessing: Preprocessing { folds, ..self.preprocessing.clone() },
            network: self.network.clone(),
            folds: vec![self.folds[fold].clone()],
            machines: self.machines.as_ref().map(|machines| vec![machines[fold].clone()]),
        }
    }

    /// The labels of the classes; empty for regression.
    pub fn class_names(&self) -> &[String] {
        &self.preprocessing.classes
    }

    /// Predicts rows (row, feature), as the encoder gives them. Always on the processor, so that a
    /// prediction does not depend on where the model was trained.
    pub fn predict(&self, features: &[f32]) -> Predictions {
        if let Some(machines) = &self.machines {
            return self.predict_by(machines, features);
        }
        let width = self.network.input_count.max(1);
        let parts: Vec<Vec<f64>> = features
            .par_chunks(ROWS_AT_ONCE * width)
            .map_init(Workspace::default, |workspace, rows| self.predict_rows(rows, workspace))
            .collect();
        let all = parts.concat();
        if self.class_names().is_empty() { Predictions::Values(all) } else { Predictions::Probabilities(all) }
    }

    /// The same by kernel machines.
    fn predict_by(&self, machines: &[Machine], features: &[f32]) -> Predictions {
        let width = self.network.input_count.max(1);
        let share = 1.0 / machines.len() as f64;
        let predict = |rows: &[f32]| -> Vec<f64> {
            let class_count = self.class_names().len();
            let mut means = vec![0.0; rows.len() / width * class_count.max(1)];
            for (machine, fold) in machines.iter().zip(&self.preprocessing.folds) {
                let transformed = rows.chunks_exact(width).flat_map(|row| row.iter().zip(&fold.transforms));
                let rows: Vec<f32> =
                    transformed.map(|(&stored, transform)| transform.apply(stored)).collect();
                let decisions = machine.decision_values(&rows);
                let count = machine.decisions.len();
                for (row, means) in means.chunks_exact_mut(class_count.max(1)).enumerate() {
                    let decisions = &decisions[row * count..(row + 1) * count];
                    match (machine.verdict(decisions), machine.probabilities(decisions)) {
                        (Verdict::Value(value), _) => {
                            means[0] +=
                                share * fold.target_unit.map_or(value, |unit| unit.value(value as f32));
                        }
                        (_, Some(p)) => means.iter_mut().zip(p).for_each(|(mean, p)| *mean += share * p),
                        (Verdict::Class(class), None) => means[class] += share,
                    }
                }
            }
            means
        };
        let all: Vec<Vec<f64>> = features.par_chunks(ROWS_AT_ONCE * width).map(predict).collect();
        let has_probabilities = machines.iter().all(Machine::has_probabilities);
        match self.class_names().is_empty() {
            true => Predictions::Values(all.concat()),
            false if has_probabilities => Predictions::Probabilities(all.concat()),
            false => Predictions::Votes(all.concat()),
        }
    }

    fn predict_rows(&self, features: &[f32], workspace: &mut Workspace<f32>) -> Vec<f64> {
        let (width, outputs) = (self.network.input_count.max(1), self.network.output_count);
        let row_count = features.len() / width;
        let mut means = vec![0.0; row_count * outputs];
        let share = 1.0 / self.folds.len() as f64;
        for (parameters, fold) in self.folds.iter().zip(&self.preprocessing.folds) {
            workspace.reserve(&self.network, row_count);
            for (inputs, stored) in
                workspace.inputs[0].chunks_exact_mut(width).zip(features.chunks_exact(width))
            {
                for ((input, &stored), transform) in inputs.iter_mut().zip(stored).zip(&fold.transforms) {
                    *input = transform.apply(stored);
                }
            }
            network::forward(&self.network, parameters, row_count, workspace, &[]);
            let found = workspace.outputs[..row_count * outputs].chunks_exact(outputs);
            for (means, outputs) in means.chunks_exact_mut(outputs).zip(found) {
                match fold.target_unit {
                    Some(unit) => means[0] += share * unit.value(outputs[0]),
                    None => {
                        means.iter_mut().zip(softmax(outputs)).for_each(|(mean, p)| *mean += share * p);
                    }
                }
            }
        }
        means
    }
}

fn damaged(path: &Path, found: String) -> Error {
    Error::store(path.display(), format!("the model cannot be read: {found}"))
        .allowed("a model that this version of manytune wrote, unchanged")
        .advice(
            "run the study's tune command again where its study.db is, which writes the model anew; or \
             restore the file from a copy",
        )
}

/// The error for a study without a model.
pub fn none_yet(folder: &Path) -> Error {
    Error::store(folder.display(), "no trial of the study is complete: there is no model")
        .allowed("a study with a complete trial")
        .advice(
            "run the study's tune command again, with more --trials where it is finished, and let it complete one",
        )
}

fn softmax(logits: &[f32]) -> impl Iterator<Item = f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exp = move |&logit: &f32| f64::from(logit - largest).exp();
    let sum: f64 = logits.iter().map(exp).sum();
    logits.iter().map(move |logit| exp(logit) / sum)
}

impl Predictions {
    /// (row) The most probable class of each row, or that of the most votes, the first of equals; empty for values.
    pub fn classes(&self, class_count: usize) -> Vec<usize> {
        let (Self::Probabilities(probabilities) | Self::Votes(probabilities)) = self else {
            return Vec::new();
        };
        probabilities.chunks_exact(class_count.max(1)).map(most_probable).collect()
    }
}
