//! `[search]` as typed, but for what is optimised: how configurations are proposed, and how many.

use super::document::{Entry, Places, Section};
use super::file::{MOST_BATCH, optional, read_settings};
use crate::error::{Error, Result};
use crate::search::{self, StrategyKind};
use crate::setting::Chosen;

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
}

impl SearchTable {
    /// Reads the table; `more` are the keys that say what is optimised.
    pub fn read(table: &Section<'_>, more: &[&str]) -> Result<Self> {
        let declared = search::ALL.iter().flat_map(|kind| kind.settings());
        let own = [&["strategy", "trials", "batch", "random_share", "seed"], more].concat();
        let settings = read_settings(table, &own, declared)?;
        let strategies: Vec<&str> =
            search::ALL.iter().map(|kind| kind.name()).chain([search::AUTO]).collect();
        let strategy = |entry: &Entry<'_>| entry.name_of("strategy", &strategies);
        Ok(Self {
            strategy: optional(table, "strategy", strategy)?,
            settings,
            batch: optional(table, "batch", |entry| entry.integer(1..=MOST_BATCH.into()))?,
            random_share: optional(table, "random_share", random_share)?,
            trials: optional(table, "trials", |entry| entry.integer(1..=i64::MAX.into()))?,
            seed: optional(table, "seed", |entry| entry.integer(0..=u64::MAX.into()))?,
        })
    }

    /// The strategy and its own settings, a flag over the file.
    pub fn strategy(
        &self,
        flag: Option<&str>,
        places: &Places,
    ) -> Result<(&'static dyn StrategyKind, Chosen)> {
        let name = flag.or(self.strategy.as_deref()).unwrap_or(search::AUTO);
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
