//! `[search]` as typed, but for what is optimised: how configurations are proposed, and how many.

use super::document::{Entry, Places, Section};
use super::file::{MOST_BATCH, optional, read_settings, read_value};
use crate::error::{Error, Result};
use crate::search::{self, StrategyKind};
use crate::setting::Chosen;
use crate::space::{Configuration, Constraint, Space, key_text, value_text};
use toml::de::DeValue;

/// Trials where nothing says how many.
pub const DEFAULT_TRIALS: u64 = 100;

/// The largest share of the trials that a strategy may leave to random search.
const MOST_RANDOM: f64 = 0.9;

/// `[search]` as typed. `None`: not said.
#[derive(Clone, Debug, Default)]
pub struct SearchTable {
    /// `search.strategy`
    pub strategy: Option<String>,
    /// The keys that strategies declare.
    pub settings: Chosen,
    /// `search.batch`
    pub batch: Option<u64>,
    /// `search.random_share`
    pub random_share: Option<f64>,
    /// `search.trials`
    pub trials: Option<u64>,
    /// `search.seed`
    pub seed: Option<u64>,
    /// `search.target_value`
    pub target_value: Option<f64>,
    /// `search.constraints`, not yet checked against a space.
    pub constraints: Vec<Constraint>,
    /// `search.enqueue`: the values that each table gives, not yet checked against a space.
    pub enqueue: Vec<Configuration>,
}

/// The keys that every search has, whatever it optimises.
const KEYS: &[&str] =
    &["strategy", "trials", "batch", "random_share", "seed", "target_value", "constraints", "enqueue"];

impl SearchTable {
    /// Reads the table; `more` are the keys that say what is optimised.
    pub fn read(table: &Section<'_>, more: &[&str]) -> Result<Self> {
        let declared = search::ALL.iter().flat_map(|kind| kind.settings());
        let own = [KEYS, more].concat();
        let settings = read_settings(table, &own, declared)?;
        let strategies: Vec<&str> = search::ALL.iter().map(|kind| kind.name()).collect();
        let strategy = |entry: &Entry<'_>| entry.name_of("strategy", &strategies);
        Ok(Self {
            strategy: optional(table, "strategy", strategy)?,
            settings,
            batch: optional(table, "batch", |entry| entry.integer(1..=MOST_BATCH.into()))?,
            random_share: optional(table, "random_share", random_share)?,
            trials: optional(table, "trials", |entry| entry.integer(1..=i64::MAX.into()))?,
            seed: optional(table, "seed", |entry| entry.integer(0..=u64::MAX.into()))?,
            target_value: optional(table, "target_value", Entry::real)?,
            constraints: read_constraints(table)?,
            enqueue: read_enqueue(table)?,
        })
    }

    /// The strategy and its own settings, a flag over the file.
    pub fn strategy(
        &self,
        flag: Option<&str>,
        places: &Places,
    ) -> Result<(&'static dyn StrategyKind, Chosen)> {
        let name = flag.or(self.strategy.as_deref()).unwrap_or(search::DEFAULT);
        let kind = search::named("--strategy", name)?;
        let settings = self.settings.of_member("search", kind.name(), kind.settings(), flag.is_some());
        Ok((kind, settings.map_err(|error| places.locate(error))?))
    }

    /// The number of trials, a flag over the file; `None`: all that the strategy has.
    pub fn trials(&self, flag: Option<u64>, kind: &dyn StrategyKind) -> Result<Option<u64>> {
        if flag == Some(0) {
            return Err(Error::usage("--trials", "0")
                .allowed("at least 1")
                .advice("leave --trials out for the default number"));
        }
        Ok(flag.or(self.trials).or((!kind.runs_all()).then_some(DEFAULT_TRIALS)))
    }
}

/// The value at which a search ends, a flag over the file.
pub fn target_value(flag: Option<f64>, file: Option<f64>) -> Result<Option<f64>> {
    match flag {
        Some(value) if !value.is_finite() => {
            Err(Error::usage("--target-value", value).allowed("a finite number, in the objective's own unit"))
        }
        _ => Ok(flag.or(file)),
    }
}

/// The share of the trials that is left to random search.
fn random_share(entry: &Entry<'_>) -> Result<f64> {
    match entry.real()? {
        share if (0.0..=MOST_RANDOM).contains(&share) => Ok(share),
        share => Err(entry
            .error(share)
            .allowed(format!("0 to {MOST_RANDOM}"))
            .advice("strategy = \"random\" for a search that is random alone")),
    }
}

/// `search.constraints`, not yet checked against a space.
fn read_constraints(table: &Section<'_>) -> Result<Vec<Constraint>> {
    let Some(entry) = table.get("constraints") else { return Ok(Vec::new()) };
    let allowed = "a list of conditions, such as [\"width * depth <= 1024\"]";
    let elements = entry.elements().map_err(|error| error.allowed(allowed))?;
    let read = |element: &Entry<'_>| {
        let text = element
            .text()
            .map_err(|error| error.allowed("a condition in quotes, such as \"width <= 64\""))?;
        Constraint::parse(&element.place(), &text)
    };
    elements.iter().map(read).collect()
}

/// `search.enqueue`: the values that each table gives, not yet checked against a space.
fn read_enqueue(table: &Section<'_>) -> Result<Vec<Configuration>> {
    let Some(entry) = table.get("enqueue") else { return Ok(Vec::new()) };
    let wanted =
        |error: Error| error.allowed("tables of hyperparameter = value, each under [[search.enqueue]]");
    if let DeValue::Table(_) = entry.value {
        return Err(wanted(entry.error("a single table")).advice("[[search.enqueue]], with two brackets"));
    }
    let elements = entry.elements().map_err(wanted)?;
    let values = |element: &Entry<'_>| {
        let table = element.section().map_err(wanted)?;
        table.entries().map(|entry| Ok((entry.name().to_owned(), read_value(&entry)?))).collect()
    };
    elements.iter().map(values).collect()
}

/// The space within these constraints, where the strategy finds something in it, and with it the configurations that
/// are tried first, completed.
///
/// Errors name the key, `search.constraints[0]` or `search.enqueue[0].width`.
pub fn narrow(
    space: Space,
    constraints: &[Constraint],
    enqueued: &[Configuration],
    strategy: &dyn StrategyKind,
    seed: u64,
) -> Result<(Space, Vec<Configuration>)> {
    let space = space.with_constraints(constraints.to_vec())?;
    search::refuse_impossible(&space, strategy)?;
    let enqueued = search::complete(&space, enqueued, seed)?;
    Ok((space, enqueued))
}

/// A configuration as a TOML table, on one line.
pub fn configuration_text(configuration: &Configuration) -> String {
    let entries =
        configuration.iter().map(|(name, value)| format!("{} = {}", key_text(name), value_text(value)));
    format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
}
