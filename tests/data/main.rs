//! Tables from file to model: reading, telling types, encoding, dividing, and refusing what is wrong.

mod bad_input;
mod encoder;
mod parsing;
mod real_sets;
mod splits;
mod targets;

use manytune::data::{self, ColumnRef, DataOptions, Prepared, Table};
use manytune::error::{Error, Result};
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder of files that lives as long as a test.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("a file in the temporary folder");
        path
    }
}

/// Options for a target named `y`, in two folds so that small tables will do.
fn options(path: PathBuf) -> DataOptions {
    let mut options = DataOptions { path, target: Some(ColumnRef::from("y")), ..DataOptions::default() };
    options.split.folds = 2;
    options
}

/// Reads and prepares a CSV text whose target is `y`.
fn prepare(text: &str) -> Result<Prepared> {
    prepare_with(text, |_| {})
}

/// Reads and prepares a CSV text with some options changed.
fn prepare_with(text: impl AsRef<[u8]>, change: impl FnOnce(&mut DataOptions)) -> Result<Prepared> {
    let folder = Folder::new();
    let mut options = options(folder.write("table.csv", text));
    change(&mut options);
    data::prepare(&data::load(&options)?, &options, 0)
}

/// Reads a CSV text for prediction.
fn read_for(encoder: &data::Encoder, text: &str) -> Result<Table> {
    let folder = Folder::new();
    data::load_for_prediction(&folder.write("new.csv", text), encoder)
}

/// What a wrong input must say; also that it is an error at all.
#[track_caller]
fn refused<T>(result: Result<T>, exit_code: u8, says: &[&str]) -> Error {
    let Err(error) = result else { panic!("accepted; expected an error that says {says:?}") };
    assert_eq!(error.exit_code(), exit_code, "{error}");
    for part in says {
        assert!(error.to_string().contains(part), "\"{part}\" is not in: {error}");
    }
    error
}
