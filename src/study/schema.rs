//! The store's tables, the checks that a database is one of ours, and its errors.

use crate::error::{Error, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};
use std::path::Path;
use std::time::Duration;

/// What a database of ours holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A study, which `tune` makes.
    Study,
    /// A search of an objective evaluated elsewhere, which `search` makes.
    Search,
}

impl Content {
    const ALL: [Self; 2] = [Self::Study, Self::Search];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Study => "study",
            Self::Search => "search",
        }
    }

    /// The subcommand that makes it.
    pub fn command(self) -> &'static str {
        match self {
            Self::Study => "tune",
            Self::Search => "search",
        }
    }

    /// Marks its databases, in their `application_id`: "MTUN" and "MTSR".
    fn application(self) -> i64 {
        match self {
            Self::Study => 0x4d54_554e,
            Self::Search => 0x4d54_5352,
        }
    }

    /// The version of its tables, in their `user_version`.
    fn version(self) -> i64 {
        match self {
            Self::Study => 1,
            Self::Search => 1,
        }
    }

    fn tables(self) -> &'static str {
        match self {
            Self::Study => STUDY,
            Self::Search => SEARCH,
        }
    }

    /// What a database holds; `None` where it is of another program.
    pub fn of(path: &Path, connection: &Connection) -> Result<Option<Self>> {
        let found = pragma(path, connection, "application_id")?;
        Ok(Self::ALL.into_iter().find(|content| content.application() == found))
    }
}

/// Curves are blobs of f64, little-endian, (epoch, fold); `hyperparameters` and `fold_values` are JSON.
/// The columns value, tie_break_value, best_epoch, fold_values and epochs follow from the curves: they
/// are there for whoever reads the database with SQL. A checkpoint's `snapshot` is in the format of
/// `checkpoint.rs`, which has a version of its own.
const STUDY: &str = "
CREATE TABLE study (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    objective TEXT NOT NULL,
    tie_break TEXT NOT NULL,
    seed INTEGER NOT NULL,
    fold_count INTEGER NOT NULL CHECK (fold_count > 0),
    engine TEXT NOT NULL,
    device TEXT NOT NULL,
    version TEXT NOT NULL,
    test_value REAL
);
CREATE TABLE trials (
    number INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    value REAL,
    tie_break_value REAL,
    best_epoch INTEGER,
    fold_values TEXT,
    epochs INTEGER NOT NULL,
    seconds REAL NOT NULL,
    diverged_at_step INTEGER,
    failure TEXT,
    hyperparameters TEXT NOT NULL,
    train_loss BLOB NOT NULL,
    objective BLOB NOT NULL,
    tie_break BLOB NOT NULL
);
CREATE TABLE checkpoints (
    trial INTEGER NOT NULL,
    fold INTEGER NOT NULL,
    snapshot BLOB NOT NULL,
    PRIMARY KEY (trial, fold)
);
CREATE TABLE models (
    trial INTEGER NOT NULL,
    fold INTEGER NOT NULL,
    parameters BLOB NOT NULL,
    PRIMARY KEY (trial, fold)
);
";

/// `hyperparameters` is JSON; `seconds` passed between the asking and the telling of a trial; `rungs` of it the
/// schedule knew of when it ended, below zero where it had stopped the trial and that was told as failed.
const SEARCH: &str = "
CREATE TABLE search (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    version TEXT NOT NULL
);
CREATE TABLE trials (
    number INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    value REAL,
    seconds REAL NOT NULL,
    rungs INTEGER NOT NULL,
    hyperparameters TEXT NOT NULL
);
CREATE TABLE intermediates (
    trial INTEGER NOT NULL,
    step INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (trial, step)
) WITHOUT ROWID;
";

/// What the engine chose on its device, by name: nothing that results depend on. Studies of earlier versions
/// lack it until they are gone on with.
pub const CHOICES: &str = "CREATE TABLE IF NOT EXISTS choices (name TEXT PRIMARY KEY, value TEXT NOT NULL)";

/// How many rungs of the schedule trials have passed: what was decided stays decided. Studies of earlier
/// versions lack it until they are gone on with.
pub const RUNGS: &str =
    "CREATE TABLE IF NOT EXISTS rungs (trial INTEGER PRIMARY KEY, passed INTEGER NOT NULL)";

/// How the decision functions of kernel machines were found: JSON, a list over the pairs of classes.
pub const SOLVERS: &str = "CREATE TABLE IF NOT EXISTS solvers (trial INTEGER NOT NULL, fold INTEGER NOT NULL, \
    found TEXT NOT NULL, PRIMARY KEY (trial, fold))";

/// What other seeds make of the best configurations, as JSON of `noise.rs`: the last time that it was asked.
pub const NOISE: &str =
    "CREATE TABLE IF NOT EXISTS noise (id INTEGER PRIMARY KEY CHECK (id = 1), found TEXT NOT NULL)";

/// What was seen inside trials after so many epochs: the layers' numbers as JSON, a list from the input on, and their
/// histograms in the format of `inside/encoding.rs`, where they are kept.
pub const INSIDE: &str = "CREATE TABLE IF NOT EXISTS inside (trial INTEGER NOT NULL, epoch INTEGER NOT NULL, \
    layers TEXT NOT NULL, histograms BLOB, PRIMARY KEY (trial, epoch))";

/// When trials took over the state of others: after which epoch, from which trial, what they had come to,
/// and the hyperparameters until then as JSON.
pub const SUCCESSIONS: &str = "CREATE TABLE IF NOT EXISTS successions (trial INTEGER NOT NULL, \
    epoch INTEGER NOT NULL, donor INTEGER NOT NULL, value REAL NOT NULL, hyperparameters TEXT NOT NULL, \
    PRIMARY KEY (trial, epoch))";

/// Opens a database for writing, making it where there is none.
pub fn open(path: &Path) -> Result<Connection> {
    let open = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        // Returns the mode it got: a file system without shared memory gives another, as safe.
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    };
    open().map_err(fault(path))
}

/// Opens a database for reading. Where the journal cannot be written, in a folder that may not be and on a full disk,
/// the database is read as it lies.
pub fn open_for_reading(path: &Path) -> Result<Connection> {
    let read = |connection: Connection| {
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    // Opened as if to write, the last reader takes the journal's files away again.
    let writing = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let error = match Connection::open_with_flags(path, writing).and_then(read) {
        Ok(connection) => return Ok(connection),
        Err(error) => error,
    };
    let lies_still = match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) => true,
        Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull) => !has_journal(path),
        _ => false,
    };
    if !lies_still {
        return Err(fault(path)(error));
    }
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let address = format!("file:{escaped}?immutable=1");
    let reading = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(address, reading | OpenFlags::SQLITE_OPEN_URI)
        .and_then(read)
        .map_err(fault(path))
}

/// Whether something is written that is not in the database itself yet.
fn has_journal(path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    std::fs::metadata(journal).is_ok_and(|facts| facts.len() > 0)
}

/// Whether the database has no tables yet.
pub fn is_empty(path: &Path, connection: &Connection) -> Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema";
    let count: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(fault(path))?;
    Ok(count == 0)
}

/// Makes the tables.
pub fn create(path: &Path, transaction: &Transaction<'_>, content: Content) -> Result<()> {
    let make = || {
        transaction.execute_batch(content.tables())?;
        transaction.pragma_update(None, "application_id", content.application())?;
        transaction.pragma_update(None, "user_version", content.version())
    };
    make().map_err(fault(path))
}

/// Refuses a database that does not hold this, or in another version.
pub fn check(path: &Path, connection: &Connection, content: Content) -> Result<()> {
    let name = content.name();
    match Content::of(path, connection)? {
        Some(found) if found == content => {}
        Some(other) => {
            let (found, command) = (other.name(), other.command());
            return Err(Error::store(
                path.display(),
                format!("holds a {found} (`manytune {command}`), no {name}"),
            )
            .allowed(format!("the folder of a {name}"))
            .advice("choose another folder, or a new one with --out"));
        }
        None => {
            return Err(Error::store(path.display(), format!("is a database, but not a {name} of manytune"))
                .advice("choose another folder with --out"));
        }
    }
    let version = pragma(path, connection, "user_version")?;
    if version != content.version() {
        return Err(Error::store(path.display(), format!("the {name} is stored in version {version}"))
            .allowed(format!("version {}", content.version()))
            .advice(format!("use the version of manytune that made the {name}")));
    }
    Ok(())
}

fn pragma(path: &Path, connection: &Connection, name: &str) -> Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(fault(path))
}

/// The error for a database whose content makes no sense.
pub fn damaged(path: &Path, found: impl std::fmt::Display) -> Error {
    Error::store(path.display(), format!("the database is damaged: {found}"))
        .advice("restore it from a copy, or begin again in another folder with --out")
}

/// Turns an error of the database into one a user can act on.
pub fn fault(path: &Path) -> impl Fn(rusqlite::Error) -> Error {
    let path = path.to_owned();
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(&path, error),
        Some(ErrorCode::DiskFull) => Error::store(path.display(), "the disk is full")
            .advice("make room, then run the same command again: it goes on where it stopped"),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            Error::store(path.display(), format!("cannot be opened or written: {error}"))
                .advice("choose a folder that can be written with --out")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::store(path.display(), "another program holds the database locked")
                .advice("close the program that has it open, then run the same command again")
        }
        _ => Error::store(path.display(), format!("the database cannot be used: {error}"))
            .advice("check that the disk has room and can be read, then run the same command again"),
    }
}
