//! A folder with one database, written by one process at a time: what a study and a search share.

use super::schema::{self, Content, fault};
use crate::error::{Error, Result};
use rusqlite::{Connection, Transaction};
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::time::Duration;

/// The database.
pub const DATABASE: &str = "study.db";
/// Locked by the process that works on it; always empty.
const LOCK: &str = "study.lock";

/// Whoever asks whether a study is running holds its lock for an instant: a writer tries again.
const LOCK_ATTEMPTS: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A database that this process alone writes.
pub struct Owned {
    /// The database.
    pub connection: Connection,
    /// Held for as long as this lives; it falls with the process, however that ends.
    pub lock: File,
}

/// Whether a folder holds a database of ours, or what should be one.
pub fn exists(folder: &Path) -> bool {
    let path = folder.join(DATABASE);
    if fs::metadata(&path).is_ok_and(|found| found.len() == 0) || !path.exists() {
        return false;
    }
    // A process killed while it made the database leaves one without tables: that is none yet.
    let is_empty = schema::open_for_reading(&path).and_then(|found| schema::is_empty(&path, &found));
    !is_empty.unwrap_or(false)
}

/// What the database of a folder holds; refused where there is none, or none of ours.
pub fn content(folder: &Path) -> Result<Content> {
    if !exists(folder) {
        return Err(missing(folder, Content::Study));
    }
    let path = folder.join(DATABASE);
    let connection = schema::open_for_reading(&path)?;
    let content = Content::of(&path, &connection)?.unwrap_or(Content::Study);
    schema::check(&path, &connection, content).map(|()| content)
}

/// Makes a new database in a folder, which is made too where it is missing. `fill` writes its first rows in
/// the transaction that makes the tables.
pub fn create(
    folder: &Path,
    content: Content,
    fill: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<Owned> {
    fs::create_dir_all(folder).map_err(|error| {
        Error::store(folder.display(), format!("the {}'s folder cannot be made: {error}", content.name()))
            .allowed("a folder, or a path where one can be made")
            .advice("choose another folder with --out")
    })?;
    let lock = lock(folder, content)?;
    let path = folder.join(DATABASE);
    let mut connection = schema::open(&path)?;
    if !schema::is_empty(&path, &connection)? {
        return Err(Error::store(folder.display(), format!("already holds a {}", content.name()))
            .advice("choose another folder with --out"));
    }
    let transaction = connection.transaction().map_err(fault(&path))?;
    schema::create(&path, &transaction, content)?;
    fill(&transaction).map_err(fault(&path))?;
    transaction.commit().map_err(fault(&path))?;
    Ok(Owned { connection, lock })
}

/// Opens the database in a folder for writing. One process at a time may.
pub fn open(folder: &Path, content: Content) -> Result<Owned> {
    let lock = lock(folder, content)?;
    let path = folder.join(DATABASE);
    let connection = schema::open(&path)?;
    schema::check(&path, &connection, content)?;
    Ok(Owned { connection, lock })
}

/// Opens the database in a folder for reading, which is possible while another process writes.
pub fn read(folder: &Path, content: Content) -> Result<Connection> {
    let path = folder.join(DATABASE);
    if !exists(folder) {
        return Err(missing(folder, content));
    }
    let connection = schema::open_for_reading(&path)?;
    schema::check(&path, &connection, content)?;
    Ok(connection)
}

/// Whether a process is working on what is in a folder.
pub fn is_running(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn missing(folder: &Path, content: Content) -> Error {
    let (name, command) = (content.name(), content.command());
    Error::store(folder.display(), format!("holds no {name}"))
        .allowed(format!("the folder of a {name}, which `manytune {command}` makes"))
        .advice(format!("give the folder that {command} printed, such as runs/penguins"))
}

/// Takes the lock that the one writer holds.
fn lock(folder: &Path, content: Content) -> Result<File> {
    let path = folder.join(LOCK);
    let fail = |error: std::io::Error| {
        Error::store(path.display(), format!("cannot be written: {error}"))
            .allowed("a folder whose files this user may write")
            .advice("choose a folder that can be written with --out")
    };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(fail)?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
    }
    Err(Error::store(folder.display(), format!("another process is working on this {}", content.name()))
        .advice("wait until it ends or stop it; `manytune show` works meanwhile"))
}
