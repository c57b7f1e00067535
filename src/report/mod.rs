//! What a study came to, in the forms that people and scripts read: one file each.

pub mod action;
mod columns;
mod csv;
pub mod html;
mod hyperparameters;
pub mod importance;
pub mod inside;
mod json;
pub mod learning_curve;
pub mod lr_sweep;
mod map;
pub mod mistakes;
pub mod noise;
mod number;
mod outline;
pub mod picture;
mod random_share;
mod sparkline;
mod table;
mod unguided;
pub mod verdicts;

pub use hyperparameters::Hyperparameters;
pub use number::{plain, significant};
pub use outline::Outline;
pub use random_share::{Comparison, Division};
pub use unguided::Opening;

use crate::error::Result;
use crate::model::metric::Direction;
use crate::study::external::{self, Ledger};
use crate::study::folder;
use crate::study::noise::Noise;
use crate::study::optimism::{Chooser, Optimism};
use crate::study::same::plan_of;
use crate::study::schema::Content;
use crate::study::store::Store;
use crate::trial::{self, Order, RankKey, State, Trial};
use std::collections::HashMap;
use std::path::Path;

/// Every form of the leaderboard; the first is the default.
pub static ALL: &[&dyn Format] = &[&table::Table, &json::Json, &csv::Csv];

/// A form of the leaderboard.
pub trait Format: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;
    /// What it is for, on one line.
    fn summary(&self) -> &'static str;
    /// What it looks at.
    fn held(&self, page: Page) -> Held {
        Held { trials: page.top.unwrap_or(usize::MAX), curves: false }
    }
    /// The leaderboard in this form, with a line break at its end.
    fn render(&self, board: &Leaderboard, page: Page) -> String;
}

/// How much of the leaderboard is shown, and where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page {
    /// The first so many trials; `None`: all.
    pub top: Option<usize>,
    /// Characters of a line, on a terminal.
    pub width: Option<usize>,
    /// Whether a table has learning curves; without it where the terminal is wide enough for them.
    pub curves: bool,
}

/// What a leaderboard holds of the trials themselves; of all of them it has their outlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The first so many trials; the best one always.
    pub trials: usize,
    /// Whether with their learning curves.
    pub curves: bool,
}

impl Held {
    /// Everything.
    pub const ALL: Self = Self { trials: usize::MAX, curves: true };
}

/// What a leaderboard is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Title {
    /// The study's name.
    pub name: String,
    /// What was optimised.
    pub objective: String,
    /// Which way is better.
    pub direction: Direction,
    /// What evaluated the trials: an engine, or another program.
    pub engine: String,
    /// On what device, where that is known.
    pub device: Option<String>,
    /// Key of all random streams.
    pub seed: u64,
    /// Number of folds that each trial was trained on; `None` where another program evaluated it.
    pub fold_count: Option<usize>,
    /// The best trial's objective on the final test set, where there is one.
    pub test_value: Option<f64>,
    /// Which of the trials random search had.
    pub division: Division,
}

/// The trials of a study, or of a search, the best first.
pub struct Leaderboard {
    /// What it is of.
    pub title: Title,
    /// By rank, all or the first of them.
    pub trials: Vec<Trial>,
    /// All of them, by number.
    pub outlines: Vec<Outline>,
    /// How the decision functions of kernel machines were found: by trial, (fold) JSON.
    pub solvers: HashMap<u64, Vec<String>>,
    /// By how much the best trial's value flatters, where its folds can say.
    pub optimism: Option<Optimism>,
    /// What other seeds make of the best trial, where it was asked.
    pub noise: Option<Noise>,
    /// Of all trials.
    hyperparameters: Hyperparameters,
    /// All trials on the map of kernel machines.
    points: Vec<map::Point>,
    order: Order,
}

impl Leaderboard {
    /// Reads the study or search in a folder, whether or not it is being worked on.
    pub fn open(folder: &Path) -> Result<Self> {
        Self::open_for(folder, Held::ALL)
    }

    /// The same with what a format looks at alone: curves and hyperparameters are most of what a study is in memory.
    pub fn open_for(folder: &Path, held: Held) -> Result<Self> {
        let mut board = match folder::content(folder)? {
            Content::Study => {
                let store = Store::read(folder)?;
                store.at_once(|| Self::of_study(&store, held))?
            }
            Content::Search => Self::of_search(&Ledger::read(folder)?)?,
        };
        if !folder::is_running(folder) {
            // Its process was killed: what it says is running is not.
            let states = board.trials.iter_mut().map(|trial| &mut trial.state);
            let states = states.chain(board.outlines.iter_mut().map(|outline| &mut outline.key.state));
            states.filter(|state| **state == State::Running).for_each(|state| *state = State::Interrupted);
        }
        Ok(board)
    }

    fn of_study(store: &Store, held: Held) -> Result<Self> {
        let header = store.header()?;
        // A leaderboard is read also where the study itself no longer is.
        let plan = plan_of(&header);
        let repeats = plan.as_ref().map_or(1, |plan| plan.data.split.repeats.max(1));
        let order = header.order()?;
        // By number: of equals the first is chosen.
        let mut chooser = Chooser::new(order, header.fold_count / repeats);
        let (mut trials, mut all) = (Vec::new(), All::default());
        let without = |mut trial: Trial| {
            if !held.curves {
                trial.history.forget_curve();
            }
            trial
        };
        store.each_trial(|trial| {
            chooser.take(&trial);
            all.take(&trial);
            if held.trials == usize::MAX {
                trials.push(without(trial));
            }
        })?;
        if held.trials < usize::MAX {
            for number in all.first(order, held.trials.max(1)) {
                trials.extend(store.trial(number)?.map(without));
            }
        }
        let direction = header.objective()?.direction();
        let division = plan.map(|plan| Division {
            unguided: plan.unguided(direction, header.fold_count, all.outlines.len() as u64),
            strategy: plan.strategy,
            share: plan.random_share,
            enqueued: plan.enqueued.len() as u64,
        });
        let title = Title {
            direction,
            engine: header.engine.name().to_owned(),
            device: Some(header.device.clone()),
            seed: header.seed,
            fold_count: Some(header.fold_count),
            test_value: header.test_value,
            division: division.unwrap_or_default(),
            name: header.name.clone(),
            objective: header.objective.clone(),
        };
        let board = Self::ranked(title, order, trials, all);
        // Of a trial that was the best before the study was extended nothing is said.
        let of_best = |noise: &Noise| noise.seeds.trial == board.best().map(|best| best.number);
        let noise = store.noise()?.filter(of_best);
        Ok(Self { solvers: store.solvers()?, optimism: chooser.optimism(), noise, ..board })
    }

    fn of_search(ledger: &Ledger) -> Result<Self> {
        let plan = external::run::stored_plan(ledger)?;
        let rows = ledger.rows()?;
        let unguided = Some(plan.unguided(rows.len() as u64));
        // No two values tie but equal ones.
        let order = Order { objective: plan.direction, tie_break: plan.direction };
        let trials = rows.into_iter().map(|row| row.trial(order)).collect();
        let title = Title {
            name: plan.name,
            objective: "value".to_owned(),
            direction: plan.direction,
            engine: "external".to_owned(),
            device: None,
            seed: plan.seed,
            fold_count: None,
            test_value: None,
            division: Division {
                strategy: plan.strategy.name().to_owned(),
                share: plan.random_share,
                enqueued: plan.enqueued.len() as u64,
                unguided,
            },
        };
        Ok(Self::new(title, order, trials))
    }

    /// Of these trials.
    pub fn new(title: Title, order: Order, mut trials: Vec<Trial>) -> Self {
        trials.sort_unstable_by_key(|trial| trial.number);
        let mut all = All::default();
        trials.iter().for_each(|trial| all.take(trial));
        Self::ranked(title, order, trials, all)
    }

    /// Ranks trials. None are equal: their numbers differ.
    fn ranked(title: Title, order: Order, mut trials: Vec<Trial>, all: All) -> Self {
        trials.sort_unstable_by(|a, b| trial::compare(order, a, b));
        let All { outlines, hyperparameters, points } = all;
        let (solvers, optimism, noise) = Default::default();
        Self { title, trials, outlines, solvers, optimism, noise, hyperparameters, points, order }
    }

    /// The best complete trial.
    pub fn best(&self) -> Option<&Trial> {
        trial::best(self.order, &self.trials)
    }

    /// The trials of a page.
    fn shown(&self, page: Page) -> &[Trial] {
        &self.trials[..page.top.unwrap_or(usize::MAX).min(self.trials.len())]
    }

    /// Epochs that a trial was trained for, where it was trained here.
    fn epochs(&self, trial: &Trial) -> Option<u32> {
        self.title.fold_count.map(|_| trial.history.epoch_count())
    }

    /// (fold) the objective of a trial, where it has folds and a value.
    fn fold_values(&self, trial: &Trial) -> Option<Vec<f64>> {
        self.title.fold_count.and_then(|_| trial.fold_values())
    }
}

/// What is said of all trials together, taken from one after the other, by number.
#[derive(Default)]
struct All {
    outlines: Vec<Outline>,
    hyperparameters: Hyperparameters,
    points: Vec<map::Point>,
}

impl All {
    fn take(&mut self, trial: &Trial) {
        self.outlines.push(Outline::of(trial));
        self.hyperparameters.take(&trial.configuration);
        self.points.extend(map::point(trial));
    }

    /// The numbers of the first `count` of the leaderboard.
    fn first(&self, order: Order, count: usize) -> Vec<u64> {
        let mut ranked: Vec<RankKey> = self.outlines.iter().map(|outline| outline.key).collect();
        ranked.sort_unstable_by(|a, b| trial::compare_keys(order, a, b));
        ranked.iter().take(count).map(|key| key.number).collect()
    }
}
