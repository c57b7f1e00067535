//! The store: one SQLite database per study, written by one process at a time.
//!
//! Every change is one transaction that is on the disk before it is announced (WAL,
//! `synchronous=FULL`), so that a process killed at any instant leaves a whole study behind. What
//! rebuilds the leaderboard is in the database alone; the files beside it are made from it.

use super::checkpoint::FoldState;
use super::folder::{self, Owned};
use super::inside::{Look, table};
use super::noise::Noise;
use super::schema::{self, Content, fault};
use super::{checkpoint, files, lineage, rows};
use crate::engine::EngineKind;
use crate::error::{Error, Result};
use crate::model::metric::{self, Metric};
use crate::trial::{Order, State, Succession, Trial};
use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

pub use super::folder::{DATABASE, is_running};

/// What belongs to the study as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The study's name.
    pub name: String,
    /// The study file as run.
    pub source: String,
    /// Hash of the encoded data.
    pub fingerprint: String,
    /// Name of the objective.
    pub objective: String,
    /// Name of the metric that breaks ties.
    pub tie_break: String,
    /// Key of all random streams.
    pub seed: u64,
    /// Number of folds.
    pub fold_count: usize,
    /// Which engine trains it.
    pub engine: EngineKind,
    /// On what device.
    pub device: String,
    /// The version of this crate that began it.
    pub version: String,
    /// The best trial's objective on the final test set, where there is one and the study has ended.
    pub test_value: Option<f64>,
}

impl Header {
    /// The objective.
    pub fn objective(&self) -> Result<&'static dyn Metric> {
        find_metric(&self.objective)
    }

    /// What is better.
    pub fn order(&self) -> Result<Order> {
        let tie_break = find_metric(&self.tie_break)?.direction();
        Ok(Order { objective: self.objective()?.direction(), tie_break })
    }
}

fn find_metric(name: &str) -> Result<&'static dyn Metric> {
    metric::find(name).ok_or_else(|| {
        Error::store(DATABASE, format!("the study's metric \"{name}\" is not known here"))
            .advice("use the version of manytune that made the study")
    })
}

/// The models of the best trial.
#[derive(Clone, Debug, PartialEq)]
pub struct BestModels {
    /// Which trial.
    pub trial: u64,
    /// (fold) parameters, laid out as [`crate::model::network::layer_ranges`] says.
    pub folds: Vec<Vec<f32>>,
}

/// An open study.
pub struct Store {
    connection: Connection,
    folder: PathBuf,
    /// Held by the one process that may write; `None` where the store is only read.
    _lock: Option<File>,
}

impl Store {
    /// Whether a folder holds a study, or what should be one.
    pub fn exists(folder: &Path) -> bool {
        folder::exists(folder)
    }

    /// Makes a new study in a folder, which is made too where it is missing.
    pub fn create(folder: &Path, header: &Header) -> Result<Self> {
        let fill = |transaction: &Transaction<'_>| rows::insert_header(transaction, header);
        Ok(Self::owned(folder, folder::create(folder, Content::Study, fill)?))
    }

    /// Opens the study in a folder for writing. One process at a time may.
    pub fn open(folder: &Path) -> Result<Self> {
        let owned = folder::open(folder, Content::Study)?;
        files::remove_leftovers(folder);
        // Nobody else is working on it: what was running when a process was killed no longer is.
        let sql = "UPDATE trials SET state = ?1 WHERE state = ?2";
        let names = [State::Interrupted.name(), State::Running.name()];
        owned.connection.execute(sql, names).map_err(fault(&folder.join(DATABASE)))?;
        Ok(Self::owned(folder, owned))
    }

    fn owned(folder: &Path, owned: Owned) -> Self {
        Self { connection: owned.connection, folder: folder.to_owned(), _lock: Some(owned.lock) }
    }

    /// Opens the study in a folder for reading, which is possible while another process writes.
    pub fn read(folder: &Path) -> Result<Self> {
        let connection = folder::read(folder, Content::Study)?;
        Ok(Self { connection, folder: folder.to_owned(), _lock: None })
    }

    /// Where the study is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// What belongs to the study as a whole.
    pub fn header(&self) -> Result<Header> {
        rows::read_header(&self.connection).map_err(fault(&self.path()))
    }

    /// Every trial, by number.
    pub fn trials(&self) -> Result<Vec<Trial>> {
        let mut trials = Vec::new();
        self.each_trial(|trial| trials.push(trial))?;
        Ok(trials)
    }

    /// Hands every trial out, by number, before the next is read: what is not needed is never held of all of them.
    pub fn each_trial(&self, take: impl FnMut(Trial)) -> Result<()> {
        self.read_trials(None, take)
    }

    /// One trial; `None` where there is none of this number.
    pub fn trial(&self, number: u64) -> Result<Option<Trial>> {
        let mut found = None;
        self.read_trials(Some(number), |trial| found = Some(trial))?;
        Ok(found)
    }

    /// Reads several times what stays the same meanwhile, also while another process writes.
    pub fn at_once<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        // Nothing is written: however it ends, there is nothing to undo.
        let _reading = self.connection.unchecked_transaction().map_err(fault(&self.path()))?;
        read()
    }

    /// Whether no trial came to anything.
    pub fn all_failed(&self) -> Result<bool> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM trials WHERE state <> ?1)";
        let read = || self.connection.query_row(sql, [State::Failed.name()], |row| row.get(0));
        read().map_err(fault(&self.path()))
    }

    fn read_trials(&self, only: Option<u64>, mut take: impl FnMut(Trial)) -> Result<()> {
        let path = self.path();
        let header = self.header()?;
        let (order, fold_count) = (header.order()?, header.fold_count);
        let damaged = |number| schema::damaged(&path, format!("trial {number} cannot be read"));
        let mut lineages: HashMap<u64, Vec<Succession>> = HashMap::new();
        for (number, succession) in lineage::read(&self.connection, only).map_err(fault(&path))? {
            lineages.entry(number).or_default().push(succession.ok_or_else(|| damaged(number))?);
        }
        let mut first_damaged = None;
        let read = rows::read_trials(&self.connection, only, |row| {
            let number = row.number;
            let lineage = lineages.remove(&number).unwrap_or_default();
            match row.trial(order, fold_count, lineage) {
                Some(trial) => take(trial),
                None => first_damaged = first_damaged.or(Some(number)),
            }
        });
        read.map_err(fault(&path))?;
        first_damaged.map_or(Ok(()), |number| Err(damaged(number)))
    }

    /// The checkpoint of a trial, one state per fold; empty where it has none, or only one of an earlier
    /// version: such a trial begins again, to the same end.
    pub fn checkpoint(&self, trial: u64) -> Result<Vec<FoldState>> {
        let path = self.path();
        let blobs = self.blobs("SELECT snapshot FROM checkpoints WHERE trial = ?1 ORDER BY fold", trial)?;
        if blobs.iter().any(|blob| checkpoint::is_old(blob)) {
            return Ok(Vec::new());
        }
        let decoded: Option<Vec<FoldState>> = blobs.iter().map(|blob| checkpoint::decode(blob)).collect();
        decoded
            .ok_or_else(|| schema::damaged(&path, format!("the checkpoint of trial {trial} cannot be read")))
    }

    /// The models of the best trial; `None` while no trial is complete.
    pub fn best_models(&self) -> Result<Option<BestModels>> {
        let path = self.path();
        let trial: Option<i64> = self
            .connection
            .query_row("SELECT trial FROM models LIMIT 1", [], |row| row.get(0))
            .optional()
            .map_err(fault(&path))?;
        let Some(trial) = trial else { return Ok(None) };
        let blobs =
            self.blobs("SELECT parameters FROM models WHERE trial = ?1 ORDER BY fold", trial as u64)?;
        let folds = blobs.iter().map(|blob| rows::numbers(blob, f32::from_le_bytes)).collect();
        Ok(Some(BestModels { trial: trial as u64, folds }))
    }

    /// What the engine chose on its device in the last run, by name.
    pub fn choices(&self) -> Result<Vec<(String, String)>> {
        self.pairs("choices", "SELECT name, value FROM choices ORDER BY name")
    }

    /// How many rungs of the schedule trials have passed, by number; those that passed none may be left out.
    pub fn passed(&self) -> Result<HashMap<u64, usize>> {
        let pairs: Vec<(i64, i64)> = self.pairs("rungs", "SELECT trial, passed FROM rungs")?;
        Ok(pairs.into_iter().map(|(trial, passed)| (trial as u64, passed as usize)).collect())
    }

    /// How the decision functions of kernel machines were found: by trial, (fold) JSON.
    pub fn solvers(&self) -> Result<HashMap<u64, Vec<String>>> {
        let sql = "SELECT trial, found FROM solvers ORDER BY trial, fold";
        let mut solvers: HashMap<u64, Vec<String>> = HashMap::new();
        for (trial, found) in self.pairs::<i64, String>("solvers", sql)? {
            solvers.entry(trial as u64).or_default().push(found);
        }
        Ok(solvers)
    }

    /// What other seeds make of the best configuration, where it was asked; of another version's JSON nothing.
    pub fn noise(&self) -> Result<Option<Noise>> {
        let found: Vec<(i64, String)> = self.pairs("noise", "SELECT id, found FROM noise")?;
        Ok(found.first().and_then(|(_, text)| serde_json::from_str(text).ok()))
    }

    /// What was seen inside a trial, or, without histograms, inside all of them; by trial and epoch.
    pub fn inside(&self, trial: Option<u64>) -> Result<Vec<Look>> {
        let path = self.path();
        if !self.has_table("inside").map_err(fault(&path))? {
            return Ok(Vec::new());
        }
        let damaged =
            |trial| schema::damaged(&path, format!("what was seen inside trial {trial} cannot be read"));
        let rows = table::read(&self.connection, trial).map_err(fault(&path))?;
        rows.into_iter().map(|(trial, look)| look.ok_or_else(|| damaged(trial))).collect()
    }

    /// Whether there is a table that older studies lack.
    fn has_table(&self, name: &str) -> rusqlite::Result<bool> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name = ?1";
        Ok(self.connection.query_row(sql, [name], |row| row.get::<_, i64>(0))? > 0)
    }

    /// The rows of a table that older studies lack.
    fn pairs<A: FromSql, B: FromSql>(&self, table: &str, sql: &str) -> Result<Vec<(A, B)>> {
        let read = || {
            if !self.has_table(table)? {
                return Ok(Vec::new());
            }
            let mut statement = self.connection.prepare(sql)?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        read().map_err(fault(&self.path()))
    }

    fn blobs(&self, sql: &str, trial: u64) -> Result<Vec<Vec<u8>>> {
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_map([trial as i64], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(fault(&self.path()))
    }

    /// Begins one transaction; nothing of it is kept unless it is committed.
    pub fn begin(&mut self) -> Result<Writer<'_>> {
        let path = self.path();
        let transaction = self.connection.transaction().map_err(fault(&path))?;
        Ok(Writer { transaction, path })
    }
}

/// One transaction.
pub struct Writer<'a> {
    transaction: Transaction<'a>,
    path: PathBuf,
}

impl Writer<'_> {
    /// Writes a trial as it is now. A finished one loses its checkpoint.
    pub fn trial(&self, trial: &Trial) -> Result<()> {
        rows::write_trial(&self.transaction, trial).map_err(fault(&self.path))
    }

    /// Keeps that a trial took over the state of another.
    pub fn succession(&self, trial: u64, succession: &Succession) -> Result<()> {
        lineage::write(&self.transaction, trial, succession).map_err(fault(&self.path))
    }

    /// Changes the state of a trial that is stored.
    pub fn state(&self, trial: u64, state: State) -> Result<()> {
        self.update("UPDATE trials SET state = ?1 WHERE number = ?2", params![state.name(), trial as i64])
    }

    /// Replaces the checkpoint of a trial, one state per fold.
    pub fn checkpoint(&self, trial: u64, folds: &[FoldState]) -> Result<()> {
        let write = || {
            let sql = "INSERT OR REPLACE INTO checkpoints (trial, fold, snapshot) VALUES (?1, ?2, ?3)";
            let mut statement = self.transaction.prepare_cached(sql)?;
            for (fold, state) in folds.iter().enumerate() {
                statement.execute(params![trial as i64, fold as i64, checkpoint::encode(state)])?;
            }
            Ok(())
        };
        write().map_err(fault(&self.path))
    }

    /// Replaces the models of the best trial.
    pub fn best_models(&self, best: &BestModels) -> Result<()> {
        let write = || {
            self.transaction.execute("DELETE FROM models", [])?;
            let sql = "INSERT INTO models (trial, fold, parameters) VALUES (?1, ?2, ?3)";
            let mut statement = self.transaction.prepare_cached(sql)?;
            for (fold, parameters) in best.folds.iter().enumerate() {
                let bytes: Vec<u8> = parameters.iter().flat_map(|number| number.to_le_bytes()).collect();
                statement.execute(params![best.trial as i64, fold as i64, bytes])?;
            }
            Ok(())
        };
        write().map_err(fault(&self.path))
    }

    /// Replaces the study file as run: an extended study has more trials.
    pub fn source(&self, source: &str) -> Result<()> {
        self.update("UPDATE study SET source = ?1", params![source])
    }

    /// Replaces what the engine chose on its device.
    pub fn choices(&self, choices: &[(&'static str, String)]) -> Result<()> {
        let write = || {
            self.transaction.execute(schema::CHOICES, [])?;
            self.transaction.execute("DELETE FROM choices", [])?;
            let sql = "INSERT INTO choices (name, value) VALUES (?1, ?2)";
            let mut statement = self.transaction.prepare_cached(sql)?;
            choices.iter().try_for_each(|(name, value)| statement.execute(params![name, value]).map(drop))
        };
        write().map_err(fault(&self.path))
    }

    /// Keeps how many rungs trials have passed.
    pub fn passed(&self, passed: &[(u64, usize)]) -> Result<()> {
        if passed.is_empty() {
            return Ok(());
        }
        let write = || {
            self.transaction.execute(schema::RUNGS, [])?;
            let sql = "INSERT OR REPLACE INTO rungs (trial, passed) VALUES (?1, ?2)";
            let mut statement = self.transaction.prepare_cached(sql)?;
            let mut write = |(trial, passed): &(u64, usize)| {
                statement.execute(params![*trial as i64, *passed as i64]).map(drop)
            };
            passed.iter().try_for_each(&mut write)
        };
        write().map_err(fault(&self.path))
    }

    /// Keeps how decision functions were found: trial, fold, JSON.
    pub fn solvers(&self, solvers: &[(u64, usize, String)]) -> Result<()> {
        if solvers.is_empty() {
            return Ok(());
        }
        let write = || {
            self.transaction.execute(schema::SOLVERS, [])?;
            let sql = "INSERT OR REPLACE INTO solvers (trial, fold, found) VALUES (?1, ?2, ?3)";
            let mut statement = self.transaction.prepare_cached(sql)?;
            let mut write = |(trial, fold, found): &(u64, usize, String)| {
                statement.execute(params![*trial as i64, *fold as i64, found]).map(drop)
            };
            solvers.iter().try_for_each(&mut write)
        };
        write().map_err(fault(&self.path))
    }

    /// Replaces what other seeds make of the best configuration, as JSON.
    pub fn noise(&self, found: &str) -> Result<()> {
        self.transaction.execute(schema::NOISE, []).map_err(fault(&self.path))?;
        self.update("INSERT OR REPLACE INTO noise (id, found) VALUES (1, ?1)", params![found])
    }

    /// Keeps what was seen inside trials.
    pub fn inside(&self, seen: &[Look]) -> Result<()> {
        table::write(&self.transaction, seen).map_err(fault(&self.path))
    }

    /// Takes their histograms from trials.
    pub fn lose_histograms(&self, trials: &[u64]) -> Result<()> {
        table::lose_histograms(&self.transaction, trials).map_err(fault(&self.path))
    }

    /// Sets the best trial's objective on the final test set.
    pub fn test_value(&self, value: Option<f64>) -> Result<()> {
        self.update("UPDATE study SET test_value = ?1", params![value])
    }

    fn update(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<()> {
        self.transaction.execute(sql, parameters).map(drop).map_err(fault(&self.path))
    }

    /// Keeps everything written; it is on the disk when this returns.
    pub fn commit(self) -> Result<()> {
        self.transaction.commit().map_err(fault(&self.path))
    }
}
