//! Works a [`Run`] off: fills the engine, acts on what it reports, and writes what has happened.

use super::checkpoint::{FoldState, Outcome};
use super::folds::{Folds, Names};
use super::outbox::Outbox;
use super::run::{Event, Run, Stop, UNDEFINED};
use super::store::BestModels;
use crate::engine::Report;
use crate::error::{Error, ErrorKind, Result};
use crate::model::metric::Truth;
use crate::model::recipe::Member;
use crate::schedule::{AtRung, Decision};
use crate::search::{Next, Told};
use crate::space::Configuration;
use crate::trial::{self, FoldEpoch, Order, Score, State, Trial};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// What is known about trials that have begun is written at least this often, for whoever looks on.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// Checkpoints take at most one part in so many of the time: where they are large, they are fewer.
const CHECKPOINT_SHARE: u32 = 20;

/// A trial in training.
struct Active {
    trial: Trial,
    folds: Folds,
    /// When it was admitted, less the time it had trained for before.
    began: Instant,
    saved: Instant,
}

/// A run on its way.
pub struct Runner<'a> {
    run: Run<'a>,
    order: Order,
    /// By number.
    active: BTreeMap<u64, Active>,
    names: Names,
    waiting: VecDeque<Trial>,
    best: Option<Trial>,
    outbox: Outbox,
    written: Instant,
    began: Instant,
    checkpointing: Duration,
}

impl<'a> Runner<'a> {
    /// At where the store stands.
    pub fn new(mut run: Run<'a>) -> Result<Self> {
        let order = Order { objective: run.objective.direction(), tie_break: run.tie_breaker.direction() };
        let stored = run.store.trials()?;
        let best = trial::best(order, &stored).cloned();
        run.window.resume(stored.iter().map(|trial| trial.configuration.clone()));
        stored.iter().filter(|trial| !trial.is_open()).for_each(|trial| run.window.tell(told(trial)));
        let within = |trial: &Trial| run.window.is_within(trial.number);
        let waiting = stored.into_iter().filter(|trial| trial.is_open() && within(trial)).collect();
        Ok(Self {
            run,
            order,
            active: BTreeMap::new(),
            names: Names::default(),
            waiting,
            best,
            outbox: Outbox::default(),
            written: Instant::now(),
            began: Instant::now(),
            checkpointing: Duration::ZERO,
        })
    }

    /// To the end, or to where the run is stopped; returns why it was.
    pub fn finish_all(mut self) -> Result<Option<Stop>> {
        loop {
            if let Some(stop) = self.run.watch.stop() {
                let is_done = self.stop()?;
                return Ok((!is_done).then_some(stop));
            }
            self.fill()?;
            if self.active.is_empty() {
                self.write()?;
                return Ok(None);
            }
            self.step()?;
        }
    }

    /// Stops every trial between two steps, and stores where it stands. Returns whether all had ended.
    fn stop(&mut self) -> Result<bool> {
        self.run.engine.pause()?;
        loop {
            let reports = self.run.engine.advance()?;
            if reports.is_empty() {
                break;
            }
            self.take_in(reports, true)?;
        }
        let is_done = self.is_done();
        self.checkpoint_all()?;
        self.write()?;
        Ok(is_done)
    }

    fn is_done(&self) -> bool {
        self.active.is_empty() && self.waiting.is_empty() && self.run.window.is_exhausted()
    }

    /// Admits trials while the engine has room for all folds of one; one trial always.
    fn fill(&mut self) -> Result<()> {
        // What takes turns has the device for itself.
        if self.active.values().any(|active| active.folds.take_turns()) {
            return Ok(());
        }
        while let Some(trial) = self.next_trial()? {
            let members = match self.members(&trial.configuration) {
                Ok(members) => members,
                Err(error) => {
                    self.fail(trial, &error);
                    continue;
                }
            };
            let room = self.run.engine.room(&members[0]);
            if !self.active.is_empty() && room < members.len() {
                self.waiting.push_front(trial);
                return Ok(());
            }
            if !self.admit(trial, members)? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn next_trial(&mut self) -> Result<Option<Trial>> {
        if let Some(trial) = self.waiting.pop_front() {
            return Ok(Some(trial));
        }
        let fold_count = self.run.dataset.folds.len();
        Ok(match self.run.window.next(|number| number)? {
            Next::Trial(number, configuration) => {
                Some(Trial::new(number, configuration, self.order, fold_count))
            }
            Next::Wait | Next::Exhausted => None,
        })
    }

    /// One member per fold; an error where the configuration cannot be trained.
    fn members(&self, configuration: &Configuration) -> Result<Vec<Member>> {
        let (network, recipe) = (self.run.build)(configuration)?;
        let member = |fold| Member { fold, repeat: 0, network: network.clone(), recipe: recipe.clone() };
        let members: Vec<Member> = (0..self.run.dataset.folds.len()).map(member).collect();
        self.run.engine.check(&members[0])?;
        Ok(members)
    }

    /// Gives a trial to the engine, from its checkpoint where it has one. Returns false where the
    /// device is full now: the trial may then wait for another to end. One whose folds do not fit
    /// together on an empty device has it alone, fold by fold; one that does not fit at all fails.
    fn admit(&mut self, mut trial: Trial, members: Vec<Member>) -> Result<bool> {
        let number = trial.number;
        let mut states = self.run.store.checkpoint(number)?;
        let at_checkpoint = |state: &FoldState| state.is_after(trial.history.epoch_count());
        let has_work = states.iter().any(|state| state.outcome.is_none());
        if states.len() != members.len() || !states.iter().all(at_checkpoint) || !has_work {
            states.clear();
            trial = Trial::new(number, trial.configuration, self.order, members.len());
        }
        let is_resumed = !states.is_empty();
        let mut folds = Folds::new(number, members, states);
        let is_alone = self.active.is_empty();
        match folds.sit(self.run.engine, &mut self.names) {
            Ok(()) if is_alone || !folds.take_turns() => {}
            Err(error) if error.kind != ErrorKind::Device => return Err(error),
            Err(error) if is_alone => {
                self.fail(trial, &error);
                return Ok(true);
            }
            _ => {
                folds.retire(self.run.engine, &mut self.names);
                self.waiting.push_front(trial);
                return Ok(false);
            }
        }
        let has_room = !folds.take_turns();
        folds.train(self.run.engine)?;
        trial.state = State::Running;
        if is_resumed {
            self.outbox.resumed.push(number);
        } else {
            self.outbox.begun.push(trial.clone());
        }
        let now = Instant::now();
        let began = now.checked_sub(Duration::from_secs_f64(trial.seconds)).unwrap_or(now);
        self.active.insert(number, Active { trial, folds, began, saved: now });
        Ok(has_room)
    }

    /// Lets the engine work for a while, and acts on what it reports.
    fn step(&mut self) -> Result<()> {
        let reports = self.run.engine.advance()?;
        if reports.is_empty() && self.run.engine.is_idle() {
            return Err(Error::device(self.run.engine.device(), "the engine stopped reporting")
                .advice("run the same command again: it goes on where it stopped"));
        }
        self.take_in(reports, false)?;
        // By now the engine works on, while results go to the disk.
        if !self.outbox.is_due() && self.written.elapsed() < WRITE_INTERVAL {
            return Ok(());
        }
        self.write()
    }

    /// Acts on every trial that stands between two epochs after these reports. Where the run is
    /// stopping, nothing new is begun.
    fn take_in(&mut self, reports: Vec<Report>, stopping: bool) -> Result<()> {
        let mut ready = Vec::new();
        for report in reports {
            let Some((number, fold)) = self.names.home(report.id) else { continue };
            let outcome = self.outcome(fold, &report);
            let Some(active) = self.active.get_mut(&number) else { continue };
            if let Some(epoch) = active.folds.take(fold, outcome) {
                ready.push((number, epoch));
            } else if !stopping {
                active.folds.change_turns(self.run.engine, &mut self.names)?;
            }
        }
        ready.sort_unstable_by_key(|(number, _)| *number);
        for (number, epoch) in ready {
            let Some(active) = self.active.remove(&number) else { continue };
            if let Some(active) = self.close_epoch(active, &epoch, stopping)? {
                self.active.insert(number, active);
            }
        }
        Ok(())
    }

    /// Takes in one epoch of all folds of a trial. Returns the trial if it trains on.
    fn close_epoch(
        &mut self,
        mut active: Active,
        epoch: &[Outcome],
        stopping: bool,
    ) -> Result<Option<Active>> {
        let diverged = |outcome: &Outcome| match outcome {
            Outcome::Diverged { step } => Some(*step),
            _ => None,
        };
        if let Some(step) = epoch.iter().filter_map(diverged).min() {
            active.trial.diverged_at_step = Some(step);
            return self.finish(active, State::Diverged);
        }
        let mut folds = Vec::new();
        for (fold, outcome) in epoch.iter().enumerate() {
            let Outcome::Scored(scored) = outcome else {
                active.trial.failure = Some(format!("{} {UNDEFINED} {fold}", self.run.objective.name()));
                return self.finish(active, State::Failed);
            };
            folds.push(*scored);
        }
        if active.trial.history.push(&folds) {
            active.folds.keep(self.run.engine)?;
        }
        if let Some(end) = self.verdict(&active.trial) {
            return self.finish(active, end);
        }
        if !stopping {
            self.checkpoint_if_due(&mut active)?;
            active.folds.train(self.run.engine)?;
        }
        Ok(Some(active))
    }

    /// How a trial ends after the epoch it has just trained; `None` where it trains on.
    fn verdict(&mut self, trial: &Trial) -> Option<State> {
        let (history, limits) = (&trial.history, self.run.limits);
        let epochs = history.epoch_count();
        if epochs >= limits.max_epochs || history.epochs_without_improvement() >= limits.patience {
            return Some(State::Complete);
        }
        if self.run.schedule.next_rung(epochs - 1) != Some(epochs) {
            return None;
        }
        let at_rung = AtRung { number: trial.number, curve: &history.mean_values() };
        (self.run.schedule.decide(at_rung) == Decision::Stop).then_some(State::Pruned)
    }

    /// What an epoch came to for one fold.
    fn outcome(&self, fold: usize, report: &Report) -> Outcome {
        if let Some(step) = report.diverged_at_step {
            return Outcome::Diverged { step };
        }
        let Some(evaluation) = &report.evaluation else { return Outcome::Undefined };
        let truth = Truth { dataset: self.run.dataset, fold: &self.run.dataset.folds[fold] };
        let value = self.run.objective.score(evaluation, truth);
        let tie_break = self.run.tie_breaker.score(evaluation, truth);
        let score = Score { value, tie_break };
        match value.is_finite() {
            true => Outcome::Scored(FoldEpoch { train_loss: report.train_loss, score }),
            false => Outcome::Undefined,
        }
    }

    /// Ends a trial in training; returns `None`, for it trains no further.
    fn finish(&mut self, active: Active, state: State) -> Result<Option<Active>> {
        let Active { mut trial, folds, began, .. } = active;
        trial.state = state;
        trial.seconds = began.elapsed().as_secs_f64();
        let leads = |best: &Trial| trial::compare(self.order, &trial, best).is_lt();
        if state == State::Complete && self.best.as_ref().is_none_or(leads) {
            let states = folds.states(self.run.engine)?;
            let snapshots = states.into_iter().filter_map(|fold| fold.snapshot);
            let models = snapshots.map(|fold| fold.kept.unwrap_or(fold.parameters)).collect();
            self.outbox.best = Some(BestModels { trial: trial.number, folds: models });
            self.best = Some(trial.clone());
        }
        folds.retire(self.run.engine, &mut self.names);
        self.run.window.tell(told(&trial));
        self.outbox.finished.push(trial);
        Ok(None)
    }

    /// A trial that cannot be trained; one that found no room is tried again when the study is.
    fn fail(&mut self, mut trial: Trial, error: &Error) {
        trial.fail(error);
        self.run.window.tell(told(&trial));
        self.outbox.finished.push(trial);
    }

    fn checkpoint_if_due(&mut self, active: &mut Active) -> Result<()> {
        let affordable = self.checkpointing * CHECKPOINT_SHARE <= self.began.elapsed();
        if active.saved.elapsed() < self.run.checkpoint_interval || !affordable {
            return Ok(());
        }
        let began = Instant::now();
        active.saved = began;
        active.trial.seconds = active.began.elapsed().as_secs_f64();
        let states = active.folds.states(self.run.engine)?;
        self.outbox.checkpoints.push((active.trial.clone(), states));
        self.checkpointing += began.elapsed();
        Ok(())
    }

    /// Checkpoints every trial that has not ended: the run stops here.
    fn checkpoint_all(&mut self) -> Result<()> {
        for (_, Active { mut trial, folds, began, .. }) in std::mem::take(&mut self.active) {
            trial.state = State::Interrupted;
            trial.seconds = began.elapsed().as_secs_f64();
            let states = folds.states(self.run.engine)?;
            folds.retire(self.run.engine, &mut self.names);
            self.outbox.checkpoints.push((trial, states));
        }
        Ok(())
    }

    /// Writes what has happened in one transaction, then tells of it.
    fn write(&mut self) -> Result<()> {
        let outbox = std::mem::take(&mut self.outbox);
        let began = Instant::now();
        outbox.commit(self.run.store)?;
        if !outbox.checkpoints.is_empty() {
            self.checkpointing += began.elapsed();
        }
        self.written = Instant::now();
        for trial in &outbox.finished {
            self.run.watch.event(&Event::Finished(trial))?;
        }
        if let (Some(models), Some(best)) = (&outbox.best, &self.best) {
            self.run.watch.event(&Event::Best(best, models))?;
        }
        self.run.watch.event(&Event::Advanced { running: self.active.len() })
    }
}

fn told(trial: &Trial) -> Told {
    Told {
        number: trial.number,
        configuration: trial.configuration.clone(),
        value: trial.score().map(|score| score.value),
        is_pruned: trial.state == State::Pruned,
    }
}
