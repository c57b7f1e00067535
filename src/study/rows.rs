//! What the rows of the store's tables hold, in and out.

use super::store::Header;
use crate::engine::EngineKind;
use crate::trial::{FoldEpoch, Order, Score, State, Succession, Trial};
use rusqlite::{Connection, Transaction, params};

/// Writes the one row of the study.
pub fn insert_header(transaction: &Transaction<'_>, header: &Header) -> rusqlite::Result<()> {
    let sql = "INSERT INTO study (id, name, source, fingerprint, objective, tie_break, seed, fold_count, \
               engine, device, version, test_value) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let row = params![
        header.name,
        header.source,
        header.fingerprint,
        header.objective,
        header.tie_break,
        header.seed as i64,
        header.fold_count as i64,
        header.engine.name(),
        header.device,
        header.version,
        header.test_value,
    ];
    transaction.execute(sql, row).map(drop)
}

/// Reads the one row of the study.
pub fn read_header(connection: &Connection) -> rusqlite::Result<Header> {
    let sql = "SELECT name, source, fingerprint, objective, tie_break, seed, fold_count, engine, device, \
               version, test_value FROM study";
    connection.query_row(sql, [], |row| {
        Ok(Header {
            name: row.get(0)?,
            source: row.get(1)?,
            fingerprint: row.get(2)?,
            objective: row.get(3)?,
            tie_break: row.get(4)?,
            seed: row.get::<_, i64>(5)? as u64,
            fold_count: row.get::<_, i64>(6)? as usize,
            engine: if row.get::<_, String>(7)? == "gpu" { EngineKind::Gpu } else { EngineKind::Cpu },
            device: row.get(8)?,
            version: row.get(9)?,
            test_value: row.get(10)?,
        })
    })
}

/// Writes a trial, replacing its row. A finished one loses its checkpoint, unless it is to be tried again.
pub fn write_trial(transaction: &Transaction<'_>, trial: &Trial) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO trials (number, state, value, tie_break_value, best_epoch, fold_values, \
               epochs, seconds, diverged_at_step, failure, hyperparameters, train_loss, objective, tie_break) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let curve = |part: fn(&FoldEpoch) -> f64| -> Vec<u8> {
        trial.history.epochs().iter().flat_map(|epoch| part(epoch).to_le_bytes()).collect()
    };
    let to_json = |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(error.into());
    let fold_values = trial.fold_values().map(|values| serde_json::to_string(&values)).transpose();
    transaction.prepare_cached(sql)?.execute(params![
        trial.number as i64,
        trial.state.name(),
        trial.score().map(|score| score.value),
        trial.score().map(|score| score.tie_break),
        trial.best().map(|best| best.epoch),
        fold_values.map_err(to_json)?,
        trial.history.epoch_count(),
        trial.seconds,
        trial.diverged_at_step.map(|step| step as i64),
        trial.failure,
        serde_json::to_string(&trial.configuration).map_err(to_json)?,
        curve(|epoch| epoch.train_loss),
        curve(|epoch| epoch.score.value),
        curve(|epoch| epoch.score.tie_break),
    ])?;
    if !trial.is_open() {
        let sql = "DELETE FROM checkpoints WHERE trial = ?1";
        transaction.prepare_cached(sql)?.execute([trial.number as i64])?;
    }
    Ok(())
}

/// A row of the table of trials: what cannot be computed from the rest.
pub struct TrialRow {
    /// The trial's number.
    pub number: u64,
    state: String,
    hyperparameters: String,
    seconds: f64,
    diverged_at_step: Option<i64>,
    failure: Option<String>,
    /// Train loss, objective and tie-breaker, each (epoch, fold).
    curves: [Vec<u8>; 3],
}

/// Reads every trial, by number, or the one of a number; each row is taken before the next is read, so that there is
/// never all of them twice.
pub fn read_trials(
    connection: &Connection,
    only: Option<u64>,
    mut take: impl FnMut(TrialRow),
) -> rusqlite::Result<()> {
    let sql = "SELECT number, state, hyperparameters, seconds, diverged_at_step, failure, train_loss, \
               objective, tie_break FROM trials WHERE ?1 IS NULL OR number = ?1 ORDER BY number";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([only.map(|number| number as i64)])?;
    while let Some(row) = rows.next()? {
        take(TrialRow {
            number: row.get::<_, i64>(0)? as u64,
            state: row.get(1)?,
            hyperparameters: row.get(2)?,
            seconds: row.get(3)?,
            diverged_at_step: row.get(4)?,
            failure: row.get(5)?,
            curves: [row.get(6)?, row.get(7)?, row.get(8)?],
        });
    }
    Ok(())
}

impl TrialRow {
    /// The trial; `None` where the row is damaged.
    pub fn trial(self, order: Order, fold_count: usize, lineage: Vec<Succession>) -> Option<Trial> {
        let configuration = serde_json::from_str(&self.hyperparameters).ok()?;
        let mut trial = Trial::new(self.number, configuration, order, fold_count);
        let [losses, values, ties] = self.curves.map(|curve| numbers(&curve, f64::from_le_bytes));
        if losses.len() != values.len() || losses.len() != ties.len() || losses.len() % fold_count != 0 {
            return None;
        }
        let epochs: Vec<FoldEpoch> = losses
            .into_iter()
            .zip(values.into_iter().zip(ties))
            .map(|(train_loss, (value, tie_break))| FoldEpoch {
                train_loss,
                score: Score { value, tie_break },
            })
            .collect();
        let taken_over = lineage.last().map(|last| last.epoch);
        for folds in epochs.chunks_exact(fold_count) {
            trial.history.push(folds);
            if taken_over == Some(trial.history.epoch_count()) {
                trial.history.take_over();
            }
        }
        trial.lineage = lineage;
        trial.state = State::find(&self.state)?;
        trial.seconds = self.seconds;
        trial.diverged_at_step = self.diverged_at_step.map(|step| step as u64);
        trial.failure = self.failure;
        Some(trial)
    }
}

/// Little-endian numbers.
pub fn numbers<const N: usize, T>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|chunk| from(*chunk)).collect()
}
