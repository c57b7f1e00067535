//! The store on disk: what it refuses, and what survives.

mod rings;

use manytune::error::{Error, ErrorKind};
use manytune::study::store::{DATABASE, Store, is_running};
use rings::{create, header};
use std::fs;
use std::path::Path;

fn refusal(result: Result<Store, Error>) -> String {
    let error = result.err().expect("the store is refused");
    assert_eq!(error.kind, ErrorKind::Store, "{error}");
    assert!(!error.advice.is_empty(), "{error} gives no advice");
    error.to_string()
}

#[test]
fn the_header_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    drop(create(folder.path()));
    assert_eq!(Store::read(folder.path()).unwrap().header().unwrap(), header());
}

#[test]
fn one_process_writes_and_others_read() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!is_running(folder.path()));
    let store = create(folder.path());
    assert!(is_running(folder.path()));
    assert!(refusal(Store::open(folder.path())).contains("another process"));
    assert!(Store::read(folder.path()).unwrap().trials().unwrap().is_empty());
    drop(store);
    assert!(!is_running(folder.path()));
    Store::open(folder.path()).unwrap();
}

#[test]
fn what_is_not_a_study_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(Store::read(folder.path())).contains("holds no study"));
    assert!(refusal(Store::create(Path::new("/dev/null/x"), &header())).contains("cannot be made"));

    fs::write(folder.path().join(DATABASE), "this is no database, but it is long enough to be read as one")
        .unwrap();
    assert!(refusal(Store::open(folder.path())).contains("damaged"));
    assert!(refusal(Store::read(folder.path())).contains("damaged"));
}

#[test]
fn a_database_of_another_program_or_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(create(folder.path()));
    let change = |sql: &str| {
        rusqlite::Connection::open(folder.path().join(DATABASE)).unwrap().execute_batch(sql).unwrap();
    };
    change("PRAGMA user_version = 99");
    assert!(refusal(Store::open(folder.path())).contains("version 99"));
    change("PRAGMA user_version = 1; PRAGMA application_id = 1");
    assert!(refusal(Store::read(folder.path())).contains("not a study of manytune"));
}

#[test]
fn a_study_is_not_made_over_another() {
    let folder = tempfile::tempdir().unwrap();
    drop(create(folder.path()));
    assert!(refusal(Store::create(folder.path(), &header())).contains("already holds a study"));
}

/// A process killed while it made the tables leaves a database without any.
#[test]
fn a_database_without_tables_becomes_a_study() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(DATABASE), "").unwrap();
    assert!(!Store::exists(folder.path()));
    let connection = rusqlite::Connection::open(folder.path().join(DATABASE)).unwrap();
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    drop(connection);
    assert!(fs::metadata(folder.path().join(DATABASE)).unwrap().len() > 0);
    assert!(!Store::exists(folder.path()));
    assert!(refusal(Store::read(folder.path())).contains("holds no study"));
    drop(create(folder.path()));
    assert!(Store::exists(folder.path()));
}

#[test]
fn a_transaction_that_is_not_committed_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    let writer = store.begin().unwrap();
    writer.test_value(Some(0.5)).unwrap();
    drop(writer);
    assert_eq!(store.header().unwrap().test_value, None);
}

/// Checkpoints of before a trial could be stopped within an epoch are no fault: the trial begins again.
#[test]
fn a_checkpoint_of_an_earlier_format_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    let insert = |blob: &str| {
        let sql = format!("INSERT OR REPLACE INTO checkpoints VALUES (0, 0, x'{blob}')");
        rusqlite::Connection::open(folder.path().join(DATABASE)).unwrap().execute_batch(&sql).unwrap();
    };
    insert("0100000003000000");
    assert!(store.checkpoint(0).unwrap().is_empty());
    assert_eq!(rings::train(&mut store, 1, 2, &|_| None).unwrap().1, [0]);
    insert("02000000090000");
    assert!(store.checkpoint(0).unwrap_err().to_string().contains("the checkpoint of trial 0"));
}

#[test]
fn what_the_engine_chose_is_recorded_and_replaced_also_in_older_studies() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    assert!(store.choices().unwrap().is_empty(), "as in a study of an earlier version");
    for choices in [
        vec![("tiles", "64x64".to_owned()), ("plan", "resident".to_owned())],
        vec![("tiles", "32x32".to_owned())],
    ] {
        let writer = store.begin().unwrap();
        writer.choices(&choices).unwrap();
        writer.commit().unwrap();
        let mut expected: Vec<(String, String)> =
            choices.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        expected.sort();
        assert_eq!(Store::read(folder.path()).unwrap().choices().unwrap(), expected);
    }
}
