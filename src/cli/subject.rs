//! What `lr`, `curve` and `noise` are asked about: the data and a configuration, of a data file, a study file, or a study that
//! has run.

use super::gradcheck::Format;
use super::guard::refuse_beside_study;
use super::output;
use crate::data::{self, Dataset, Prepared, Targets};
use crate::engine::{self, Engine, EngineChoice, EngineKind, Job, Opened};
use crate::error::{Error, Result};
use crate::model::hyperparameter::SVM;
use crate::model::metric;
use crate::space::{Configuration, Domain, Space};
use crate::study::experiment::Experiment;
use crate::study::plan::{Overrides, Plan, device_beside_cpu};
use crate::study::same::{data_of, plan_of};
use crate::study::store::Store;
use crate::trial::{self, State, Trial};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The arguments that all of them take.
#[derive(clap::Args)]
pub struct SubjectArguments {
    /// A data file, a study file (.toml), or the folder of a study that has run
    input: PathBuf,
    /// The column to predict, of a data file
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// Number of folds of the cross-validation [default: 5]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    folds: Option<usize>,
    /// The configuration of this trial, of a study that has run [default: the best one's]
    #[arg(long, value_name = "NUMBER")]
    trial: Option<u64>,
    /// The most epochs that a model is trained for [default: the study's]
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// auto, gpu or cpu [default: auto, a real GPU where there is one; of a study that has run its own]
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// The graphics adapter: its index or a part of its name; see `manytune devices`
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// Seeds folds and models [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// table or json
    #[arg(long, value_enum, default_value_t = Format::Table, hide_default_value = true)]
    pub format: Format,
}

impl SubjectArguments {
    /// Whether what is asked about is the best trial of a study, trained as it was there.
    pub fn is_of_best(&self) -> bool {
        self.input.is_dir() && self.trial.is_none() && self.epochs.is_none()
    }

    /// What is asked about.
    pub fn folder(&self) -> &Path {
        &self.input
    }
}

/// A configuration, of which trial, and what that came to.
pub type Known = (Option<u64>, Configuration, Option<f64>);

/// Data, and the configuration that is in question.
pub struct Subject {
    /// What it is of.
    pub plan: Plan,
    /// The rows and their folds.
    pub dataset: Dataset,
    /// What the space fixes, or what a trial was trained with.
    pub configuration: Configuration,
    /// The trial.
    pub trial: Option<u64>,
    /// Complete trials of the study, by rank.
    ranked: Vec<Trial>,
    fold_count: usize,
    choice: EngineChoice,
    device: Option<String>,
    max_epochs: u32,
}

impl Subject {
    /// Reads what is asked about. Errors: what does not go together (usage), data that cannot be read or have changed.
    pub fn of(arguments: &SubjectArguments) -> Result<Self> {
        if arguments.epochs == Some(0) {
            return Err(Error::usage("--epochs", 0).allowed("at least 1"));
        }
        let subject = match arguments.input.is_dir() {
            true => Self::of_study(arguments)?,
            false => Self::of_data(arguments)?,
        };
        match subject.device.as_ref().filter(|_| subject.choice == EngineChoice::Cpu) {
            Some(device) => Err(device_beside_cpu("--device", device)),
            None => Ok(subject),
        }
    }

    fn of_data(arguments: &SubjectArguments) -> Result<Self> {
        if arguments.trial.is_some() {
            return Err(Error::usage("--trial", format!("beside {}, a file", arguments.input.display()))
                .allowed("--trial beside the folder of a study that has run")
                .advice("leave --trial out, or give the folder"));
        }
        let overrides = Overrides {
            target: arguments.target.clone(),
            folds: arguments.folds,
            seed: arguments.seed,
            engine: arguments.engine.clone(),
            device: arguments.device.clone(),
            ..Overrides::default()
        };
        let mut plan = Plan::from_file(&arguments.input, &overrides)?;
        let (_, Prepared { dataset, .. }) =
            data::read(&plan.data, plan.seed).map_err(|error| plan.locate(error))?;
        plan.settle(dataset.task, dataset.row_count(), dataset.feature_count)?;
        let configuration = plan.space.as_ref().map(fixed).unwrap_or_default();
        let choice = EngineChoice::named("engine.kind", &plan.engine.kind)?;
        let (device, max_epochs) = (plan.engine.device.clone(), arguments.epochs.unwrap_or(plan.max_epochs));
        let (fold_count, ranked) = (dataset.folds.len(), Vec::new());
        Ok(Self { plan, dataset, configuration, trial: None, ranked, fold_count, choice, device, max_epochs })
    }

    fn of_study(arguments: &SubjectArguments) -> Result<Self> {
        let given = [
            ("--target", arguments.target.is_some()),
            ("--folds", arguments.folds.is_some()),
            ("--seed", arguments.seed.is_some()),
        ];
        refuse_beside_study(&given, &arguments.input, "the data, folds and seed of the study")?;
        let folder = &arguments.input;
        let store = Store::read(folder)?;
        let header = store.header()?;
        let plan = plan_of(&header)?;
        let (order, trials) = (header.order()?, store.trials()?);
        let trial = match arguments.trial {
            None => trial::best(order, &trials),
            Some(number) => trials.iter().find(|trial| trial.number == number),
        };
        let trial = trial.ok_or_else(|| match arguments.trial {
            Some(number) => Error::usage("--trial", number)
                .allowed(format!("0 to {}", trials.len().saturating_sub(1)))
                .advice(format!("manytune show {}", folder.display())),
            None => Error::store(folder.display(), "no trial is complete")
                .advice("--trial N for one of those that there are; of a study that still runs, wait"),
        })?;
        let (_, prepared) = data_of(folder, &header, &plan, "give the data file itself")?;
        let own = if header.engine == EngineKind::Cpu { EngineChoice::Cpu } else { EngineChoice::Gpu };
        let choice = match (&arguments.engine, &arguments.device) {
            (Some(name), _) => EngineChoice::named("--engine", name)?,
            (None, Some(_)) => EngineChoice::Gpu,
            (None, None) => own,
        };
        // Another engine's adapter is none.
        let device =
            arguments.device.clone().or(plan.engine.device.clone().filter(|_| choice != EngineChoice::Cpu));
        let complete = trials.iter().filter(|trial| trial.state == State::Complete);
        let mut ranked: Vec<Trial> = complete.cloned().collect();
        ranked.sort_by(|a, b| trial::compare(order, a, b));
        Ok(Self {
            configuration: trial.configuration.clone(),
            ranked,
            fold_count: header.fold_count,
            trial: Some(trial.number),
            dataset: prepared.dataset,
            max_epochs: arguments.epochs.unwrap_or(plan.max_epochs),
            plan,
            choice,
            device,
        })
    }

    /// Opens the engine on this subject's data, and says which.
    pub fn open(&self, dataset: Arc<Dataset>) -> Result<Box<dyn Engine>> {
        let opened = self.opened(dataset)?;
        output::note(&opened.why);
        Ok(opened.engine)
    }

    /// The same once more, without a word.
    pub fn open_quietly(&self, dataset: Arc<Dataset>) -> Result<Box<dyn Engine>> {
        Ok(self.opened(dataset)?.engine)
    }

    fn opened(&self, dataset: Arc<Dataset>) -> Result<Opened> {
        let with_outputs = self.plan.metric(dataset.task)?.needs_outputs();
        let job = Job { dataset, seed: self.plan.seed, with_outputs };
        engine::open_for(&self.plan.model, self.choice, self.device.as_deref(), None, job)
    }

    /// By the rules of the subject's plan.
    pub fn experiment<'a>(&self, dataset: &'a Dataset) -> Result<Experiment<'a>> {
        Ok(Experiment {
            dataset,
            objective: self.plan.metric(dataset.task)?,
            tie_breaker: metric::tie_breaker(dataset.task),
            max_epochs: self.max_epochs,
            patience: self.plan.patience,
        })
    }

    /// An object for scripts, with what it is of.
    pub fn signed(&self, mut object: Value, engine: &dyn Engine) -> Value {
        object["study"] = json!(self.plan.name);
        object["trial"] = json!(self.trial);
        object["seed"] = json!(self.plan.seed);
        object["engine"] = json!(engine.kind().name());
        object["device"] = json!(engine.device());
        object["hyperparameters"] = json!(self.configuration);
        object
    }

    /// The configurations of the so many best trials, with their numbers; without a count the one in question.
    pub fn leading(&self, top: Option<usize>) -> Result<Vec<(Option<u64>, Configuration)>> {
        let Some(count) = top else { return Ok(vec![(self.trial, self.configuration.clone())]) };
        if count == 0 || self.ranked.is_empty() {
            return Err(Error::usage("--top", count)
                .allowed("1 and more, beside the folder of a study that has run")
                .advice("leave --top out"));
        }
        let trials = self.ranked.iter().take(count);
        Ok(trials.map(|trial| (Some(trial.number), trial.configuration.clone())).collect())
    }

    /// The configuration in question with what it came to, and where that is the best of a study the next one.
    pub fn leading_pair(&self, is_of_best: bool) -> Vec<Known> {
        let known = |trial: &Trial| {
            (Some(trial.number), trial.configuration.clone(), trial.score().map(|score| score.value))
        };
        if is_of_best {
            return self.ranked.iter().take(2).map(known).collect();
        }
        let own = self.ranked.iter().find(|trial| Some(trial.number) == self.trial);
        own.map_or_else(|| vec![(self.trial, self.configuration.clone(), None)], |trial| vec![known(trial)])
    }

    /// The rows and their folds, to be changed; the subject keeps none.
    pub fn take_dataset(&mut self) -> Dataset {
        let Dataset { task, feature_count, .. } = self.dataset;
        let none = Targets::Classes(Vec::new());
        let empty = Dataset { task, feature_count, features: Vec::new(), targets: none, folds: Vec::new() };
        std::mem::replace(&mut self.dataset, empty)
    }

    /// What the subject is, with the configuration of a trial, on one line.
    pub fn title(&self, trial: Option<u64>) -> String {
        let of = match trial {
            Some(number) => format!("trial {number}"),
            None => "defaults".to_owned(),
        };
        let epochs = match self.has_epochs() {
            true => format!(", at most {} epochs", self.max_epochs),
            false => String::new(),
        };
        format!("{}: {of}, {} folds{epochs}", self.plan.name, self.fold_count)
    }

    /// Whether what it trains is trained by epochs, and not solved at once.
    pub fn has_epochs(&self) -> bool {
        self.plan.model != SVM
    }
}

/// What a space fixes; the rest is at its defaults.
fn fixed(space: &Space) -> Configuration {
    let mut configuration = Configuration::new();
    for index in space.order() {
        let dimension = &space.dimensions[index];
        if let Domain::Fixed(value) = &dimension.domain
            && space.is_active(dimension, &configuration)
        {
            configuration.insert(dimension.name.clone(), value.clone());
        }
    }
    configuration
}
