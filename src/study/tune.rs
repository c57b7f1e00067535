//! One `tune`, from the plan to the leaderboard: data, store, engine, run, models, final test.

mod preflight;

use super::files::{self, Before};
use super::model::{Preprocessing, SavedModel, Which};
use super::plan::Plan;
use super::run::{Event, Limits, Run, Stop, Watch, run};
use super::runner::told;
use super::same::{plan_of, refuse_another};
use super::store::{BestModels, Header, Store};
use super::{score, weights};
use crate::data::{self, Dataset, Encoder, Prepared, Table};
use crate::engine::{self, EngineChoice, EngineKind, Job, MemoryLimit, Opened};
use crate::error::{Error, Result};
use crate::model::hyperparameter;
use crate::model::metric::{self, Metric};
use crate::model::recipe::{Member, Network, Recipe};
use crate::schedule::{self, ScheduleKind};
use crate::search::{self, StrategyKind};
use crate::space::{Configuration, Space};
use crate::trial::{self, Order, Trial};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The study file as run, in the study's folder.
const SOURCE: &str = "study.toml";
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(30);

/// What a user asks for, beside the plan.
pub struct Request {
    /// The study.
    pub plan: Plan,
    /// Where it is, or will be.
    pub folder: PathBuf,
    /// How much device memory may be taken.
    pub memory: Option<MemoryLimit>,
    /// Whether a very large grid was agreed to.
    pub agreed: bool,
}

/// Who watches a study.
pub trait Audience {
    /// Something the user should know.
    fn note(&mut self, line: &str);
    /// The data of a study that is about to begin are there, before anything is written.
    fn loaded(&mut self, _plan: &Plan, _table: &Table, _prepared: &Prepared) {}
    /// Something for who wants everything explained.
    fn explain(&mut self, line: &str);
    /// Training begins: what is optimised, and how many trials are done, of how many where that is known.
    fn begin(&mut self, objective: &'static dyn Metric, best: Option<&Trial>, done: u64, of: Option<u64>);
    /// Something has happened.
    fn event(&mut self, event: &Event<'_>);
    /// Whether to stop now.
    fn stop(&self) -> Option<Stop>;
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was left to do.
    WasFinished,
    /// All trials are done.
    Finished,
    /// Trials are left.
    Stopped(Stop),
}

/// Runs a study to its end, or to where it is stopped; begins it, resumes it or extends it.
///
/// Nothing is written before the data, the plan and the device are known to be right.
pub fn tune(request: Request, audience: &mut dyn Audience) -> Result<Ending> {
    let Request { mut plan, folder, memory, agreed } = request;
    // Held from here on: a second run of the same study is refused before it reads the data.
    let existing = if Store::exists(&folder) { Some(Store::open(&folder)?) } else { None };
    let (table, prepared) = data::read(&plan.data, plan.seed).map_err(|error| plan.locate(error))?;
    prepared.notes.iter().for_each(|note| audience.note(note));
    let dataset = &prepared.dataset;
    if let Some(store) = &existing {
        plan.batch = plan.batch.or(plan_of(&store.header()?)?.batch);
    }
    plan.settle(dataset.task, dataset.row_count(), dataset.feature_count)?;
    if existing.is_none() {
        audience.loaded(&plan, &table, &prepared);
    }
    drop(table);
    let study = Study::new(plan, prepared, folder)?;
    if let Some(store) = &existing {
        refuse_another(&study.folder, &store.header()?, &study.plan, &study.fingerprint)?;
    }
    study.describe(audience);
    if existing.is_none() {
        study.refuse_large_grid(agreed)?;
    }
    study.run(existing, memory, audience)
}

/// A study whose data are known.
struct Study {
    plan: Plan,
    dataset: Arc<Dataset>,
    encoder: Encoder,
    test_rows: Vec<u32>,
    fingerprint: String,
    folder: PathBuf,
    space: Space,
    objective: &'static dyn Metric,
    tie_breaker: &'static dyn Metric,
    strategy: &'static dyn StrategyKind,
    schedule: &'static dyn ScheduleKind,
    /// Number of trials, where the plan or the strategy limits it.
    trial_count: Option<u64>,
}

impl Study {
    fn new(plan: Plan, prepared: Prepared, folder: PathBuf) -> Result<Self> {
        let Prepared { dataset, encoder, test_rows, fingerprint, .. } = prepared;
        let space = plan.space.clone().unwrap_or_default();
        let objective = plan.metric(dataset.task)?;
        let strategy = search::named("search.strategy", &plan.strategy)?;
        let schedule = schedule::named("schedule.kind", &plan.schedule)?;
        let settings = plan.search_settings(objective.direction());
        search::refuse_empty(strategy, &space, &settings).map_err(|error| plan.locate(error))?;
        let size = strategy.size(&space, &settings).map(|size| u64::try_from(size).unwrap_or(u64::MAX));
        let study = Self {
            trial_count: [plan.trials, size].into_iter().flatten().min(),
            tie_breaker: metric::tie_breaker(dataset.task),
            dataset: Arc::new(dataset),
            plan,
            encoder,
            test_rows,
            fingerprint,
            folder,
            space,
            objective,
            strategy,
            schedule,
        };
        study.refuse_two_waiting()?;
        Ok(study)
    }

    fn schedule_settings(&self) -> schedule::Settings {
        self.plan.schedule_settings(self.dataset.folds.len())
    }

    fn order(&self) -> Order {
        Order { objective: self.objective.direction(), tie_break: self.tie_breaker.direction() }
    }

    fn build(&self, configuration: &Configuration) -> Result<(Network, Recipe)> {
        let dataset = &self.dataset;
        hyperparameter::build(configuration, dataset.task, dataset.feature_count, self.plan.max_epochs)
    }

    fn search_settings(&self) -> search::Settings {
        self.plan.search_settings(self.objective.direction())
    }

    fn is_asked_for(&self, number: u64) -> bool {
        self.trial_count.is_none_or(|count| number < count)
    }

    /// The strategy at its start, as it is asked for trials.
    fn window(&self) -> search::Window<'_> {
        let settings = self.search_settings();
        let options = search::Options {
            space: &self.space,
            learns: self.strategy.learns(&settings.chosen),
            batch: settings.batch,
            limit: self.trial_count,
            enqueued: &self.plan.enqueued,
        };
        search::Window::new(search::start(self.strategy, &settings), options)
    }

    fn is_work_left(&self, stored: &[Trial]) -> Result<bool> {
        let next = stored.last().map_or(0, |trial| trial.number + 1);
        let is_left = |trial: &Trial| !trial.state.is_finished() && self.is_asked_for(trial.number);
        if stored.iter().any(is_left) || !self.is_asked_for(next) {
            return Ok(stored.iter().any(is_left));
        }
        if self.strategy.size(&self.space, &self.search_settings()).is_none() {
            return Ok(true);
        }
        // The size is an upper bound: a strategy may have ended before it.
        let mut window = self.window();
        window.resume(stored.iter().map(|trial| trial.configuration.clone()));
        stored.iter().for_each(|trial| window.tell(told(trial)));
        Ok(window.next(|number| number)? != search::Next::Exhausted)
    }

    /// Whether a trial that found no room before would find it now.
    fn is_more_room(&self, store: &Store, stored: &[Trial], memory: Option<MemoryLimit>) -> Result<bool> {
        let unfit = stored.iter().filter(|trial| trial.is_unfit() && self.is_asked_for(trial.number));
        let unfit: Vec<&Trial> = unfit.collect();
        if unfit.is_empty() {
            return Ok(false);
        }
        // A finished study is shown also where its device is not.
        let Ok(Opened { engine, .. }) = self.open_engine(Some(&store.header()?), memory) else {
            return Ok(false);
        };
        let fits = |trial: &&Trial| {
            self.build(&trial.configuration).is_ok_and(|(network, recipe)| {
                engine.check(&Member { fold: 0, repeat: 0, network, recipe }).is_ok()
            })
        };
        Ok(unfit.iter().any(fits))
    }

    fn run(
        &self,
        existing: Option<Store>,
        memory: Option<MemoryLimit>,
        audience: &mut dyn Audience,
    ) -> Result<Ending> {
        let Some(store) = existing else { return self.train(None, Vec::new(), memory, audience) };
        // How each has ended, which no curve is needed for.
        let mut stored = Vec::new();
        store.each_trial(|mut trial| {
            trial.history.forget_curve();
            stored.push(trial);
        })?;
        if self.is_work_left(&stored)? || self.is_more_room(&store, &stored, memory)? {
            return self.train(Some(store), stored, memory, audience);
        }
        self.close(store).map(|()| Ending::WasFinished)
    }

    fn train(
        &self,
        existing: Option<Store>,
        stored: Vec<Trial>,
        memory: Option<MemoryLimit>,
        audience: &mut dyn Audience,
    ) -> Result<Ending> {
        let header = existing.as_ref().map(Store::header).transpose()?;
        if let Some(stop) = audience.stop() {
            return Ok(Ending::Stopped(stop));
        }
        let Opened { mut engine, why } = self.open_engine(header.as_ref(), memory)?;
        audience.note(&why);
        engine.explain().iter().for_each(|line| audience.explain(line));
        let header = header.unwrap_or_else(|| self.header(engine.kind(), engine.device()));
        if header.device != engine.device() {
            audience.note(&format!("trained on {} so far: bits may differ from here on", header.device));
        }
        let before = existing.is_none().then(|| Before::of(&self.folder));
        let mut store = match existing {
            Some(store) => store,
            None => Store::create(&self.folder, &header)?,
        };
        self.write_files(&mut store)?;
        let writer = store.begin()?;
        writer.choices(&engine.chosen())?;
        writer.commit()?;
        let done = stored.iter().filter(|trial| !trial.is_open()).count() as u64;
        audience.begin(self.objective, trial::best(self.order(), &stored), done, self.trial_count);
        // The run reads what it goes on from itself.
        drop(stored);
        let schedule = self.schedule.create(&self.schedule_settings());
        let stopped = run(Run {
            engine: engine.as_mut(),
            dataset: &self.dataset,
            store: &mut store,
            objective: self.objective,
            tie_breaker: self.tie_breaker,
            limits: Limits {
                max_epochs: self.plan.max_epochs,
                patience: self.plan.patience,
                target: self.plan.target_value,
            },
            schedule: schedule.as_ref(),
            window: self.window(),
            seed: self.plan.seed,
            build: &|configuration| self.build(configuration),
            histograms: self.plan.histograms.unwrap_or_default(),
            checkpoint_interval: CHECKPOINT_INTERVAL,
            watch: &mut Saving { study: self, audience },
        })?;
        engine.usage().iter().for_each(|line| audience.explain(line));
        if let Some(stop) = stopped {
            if stop == Stop::Target {
                self.close(store)?;
            }
            return Ok(Ending::Stopped(stop));
        }
        if let Some(before) = before
            && store.all_failed()?
            && let Some(error) = nothing_fitted(&store.trials()?)
        {
            drop(store);
            before.restore();
            return Err(error);
        }
        self.close(store).map(|()| Ending::Finished)
    }

    /// The engine that trained the study so far; else the one that was asked for.
    fn open_engine(&self, header: Option<&Header>, memory: Option<MemoryLimit>) -> Result<Opened> {
        let job = Job {
            dataset: Arc::clone(&self.dataset),
            seed: self.plan.seed,
            with_outputs: self.objective.needs_outputs(),
        };
        let asked = &self.plan.engine;
        let Some(header) = header else {
            let choice = EngineChoice::named("engine.kind", &asked.kind)?;
            return engine::open_for(&self.plan.model, choice, asked.device.as_deref(), memory, job);
        };
        let before = plan_of(header)?.engine.device;
        let device = asked.device.as_deref().or(before.as_deref());
        let choice = match header.engine {
            EngineKind::Cpu => EngineChoice::Cpu,
            EngineKind::Gpu => EngineChoice::Gpu,
        };
        let elsewhere =
            format!("go on where {} is, or begin anew in another folder with --out", header.device);
        let opened = engine::open_for(&self.plan.model, choice, device, memory, job)
            .map_err(|error| error.advice(elsewhere))?;
        let (kind, name) = (opened.engine.kind().name(), opened.engine.device());
        Ok(Opened { why: format!("engine {kind}: {name} (the study is trained on it)"), ..opened })
    }

    fn header(&self, engine: EngineKind, device: String) -> Header {
        Header {
            name: self.plan.name.clone(),
            source: self.plan.source.clone(),
            fingerprint: self.fingerprint.clone(),
            objective: self.objective.name().to_owned(),
            tie_break: self.tie_breaker.name().to_owned(),
            seed: self.plan.seed,
            fold_count: self.dataset.folds.len(),
            engine,
            device,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            test_value: None,
        }
    }

    /// Brings what is beside the database, and the study as run, to where they should be.
    fn write_files(&self, store: &mut Store) -> Result<()> {
        let writer = store.begin()?;
        writer.source(&self.plan.source)?;
        // Of the best trial so far, which may not stay the best.
        writer.test_value(None)?;
        writer.commit()?;
        files::write(&self.folder.join(SOURCE), self.plan.source.as_bytes())?;
        self.preprocessing().save(&self.folder, Which::Best)?;
        if let Some(models) = store.best_models()?
            && let Some(trial) = store.trial(models.trial)?
        {
            self.save_weights(&trial, &models)?;
        }
        Ok(())
    }

    fn preprocessing(&self) -> Preprocessing {
        let folds = 0..self.dataset.folds.len();
        Preprocessing::new(&self.dataset, &self.encoder, folds).of_study(&self.fingerprint)
    }

    fn save_weights(&self, trial: &Trial, models: &BestModels) -> Result<()> {
        let (network, _) = self.build(&trial.configuration)?;
        let epochs = trial.best().map_or(0, |best| best.epoch);
        weights::save(&self.folder, Which::Best, trial, epochs, &network, models)
    }

    /// Ends a study: its files are as they should be, and its best model meets the final test set.
    fn close(&self, mut store: Store) -> Result<()> {
        self.write_files(&mut store)?;
        let Some(models) = store.best_models()?.filter(|_| !self.test_rows.is_empty()) else {
            return Ok(());
        };
        let Some(best) = store.trial(models.trial)? else { return Ok(()) };
        let (network, recipe) = self.build(&best.configuration)?;
        let model = SavedModel::new(&models, network, recipe.machine.is_some(), self.preprocessing())?;
        let value = score::on_rows(&model, &self.dataset, &self.test_rows, self.objective);
        let writer = store.begin()?;
        writer.test_value(Some(value).filter(|value| value.is_finite()))?;
        writer.commit()
    }
}

/// The error of a study none of whose trials found room: there is nothing in it to keep.
fn nothing_fitted(trials: &[Trial]) -> Option<Error> {
    let first = trials.first().filter(|_| trials.iter().all(Trial::is_unfit))?;
    // Its parts, as the run loop joined them.
    let reason = first.failure.as_deref().unwrap_or_default();
    let (reason, advice) = reason.split_once("; try: ").unwrap_or((reason, "a larger --memory"));
    let (reason, allowed) = reason.split_once("; allowed: ").unwrap_or((reason, "smaller networks"));
    let found = match trials.len() {
        1 => format!("the only trial {reason}"),
        count => format!("none of {count} trials could be trained; the first {reason}"),
    };
    Some(Error::device("no study was made", found).allowed(allowed).advice(advice))
}

/// Saves the best model as soon as there is a new one, then tells the audience.
struct Saving<'a> {
    study: &'a Study,
    audience: &'a mut dyn Audience,
}

impl Watch for Saving<'_> {
    fn stop(&self) -> Option<Stop> {
        self.audience.stop()
    }

    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        if let Event::Best(trial, models) = event {
            self.study.save_weights(trial, models)?;
        }
        self.audience.event(event);
        Ok(())
    }
}
