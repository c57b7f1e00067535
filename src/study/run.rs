//! The run loop: keeps the engine full of trials, trains the folds of each in step, and stores what
//! ends, until nothing is left to try or the run is stopped.
//!
//! A trial depends on its configuration, the data and the seed alone, and what is best on scores and
//! numbers alone: neither the order in which trials end nor where a run was interrupted changes a result.

use super::inside::Histograms;
use super::runner::Runner;
use super::store::{BestModels, Store};
use crate::data::Dataset;
use crate::engine::Engine;
use crate::error::Result;
use crate::model::metric::Metric;
use crate::model::recipe::{Network, Recipe};
use crate::schedule::Schedule;
use crate::search::Window;
use crate::space::Configuration;
use crate::trial::Trial;
use std::time::Duration;

/// In the reason of a trial that failed because its data leave the objective undefined.
pub const UNDEFINED: &str = "is undefined or infinite on the validation rows of fold";

/// When a trial, and when the study, has had enough.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Epochs of a trial.
    pub max_epochs: u32,
    /// Epochs without improvement of the mean curve after which a trial ends.
    pub patience: u32,
    /// The study ends when a complete trial is at least as good as this.
    pub target: Option<f64>,
}

/// Why a run stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The user interrupted it.
    Interrupted,
    /// The time limit passed.
    TimeLimit,
    /// A complete trial is as good as was asked for.
    Target,
}

/// What a run tells while it works; trials that are told of are stored already.
pub enum Event<'a> {
    /// A trial has ended.
    Finished(&'a Trial),
    /// Of the trials that have ended, this one is the best.
    Best(&'a Trial, &'a BestModels),
    /// The strategy has decided something that the user should know.
    Remark(&'a str),
    /// The engine has worked; so many trials are in training.
    Advanced {
        /// How many.
        running: usize,
    },
}

/// The network and training that a configuration means.
pub type Build<'a> = dyn Fn(&Configuration) -> Result<(Network, Recipe)> + 'a;

/// Who watches a run.
pub trait Watch {
    /// Whether to stop; asked after every step of the engine.
    fn stop(&self) -> Option<Stop>;
    /// Something has happened. An error ends the run.
    fn event(&mut self, event: &Event<'_>) -> Result<()>;
}

/// Everything a run works with.
pub struct Run<'a> {
    /// Trains the members.
    pub engine: &'a mut dyn Engine,
    /// What they are trained on: one member per fold.
    pub dataset: &'a Dataset,
    /// Where results go.
    pub store: &'a mut Store,
    /// What is optimised.
    pub objective: &'static dyn Metric,
    /// What breaks ties.
    pub tie_breaker: &'static dyn Metric,
    /// When to end.
    pub limits: Limits,
    /// Decides which trials end early.
    pub schedule: &'a dyn Schedule,
    /// Proposes configurations; at its start.
    pub window: Window<'a>,
    /// The study's.
    pub seed: u64,
    /// Understands configurations.
    pub build: &'a Build<'a>,
    /// Which trials' histograms are kept.
    pub histograms: Histograms,
    /// A trial that trains for longer is checkpointed this often, or less often where that takes long.
    pub checkpoint_interval: Duration,
    /// Stops it, and hears what happens.
    pub watch: &'a mut dyn Watch,
}

/// Trains from where the store stands to the end. Returns why it stopped before that, if it did.
///
/// After an error, everything that had ended is stored, and the run can be repeated.
pub fn run(run: Run<'_>) -> Result<Option<Stop>> {
    Runner::new(run)?.finish_all()
}
