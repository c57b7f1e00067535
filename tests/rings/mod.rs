//! A small table and a small search for tests of the run loop and the store.

#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

mod cramped;
mod stepping;

pub use cramped::Cramped;
pub use stepping::{Call, Stepping};

use manytune::data::{Dataset, Fold, Targets, Task, Transform};
use manytune::engine::cpu::CpuEngine;
use manytune::engine::{Engine, EngineKind, Job};
use manytune::error::{Error, Result};
use manytune::model::activation;
use manytune::model::initializer;
use manytune::model::loss;
use manytune::model::lr_schedule;
use manytune::model::metric::{self, Metric, Truth};
use manytune::model::optimizer;
use manytune::model::recipe::{Member, Network, Recipe};
use manytune::model::trainer::{Scratch, Trainer};
use manytune::schedule;
use manytune::search::{Options, Trials, Window};
use manytune::setting::Chosen;
use manytune::space::{Configuration, Dimension, Domain, Space, Value};
use manytune::study::inside::Histograms;
use manytune::study::run::{Event, Limits, Run, Stop, Watch, run};
use manytune::study::store::{Header, Store};
use manytune::trial::Trial;
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub const FOLDS: usize = 3;
/// Of an epoch.
pub const STEPS: u64 = 10;
/// Of a trial.
pub const EPOCHS: u32 = 12;

thread_local! {
    /// How often trials are checkpointed in the tests of this thread.
    pub static CHECKPOINT_INTERVAL: Cell<Duration> = const { Cell::new(Duration::from_secs(30)) };
    /// After how many trials runs in the tests of this thread fail.
    pub static CRASH_AFTER: Cell<Option<usize>> = const { Cell::new(None) };
    /// The schedule of runs in the tests of this thread, and its settings.
    pub static SCHEDULE: RefCell<(&'static str, Chosen)> = const { RefCell::new(("none", Chosen::none())) };
    /// Trials under way at most in runs in the tests of this thread.
    pub static BATCH: Cell<u64> = const { Cell::new(64) };
    /// Whose histograms are kept in runs in the tests of this thread.
    pub static HISTOGRAMS: Cell<Histograms> = const { Cell::new(Histograms::Best(2)) };
    /// At what value of a complete trial runs in the tests of this thread end.
    pub static TARGET: Cell<Option<f64>> = const { Cell::new(None) };
}

/// Two classes, a ring around a disc, in three folds; no fold learns any transform.
pub fn rings() -> Dataset {
    let row_count = 120_u32;
    let features: Vec<f32> = (0..row_count)
        .flat_map(|row| {
            let (angle, radius) = (row as f32 * 2.4, if row % 2 == 0 { 0.5 } else { 1.5 });
            let wobble = 0.3 * (row as f32 * 0.7).sin();
            [(radius + wobble) * angle.cos(), (radius + wobble) * angle.sin()]
        })
        .collect();
    let fold = |fold: u32| {
        let (validation, train) = (0..row_count).partition(|row| (row / 2) % FOLDS as u32 == fold);
        Fold {
            train,
            validation,
            transforms: vec![Transform::IDENTITY; 2],
            target: Transform::IDENTITY,
            balanced_weights: vec![1.0; 2],
        }
    };
    Dataset {
        task: Task::Classification { class_count: 2 },
        feature_count: 2,
        features,
        targets: Targets::Classes((0..row_count).map(|row| row % 2).collect()),
        folds: (0..FOLDS as u32).map(fold).collect(),
    }
}

/// Trial 3 of every five diverges; trial 4 asks for a network that cannot be built.
pub fn propose(_: &Space, trials: Trials<'_>, first: u64, count: usize) -> Result<Vec<Configuration>> {
    let configuration = |number: u64| {
        let rate = if number % 5 == 3 { 1e37 } else { 0.002 * (1 + number % 7) as f64 };
        let width = if number % 5 == 4 { 0 } else { 4 + number as i64 % 3 };
        Configuration::from([
            ("learning_rate".into(), Value::Float(rate)),
            ("width".into(), Value::Int(width)),
        ])
    };
    let told = trials.told.iter().map(|told| told.number);
    let known: Vec<u64> = told.chain(trials.pending.iter().map(|pending| pending.number)).collect();
    assert!(known.iter().copied().eq(0..first), "every trial before is told or pending, in order");
    Ok((first..first + count as u64).map(configuration).collect())
}

/// Around the proposals, but for those that come to nothing.
fn space() -> Space {
    let rate = Domain::Float { low: 1e-4, high: 1.0, log: true, step: None };
    let width = Domain::Int { low: 1, high: 16, log: false, step: 1 };
    Space::new(vec![Dimension::new("learning_rate", rate), Dimension::new("width", width)]).unwrap()
}

pub fn build(configuration: &Configuration) -> Result<(Network, Recipe)> {
    let (Value::Float(learning_rate), Value::Int(width)) =
        (&configuration["learning_rate"], &configuration["width"])
    else {
        panic!("the proposals have these types")
    };
    if *width == 0 {
        return Err(Error::usage("width", "0 units").allowed("at least 1"));
    }
    let network = Network {
        input_count: 2,
        hidden: vec![*width as usize],
        output_count: 2,
        activation: activation::ALL.iter().find(|activation| activation.name() == "tanh").unwrap().to_owned(),
    };
    let optimizer = *optimizer::ALL.iter().find(|optimizer| optimizer.name() == "sgd").unwrap();
    let recipe = Recipe {
        optimizer,
        optimizer_parameters: optimizer.defaults(),
        learning_rate: learning_rate * 20.0,
        lr_schedule: lr_schedule::ALL[0],
        lr_schedule_parameters: Default::default(),
        loss: loss::ALL[0],
        loss_parameters: Default::default(),
        balanced: false,
        l2_penalty: 0.0,
        l1_penalty: 0.0,
        dropout: 0.1,
        input_dropout: 0.0,
        clip_norm: 0.0,
        initializer: initializer::ALL[0],
        batch_size: 8,
        max_epochs: EPOCHS,
        machine: None,
    };
    Ok((network, recipe))
}

pub fn header() -> Header {
    Header {
        name: "rings".into(),
        source: "# none\n".into(),
        fingerprint: "0".into(),
        objective: "accuracy".into(),
        tie_break: "log_loss".into(),
        seed: u64::MAX,
        fold_count: FOLDS,
        engine: EngineKind::Cpu,
        device: "a processor".into(),
        version: "0.1.0".into(),
        test_value: None,
    }
}

pub fn objective() -> &'static dyn Metric {
    metric::find("accuracy").unwrap()
}

/// Runs `trials` trials on a number of threads; `stop` sees how often the engine has worked and the
/// numbers of the trials that have ended.
pub fn train(
    store: &mut Store,
    trials: u64,
    threads: usize,
    stop: &dyn Fn(usize) -> Option<Stop>,
) -> Result<(Option<Stop>, Vec<u64>)> {
    let dataset = Arc::new(rings());
    let job = Job { dataset: dataset.clone(), seed: 7, with_outputs: false };
    let mut engine = CpuEngine::new(job, Some(threads))?;
    train_on(&mut engine, store, trials, stop)
}

pub fn train_on(
    engine: &mut dyn Engine,
    store: &mut Store,
    trials: u64,
    stop: &dyn Fn(usize) -> Option<Stop>,
) -> Result<(Option<Stop>, Vec<u64>)> {
    let dataset = rings();
    let mut watcher =
        Watcher { stop, steps: Cell::new(0), finished: Vec::new(), crash_after: CRASH_AFTER.get() };
    let (kind, chosen) = SCHEDULE.with_borrow(Clone::clone);
    let settings = schedule::Settings { max_epochs: EPOCHS, fold_count: FOLDS, seed: 7, chosen };
    let schedule = schedule::create(kind, &settings)?;
    let space = space();
    let search =
        Options { space: &space, learns: true, batch: BATCH.get(), limit: Some(trials), enqueued: &[] };
    let stopped = run(Run {
        engine,
        dataset: &dataset,
        store,
        objective: objective(),
        tie_breaker: metric::tie_breaker(dataset.task),
        limits: Limits { max_epochs: EPOCHS, patience: 5, target: TARGET.get() },
        schedule: schedule.as_ref(),
        window: Window::new(Box::new(propose), search),
        seed: 7,
        build: &build,
        histograms: HISTOGRAMS.get(),
        checkpoint_interval: CHECKPOINT_INTERVAL.get(),
        watch: &mut watcher,
    })?;
    Ok((stopped, watcher.finished))
}

struct Watcher<'a> {
    stop: &'a dyn Fn(usize) -> Option<Stop>,
    steps: Cell<usize>,
    finished: Vec<u64>,
    /// The run fails, with nothing saved, once so many trials have ended.
    crash_after: Option<usize>,
}

impl Watch for Watcher<'_> {
    fn stop(&self) -> Option<Stop> {
        self.steps.set(self.steps.get() + 1);
        (self.stop)(self.steps.get())
    }
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        if let Event::Finished(trial) = event {
            self.finished.push(trial.number);
        }
        match self.crash_after {
            Some(count) if self.finished.len() >= count => Err(Error::device("test", "a crash")),
            _ => Ok(()),
        }
    }
}

/// The member of a configuration and a fold.
pub fn member(configuration: &Configuration, fold: usize) -> Member {
    let (network, recipe) = build(configuration).unwrap();
    Member { fold, repeat: 0, network, recipe }
}

/// Trains to the end of an epoch, from 1.
pub fn train_epoch(trainer: &mut Trainer<f32>, epoch: u32) {
    let end = u64::from(epoch) * STEPS;
    assert!(trainer.train_until(&rings(), &mut Scratch::default(), end, || false).unwrap());
}

/// The accuracy of a model on the validation rows of its fold, by the reference's own evaluation.
pub fn accuracy(configuration: &Configuration, fold: usize, parameters: &[f32]) -> f64 {
    let dataset = rings();
    let (network, recipe) = build(configuration).unwrap();
    let state = &vec![0.0; parameters.len()];
    let member = Member { fold, repeat: 0, network, recipe };
    let trainer = Trainer::resume(member, 7, [parameters, state, state], 0);
    let evaluation = trainer.evaluate(&dataset, &mut Scratch::default(), false);
    objective().score(&evaluation, Truth { dataset: &dataset, fold: &dataset.folds[fold] })
}

/// The trials, without what depends on the clock.
pub fn timeless(store: &Store) -> Vec<Trial> {
    let mut trials = store.trials().unwrap();
    trials.iter_mut().for_each(|trial| trial.seconds = 0.0);
    trials
}

/// A new study in a folder.
pub fn create(folder: &Path) -> Store {
    Store::create(folder, &header()).unwrap()
}
