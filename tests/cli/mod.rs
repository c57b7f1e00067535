//! The program as a user runs it, in a folder of its own with the penguins in it.

#![allow(dead_code, reason = "each test file uses a part")]

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A study that takes well under a second.
pub const STUDY: &str = r#"
[data]
path = "penguins.csv"
target = "species"
folds = 3

[search]
trials = 6
seed = 3

[schedule]
max_epochs = 8

[engine]
kind = "cpu"

[space]
learning_rate = { log_uniform = [1e-3, 1e-1] }
hidden = [[8], [12, 6]]
dropout = { uniform = [0.0, 0.3] }
batch_size = 64
"#;

/// A folder with penguins.csv and study.toml.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/penguins.csv");
        fs::copy(data, folder.path().join("penguins.csv")).unwrap();
        fs::write(folder.path().join("study.toml"), STUDY).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program with some arguments, separated by spaces.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manytune"));
        command.current_dir(self.folder.path()).args(arguments.split_whitespace());
        command
    }

    /// Its standard output and standard error, when it ends well.
    pub fn run(&self, arguments: &str) -> (String, String) {
        let output = self.command(arguments).assert().success().get_output().clone();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// Its standard error, when it ends with this exit code; nothing may be on standard output.
    pub fn fail(&self, arguments: &str, code: i32) -> String {
        let output = self.command(arguments).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {error}");
        assert!(output.stdout.is_empty(), "{arguments} wrote results");
        error
    }

    /// What `show --format json` says of a study.
    pub fn show(&self, run: &str) -> Value {
        serde_json::from_str(&self.run(&format!("show {run} --format json")).0).unwrap()
    }

    /// The same without what depends on the clock.
    pub fn timeless(&self, run: &str) -> Value {
        let mut shown = self.show(run);
        let best = shown["best"].as_object_mut().into_iter();
        best.for_each(|best| drop(best.remove("seconds")));
        for trial in shown["trials"].as_array_mut().unwrap() {
            trial.as_object_mut().unwrap().remove("seconds");
        }
        shown
    }
}
