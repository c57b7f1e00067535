//! Configurations trained beside a study, all at once and by its rules, with nothing stored: sweeps and learning curves.

use crate::data::Dataset;
use crate::engine::{Engine, MemberId, Report};
use crate::error::{Error, Result};
use crate::model::hyperparameter;
use crate::model::metric::{Metric, Truth};
use crate::model::recipe::Member;
use crate::space::Configuration;
use crate::trial::{FoldEpoch, Order, Score, State, Trial};
use std::collections::BTreeMap;

/// What trials of an experiment share.
pub struct Experiment<'a> {
    /// The rows and folds that its engine was opened on.
    pub dataset: &'a Dataset,
    /// What is scored.
    pub objective: &'static dyn Metric,
    /// What breaks ties.
    pub tie_breaker: &'static dyn Metric,
    /// The most epochs of a trial.
    pub max_epochs: u32,
    /// Epochs without a better mean over folds after which it ends.
    pub patience: u32,
}

/// One trial of an experiment.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What it trains with.
    pub configuration: Configuration,
    /// The folds that it is trained on.
    pub folds: Vec<usize>,
    /// Which random numbers: 0 are those of a study.
    pub repeat: u16,
}

/// A variant in training.
struct Active {
    trial: Trial,
    folds: Vec<usize>,
    ids: Vec<MemberId>,
}

impl Experiment<'_> {
    /// What is better.
    pub fn order(&self) -> Order {
        Order { objective: self.objective.direction(), tie_break: self.tie_breaker.direction() }
    }

    /// (variant) A trial of its number, that has ended. As many train at a time as find room.
    pub fn run(&self, engine: &mut dyn Engine, variants: &[Variant]) -> Result<Vec<Trial>> {
        let mut ended: BTreeMap<u64, Trial> = BTreeMap::new();
        let (mut active, mut next, mut name) = (Vec::new(), 0, 0);
        while ended.len() < variants.len() {
            while let Some(variant) = variants.get(next) {
                match self.admit(engine, next as u64, variant, &mut name)? {
                    Some(admitted) => active.push(admitted),
                    None if active.is_empty() => return Err(no_room(engine)),
                    None => break,
                }
                next += 1;
            }
            let ids: Vec<MemberId> = active.iter().flat_map(|one: &Active| one.ids.iter().copied()).collect();
            let reports = engine.train_epoch(&ids)?;
            for mut one in std::mem::take(&mut active) {
                match self.close_epoch(&mut one, &reports) {
                    true => active.push(one),
                    false => {
                        engine.retire(&one.ids);
                        ended.insert(one.trial.number, one.trial);
                    }
                }
            }
        }
        Ok(ended.into_values().collect())
    }

    /// Puts the members of a variant on the engine; `None` where there is no room for all of them.
    fn admit(
        &self,
        engine: &mut dyn Engine,
        number: u64,
        variant: &Variant,
        name: &mut MemberId,
    ) -> Result<Option<Active>> {
        let Dataset { task, feature_count, .. } = *self.dataset;
        let (network, recipe) =
            hyperparameter::build(&variant.configuration, task, feature_count, self.max_epochs)?;
        let mut ids = Vec::new();
        for &fold in &variant.folds {
            let member =
                Member { fold, repeat: variant.repeat, network: network.clone(), recipe: recipe.clone() };
            engine.check(&member)?;
            if engine.room(&member) == 0 {
                engine.retire(&ids);
                return Ok(None);
            }
            engine.admit(*name, member)?;
            ids.push(*name);
            *name += 1;
        }
        let trial = Trial::new(number, variant.configuration.clone(), self.order(), variant.folds.len());
        Ok(Some(Active { trial, folds: variant.folds.clone(), ids }))
    }

    /// Takes in an epoch of all folds of a trial. Returns whether it trains on.
    fn close_epoch(&self, active: &mut Active, reports: &BTreeMap<MemberId, Report>) -> bool {
        let Active { trial, folds, ids } = active;
        let of_folds: Vec<&Report> = ids.iter().filter_map(|id| reports.get(id)).collect();
        if let Some(step) = of_folds.iter().filter_map(|report| report.diverged_at_step).min() {
            trial.diverged_at_step = Some(step);
            trial.state = State::Diverged;
            return false;
        }
        let scored = of_folds.iter().zip(folds.iter()).map(|(report, &fold)| {
            let truth = Truth { dataset: self.dataset, fold: &self.dataset.folds[fold] };
            let score = |metric: &dyn Metric| {
                report.evaluation.as_ref().map_or(f64::NAN, |scores| metric.score(scores, truth))
            };
            let score = Score { value: score(self.objective), tie_break: score(self.tie_breaker) };
            FoldEpoch { train_loss: report.train_loss, score }
        });
        let epoch: Vec<FoldEpoch> = scored.collect();
        trial.history.push(&epoch);
        let has_ended = trial.history.has_ended(self.max_epochs, self.patience);
        if has_ended {
            trial.state = State::Complete;
        }
        !has_ended
    }
}

fn no_room(engine: &dyn Engine) -> Error {
    Error::device(engine.device(), "an empty engine has no room for all folds of one configuration")
        .allowed("models whose folds fit the device together")
        .advice("fewer folds, or a smaller model")
}
