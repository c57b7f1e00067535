//! A search that is asked, told and stored: everything between its file and its lines.

use super::ledger::{Changes, Ended, Ledger};
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::search::{Asked, Best, Outcome, Past, Search};
use crate::study::folder;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is told may wait this long for company before it is written: a transaction costs the disk some
/// milliseconds, however much is in it.
const LONGEST_WAIT: Duration = Duration::from_millis(20);

/// A search under way.
pub struct Run {
    plan: Plan,
    ledger: Ledger,
    search: Search,
    batch: u64,
    limit: u64,
    /// Pending trials of a run before this one, to be asked for again.
    left: Vec<Asked>,
    changes: Changes,
    /// Since when something told waits to be written.
    waiting_since: Option<Instant>,
    asked_at: Instant,
}

impl Run {
    /// Begins the search in a folder, or goes on with the one that is there.
    ///
    /// Refused (kind store) where the folder holds a study, or a search whose trials would not be those of
    /// the plan, naming what differs; and where another process works on it.
    pub fn open(folder: &Path, mut plan: Plan) -> Result<Self> {
        let exists = folder::exists(folder);
        let ledger = match exists {
            true => Ledger::open(folder)?,
            false => {
                plan.batch = plan.batch.or(Some(1));
                Ledger::create(folder, &plan.name, &plan.source())?
            }
        };
        let stored = stored_plan(&ledger)?;
        plan.batch = plan.batch.or(stored.batch);
        refuse_another(folder, &stored, &plan)?;
        let rows = ledger.rows()?;
        let mut intermediates = match plan.has_schedule() {
            true => ledger.intermediates()?,
            false => BTreeMap::new(),
        };
        let mut search = plan.search()?;
        search.resume(rows.iter().map(|row| Past {
            intermediates: intermediates.remove(&row.number).unwrap_or_default(),
            rungs: row.rungs,
            is_stopped: row.is_stopped,
            ..Past::new(row.configuration.clone(), row.outcome)
        }))?;
        let limit = plan.trial_count();
        search.set_limit(limit);
        let left = rows.into_iter().filter(|row| row.outcome == Outcome::Pending && row.number < limit);
        let source = plan.source();
        let changes = Changes { source: (source != stored.source()).then_some(source), ..Changes::default() };
        Ok(Self {
            batch: plan.batch.unwrap_or(1),
            limit,
            left: left.map(|row| Asked { number: row.number, configuration: row.configuration }).collect(),
            plan,
            ledger,
            search,
            changes,
            waiting_since: None,
            asked_at: Instant::now(),
        })
    }

    /// The plan as run.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many trials are told, and how many there are to be, where that is known.
    pub fn progress(&self) -> (u64, Option<u64>) {
        (self.search.told_count(), (self.limit < u64::MAX).then_some(self.limit))
    }

    /// The next trials to evaluate, or those of an interrupted run once more; none at the end. They and all
    /// that was told are on the disk when this returns. Every trial of the batch before must be told.
    pub fn batch(&mut self) -> Result<Vec<Asked>> {
        let mut batch = std::mem::take(&mut self.left);
        if self.has_met_target() {
            batch = Vec::new();
        } else if batch.is_empty() {
            batch = self.search.ask_batch(self.batch)?;
            self.changes.asked.clone_from(&batch);
        }
        self.commit()?;
        self.asked_at = Instant::now();
        Ok(batch)
    }

    /// Whether a complete trial is as good as the plan asks for: the search ends there.
    pub fn has_met_target(&self) -> bool {
        let target = self.plan.target_value.zip(self.best());
        target.is_some_and(|(target, best)| !self.plan.direction.better(target, best.value))
    }

    /// Whether trials that were asked for are to be told before the next batch.
    pub fn is_waiting(&self) -> bool {
        self.search.pending().any(|(number, _)| number < self.limit)
    }

    /// Takes a trial's objective in; refused as [`Search::tell`] does.
    pub fn tell(&mut self, number: u64, value: f64) -> Result<()> {
        let (rungs, is_stopped) = (self.search.rungs(number), self.search.should_stop(number));
        self.search.tell(number, value)?;
        let outcome = if is_stopped { Outcome::Pruned(value) } else { Outcome::Complete(value) };
        self.told(number, outcome, rungs, is_stopped);
        Ok(())
    }

    /// Takes in that a trial came to nothing; refused as [`Search::fail`] does.
    pub fn fail(&mut self, number: u64) -> Result<()> {
        let (rungs, is_stopped) = (self.search.rungs(number), self.search.should_stop(number));
        self.search.fail(number)?;
        self.told(number, Outcome::Failed, rungs, is_stopped);
        Ok(())
    }

    /// Takes in what a trial has come to on its way, in place of what was told of the same step before.
    /// Gives the pending trials that should stop.
    ///
    /// Refused as [`Search::report`] does.
    pub fn intermediate(&mut self, number: u64, step: u64, value: f64) -> Result<Vec<u64>> {
        let stopped = self.search.report(number, step, value)?;
        self.changes.intermediates.push((number, step, value));
        self.waiting_since.get_or_insert_with(Instant::now);
        Ok(stopped)
    }

    /// What the strategy has decided since this was last asked, one decision a line.
    pub fn remarks(&mut self) -> Vec<String> {
        self.search.remarks()
    }

    /// How many trials of an interrupted run are to be asked for again.
    pub fn left_count(&self) -> usize {
        self.left.len()
    }

    /// Whether the strategy has proposed all that it has.
    pub fn is_exhausted(&self) -> bool {
        self.search.is_exhausted()
    }

    /// When what was told should be written, if anything was.
    pub fn due(&self) -> Option<Instant> {
        self.waiting_since.map(|since| since + LONGEST_WAIT)
    }

    /// Writes what was told; it is on the disk when this returns.
    pub fn commit(&mut self) -> Result<()> {
        if !self.changes.is_empty() {
            self.ledger.write(&self.changes)?;
        }
        self.changes = Changes::default();
        self.waiting_since = None;
        Ok(())
    }

    /// The best complete trial so far.
    pub fn best(&self) -> Option<&Best> {
        self.search.best()
    }

    fn told(&mut self, number: u64, outcome: Outcome, rungs: usize, is_stopped: bool) {
        let seconds = self.asked_at.elapsed().as_secs_f64();
        self.changes.told.push(Ended { number, outcome, seconds, rungs, is_stopped });
        self.waiting_since.get_or_insert_with(Instant::now);
    }
}

/// The plan of a stored search.
pub fn stored_plan(ledger: &Ledger) -> Result<Plan> {
    let (name, source) = ledger.header()?;
    Plan::from_source(&name, &source).map_err(|error| {
        Error::store(folder::DATABASE, format!("the stored search cannot be read: {error}"))
            .advice("use the version of manytune that made the search")
    })
}

fn refuse_another(folder: &Path, stored: &Plan, plan: &Plan) -> Result<()> {
    let differences = stored.differences(plan);
    if differences.is_empty() {
        return Ok(());
    }
    let found = format!("holds another search:\n    {}", differences.join("\n    "));
    Err(Error::store(folder.display(), found)
        .allowed("the same settings, or more --trials")
        .advice("--out with another folder, to keep both"))
}
