//! Search strategies: one file each. They see the space and the results they are told, never the study.

mod cells;
mod grid;
mod random;

pub use cells::Cells;

use crate::error::{Result, unknown_name};
use crate::model::metric::Direction;
use crate::space::{Configuration, Space};

/// Every strategy.
pub static ALL: &[&dyn StrategyKind] = &[&grid::Grid, &random::Random];

/// What [`create`] and [`find`] take as well as the names of [`ALL`]: the best strategy there is.
pub const AUTO: &str = "auto";

/// What a strategy is created with.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The study's seed.
    pub seed: u64,
    /// Which way is better.
    pub direction: Direction,
}

/// The facts of a strategy.
pub trait StrategyKind: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// What it does, on one line.
    fn summary(&self) -> &'static str;
    /// How many configurations it proposes of this space, `u128::MAX` where they are more than that;
    /// `None` where it never ends.
    fn size(&self, space: &Space) -> Option<u128>;
    /// Whether a study without a number of trials runs all of [`size`](Self::size).
    fn runs_all(&self) -> bool {
        false
    }
    /// Whether what was tried changes what it proposes; results are kept in memory only for those it does.
    fn learns(&self) -> bool {
        true
    }
    /// What a user should know about how it takes this space, one fact a line.
    fn notes(&self, _space: &Space) -> Vec<String> {
        Vec::new()
    }
    /// A strategy at its start.
    fn create(&self, settings: Settings) -> Box<dyn Strategy>;
}

/// A trial's result, as told to a strategy.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The trial's number.
    pub number: u64,
    /// What was tried.
    pub configuration: Configuration,
    /// Its objective, in its own unit and sign; `None` where the trial diverged or failed.
    pub value: Option<f64>,
}

/// Proposes configurations.
pub trait Strategy: Send {
    /// The configurations of trials `first_number`, `first_number + 1`, …; fewer than `count` where
    /// the space is exhausted.
    ///
    /// A pure function of the settings, the space, the trials' numbers and what was told: a resumed
    /// study asks again and gets the same. `told` is in the order of the numbers; empty where the strategy
    /// does not [learn](StrategyKind::learns).
    fn ask(
        &mut self,
        space: &Space,
        told: &[Told],
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>>;
}

/// The strategy of this name.
pub fn find(name: &str) -> Option<&'static dyn StrategyKind> {
    let name = if name == AUTO { random::NAME } else { name };
    ALL.iter().copied().find(|kind| kind.name() == name)
}

/// The strategy of this name; an unknown one is refused, naming the nearest.
pub fn named(place: &str, name: &str) -> Result<&'static dyn StrategyKind> {
    let names = ALL.iter().map(|kind| kind.name()).chain([AUTO]);
    find(name).ok_or_else(|| unknown_name(place, "strategy", name, names))
}

/// A strategy of this name, at its start.
pub fn create(name: &str, settings: Settings) -> Result<Box<dyn Strategy>> {
    Ok(named("search.strategy", name)?.create(settings))
}
