//! The store's table of successions: which trials took over the state of which others, and when.

use super::schema::SUCCESSIONS;
use crate::trial::Succession;
use rusqlite::{Connection, Row, Transaction, params};

/// Writes one succession of a trial.
pub fn write(transaction: &Transaction<'_>, trial: u64, succession: &Succession) -> rusqlite::Result<()> {
    transaction.execute(SUCCESSIONS, [])?;
    let sql = "INSERT OR REPLACE INTO successions (trial, epoch, donor, value, hyperparameters) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    let hyperparameters = serde_json::to_string(&succession.before)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    transaction.prepare_cached(sql)?.execute(params![
        trial as i64,
        succession.epoch,
        succession.donor as i64,
        succession.value,
        hyperparameters,
    ])?;
    Ok(())
}

/// Reads every succession of every trial, or of the one of a number: by trial, then by epoch. Those whose
/// hyperparameters cannot be read are `None`.
pub fn read(connection: &Connection, only: Option<u64>) -> rusqlite::Result<Vec<(u64, Option<Succession>)>> {
    let is_there = "SELECT count(*) FROM sqlite_schema WHERE name = 'successions'";
    if connection.query_row(is_there, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Vec::new());
    }
    let sql = "SELECT trial, epoch, donor, value, hyperparameters FROM successions \
               WHERE ?1 IS NULL OR trial = ?1 ORDER BY trial, epoch";
    let read = |row: &Row<'_>| {
        let (epoch, donor, value) = (row.get(1)?, row.get::<_, i64>(2)? as u64, row.get(3)?);
        let before = serde_json::from_str(&row.get::<_, String>(4)?).ok();
        let succession = before.map(|before| Succession { epoch, donor, value, before });
        Ok((row.get::<_, i64>(0)? as u64, succession))
    };
    connection.prepare(sql)?.query_map([only.map(|number| number as i64)], read)?.collect()
}
