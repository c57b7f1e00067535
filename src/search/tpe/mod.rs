//! Tree-structured Parzen estimators (Bergstra et al. 2011): what is drawn from the trials that did well, and
//! most unlike the rest, is tried next.
//!
//! The good trials make a density l, the rest, those that failed and those under way ("constant liar") a density
//! g; of 24 candidates drawn from l, the one of the largest l/g is proposed. Both are mixtures of product kernels
//! (Falkner et al. 2018) and the space's own distribution, as Optuna's `TPESampler(multivariate=True)`, but for
//!
//! - the bandwidth: a kernel is as wide as its trial is far from the k-th nearest (Breiman, Meisel and Purcell,
//!   "Variable kernel estimates of multivariate densities", 1977), and so narrows where the search gathers;
//!   Optuna's is the gap between neighbours in each hyperparameter alone, at least 1/12 of the range for ten good trials;
//! - weights by rank among the good, equal ones among the rest;
//! - conditional spaces: a kernel draws what its trial does not have from the space, so one mixture is a
//!   distribution over the whole tree (`kernels.rs`);
//! - starts: a scrambled Sobol sequence.

mod kernels;
mod likely;
mod mixture;
mod neighbours;
#[cfg(test)]
mod oracle;
mod places;
mod pool;
mod split;

use super::frame::{Frame, Member};
use super::starts::{STARTUP, Starts};
use super::{Distinct, Settings, Strategy, StrategyKind, Told, Trials, Unguided};
use crate::error::Result;
use crate::random::{Purpose, Stream, StreamReader};
use crate::setting::Setting;
use crate::space::{Configuration, Space};
use likely::Likely;
use mixture::Weights;
use pool::Pool;

pub(super) const CANDIDATES: Setting = Setting {
    name: "candidates",
    summary: "configurations that are drawn and compared for a trial",
    default: 24.0,
    low: 1.0,
    high: 10_000.0,
    whole: true,
};

/// The layer of the streams of candidates, a stream per trial.
const LAYER: usize = 24;
/// The least deviation of a kernel, as a share of the range.
const LEAST_WIDTH: f64 = 0.001;
/// The least deviation of a kernel, as a share of the places of its value: next values stay in reach.
const LEAST_CELLS: f64 = 0.5;
/// Draws for each candidate that may fall on what was proposed before, or on what a constraint forbids.
const MOST_DRAWS: usize = 20;

/// A kernel's deviation for a number: this one, within its limits.
fn width(cell: Option<(f64, f64)>, deviation: f64) -> f64 {
    let size = cell.map_or(0.0, |(low, high)| high - low);
    deviation.max(LEAST_WIDTH).max(LEAST_CELLS * size).min(1.0)
}

/// Tree-structured Parzen estimators.
pub struct Tpe;

impl StrategyKind for Tpe {
    fn name(&self) -> &'static str {
        "tpe"
    }
    fn summary(&self) -> &'static str {
        "Parzen estimators of good trials and of the rest; for any space, many trials, large batches"
    }
    fn settings(&self) -> &'static [Setting] {
        &[STARTUP, CANDIDATES]
    }
    fn notes(&self, _: &Space, settings: &Settings) -> Vec<String> {
        let startup = settings.chosen.count(&STARTUP);
        vec![format!("tpe: {startup} trials spread evenly over the space, then near those that did well")]
    }
    fn unguided(&self, _: &Space, settings: &Settings) -> Unguided {
        Unguided::EvenUntil(settings.chosen.count(&STARTUP))
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(Search { settings: settings.clone(), known: None, pool: None, proposed: None })
    }
}

/// A search by Parzen estimators.
struct Search {
    settings: Settings,
    /// The frame and the starts of the space last asked about.
    known: Option<(Frame, Starts)>,
    /// The trials last asked behind.
    pool: Option<Pool>,
    /// What was proposed so far.
    proposed: Option<Distinct>,
}

impl Strategy for Search {
    fn ask(
        &mut self,
        space: &Space,
        trials: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        let seed = self.settings.seed;
        let mut proposed = Distinct::before(self.proposed.take(), space, seed, first_number);
        proposed.learn(trials, first_number);
        if self.known.as_ref().is_none_or(|(frame, _)| frame.space() != space) {
            self.known = Some((Frame::ordered(space), Starts::new(space, &self.settings)));
            self.pool = None;
        }
        let found = match &self.known {
            Some((frame, _)) if self.learns(frame, trials.told) => {
                let known = self.pool.take();
                let pool = self.pool.insert(Pool::of(known, frame, trials));
                let estimators = Estimators::new(frame, pool, trials, &self.settings);
                estimators.propose(&mut proposed, first_number, count)
            }
            Some((_, starts)) => starts.propose(space, &mut proposed, first_number, count),
            None => Vec::new(),
        };
        self.proposed = Some(proposed);
        Ok(found)
    }
}

impl Search {
    /// Whether there is enough to learn from.
    fn learns(&self, frame: &Frame, told: &[Told]) -> bool {
        let is_enough = told.len() as u64 >= self.settings.chosen.count(&STARTUP);
        frame.dimension_count() > 0 && is_enough && told.iter().any(split::has_value)
    }
}

/// l and g behind the trials of a pool.
struct Estimators<'a> {
    frame: &'a Frame,
    settings: &'a Settings,
    pool: &'a Pool,
    likely: Likely,
    /// (trial) 1 in g, 0 in l.
    rest: Vec<f64>,
}

impl<'a> Estimators<'a> {
    fn new(frame: &'a Frame, pool: &'a Pool, trials: Trials<'_>, settings: &'a Settings) -> Self {
        let told: Vec<usize> =
            trials.told.iter().zip(0..).map(|(told, i)| i + before(trials, told)).collect();
        let good = split::good(trials.told, settings.direction);
        let good: Vec<usize> = good.into_iter().map(|position| told[position]).collect();
        let mut rest = vec![1.0; pool.count()];
        good.iter().for_each(|&index| rest[index] = 0.0);
        Self { frame, settings, pool, likely: Likely::new(frame, pool, &good, &told), rest }
    }

    /// Trials one after the other; g has those before.
    fn propose(mut self, proposed: &mut Distinct, first_number: u64, count: usize) -> Vec<Configuration> {
        let mut found: Vec<Configuration> = Vec::with_capacity(count);
        let mut own = None;
        for number in (first_number..).take(count) {
            if let Some(last) = found.last() {
                own.get_or_insert_with(|| self.pool.clone()).push(self.frame, last);
                self.rest.push(1.0);
            }
            let pool = own.as_ref().unwrap_or(self.pool);
            let mut generator = generator(self.settings.seed, number);
            let Some(next) = proposed.admit_first_of(self.candidates(pool, proposed, &mut generator)) else {
                break;
            };
            found.push(next);
        }
        found
    }

    /// Candidates that may be proposed, those of the largest l/g first.
    fn candidates(
        &self,
        pool: &Pool,
        proposed: &Distinct,
        generator: &mut StreamReader,
    ) -> Vec<Configuration> {
        let count = self.settings.chosen.count(&CANDIDATES) as usize;
        let rest = Weights::new(&self.rest);
        let mut sums = Vec::new();
        let mut candidates: Vec<(f64, Configuration)> = (0..count * MOST_DRAWS)
            .map(|_| self.likely.draw(self.frame, generator))
            .filter(|candidate| proposed.is_free(candidate))
            .take(count)
            .map(|candidate| {
                let member: Member = self.frame.member(&candidate);
                let likely = self.likely.log_density(&member, &mut sums);
                (likely - rest.log_density(pool.kernels(), &member, &mut sums), candidate)
            })
            .collect();
        candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
        candidates.into_iter().map(|(_, candidate)| candidate).collect()
    }
}

/// How many pending trials have a lower number than a told one.
fn before(trials: Trials<'_>, told: &Told) -> usize {
    trials.pending.partition_point(|pending| pending.number < told.number)
}

fn generator(seed: u64, number: u64) -> StreamReader {
    Stream::new(seed, Purpose::Search, LAYER, number as u32, (number >> 32) as u32).reader()
}
