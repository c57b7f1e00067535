//! Bayesian optimisation by a Gaussian process (Jones, Schonlau and Welch, 1998): what is expected to improve on the
//! best result the most is tried next.
//!
//! | step | how | file |
//! |---|---|---|
//! | starts | a scrambled Sobol sequence | |
//! | configurations → points | coordinates, Hamming's distance, a lift for conditions | `encoding.rs` |
//! | results → targets | the likeliest of eight warps; a trial without a value is the worst seen; one that was stopped counts as it is | `warp.rs` |
//! | kernel | Matérn 5/2, a length scale each; the most probable by L-BFGS | `kernel.rs`, `fit.rs`, `descent.rs` |
//! | acquisition | the log of the expected improvement, over fantasies of the trials under way | `acquisition.rs`, `surface.rs` |
//! | its maximum | 2,048 points, the best of which climb | `pool.rs`, `climb.rs` |
//! | algebra | Cholesky's factor, eight rows side by side | `linear.rs`, `panels.rs`, `lanes.rs` |
//!
//! A batch is chosen one trial after the other, each beside those before it ("sequential greedy"). The first trials
//! take a fit each; behind 128 it is kept for 32 trials. A surface has 512 observations at most.

mod acquisition;
mod climb;
mod descent;
mod encoding;
mod fit;
mod kernel;
mod lanes;
mod linear;
#[cfg(test)]
mod oracle;
mod panels;
mod pool;
mod proposer;
mod surface;
mod warp;

use super::starts::{STARTUP, Starts};
use super::{Distinct, Settings, Strategy, StrategyKind, Told, Trials, Unguided};
use crate::error::Result;
use crate::setting::Setting;
use crate::space::{Configuration, Space};
use encoding::Encoding;
use proposer::{Fitted, Proposer};

/// Bayesian optimisation by a Gaussian process.
pub struct Gp;

impl StrategyKind for Gp {
    fn name(&self) -> &'static str {
        "gp"
    }
    fn summary(&self) -> &'static str {
        "a Gaussian process, batches by their expected improvement; for few trials, each of which is dear"
    }
    fn settings(&self) -> &'static [Setting] {
        &[STARTUP]
    }
    fn notes(&self, _: &Space, settings: &Settings) -> Vec<String> {
        let startup = settings.chosen.count(&STARTUP);
        vec![format!(
            "gp: {startup} trials spread evenly over the space, then where most improvement is expected"
        )]
    }
    fn unguided(&self, _: &Space, settings: &Settings) -> Unguided {
        Unguided::EvenUntil(settings.chosen.count(&STARTUP))
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(Search { settings: settings.clone(), known: None, fitted: None, proposed: None })
    }
}

/// A search by a Gaussian process.
struct Search {
    settings: Settings,
    /// The encoding and the starts of the space last asked about.
    known: Option<(Encoding, Starts)>,
    /// The fit last used.
    fitted: Option<Fitted>,
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
        if self.known.as_ref().is_none_or(|(encoding, _)| encoding.space() != space) {
            self.known = Some((Encoding::new(space), Starts::new(space, &self.settings)));
            self.fitted = None;
        }
        let found = match &self.known {
            Some((encoding, starts)) if count > 0 && self.learns(encoding, trials.told) => {
                let asked = (trials, first_number, count);
                let proposer =
                    Proposer::new(encoding, starts, &self.settings, &mut self.fitted, asked, &proposed);
                propose(proposer, &mut proposed, count)
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
    fn learns(&self, encoding: &Encoding, told: &[Told]) -> bool {
        let is_enough = told.len() as u64 >= self.settings.chosen.count(&STARTUP);
        !encoding.coded.is_empty() && is_enough && told.iter().any(|told| warp::value_of(told).is_some())
    }
}

/// Trials one after the other, each beside those before.
fn propose(mut proposer: Proposer<'_>, proposed: &mut Distinct, count: usize) -> Vec<Configuration> {
    let mut found: Vec<Configuration> = Vec::with_capacity(count);
    while found.len() < count {
        if let Some(last) = found.last() {
            proposer.push(last);
        }
        let Some(next) = proposed.admit_first_of(proposer.proposals()) else { break };
        found.push(next);
    }
    found
}
