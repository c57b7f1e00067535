//! The table of what was seen inside trials, in and out.

use super::Look;
use crate::study::schema::INSIDE;
use rusqlite::{Connection, Row, Transaction, params};

/// Rows of a trial with its histograms, or of all without any, by trial and epoch: with its number, and `None` where
/// a row is damaged. The table must be there.
pub fn read(connection: &Connection, trial: Option<u64>) -> rusqlite::Result<Vec<(u64, Option<Look>)>> {
    let sql = "SELECT trial, epoch, layers, CASE WHEN ?1 IS NOT NULL THEN histograms END FROM inside \
               WHERE ?1 IS NULL OR trial = ?1 ORDER BY trial, epoch";
    let read = |row: &Row<'_>| {
        let (trial, epoch) = (row.get::<_, i64>(0)? as u64, row.get(1)?);
        let (layers, histograms): (String, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
        Ok((trial, Look::stored(trial, epoch, &layers, histograms.as_deref())))
    };
    connection.prepare(sql)?.query_map([trial.map(|trial| trial as i64)], read)?.collect()
}

/// Writes what was seen.
pub fn write(transaction: &Transaction<'_>, seen: &[Look]) -> rusqlite::Result<()> {
    if seen.is_empty() {
        return Ok(());
    }
    transaction.execute(INSIDE, [])?;
    let to_json = |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(error.into());
    let sql = "INSERT OR REPLACE INTO inside (trial, epoch, layers, histograms) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = transaction.prepare_cached(sql)?;
    for look in seen {
        let layers = look.layers_text().map_err(to_json)?;
        statement.execute(params![look.trial as i64, look.epoch, layers, look.histogram_bytes()])?;
    }
    Ok(())
}

/// Takes their histograms from trials.
pub fn lose_histograms(transaction: &Transaction<'_>, trials: &[u64]) -> rusqlite::Result<()> {
    if trials.is_empty() {
        return Ok(());
    }
    transaction.execute(INSIDE, [])?;
    let sql = "UPDATE inside SET histograms = NULL WHERE trial = ?1";
    let mut statement = transaction.prepare_cached(sql)?;
    trials.iter().try_for_each(|trial| statement.execute([*trial as i64]).map(drop))
}
