//! Works a [`Run`] off: fills the engine, acts on what it reports, and writes what has happened.

use super::checkpoint::Outcome;
use super::folds::{Folds, Names};
use super::inside::{Kept, is_due};
use super::outbox::Outbox;
use super::run::{Event, Limits, Run, Stop, UNDEFINED};
use super::rungs::Rungs;
use super::solver;
use super::store::BestModels;
use crate::engine::{MemberId, Report};
use crate::error::{Error, Result};
use crate::model::metric::Truth;
use crate::model::recipe::Recipe;
use crate::search::Told;
use crate::trial::{self, FoldEpoch, Order, Score, State, Trial};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What is known about trials that have begun is written at least this often, for whoever looks on.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// Checkpoints take at most one part in so many of the time: where they are large, they are fewer.
const CHECKPOINT_SHARE: u32 = 20;

/// A trial on the engine.
pub(super) struct Active {
    pub(super) trial: Trial,
    pub(super) folds: Folds,
    /// (rung) The epochs after which it stands at one.
    pub(super) rungs: Vec<u32>,
    /// When it was admitted, less the time it had trained for before.
    pub(super) began: Instant,
    pub(super) saved: Instant,
    /// Since when it waits at a rung; `None` while it trains.
    pub(super) parked: Option<Instant>,
}

/// A run on its way; every trial that has not ended is in one of three places.
pub struct Runner<'a> {
    pub(super) run: Run<'a>,
    pub(super) order: Order,
    /// By number.
    pub(super) active: BTreeMap<u64, Active>,
    pub(super) names: Names,
    /// Off the engine, to be admitted; by number.
    pub(super) waiting: BTreeMap<u64, Trial>,
    /// Off the engine, waiting at rungs; by number.
    pub(super) frozen: BTreeMap<u64, Trial>,
    /// Of the next new trial.
    pub(super) next_number: u64,
    pub(super) rungs: Rungs<'a>,
    best: Option<Trial>,
    kept: Kept,
    pub(super) outbox: Outbox,
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
        run.window.resume(stored.iter().map(|trial| trial.proposed().clone()));
        stored.iter().filter(|trial| !trial.is_open()).for_each(|trial| run.window.tell(told(trial)));
        let passed = run.store.passed()?;
        let mut kept = Kept::new(run.histograms, order);
        let ended = stored.iter().filter(|trial| !trial.is_open());
        let histograms_lost = ended.filter_map(|trial| kept.end(trial)).collect();
        let mut runner = Self {
            rungs: Rungs::new(run.schedule, order.objective, passed, run.dataset.folds.len()),
            run,
            order,
            active: BTreeMap::new(),
            names: Names::default(),
            waiting: BTreeMap::new(),
            frozen: BTreeMap::new(),
            next_number: stored.len() as u64,
            best,
            kept,
            outbox: Outbox { histograms_lost, ..Outbox::default() },
            written: Instant::now(),
            began: Instant::now(),
            checkpointing: Duration::ZERO,
        };
        stored.into_iter().for_each(|trial| runner.resume(trial));
        Ok(runner)
    }

    /// Takes a stored trial in: one that has not ended waits for its turn, or for what is decided about it.
    fn resume(&mut self, trial: Trial) {
        let number = trial.number;
        if !self.run.window.is_within(number) {
            return;
        }
        // One that cannot be built has no epochs, and comes to no rung.
        let steps =
            (self.run.build)(&trial.configuration).map_or(1, |(_, recipe)| self.steps_per_epoch(&recipe));
        let rungs = self.rungs.epochs(number, steps);
        self.rungs.resume(&trial, &rungs);
        if !trial.is_open() {
            return;
        }
        let place = if self.rungs.is_waiting(number) { &mut self.frozen } else { &mut self.waiting };
        place.insert(number, trial);
    }

    /// To the end, or to where the run is stopped; returns why it was.
    pub fn finish_all(mut self) -> Result<Option<Stop>> {
        loop {
            if let Some(stop) = self.run.watch.stop().or(self.has_met_target().then_some(Stop::Target)) {
                let is_done = self.stop()?;
                return Ok((!is_done).then_some(stop));
            }
            self.refill()?;
            if self.active.is_empty() && self.frozen.is_empty() {
                self.write()?;
                return Ok(None);
            }
            self.step()?;
        }
    }

    fn has_met_target(&self) -> bool {
        let best = self.best.as_ref().and_then(Trial::score);
        best.zip(self.run.limits.target)
            .is_some_and(|(best, target)| self.order.objective.compare(best.value, target).is_le())
    }

    /// Gives the room of trials that have ended to others, then writes what has happened, where that is due: the
    /// engine works on meanwhile. After an error too it is written.
    fn refill(&mut self) -> Result<()> {
        if self.outbox.holds_states() {
            // On the disk before their room is taken: what is held in memory stays within what was planned.
            self.write()?;
        }
        let refilled = self.fill_and_decide();
        if !self.outbox.is_due() && self.written.elapsed() < WRITE_INTERVAL {
            return refilled;
        }
        let begun = refilled.and_then(|()| self.run.engine.begin());
        let written = self.write();
        begun.and(written)
    }

    fn fill_and_decide(&mut self) -> Result<()> {
        // What was admitted may have failed, and what was decided may have made room.
        while self.fill()? | self.decide()? {}
        Ok(())
    }

    /// Stops every trial between two steps, and stores where it stands. Returns whether all had ended.
    fn stop(&mut self) -> Result<bool> {
        self.write()?;
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
        let is_open = |trials: &BTreeMap<u64, Trial>| !trials.is_empty();
        let is_any_open = !self.active.is_empty() || is_open(&self.waiting) || is_open(&self.frozen);
        !is_any_open && self.run.window.is_exhausted()
    }

    /// Lets the engine work for a while, and acts on what it reports.
    fn step(&mut self) -> Result<()> {
        let reports = self.run.engine.advance()?;
        if self.training() == 0 {
            return Err(Error::device("schedule", "every trial waits for another, and none can train")
                .advice("another schedule.kind, in another folder with --out"));
        }
        if reports.is_empty() && self.run.engine.is_idle() {
            return Err(Error::device(self.run.engine.device(), "the engine stopped reporting")
                .advice("run the same command again: it goes on where it stopped"));
        }
        self.take_in(reports, false)
    }

    /// Acts on every trial that stands between two epochs after these reports. Where the run is
    /// stopping, nothing new is begun.
    fn take_in(&mut self, reports: Vec<Report>, stopping: bool) -> Result<()> {
        let mut ready = Vec::new();
        for report in reports {
            let Some((number, fold)) = self.names.home(report.id) else { continue };
            let outcome = self.outcome(fold, &report);
            if let Some(remark) = solver::warning(number, fold, &report.solver) {
                self.run.watch.event(&Event::Remark(&remark))?;
            }
            if !report.solver.is_empty() {
                self.outbox.solvers.push((number, fold, solver::text(&report.solver)));
            }
            let Some(active) = self.active.get_mut(&number) else { continue };
            if let Some(epoch) = active.folds.take(fold, outcome) {
                ready.push((number, epoch));
            } else if !stopping {
                active.folds.change_turns(self.run.engine, &mut self.names)?;
            }
        }
        ready.sort_unstable_by_key(|(number, _)| *number);
        let (mut ended, mut seen) = (Vec::new(), Vec::new());
        for (number, epoch) in ready {
            let end = self.score_epoch(number, &epoch)?;
            if matches!(end, None | Some(State::Complete)) {
                seen.extend(self.due(number, end.is_some()));
            }
            ended.push((number, end));
        }
        // Of all at once: a device takes hardly longer for many.
        self.look_inside(&seen)?;
        for (number, end) in ended {
            let Some(active) = self.active.remove(&number) else { continue };
            if let Some(active) = self.close_epoch(active, end, stopping)? {
                self.active.insert(number, active);
            }
        }
        Ok(())
    }

    /// Takes in what an epoch came to for all folds of a trial. Returns the state that it ends in, if it does.
    fn score_epoch(&mut self, number: u64, epoch: &[Outcome]) -> Result<Option<State>> {
        let Some(active) = self.active.get_mut(&number) else { return Ok(None) };
        let diverged = |outcome: &Outcome| match outcome {
            Outcome::Diverged { step } => Some(*step),
            _ => None,
        };
        if let Some(step) = epoch.iter().filter_map(diverged).min() {
            active.trial.diverged_at_step = Some(step);
            return Ok(Some(State::Diverged));
        }
        let mut folds = Vec::new();
        for (fold, outcome) in epoch.iter().enumerate() {
            let Outcome::Scored(scored) = outcome else {
                active.trial.failure = Some(format!("{} {UNDEFINED} {fold}", self.run.objective.name()));
                return Ok(Some(State::Failed));
            };
            folds.push(*scored);
        }
        if active.trial.history.push(&folds) {
            active.folds.keep(self.run.engine)?;
        }
        let Limits { max_epochs, patience, .. } = self.run.limits;
        Ok(active.trial.history.has_ended(max_epochs, patience).then_some(State::Complete))
    }

    /// The member of a trial that is to be looked into after the epoch that it has ended.
    fn due(&self, number: u64, is_last: bool) -> Option<(u64, u32, MemberId)> {
        let active = self.active.get(&number)?;
        let epoch = active.trial.history.epoch_count();
        is_due(epoch, is_last).then(|| Some((number, epoch, active.folds.first()?))).flatten()
    }

    /// Ends a trial at the end of an epoch, or lets it go on. Returns the trial if it does.
    fn close_epoch(
        &mut self,
        mut active: Active,
        end: Option<State>,
        stopping: bool,
    ) -> Result<Option<Active>> {
        if let Some(state) = end {
            return self.finish(active, state);
        }
        let waits = self.rungs.reach(&active.trial, &active.rungs);
        active.parked = waits.then(Instant::now);
        if !stopping {
            self.checkpoint_if_due(&mut active)?;
            match waits {
                true => active.folds.rest(self.run.engine),
                false => active.folds.train(self.run.engine)?,
            }
        }
        Ok(Some(active))
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

    /// Ends a trial on the engine; returns `None`, for it trains no further.
    pub(super) fn finish(&mut self, active: Active, state: State) -> Result<Option<Active>> {
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
        self.end(trial);
        Ok(None)
    }

    /// A trial has ended, and is off the engine.
    pub(super) fn end(&mut self, trial: Trial) {
        self.run.window.tell(told(&trial));
        self.rungs.end(&trial);
        self.outbox.histograms_lost.extend(self.kept.end(&trial));
        self.outbox.finished.push(trial);
        let first = |trials: &BTreeMap<u64, Trial>| trials.first_key_value().map(|(number, _)| *number);
        let active = self.active.first_key_value().map(|(number, _)| *number);
        let open = [active, first(&self.waiting), first(&self.frozen), Some(self.next_number)];
        self.rungs.forget_before(open.into_iter().flatten().min().unwrap_or(0));
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
        // The others are in the store as they stand.
        let others = self.waiting.keys().chain(self.frozen.keys());
        self.outbox.states.extend(others.map(|number| (*number, State::Interrupted)));
        Ok(())
    }

    /// Steps of an epoch, by which a schedule may count; of the first fold where they differ.
    pub(super) fn steps_per_epoch(&self, recipe: &Recipe) -> u64 {
        recipe.steps(self.run.dataset.folds[0].train.len()).1
    }

    /// How many trials train.
    fn training(&self) -> usize {
        self.active.values().filter(|active| active.parked.is_none()).count()
    }

    /// Writes what has happened in one transaction, then tells of it.
    pub(super) fn write(&mut self) -> Result<()> {
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
        self.run.watch.event(&Event::Advanced { running: self.training() })
    }
}

/// A trial that has ended, as a strategy is told of it.
pub(super) fn told(trial: &Trial) -> Told {
    Told {
        number: trial.number,
        configuration: trial.proposed().clone(),
        value: trial.score().map(|score| score.value),
        is_pruned: trial.state == State::Pruned,
    }
}
