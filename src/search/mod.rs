//! Search strategies: one file each. They see the space and the results they are told, never the study.

mod auto;
mod cells;
mod cma_es;
mod distinct;
mod enqueued;
mod evolution;
mod feasible;
mod frame;
mod gp;
mod grid;
mod halton;
pub(crate) mod normal;
mod random;
mod sequence;
mod session;
mod share;
mod sobol;
mod starts;
mod tpe;
mod unguided;
mod vectors;
mod window;

pub use cells::Cells;
pub use distinct::Distinct;
pub use enqueued::complete;
pub use feasible::{refuse_empty, refuse_fixed, refuse_impossible};
pub(crate) use frame::is_ordered;
pub use session::{Asked, Best, Outcome, Past, Search};
pub use share::is_random;
pub use unguided::Unguided;
pub use window::{Next, Options, Window, results_before};

use crate::error::{Result, unknown_name};
use crate::model::metric::Direction;
use crate::setting::{Chosen, Setting};
use crate::space::{Configuration, Space};
use cells::Remaining;
use std::collections::BTreeSet;

/// Every strategy.
pub static ALL: &[&dyn StrategyKind] = &[
    &auto::Auto,
    &grid::Grid,
    &random::Random,
    &sobol::SobolSearch,
    &halton::HaltonSearch,
    &cma_es::CmaEs,
    &tpe::Tpe,
    &gp::Gp,
    &evolution::Evolution,
];

/// The strategy of a study that does not name one.
pub const DEFAULT: &str = auto::NAME;

/// What a strategy is created with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The study's seed.
    pub seed: u64,
    /// Which way is better.
    pub direction: Direction,
    /// The values of the strategy's own settings.
    pub chosen: Chosen,
    /// The configurations of trials 0, 1, …, which the strategy does not propose again: it is asked from
    /// the next number on.
    pub enqueued: Vec<Configuration>,
    /// Trials under way at most, at least 1.
    pub batch: u64,
    /// The share of the trials, below 1, that a strategy which learns leaves to random search.
    pub random_share: f64,
}

impl Settings {
    /// All at their defaults: nothing enqueued, one trial at a time.
    pub const fn new(seed: u64, direction: Direction) -> Self {
        Self { seed, direction, chosen: Chosen::none(), enqueued: Vec::new(), batch: 1, random_share: 0.0 }
    }
}

/// The facts of a strategy.
pub trait StrategyKind: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// What it does, on one line.
    fn summary(&self) -> &'static str;
    /// How many trials it has for this space at most, the enqueued ones included; `u128::MAX` where they are
    /// more than that, `None` where it never ends.
    fn size(&self, space: &Space, _settings: &Settings) -> Option<u128> {
        let cells = Cells::all(space)?;
        Some(Remaining::new(space, cells, BTreeSet::new()).most().unwrap_or(u128::MAX))
    }
    /// Whether a study without a number of trials runs all of [`size`](Self::size).
    fn runs_all(&self) -> bool {
        false
    }
    /// Whether what was tried changes what it proposes, with these settings of its own; results are kept in
    /// memory only for those it does.
    fn learns(&self, _chosen: &Chosen) -> bool {
        true
    }
    /// Whether it [needs](Strategy::needs) all results of a pass before it goes on.
    fn waits(&self, _chosen: &Chosen) -> bool {
        false
    }
    /// Which of its trials no result leads.
    fn unguided(&self, space: &Space, settings: &Settings) -> Unguided;
    /// The numeric settings that it understands, keys of `[search]`.
    fn settings(&self) -> &'static [Setting] {
        &[]
    }
    /// What a user should know about how it takes this space, one fact a line.
    fn notes(&self, _space: &Space, _settings: &Settings) -> Vec<String> {
        Vec::new()
    }
    /// A strategy at its start.
    fn create(&self, settings: &Settings) -> Box<dyn Strategy>;
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
    /// Whether it was stopped before its end, so that its value may be less than it could have come to.
    pub is_pruned: bool,
}

/// A trial that is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The trial's number.
    pub number: u64,
    /// What is tried.
    pub configuration: Configuration,
}

/// What a strategy sees of the trials before those it is asked for: each is told or pending. Both are empty
/// where the strategy does not [learn](StrategyKind::learns).
#[derive(Clone, Copy, Debug, Default)]
pub struct Trials<'a> {
    /// Trials that have ended, in the order of their numbers.
    pub told: &'a [Told],
    /// Trials under way, in the order of their numbers.
    pub pending: &'a [Pending],
}

/// Proposes configurations.
pub trait Strategy: Send {
    /// The configurations of trials `first_number`, `first_number + 1`, …; fewer than `count` where
    /// the space is exhausted.
    ///
    /// A pure function of the settings, the space, the trials before `first_number` and that number: a resumed
    /// study asks again and gets the same. Of more that are asked for, the first are the same.
    fn ask(
        &mut self,
        space: &Space,
        trials: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>>;

    /// How many trials must be told, from the first on, before it proposes more than it last did; 0 where it
    /// never waits. A strategy that proposes in passes, each on the results of those before it, ends an
    /// [`ask`](Self::ask) with its pass.
    fn needs(&self) -> u64 {
        0
    }

    /// What it has decided since it was last asked, for the user to read, one decision a line.
    fn remarks(&mut self) -> Vec<String> {
        Vec::new()
    }
}

impl<F> Strategy for F
where
    F: FnMut(&Space, Trials<'_>, u64, usize) -> Result<Vec<Configuration>> + Send,
{
    fn ask(
        &mut self,
        space: &Space,
        trials: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        self(space, trials, first_number, count)
    }
}

/// The strategy of this name.
pub fn find(name: &str) -> Option<&'static dyn StrategyKind> {
    ALL.iter().copied().find(|kind| kind.name() == name)
}

/// The strategy of this name; an unknown one is refused, naming the nearest.
pub fn named(place: &str, name: &str) -> Result<&'static dyn StrategyKind> {
    let names = ALL.iter().map(|kind| kind.name());
    find(name).ok_or_else(|| unknown_name(place, "strategy", name, names))
}

/// A strategy of this name, at its start.
pub fn create(name: &str, settings: &Settings) -> Result<Box<dyn Strategy>> {
    Ok(start(named("search.strategy", name)?, settings))
}

/// A strategy at its start, which leaves the random share of the trials to random search where it
/// [shares](shares).
pub fn start(kind: &dyn StrategyKind, settings: &Settings) -> Box<dyn Strategy> {
    let strategy = kind.create(settings);
    match settings.random_share > 0.0 && shares(kind, &settings.chosen) {
        true => Box::new(share::Shared::new(strategy, settings)),
        false => strategy,
    }
}

/// Whether a strategy leaves a share of the trials to random search: one that does not learn is none to be
/// compared with it, and of one that runs all of its size every trial counts.
pub fn shares(kind: &dyn StrategyKind, chosen: &Chosen) -> bool {
    kind.learns(chosen) && !kind.runs_all()
}
