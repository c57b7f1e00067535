//! One model of the best configuration, trained on all rows of the study but the final test set.

use super::model::{self, Preprocessing, SavedModel, Which};
use super::same::{data_of, plan_of};
use super::store::{BestModels, Header, Store};
use super::weights;
use crate::engine::{self, Engine, EngineChoice, EngineKind, Job};
use crate::error::{Error, Result};
use crate::model::hyperparameter;
use crate::model::recipe::Member;
use crate::trial::{self, Best, Trial};
use std::path::Path;
use std::sync::Arc;

/// The refitted model of the study in a folder: read where there is one of the best trial, else trained
/// now, on the study's engine, for as many epochs as were best over the folds, and saved.
///
/// There are no rows left to score it on. `say` hears why a model that is there is not the one.
pub fn refit(folder: &Path, say: &mut dyn FnMut(&str)) -> Result<SavedModel> {
    let store = Store::read(folder)?;
    let header = store.header()?;
    let trials = store.trials()?;
    let best = trial::best(header.order()?, &trials);
    let Some((best, Best { epoch, .. })) = best.and_then(|trial| Some((trial, trial.best()?))) else {
        return Err(model::none_yet(folder));
    };
    let file = folder.join(Which::Refit.files().0);
    if file.exists() {
        let found = match SavedModel::open(folder, Which::Refit) {
            Ok(model) if !model.is_of(&header.fingerprint) => "belongs to another study".to_owned(),
            Ok(model) if model.trial == best.number => return Ok(model),
            Ok(model) => format!("is of trial {}, and trial {} is the best", model.trial, best.number),
            Err(error) => error.found,
        };
        say(&format!("{}: {found}; it is trained again", file.display()));
    }
    train(folder, &header, best, epoch)
}

fn train(folder: &Path, header: &Header, best: &Trial, epochs: u32) -> Result<SavedModel> {
    let plan = plan_of(header)?;
    let instead = "predict without --refit, or tune the new data in another folder";
    let (_, mut prepared) = data_of(folder, header, &plan, instead)?;
    let fold = prepared.dataset.refit_fold();
    let dataset = Arc::new(prepared.dataset);
    let job = Job { dataset: Arc::clone(&dataset), seed: plan.seed, with_outputs: false };
    let choice = match header.engine {
        EngineKind::Cpu => EngineChoice::Cpu,
        EngineKind::Gpu => EngineChoice::Gpu,
    };
    let device = plan.engine.device.as_deref();
    let mut engine = engine::open_for(&plan.model, choice, device, None, job)?.engine;
    let (network, recipe) =
        hyperparameter::build(&best.configuration, dataset.task, dataset.feature_count, plan.max_epochs)?;
    let is_machine = recipe.machine.is_some();
    let member = Member { fold, repeat: 0, network: network.clone(), recipe };
    let models = BestModels {
        trial: best.number,
        folds: vec![parameters(engine.as_mut(), member, epochs, best.number)?],
    };
    let preprocessing =
        Preprocessing::new(&dataset, &prepared.encoder, [fold]).of_study(&prepared.fingerprint);
    preprocessing.save(folder, Which::Refit)?;
    weights::save(folder, Which::Refit, best, epochs, &network, &models)?;
    SavedModel::new(&models, network, is_machine, preprocessing)
}

/// Trains one member for so many epochs.
fn parameters(engine: &mut dyn Engine, member: Member, epochs: u32, trial: u64) -> Result<Vec<f32>> {
    const ID: u64 = 0;
    engine.check(&member)?;
    engine.admit(ID, member)?;
    for _ in 0..epochs {
        engine.train(&[ID])?;
        let reports = engine.wait()?;
        if reports.is_empty() {
            return Err(Error::device(engine.device(), "the engine stopped reporting")
                .advice("run the same command again, or predict without --refit"));
        }
        if let Some(step) = reports.iter().find_map(|report| report.diverged_at_step) {
            let found = format!("trial {trial} diverges at step {step} when it is trained on all rows");
            return Err(Error::data("--refit", found)
                .allowed("a configuration that trains to its end")
                .advice("predict without --refit"));
        }
    }
    let snapshot = engine.snapshot(&[ID])?.pop();
    engine.retire(&[ID]);
    let none =
        || Error::device(engine.device(), "the engine lost a model").advice("run the same command again");
    snapshot.map(|snapshot| snapshot.parameters).ok_or_else(none)
}
