//! The plan of a study as meant: the study file, the command line and the defaults, resolved.

use super::completed_space::completed;
use super::document::{Places, Source};
use super::entries::{self, Entry};
use super::file::{ENGINES, SCALES, StudyFile, TASKS, TYPES};
use super::inside::Histograms;
use super::search_table::{DEFAULT_TRIALS, SearchTable, configuration_text, narrow, target_value};
use crate::data::{self, ColumnRef, DataOptions, MOST_FOLDS, Task};
use crate::error::{Error, ErrorKind, Result, unknown_name};
use crate::model::hyperparameter::{self, SVM};
use crate::model::metric::{self, Direction, Metric};
use crate::setting::Chosen;
use crate::space::{Configuration, Constraint, Space, key_text, quoted};
use crate::{schedule, search};
use std::path::{Path, PathBuf};

pub use super::default_space::default_space;

/// The strategy of the default space of kernel machines.
const GRID: &str = "grid";

/// The engine that takes no graphics adapter.
pub const CPU: &str = "cpu";

/// Epochs of a trial where nothing says how many.
pub(super) const DEFAULT_MAX_EPOCHS: u32 = 100;
const DEFAULT_PATIENCE: u32 = 20;

/// What the command line says over the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// `--target`
    pub target: Option<String>,
    /// `--trials`
    pub trials: Option<u64>,
    /// `--folds`
    pub folds: Option<usize>,
    /// `--repeats`
    pub repeats: Option<usize>,
    /// `--strategy`
    pub strategy: Option<String>,
    /// `--batch`
    pub batch: Option<u64>,
    /// `--target-value`
    pub target_value: Option<f64>,
    /// `--seed`
    pub seed: Option<u64>,
    /// `--engine`
    pub engine: Option<String>,
    /// `--device`
    pub device: Option<String>,
    /// `--memory`
    pub memory: Option<String>,
    /// `--histograms`
    pub histograms: Option<String>,
}

/// Which engine a study asks for, as typed.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineOptions {
    /// `auto`, `gpu` or `cpu`.
    pub kind: String,
    /// An index or a part of the adapter's name.
    pub device: Option<String>,
    /// A size or a share of the device's memory.
    pub memory: Option<String>,
}

/// A study as meant.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The file's name without its extension: names the default output folder.
    pub name: String,
    /// The data and how rows are divided.
    pub data: DataOptions,
    /// `mlp`, `linear` or `svm`.
    pub model: String,
    /// A strategy of [`search::ALL`].
    pub strategy: String,
    /// The values of the strategy's own settings.
    pub strategy_settings: Chosen,
    /// How many trials; `None`: all that the strategy has.
    pub trials: Option<u64>,
    /// Trials under way at most; `None` where the strategy does not learn, and until the plan is settled.
    pub batch: Option<u64>,
    /// The share of the trials that the strategy leaves to random search; 0 where it does not learn.
    pub random_share: f64,
    /// The configurations of the first trials; until the plan is settled, the values that the file gives.
    pub enqueued: Vec<Configuration>,
    /// What every configuration must meet.
    pub constraints: Vec<Constraint>,
    /// The study ends when a complete trial is at least as good.
    pub target_value: Option<f64>,
    /// Seeds everything.
    pub seed: u64,
    /// The name of a metric; `None`: the task's default.
    pub objective: Option<String>,
    /// A schedule of [`crate::schedule::ALL`].
    pub schedule: String,
    /// The values of the schedule's own settings.
    pub schedule_settings: Chosen,
    /// The most epochs of a trial.
    pub max_epochs: u32,
    /// A trial stops after so many epochs without a better mean over its folds.
    pub patience: u32,
    /// Which engine.
    pub engine: EngineOptions,
    /// Which trials' histograms are kept, where that is said.
    pub histograms: Option<Histograms>,
    /// The space, checked against the hyperparameters; `None`: the default one, once the data are known.
    pub space: Option<Space>,
    /// All of this as the text of a study file, which reads back as the same plan.
    pub source: String,
    /// Where the keys of the file stand.
    places: Places,
}

impl Plan {
    /// The plan of a study file (`.toml`) or of a data file.
    pub fn from_file(path: &Path, overrides: &Overrides) -> Result<Self> {
        match path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
            true => Self::from_study_file(path, overrides),
            false => Self::from_data_file(path, overrides),
        }
    }

    /// The plan of a data file: defaults but for what the command line says.
    ///
    /// Errors are of kind usage: a CSV file without `--target`, a flag that is not allowed.
    pub fn from_data_file(path: &Path, overrides: &Overrides) -> Result<Self> {
        if overrides.target.is_none() && is_csv(path) && path.is_file() {
            let error = Error::usage(path.display(), "which column to predict is not said");
            let allowed = columns_of(path).map_or_else(String::new, |names| format!(", one of: {names}"));
            return Err(error.allowed(format!("--target <column>{allowed}")));
        }
        let data = DataOptions { path: path.to_path_buf(), ..DataOptions::default() };
        Self::resolve(StudyFile::of_data(data), name_of(path), overrides)
    }

    /// The plan of a study file. Errors are of kind usage, with file, line, column and key.
    pub fn from_study_file(path: &Path, overrides: &Overrides) -> Result<Self> {
        Self::resolve(StudyFile::open(path)?, name_of(path), overrides)
    }

    /// The plan of the text of a study file, such as [`Plan::source`]; relative paths are relative to
    /// the current folder.
    pub fn from_source(name: &str, text: &str) -> Result<Self> {
        let file = StudyFile::read(&Source::new(name, text), Path::new(""))?;
        Self::resolve(file, name.to_string(), &Overrides::default())
    }

    fn resolve(file: StudyFile, name: String, overrides: &Overrides) -> Result<Self> {
        let model = file.model.unwrap_or_else(|| hyperparameter::MODELS[0].to_string());
        let seed = overrides.seed.or(file.search.seed).unwrap_or(0);
        let is_machine = model == SVM;
        // The default space of kernel machines is a grid.
        let grid = (is_machine && file.space.is_none() && file.search.strategy.is_none()).then_some(GRID);
        let (strategy, strategy_settings) =
            file.search.strategy(overrides.strategy.as_deref().or(grid), &file.places)?;
        let narrowed = |space: &Space| {
            let space = hyperparameter::admit(space, &model)?;
            let SearchTable { constraints, enqueue, .. } = &file.search;
            narrow(space, constraints, enqueue, strategy, seed).map(|(space, _)| space)
        };
        let space = file.space.as_ref().map(narrowed).transpose();
        let schedule = file.schedule.unwrap_or_else(|| schedule::ALL[0].name().to_string());
        let schedule = schedule::named("schedule.kind", &schedule)?;
        if is_machine && schedule.name() != schedule::ALL[0].name() {
            return Err(file.places.locate(schedule_of_machines(schedule.name())));
        }
        let schedule_settings =
            file.schedule_settings.of_member("schedule", schedule.name(), schedule.settings(), false);
        let engine = overrides.engine.clone().or(file.engine).unwrap_or_else(|| ENGINES[0].to_string());
        if !ENGINES.contains(&engine.as_str()) {
            return Err(unknown_name("--engine", "engine", &engine, ENGINES.iter().copied()));
        }
        // A flag that asks for the processor sets aside the adapter that the file names.
        let device =
            overrides.device.clone().or(file.device.filter(|_| overrides.engine.as_deref() != Some(CPU)));
        if let Some(device) = device.as_ref().filter(|_| engine == CPU) {
            let place = if overrides.device.is_some() { "--device" } else { "engine.device" };
            return Err(file.places.locate(device_beside_cpu(place, device)));
        }
        let said = overrides.histograms.as_deref().map(|text| Histograms::read("--histograms", text));
        let histograms = said.transpose()?.or(file.histograms);
        let trials = file.search.trials(overrides.trials, strategy)?;
        let mut plan = Self {
            name,
            data: data_options(file.data, overrides)?,
            space: space.map_err(|error| file.places.locate(error))?,
            model,
            strategy: strategy.name().to_string(),
            batch: overrides.batch.or(file.search.batch).filter(|_| strategy.learns(&strategy_settings)),
            random_share: file
                .search
                .random_share
                .filter(|_| search::shares(strategy, &strategy_settings))
                .unwrap_or(0.0),
            strategy_settings,
            enqueued: file.search.enqueue,
            constraints: file.search.constraints,
            target_value: target_value(overrides.target_value, file.search.target_value)?,
            trials,
            seed,
            objective: file.objective,
            schedule: schedule.name().to_string(),
            schedule_settings: schedule_settings.map_err(|error| file.places.locate(error))?,
            // A kernel machine is solved at once.
            max_epochs: if is_machine { 1 } else { file.max_epochs.unwrap_or(DEFAULT_MAX_EPOCHS) },
            patience: file.patience.unwrap_or(DEFAULT_PATIENCE),
            engine: EngineOptions { kind: engine, device, memory: overrides.memory.clone().or(file.memory) },
            histograms,
            source: String::new(),
            places: file.places,
        };
        plan.source = plan.text();
        Ok(plan)
    }

    /// Resolves what depends on the data: the objective and the default space.
    ///
    /// Refuses an objective or a hyperparameter that does not fit the task, and constraints and enqueued
    /// configurations that do not fit the space.
    pub fn settle(&mut self, task: Task, row_count: usize, feature_count: usize) -> Result<()> {
        let objective = self.metric(task)?.name().to_string();
        let space = match &self.space {
            Some(space) => space.clone(),
            None => default_space(task, row_count, feature_count, &self.model),
        };
        hyperparameter::check_task(&space, task).map_err(|error| self.places.locate(error))?;
        let space = completed(space, &self.model, &objective).map_err(|error| self.places.locate(error))?;
        let strategy = search::named("search.strategy", &self.strategy)?;
        let narrowed = narrow(space, &self.constraints, &self.enqueued, strategy, self.seed);
        let (space, enqueued) = narrowed.map_err(|error| self.places.locate(error))?;
        (self.space, self.enqueued) = (Some(space), enqueued);
        if strategy.learns(&self.strategy_settings) {
            let settings = self.search_settings(self.metric(task)?.direction());
            let size = self.space.as_ref().and_then(|space| strategy.size(space, &settings));
            let size = size.map(|size| u64::try_from(size).unwrap_or(u64::MAX));
            let trials = [self.trials, size].into_iter().flatten().min();
            self.batch = self.batch.or(Some(default_batch(trials)));
        }
        self.objective = Some(objective);
        self.source = self.text();
        Ok(())
    }

    /// The metric that decides; refused where it does not fit the task.
    pub fn metric(&self, task: Task) -> Result<&'static dyn Metric> {
        let Some(name) = &self.objective else { return Ok(metric::default_for(task)) };
        let fitting = metric::ALL.iter().filter(|metric| metric.fits(task)).map(|metric| metric.name());
        let fitting: Vec<&str> = fitting.collect();
        metric::find(name).filter(|metric| metric.fits(task)).ok_or_else(|| {
            let task = match task {
                Task::Classification { .. } => "classification",
                Task::Regression => "regression",
            };
            let error = Error::usage("search.objective", format!("{name} does not score {task}"));
            self.places.locate(error.allowed(fitting.join(", ")))
        })
    }

    /// What the strategy is created with.
    pub fn search_settings(&self, direction: Direction) -> search::Settings {
        let (chosen, enqueued) = (self.strategy_settings.clone(), self.enqueued.clone());
        let (batch, random_share) = (self.batch.unwrap_or(1), self.random_share);
        search::Settings { seed: self.seed, direction, chosen, enqueued, batch, random_share }
    }

    /// What the schedule is created with, for trials of so many folds.
    pub fn schedule_settings(&self, fold_count: usize) -> schedule::Settings {
        let chosen = self.schedule_settings.clone();
        schedule::Settings { max_epochs: self.max_epochs, fold_count, seed: self.seed, chosen }
    }

    /// An error of kind usage with the place in the study file of the key that it names.
    #[must_use]
    pub fn locate(&self, error: Error) -> Error {
        if error.kind == ErrorKind::Usage { self.places.locate(error) } else { error }
    }

    /// What keeps the results of `self`, a study that ran, from being those of `other`: one line each.
    ///
    /// Not compared: the number of trials (a study can be extended), the engine, the name and path of
    /// the data (their content is compared by its fingerprint). Both plans should be settled.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = entries::differences(&self.entries(), &other.entries(), FREE);
        let none = Space::default();
        let (before, now) = (self.space.as_ref().unwrap_or(&none), other.space.as_ref().unwrap_or(&none));
        differences.extend(entries::space_differences(before, now));
        differences
    }

    /// The whole plan as the text of a study file.
    fn text(&self) -> String {
        entries::text(&self.entries(), self.space.as_ref())
    }

    /// Every key but those of the space, with its value as TOML; always the same keys in the same order.
    fn entries(&self) -> Vec<Entry> {
        let (data, split) = (&self.data, &self.data.split);
        let uses_folds = split.validation.is_none() && split.fold_column.is_none();
        let mut entries = vec![
            ("data", "path", Some(path_text(&data.path))),
            ("data", "target", data.target.as_ref().map(column_text)),
            ("data", "labels", data.labels.as_deref().map(path_text)),
            ("data", "has_header", data.has_header.map(|value| value.to_string())),
            ("data", "ignore", listed(data.ignore.iter().map(column_text))),
            ("data", "missing", listed(data.missing.iter().map(|text| quoted(text)))),
            ("data", "types", types_text(data)),
            ("data", "task", data.task.and_then(|task| name_in(TASKS, task))),
            ("data", "scale", name_in(SCALES, data.scale)),
            ("data", "folds", uses_folds.then(|| split.folds.to_string())),
            ("data", "validation", split.validation.map(|share| format!("{share:?}"))),
            ("data", "repeats", (split.repeats > 1).then(|| split.repeats.to_string())),
            ("data", "test", split.test.map(|share| format!("{share:?}"))),
            ("data", "fold_column", split.fold_column.as_ref().map(column_text)),
            ("data", "group_column", split.group_column.as_ref().map(column_text)),
            ("model", "kind", Some(quoted(&self.model))),
            ("search", "strategy", Some(quoted(&self.strategy))),
            ("search", "trials", self.trials.map(|trials| trials.to_string())),
            ("search", "seed", Some(self.seed.to_string())),
            ("search", "batch", self.batch.map(|batch| batch.to_string())),
            ("search", "random_share", (self.random_share > 0.0).then(|| format!("{:?}", self.random_share))),
            ("search", "objective", self.objective.as_deref().map(quoted)),
            ("search", "target_value", self.target_value.map(|value| format!("{value:?}"))),
            ("search", "constraints", listed(self.constraints.iter().map(|c| quoted(&c.to_string())))),
            ("search", "enqueue", listed(self.enqueued.iter().map(configuration_text))),
        ];
        let strategies = search::ALL.iter().flat_map(|kind| kind.settings());
        entries.extend(entries::of_settings("search", strategies, &self.strategy_settings));
        entries.extend([
            ("schedule", "kind", Some(quoted(&self.schedule))),
            ("schedule", "max_epochs", Some(self.max_epochs.to_string())),
            ("schedule", "patience", Some(self.patience.to_string())),
        ]);
        let schedules = schedule::ALL.iter().flat_map(|kind| kind.settings());
        entries.extend(entries::of_settings("schedule", schedules, &self.schedule_settings));
        entries.extend([
            ("engine", "kind", Some(quoted(&self.engine.kind))),
            ("engine", "device", self.engine.device.as_deref().map(quoted)),
            ("engine", "memory", self.engine.memory.as_deref().map(quoted)),
            ("engine", "histograms", self.histograms.map(|asked| quoted(&asked.to_string()))),
        ]);
        entries
    }
}

/// A tenth or so of the trials is under way at a time: enough to fill a device, few enough to learn from.
fn default_batch(trials: Option<u64>) -> u64 {
    (trials.unwrap_or(DEFAULT_TRIALS) / 8).clamp(1, 64)
}

/// The error for a graphics adapter that the engine would not look at.
pub fn device_beside_cpu(place: &str, device: &str) -> Error {
    Error::usage(place, format!("the graphics adapter \"{device}\" beside the engine cpu, which uses none"))
        .allowed("a device for the engines gpu and auto")
        .advice("leave the device out, or --engine gpu")
}

/// Keys that may change under a study that has results.
const FREE: &[(&str, &str)] = &[
    ("data", "path"),
    ("data", "labels"),
    ("search", "trials"),
    ("search", "target_value"),
    ("engine", "kind"),
    ("engine", "device"),
    ("engine", "memory"),
    ("engine", "histograms"),
];

/// The error for a schedule of models that are not trained by epochs.
fn schedule_of_machines(schedule: &str) -> Error {
    Error::usage("schedule.kind", format!("{schedule} for kernel machines, which are solved at once"))
        .allowed(schedule::ALL[0].name())
        .advice("leave [schedule] out")
}

fn data_options(mut data: DataOptions, overrides: &Overrides) -> Result<DataOptions> {
    if let Some(target) = &overrides.target {
        data.target = Some(ColumnRef::Name(target.clone()));
    }
    if let Some(folds) = overrides.folds {
        if !(2..=MOST_FOLDS).contains(&folds) {
            return Err(Error::usage("--folds", folds)
                .allowed(format!("2 to {MOST_FOLDS}"))
                .advice("validation = 0.2 in a study file, for a single split"));
        }
        // The column of folds stays no feature: it may tell of the target.
        let column = data.split.fold_column.take();
        data.ignore.extend(column.filter(|column| !data.ignore.contains(column)));
        (data.split.folds, data.split.validation) = (folds, None);
    }
    if let Some(repeats) = overrides.repeats {
        if !(1..=MOST_FOLDS).contains(&repeats) {
            return Err(Error::usage("--repeats", repeats).allowed(format!("1 to {MOST_FOLDS}")));
        }
        data.split.repeats = repeats;
    }
    Ok(data)
}

fn name_in<T: PartialEq>(names: &[(&str, T)], value: T) -> Option<String> {
    names.iter().find(|(_, known)| *known == value).map(|(name, _)| quoted(name))
}

/// A list as TOML, where it has elements.
pub(super) fn listed(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.collect();
    (!items.is_empty()).then(|| format!("[{}]", items.join(", ")))
}

fn types_text(data: &DataOptions) -> Option<String> {
    let types = data.column_types.iter();
    let types: Vec<String> = types
        .filter_map(|(column, kind)| Some(format!("{} = {}", key_text(column), name_in(TYPES, *kind)?)))
        .collect();
    (!types.is_empty()).then(|| format!("{{ {} }}", types.join(", ")))
}

fn column_text(column: &ColumnRef) -> String {
    match column {
        ColumnRef::Index(index) => index.to_string(),
        ColumnRef::Name(name) => quoted(name),
    }
}

/// Absolute, so that the text means the same file wherever it is kept.
fn path_text(path: &Path) -> String {
    quoted(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string())
}

/// A file's name without `.toml`, `.csv`, `.csv.gz` and their like.
pub(super) fn name_of(path: &Path) -> String {
    let stem = |path: &Path| PathBuf::from(path.file_stem().unwrap_or_default());
    let is_packed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let name = if is_packed { stem(&stem(path)) } else { stem(path) };
    match name.display().to_string() {
        name if name.is_empty() => "study".to_string(),
        name => name,
    }
}

/// Whether the name says that it is a table of named columns.
fn is_csv(path: &Path) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".csv", ".tsv"].iter().any(|extension| name.ends_with(extension))
}

/// The columns that a CSV file names, for a user who did not say which to predict.
fn columns_of(path: &Path) -> Option<String> {
    const MOST_NAMES: usize = 30;
    let names = data::column_names(path)?;
    let more = if names.len() > MOST_NAMES { ", …" } else { "" };
    let quoted =
        |name: &String| if name.contains([',', ' ', '"']) { format!("'{name}'") } else { name.clone() };
    let listed: Vec<String> = names.iter().take(MOST_NAMES).map(quoted).collect();
    Some(format!("{}{more}", listed.join(", ")))
}
