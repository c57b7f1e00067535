//! What is searched and how: a file with `[search]` and `[space]`, and the command line over it.

use crate::error::{Error, Result};
use crate::model::metric::Direction;
use crate::schedule::{self, ScheduleKind};
use crate::search::{self, Search, StrategyKind};
use crate::setting::Chosen;
use crate::space::{Configuration, Space, quoted};
use crate::study::document::{Document, Source};
use crate::study::entries::{self, Entry};
use crate::study::file::{MOST_BATCH, MOST_EPOCHS, optional, read_settings, read_space};
use crate::study::plan::{DEFAULT_MAX_EPOCHS, listed, name_of};
use crate::study::search_table::{SearchTable, configuration_text, narrow};
use std::path::Path;

/// The directions, by name; the first is the default.
const DIRECTIONS: [Direction; 2] = [Direction::Minimize, Direction::Maximize];
/// Keys that may change under a search that has results.
const FREE: &[(&str, &str)] = &[("search", "trials"), ("search", "target_value")];

/// What the command line says over the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// `--strategy`
    pub strategy: Option<String>,
    /// `--trials`
    pub trials: Option<u64>,
    /// `--batch`
    pub batch: Option<u64>,
    /// `--seed`
    pub seed: Option<u64>,
}

/// A search as meant.
#[derive(Clone)]
pub struct Plan {
    /// The file's name without its extension: names the default output folder.
    pub name: String,
    /// What is searched.
    pub space: Space,
    /// Which way is better.
    pub direction: Direction,
    /// Whether the file says so.
    pub is_direction_said: bool,
    /// How configurations are proposed.
    pub strategy: &'static dyn StrategyKind,
    /// The values of the strategy's own settings.
    pub settings: Chosen,
    /// How many trials; `None`: all that the strategy has.
    pub trials: Option<u64>,
    /// Trials that are asked for at a time; `None` where neither the file nor the command line says.
    pub batch: Option<u64>,
    /// The share of the trials that the strategy leaves to random search; 0 where it does not learn.
    pub random_share: f64,
    /// Decides which trials should stop.
    pub schedule: &'static dyn ScheduleKind,
    /// The values of the schedule's own settings.
    pub schedule_settings: Chosen,
    /// The most steps of a trial, which the schedule divides into rungs.
    pub max_epochs: u32,
    /// Seeds everything.
    pub seed: u64,
    /// The configurations of the first trials.
    pub enqueued: Vec<Configuration>,
    /// The search ends when a complete trial is at least as good.
    pub target_value: Option<f64>,
}

impl Plan {
    /// The plan of a file. Errors are of kind usage, with file, line, column and key.
    pub fn from_file(path: &Path, overrides: &Overrides) -> Result<Self> {
        let source = Source::open(path).map_err(|error| match error.allowed.contains("study file") {
            true => error.allowed("a file with [search] and [space] that can be read"),
            false => error,
        })?;
        Self::read(&source, name_of(path), overrides)
    }

    /// The plan of the text of a file, such as [`Plan::source`].
    pub fn from_source(name: &str, text: &str) -> Result<Self> {
        Self::read(&Source::new(name, text), name.to_owned(), &Overrides::default())
    }

    fn read(source: &Source, name: String, overrides: &Overrides) -> Result<Self> {
        let document = source.parse()?;
        let root = document.root();
        root.expect(&["search", "schedule", "space"])?;
        let table = root.get("search").map(|entry| entry.section()).transpose()?;
        let search = table.as_ref().map(|table| SearchTable::read(table, &["direction"])).transpose()?;
        let search = search.unwrap_or_default();
        let names = DIRECTIONS.map(Direction::name);
        let direction = table
            .map(|table| optional(&table, "direction", |entry| entry.name_of("direction", &names)))
            .transpose()?
            .flatten();
        let found = DIRECTIONS.into_iter().find(|known| Some(known.name()) == direction.as_deref());
        let (strategy, settings) = search.strategy(overrides.strategy.as_deref(), &document.places())?;
        if let Some(batch) = overrides.batch.filter(|batch| !(1..=MOST_BATCH.into()).contains(batch)) {
            return Err(Error::usage("--batch", batch)
                .allowed(format!("1 to {MOST_BATCH} trials at a time"))
                .advice("leave --batch out for one at a time"));
        }
        let (schedule, schedule_settings, max_epochs) = schedule_of(&document)?;
        let seed = overrides.seed.or(search.seed).unwrap_or(0);
        let places = document.places();
        let narrowed = narrow(space_of(&document)?, &search.constraints, &search.enqueue, strategy, seed);
        let (space, enqueued) = narrowed.map_err(|error| places.locate(error))?;
        let plan = Self {
            name,
            space,
            direction: found.unwrap_or(DIRECTIONS[0]),
            is_direction_said: found.is_some(),
            trials: search.trials(overrides.trials, strategy)?,
            batch: overrides.batch.or(search.batch),
            random_share: search.random_share.filter(|_| search::shares(strategy, &settings)).unwrap_or(0.0),
            schedule,
            schedule_settings,
            max_epochs,
            seed,
            strategy,
            settings,
            enqueued,
            target_value: search.target_value,
        };
        // What the strategy cannot search is refused here, where the places in the file are known.
        plan.search().map_err(|error| places.locate(error))?;
        Ok(plan)
    }

    /// What a search by this plan is made with.
    pub fn search_settings(&self) -> search::Settings {
        let (chosen, enqueued) = (self.settings.clone(), self.enqueued.clone());
        search::Settings {
            seed: self.seed,
            direction: self.direction,
            chosen,
            enqueued,
            batch: self.batch.unwrap_or(1),
            random_share: self.random_share,
        }
    }

    /// A search by this plan, at its start.
    pub fn search(&self) -> Result<Search> {
        let search = Search::new(self.space.clone(), self.strategy.name(), self.search_settings())?;
        match self.has_schedule() {
            true => search.with_schedule(self.schedule.name(), &self.schedule_settings()),
            false => Ok(search),
        }
    }

    /// What the schedule is created with: one fold, and an epoch for each step.
    pub fn schedule_settings(&self) -> schedule::Settings {
        let chosen = self.schedule_settings.clone();
        schedule::Settings { max_epochs: self.max_epochs, fold_count: 1, seed: self.seed, chosen }
    }

    /// Whether anything decides which trials should stop.
    pub fn has_schedule(&self) -> bool {
        self.schedule.name() != schedule::ALL[0].name()
    }

    /// How many trials there are to be: as many as are asked for, or as the strategy has.
    pub fn trial_count(&self) -> u64 {
        let size = self
            .strategy
            .size(&self.space, &self.search_settings())
            .map(|size| u64::try_from(size).unwrap_or(u64::MAX));
        [self.trials, size].into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    /// The whole plan as the text of a file, which reads back as the same plan.
    pub fn source(&self) -> String {
        entries::text(&self.entries(), Some(&self.space))
    }

    /// What keeps the trials of `self`, a search that ran, from being those of `other`: one line each. The
    /// number of trials may differ: a search can be extended.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut differences = entries::differences(&self.entries(), &other.entries(), FREE);
        differences.extend(entries::space_differences(&self.space, &other.space));
        differences
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![
            ("search", "strategy", Some(quoted(self.strategy.name()))),
            ("search", "direction", Some(quoted(self.direction.name()))),
            ("search", "trials", self.trials.map(|trials| trials.to_string())),
            ("search", "batch", self.batch.map(|batch| batch.to_string())),
            ("search", "random_share", (self.random_share > 0.0).then(|| format!("{:?}", self.random_share))),
            ("search", "seed", Some(self.seed.to_string())),
            ("search", "target_value", self.target_value.map(|value| format!("{value:?}"))),
            ("search", "constraints", listed(self.space.constraints.iter().map(|c| quoted(&c.to_string())))),
            ("search", "enqueue", listed(self.enqueued.iter().map(configuration_text))),
        ];
        let strategies = search::ALL.iter().flat_map(|kind| kind.settings());
        entries.extend(entries::of_settings("search", strategies, &self.settings));
        if self.has_schedule() {
            entries.push(("schedule", "kind", Some(quoted(self.schedule.name()))));
            entries.push(("schedule", "max_epochs", Some(self.max_epochs.to_string())));
        } else {
            entries.extend([("schedule", "kind", None), ("schedule", "max_epochs", None)]);
        }
        let schedules = schedule::ALL.iter().flat_map(|kind| kind.settings());
        entries.extend(entries::of_settings("schedule", schedules, &self.schedule_settings));
        entries
    }
}

/// `[schedule]`: the schedule, its own settings, and the most steps of a trial.
fn schedule_of(document: &Document<'_>) -> Result<(&'static dyn ScheduleKind, Chosen, u32)> {
    let Some(entry) = document.root().get("schedule") else {
        return Ok((schedule::ALL[0], Chosen::none(), DEFAULT_MAX_EPOCHS));
    };
    let table = entry.section()?;
    let declared = schedule::ALL.iter().flat_map(|kind| kind.settings());
    let said = read_settings(&table, &["kind", "max_epochs"], declared)?;
    let names: Vec<&str> = schedule::ALL.iter().map(|kind| kind.name()).collect();
    let name = optional(&table, "kind", |entry| entry.name_of("schedule", &names))?;
    let kind = schedule::named("schedule.kind", name.as_deref().unwrap_or(names[0]))?;
    let settings = said.of_member("schedule", kind.name(), kind.settings(), false);
    let settings = settings.map_err(|error| document.places().locate(error))?;
    let epochs = 1..=i128::from(MOST_EPOCHS);
    let max_epochs = optional(&table, "max_epochs", |entry| entry.integer(epochs.clone()))?;
    Ok((kind, settings, max_epochs.unwrap_or(DEFAULT_MAX_EPOCHS)))
}

/// `[space]`, whose names are the user's own.
fn space_of(document: &Document<'_>) -> Result<Space> {
    let (root, places) = (document.root(), document.places());
    let entry = root
        .get("space")
        .ok_or_else(|| missing_space(places.locate(Error::usage("", "[space] is missing"))))?;
    let table = entry.section()?;
    if table.entries().next().is_none() {
        return Err(missing_space(table.error("an empty space")));
    }
    let space = read_space(&table)?;
    Space::new(space.dimensions).map_err(|error| places.locate(error))
}

fn missing_space(error: Error) -> Error {
    error
        .allowed("at least one hyperparameter, under any name, with its range or choices")
        .advice("[space], and under it x = { uniform = [0.0, 1.0] }")
}
