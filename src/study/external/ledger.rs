//! The trials of a search on disk: what was asked, and what was told of it.

use crate::error::Result;
use crate::search::{Asked, Outcome};
use crate::space::Configuration;
use crate::study::folder::{self, DATABASE, Owned};
use crate::study::schema::{self, Content, fault};
use crate::trial::{FoldEpoch, Order, Score, State, Trial};
use rusqlite::{Connection, Transaction, params};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A trial as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// From 0, without gaps.
    pub number: u64,
    /// What was asked for.
    pub configuration: Configuration,
    /// What was told of it.
    pub outcome: Outcome,
    /// Wall time between asking and telling.
    pub seconds: f64,
    /// Of how many of its rungs the schedule knew when it ended.
    pub rungs: usize,
    /// Whether the schedule had stopped it before.
    pub is_stopped: bool,
}

/// A trial that is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// Which trial.
    pub number: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// Wall time since it was asked for.
    pub seconds: f64,
    /// Of how many of its rungs the schedule knew.
    pub rungs: usize,
    /// Whether the schedule had stopped it.
    pub is_stopped: bool,
}

impl Row {
    /// The trial for a leaderboard: its one value stands for one epoch of one fold.
    pub fn trial(self, order: Order) -> Trial {
        let mut trial = Trial::new(self.number, self.configuration, order, 1);
        let (state, value) = columns(self.outcome);
        if let Some(value) = value {
            let score = Score { value, tie_break: 0.0 };
            trial.history.push(&[FoldEpoch { train_loss: f64::NAN, score }]);
        }
        trial.state = state;
        trial.seconds = self.seconds;
        trial
    }
}

/// What goes to the disk in one transaction.
#[derive(Debug, Default)]
pub struct Changes {
    /// The plan as run, where it has changed.
    pub source: Option<String>,
    /// Trials that are told.
    pub told: Vec<Ended>,
    /// Values on the way of trials: number, step, value.
    pub intermediates: Vec<(u64, u64, f64)>,
    /// Trials about to be asked for.
    pub asked: Vec<Asked>,
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.source.is_none()
            && self.told.is_empty()
            && self.intermediates.is_empty()
            && self.asked.is_empty()
    }
}

/// An open search.
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
    /// Held by the one process that may write; `None` where the search is only read.
    _lock: Option<File>,
}

impl Ledger {
    /// Makes a new search in a folder, which is made too where it is missing.
    pub fn create(folder: &Path, name: &str, source: &str) -> Result<Self> {
        let sql = "INSERT INTO search (id, name, source, version) VALUES (1, ?1, ?2, ?3)";
        let fill = |transaction: &Transaction<'_>| {
            transaction.execute(sql, params![name, source, env!("CARGO_PKG_VERSION")]).map(drop)
        };
        Ok(Self::owned(folder, folder::create(folder, Content::Search, fill)?))
    }

    /// Opens the search in a folder for writing. One process at a time may.
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self::owned(folder, folder::open(folder, Content::Search)?))
    }

    /// Opens the search in a folder for reading, which is possible while another process writes.
    pub fn read(folder: &Path) -> Result<Self> {
        let connection = folder::read(folder, Content::Search)?;
        Ok(Self { connection, path: folder.join(DATABASE), _lock: None })
    }

    fn owned(folder: &Path, owned: Owned) -> Self {
        Self { connection: owned.connection, path: folder.join(DATABASE), _lock: Some(owned.lock) }
    }

    /// The name of the search, and its plan as run.
    pub fn header(&self) -> Result<(String, String)> {
        let sql = "SELECT name, source FROM search";
        let read = || self.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        read().map_err(fault(&self.path))
    }

    /// Every trial, by number.
    pub fn rows(&self) -> Result<Vec<Row>> {
        type Raw = (i64, String, Option<f64>, f64, i64, String);
        let sql = "SELECT number, state, value, seconds, rungs, hyperparameters FROM trials ORDER BY number";
        let read = || {
            let mut statement = self.connection.prepare(sql)?;
            let raw = |row: &rusqlite::Row<'_>| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            };
            statement.query_map([], raw)?.collect::<rusqlite::Result<Vec<Raw>>>()
        };
        let decode = |(place, (number, state, value, seconds, rungs, configuration)): (u64, Raw)| {
            let outcome = outcome(&state, value)?;
            let row = Row {
                number: number as u64,
                configuration: serde_json::from_str(&configuration).ok()?,
                outcome,
                seconds,
                rungs: rungs.unsigned_abs() as usize,
                is_stopped: rungs < 0 || matches!(outcome, Outcome::Pruned(_)),
            };
            (row.number == place).then_some(row)
        };
        (0..)
            .zip(read().map_err(fault(&self.path))?)
            .map(|(place, raw)| {
                let damaged = || schema::damaged(&self.path, format!("trial {place} cannot be read"));
                decode((place, raw)).ok_or_else(damaged)
            })
            .collect()
    }

    /// The values on the way of each trial that has any, by number and step.
    pub fn intermediates(&self) -> Result<BTreeMap<u64, Vec<(u64, f64)>>> {
        let read = || {
            let sql = "SELECT trial, step, value FROM intermediates ORDER BY trial, step";
            let mut statement = self.connection.prepare(sql)?;
            let raw =
                |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?));
            statement.query_map([], raw)?.collect::<rusqlite::Result<Vec<(i64, i64, f64)>>>()
        };
        let mut all = BTreeMap::<u64, Vec<(u64, f64)>>::new();
        for (trial, step, value) in read().map_err(fault(&self.path))? {
            all.entry(trial as u64).or_default().push((step as u64, value));
        }
        Ok(all)
    }

    /// Writes changes in one transaction; they are on the disk when this returns.
    pub fn write(&mut self, changes: &Changes) -> Result<()> {
        let fault = fault(&self.path);
        let transaction = self.connection.transaction().map_err(&fault)?;
        write(&transaction, changes).and_then(|()| transaction.commit()).map_err(fault)
    }
}

fn write(transaction: &Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
    if let Some(source) = &changes.source {
        transaction.execute("UPDATE search SET source = ?1", [source])?;
    }
    let sql = "INSERT OR REPLACE INTO intermediates (trial, step, value) VALUES (?1, ?2, ?3)";
    let mut statement = transaction.prepare_cached(sql)?;
    for (trial, step, value) in &changes.intermediates {
        statement.execute(params![*trial as i64, *step as i64, value])?;
    }
    let sql = "UPDATE trials SET state = ?2, value = ?3, seconds = ?4, rungs = ?5 WHERE number = ?1";
    let mut statement = transaction.prepare_cached(sql)?;
    for Ended { number, outcome, seconds, rungs, is_stopped } in &changes.told {
        let (state, value) = columns(*outcome);
        let has_failed = *outcome == Outcome::Failed;
        let rungs = if *is_stopped && has_failed { -(*rungs as i64) } else { *rungs as i64 };
        statement.execute(params![*number as i64, state.name(), value, seconds, rungs])?;
    }
    let sql = "INSERT INTO trials (number, state, seconds, rungs, hyperparameters) VALUES (?1, ?2, 0, 0, ?3)";
    let mut statement = transaction.prepare_cached(sql)?;
    for asked in &changes.asked {
        let to_json = |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(error.into());
        let configuration = serde_json::to_string(&asked.configuration).map_err(to_json)?;
        statement.execute(params![asked.number as i64, State::Running.name(), configuration])?;
    }
    Ok(())
}

/// The state and value of an outcome, as the leaderboard has them.
fn columns(outcome: Outcome) -> (State, Option<f64>) {
    match outcome {
        Outcome::Pending => (State::Running, None),
        Outcome::Complete(value) => (State::Complete, Some(value)),
        Outcome::Pruned(value) => (State::Pruned, Some(value)),
        Outcome::Failed => (State::Failed, None),
    }
}

fn outcome(state: &str, value: Option<f64>) -> Option<Outcome> {
    match (State::find(state)?, value) {
        (State::Running, None) => Some(Outcome::Pending),
        (State::Complete, Some(value)) => Some(Outcome::Complete(value)),
        (State::Pruned, Some(value)) => Some(Outcome::Pruned(value)),
        (State::Failed, None) => Some(Outcome::Failed),
        _ => None,
    }
}
