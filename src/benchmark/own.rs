//! A study of the user's own: its data, its space, its seed, some of its trials.

use super::record::Record;
use super::workload::Counts;
use super::{Bench, Entry};
use crate::data;
use crate::engine::Job;
use crate::error::{Error, Result};
use crate::model::hyperparameter::{self, SVM};
use crate::model::recipe::Member;
use crate::search::{self, Trials};
use crate::study::plan::Plan;
use crate::verify::{self, Level, Options};
use std::sync::Arc;

/// How configurations are drawn.
const STRATEGY: &str = "random";
/// Members where nothing is said.
const COUNTS: Counts = Counts { cpu: 64, gpu: 1024, software: 4 };
/// Members whose gradients and steps are verified before any is timed.
const VERIFIED: usize = 4;

/// A study's data, and the members of its first trials.
pub struct Prepare {
    /// The table and the seed.
    pub job: Job,
    /// (trial, fold)
    pub members: Vec<Member>,
}

impl Prepare {
    /// The members of so many trials of a plan, which is settled on its data; all folds of each.
    pub fn new(plan: &mut Plan, trials: impl Fn(usize) -> usize) -> Result<Self> {
        let (_, prepared) = data::read(&plan.data, plan.seed).map_err(|error| plan.locate(error))?;
        let dataset = prepared.dataset;
        plan.settle(dataset.task, dataset.row_count(), dataset.feature_count)?;
        if plan.model == SVM {
            return Err(Error::usage("model.kind", "kernel machines, which take no steps of an optimizer")
                .allowed("mlp, linear"));
        }
        let objective = plan.metric(dataset.task)?;
        let folds = dataset.folds.len();
        let settings = search::Settings::new(plan.seed, objective.direction());
        let space = plan.space.clone().unwrap_or_default();
        let configurations =
            search::create(STRATEGY, &settings)?.ask(&space, Trials::default(), 0, trials(folds))?;
        let mut members = Vec::new();
        for configuration in &configurations {
            let (network, recipe) =
                hyperparameter::build(configuration, dataset.task, dataset.feature_count, plan.max_epochs)?;
            members.extend((0..folds).map(|fold| Member {
                fold,
                repeat: 0,
                network: network.clone(),
                recipe: recipe.clone(),
            }));
        }
        let with_outputs = objective.needs_outputs();
        Ok(Self { job: Job { dataset: Arc::new(dataset), seed: plan.seed, with_outputs }, members })
    }
}

impl Bench<'_> {
    /// Times the first trials of a study, as the strategy `random` proposes them, all folds of each. Epochs are
    /// scored as in the study, which takes time and counts as no work.
    pub fn study(&self, mut plan: Plan) -> Result<Record> {
        let most = self.settings.members.unwrap_or(COUNTS.gpu);
        let Prepare { job, members } = Prepare::new(&mut plan, |folds| most.div_ceil(folds))?;
        if members.is_empty() {
            return Err(Error::usage(&plan.name, "its space has no configuration"));
        }
        (self.say)(&format!("{}: {} rows, {}", plan.name, job.dataset.row_count(), plan.data.path.display()));
        self.verify(&plan.name, &job, &members)?;
        let mut opened = self.open(Entry {
            name: &plan.name,
            job,
            members: &|count| members.iter().take(count).cloned().collect(),
            counts: COUNTS,
            asked: self.settings.members.map(|count| count.min(members.len())),
            is_timed: true,
        })?;
        let warm_up = opened.race.run(1, self.stopped)?;
        let first_result = opened.time + warm_up.first_report;
        self.measure(opened, &plan.name, &warm_up, first_result, None)
    }

    /// Verifies the outputs, the gradient and a step of some members on the study's data. Losses of whole
    /// epochs would not do: at the learning rates of a search, training may amplify any rounding.
    fn verify(&self, name: &str, job: &Job, members: &[Member]) -> Result<()> {
        let chosen = super::reference::spread(members.len(), VERIFIED);
        let chosen: Vec<Member> = chosen.into_iter().map(|number| members[number].clone()).collect();
        let options = Options { level: Level::Quick, ..Options::default() };
        let outcome = verify::members(&options, job, &chosen, self.open)?;
        // A check of few members may have had nothing to look at; that is no difference.
        let names: Vec<&str> =
            outcome.failures().filter(|check| !check.blind).map(|check| check.name.as_str()).collect();
        if names.is_empty() && outcome.checks.iter().any(|check| check.passed) {
            return Ok(());
        }
        Err(Error::check(
            name,
            format!("differs from the f64 reference: {}; nothing is timed", names.join(", ")),
        )
        .advice("manytune gradcheck with the same study, which says where"))
    }
}
