//! Which hyperparameters mattered: measures of importance over the trials of a study, one file each.

mod fanova;
mod forest;
mod parzen;
mod ped_anova;
pub mod table;

use crate::error::Result;
use crate::model::metric::Direction;
use crate::space::{Configuration, Domain, Space, Value};
use crate::study::external::{self, Ledger};
use crate::study::folder;
use crate::study::same::plan_of;
use crate::study::schema::Content;
use crate::study::store::Store;
use crate::trial::{State, Trial};
use serde::Serialize;
use std::path::Path;

/// Every measure.
pub static ALL: &[&dyn Measure] = &[&ped_anova::PedAnova, &fanova::Fanova];

/// Of fewer trials with a value nothing is said: any importance could come of chance.
pub const FEWEST: usize = 10;

/// A measure of importance.
pub trait Measure: Sync {
    /// The name in every output.
    fn name(&self) -> &'static str;
    /// What it measures, on one line.
    fn summary(&self) -> &'static str;
    /// The importances by at least [`FEWEST`] trials that have a value.
    fn measure(&self, evidence: &Evidence<'_>) -> Measured;
}

/// What importances are measured by: the free hyperparameters of a space and the trials that count.
pub struct Evidence<'a> {
    /// The space.
    pub space: &'a Space,
    /// The trials, by number.
    pub points: Vec<Point<'a>>,
}

/// A trial that counts.
pub struct Point<'a> {
    /// Its number.
    pub number: u64,
    /// What it was trained with.
    pub configuration: &'a Configuration,
    /// The objective, less is better; infinite where the trial diverged or its value is no number.
    pub loss: f64,
}

/// What became of the trials of a study here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Complete trials, which count by their value.
    pub complete: usize,
    /// Pruned ones, which count by what they had come to.
    pub pruned: usize,
    /// Those that diverged or have an objective that is no finite number: worse than all others.
    pub diverged: usize,
    /// Those that failed or have not ended, which do not count.
    pub left_out: usize,
}

/// The importances of the hyperparameters of a study.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Importance {
    /// Which trials count.
    pub trials: Counted,
    /// By each measure; empty where there are too few trials, or nothing is free.
    pub measures: Vec<Measured>,
    /// Why there are none.
    pub note: Option<String>,
}

/// The importances by one measure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The name of the measure.
    pub name: &'static str,
    /// The hyperparameters that are not fixed, the most important first.
    pub hyperparameters: Vec<Effect>,
    /// Pairs by what they do together beyond what each does alone, the most important first; empty where the
    /// measure knows none.
    pub pairs: Vec<Interaction>,
    /// How well its model predicts trials that it has not seen: R², at most 1; `None` where it has no model.
    pub fit: Option<f64>,
    /// What the reader should know.
    pub notes: Vec<String>,
}

/// The importance of a hyperparameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// Its name.
    pub name: String,
    /// A share of 1.
    pub importance: f64,
    /// The standard deviation of the importance between the trees of a forest.
    pub deviation: Option<f64>,
}

/// The importance of what two hyperparameters do together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interaction {
    /// Their names, in the order of the space.
    pub names: [String; 2],
    /// A share of 1.
    pub importance: f64,
    /// The standard deviation between the trees of a forest.
    pub deviation: Option<f64>,
}

impl Importance {
    /// Of the study or search in a folder, whether or not it is being worked on.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let (space, direction, trials) = match folder::content(folder)? {
            Content::Study => {
                let store = Store::read(folder)?;
                let header = store.header()?;
                let space = plan_of(&header)?.space.unwrap_or_default();
                (space, header.objective()?.direction(), store.trials()?)
            }
            Content::Search => {
                let ledger = Ledger::read(folder)?;
                let plan = external::run::stored_plan(&ledger)?;
                let order = crate::trial::Order { objective: plan.direction, tie_break: plan.direction };
                let trials = ledger.rows()?.into_iter().map(|row| row.trial(order)).collect();
                (plan.space, plan.direction, trials)
            }
        };
        Ok(Self::of_trials(&space, direction, &trials))
    }

    /// Of trials, in any order.
    pub fn of_trials(space: &Space, direction: Direction, trials: &[Trial]) -> Self {
        let (evidence, counted) = Evidence::new(space, direction, trials);
        let valued = counted.complete + counted.pruned;
        let note = match () {
            _ if space.is_fixed() => Some("no hyperparameter is free".to_owned()),
            _ if valued < FEWEST => {
                Some(format!("{valued} trials have a value: importance is measured from {FEWEST} on"))
            }
            _ if evidence.is_flat() => Some("all trials have the same value".to_owned()),
            _ => None,
        };
        let measures = match &note {
            Some(_) => Vec::new(),
            None => ALL.iter().map(|measure| measure.measure(&evidence)).collect(),
        };
        Self { trials: counted, measures, note }
    }
}

impl<'a> Evidence<'a> {
    fn new(space: &'a Space, direction: Direction, trials: &'a [Trial]) -> (Self, Counted) {
        let (mut points, mut counted) = (Vec::new(), Counted::default());
        for trial in trials {
            let value = trial.value();
            match (trial.state, value) {
                (State::Complete, Some(_)) => counted.complete += 1,
                (State::Pruned, Some(_)) => counted.pruned += 1,
                (State::Complete | State::Pruned | State::Diverged, None) | (State::Diverged, _) => {
                    counted.diverged += 1;
                }
                (State::Failed | State::Running | State::Interrupted, _) => {
                    counted.left_out += 1;
                    continue;
                }
            }
            let loss = value.map_or(f64::INFINITY, |value| match direction {
                Direction::Maximize => -value,
                Direction::Minimize => value,
            });
            points.push(Point { number: trial.number, configuration: &trial.configuration, loss });
        }
        points.sort_by_key(|point| point.number);
        (Self { space, points }, counted)
    }

    /// Whether no trial is better than another.
    fn is_flat(&self) -> bool {
        self.points.iter().all(|point| point.loss == self.points[0].loss)
    }

    /// The dimensions that are not fixed.
    fn free(&self) -> impl Iterator<Item = &'a crate::space::Dimension> {
        self.space.dimensions.iter().filter(|dimension| dimension.domain.size() != Some(1))
    }
}

/// The place of a number between the ends of its range, by its logarithm where the range is logarithmic. A grid
/// that is refined leaves its range: what lies outside stands at the end.
fn place(domain: &Domain, value: &Value) -> Option<f64> {
    let value = value.number()?;
    let (low, high, log) = match domain {
        Domain::Float { low, high, log, .. } => (*low, *high, *log),
        Domain::Int { low, high, log, .. } => (*low as f64, *high as f64, *log),
        Domain::Fixed(_) | Domain::Choice(_) => return None,
    };
    let share = match log {
        true => (libm::log(value) - libm::log(low)) / (libm::log(high) - libm::log(low)),
        // Halved first: the width of the whole range of f64 is not finite.
        false => (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0),
    };
    // Of what is no number, as the logarithm of a negative one, the clamp would be none either.
    Some(share.clamp(0.0, 1.0)).filter(|share| !share.is_nan())
}

/// Orders what is found, the largest first; ties stay in the order of the space.
fn by_importance<T>(found: &mut [T], importance: impl Fn(&T) -> f64) {
    found.sort_by(|a, b| importance(b).total_cmp(&importance(a)));
}
