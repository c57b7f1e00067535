//! What a study's own results say: each planted fault is named by its finding, and a healthy study names none.

mod data;
#[path = "../findings/mod.rs"]
mod findings;
mod healthy;
mod stored;
mod trained;
mod verdicts;

use findings::{assert_says, names, scattered};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A table of three columns and what a row's target is, given its numbers.
fn table(rows: usize, columns: usize, target: &dyn Fn(usize, &[f64]) -> String) -> String {
    let mut text = (0..columns).map(|column| format!("x{column}")).collect::<Vec<_>>().join(",") + ",y\n";
    for row in 0..rows {
        let x: Vec<f64> = (0..columns).map(|salt| 10.0 * scattered(row, salt)).collect();
        let cells: Vec<String> = x.iter().map(|x| format!("{x:.5}")).collect();
        writeln!(text, "{},{}", cells.join(","), target(row, &x)).unwrap();
    }
    text
}

/// Two classes, inside and outside of a ring: no line tells them.
fn ring(_: usize, x: &[f64]) -> String {
    let distance = (x[0] - 5.0).hypot(x[1] - 5.0);
    if distance < 4.0 { "in" } else { "out" }.to_owned()
}

/// Two classes that a curved line tells, nearly.
fn curved(row: usize, x: &[f64]) -> String {
    let z = x[0] + 0.1 * x[1] * x[1] - x[2] + 2.0 * scattered(row, 9);
    if z > 4.0 { "yes" } else { "no" }.to_owned()
}

struct Study {
    folder: TempDir,
}

impl Study {
    /// Tunes what a study file says, behind its `[data]` of the table.
    fn new(csv: &str, rest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.csv"), csv).unwrap();
        let data = "[data]\npath = \"t.csv\"\ntarget = \"y\"\nfolds = 3\n";
        std::fs::write(folder.path().join("s.toml"), format!("{data}{rest}")).unwrap();
        Self::of(folder, Path::new("s.toml"), &[])
    }

    fn of(folder: TempDir, input: &Path, arguments: &[&str]) -> Self {
        let study = Self { folder };
        let mut command = study.command();
        command.arg("tune").arg(input).args(["--quiet", "--engine", "cpu", "--out", "run"]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        study
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manytune"));
        command.current_dir(self.folder.path());
        command
    }

    fn doctor(&self, arguments: &[&str]) -> (Value, Option<i32>) {
        let mut command = self.command();
        command.args(["doctor", "run", "--format", "json"]).args(arguments);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr));
        });
        (json, output.status.code())
    }
}

/// What its curves say of each trial, by number.
fn verdicts(study: &Study) -> Vec<Value> {
    let (json, _) = study.doctor(&[]);
    let mut trials = json["trials"].as_array().unwrap().clone();
    trials.sort_by_key(|trial| trial["number"].as_u64());
    trials
}

/// How many trials have this verdict, of so many.
fn share_of(study: &Study, verdict: &str) -> (usize, usize) {
    let trials = verdicts(study);
    (trials.iter().filter(|trial| trial["verdict"] == verdict).count(), trials.len())
}

/// The finding of this name; what was found, where there is none.
#[track_caller]
fn named(study: &Study, name: &str) -> Value {
    let (json, _) = study.doctor(&[]);
    findings::named(json["findings"].as_array().unwrap(), name).clone()
}
