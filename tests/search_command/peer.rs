//! The program that talks to a search, and what it says.

use crate::cli::Place;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub const SPACE: &str = r#"
[search]
direction = "minimize"
trials = 10
batch = 4
seed = 3

[space]
x = { uniform = [-2.0, 3.0] }
depth = { int = [1, 4] }
kind = ["flat", "steep"]
slope = { log_uniform = [0.1, 10.0], when = { kind = "steep" } }
"#;

pub fn place() -> Place {
    let place = Place::new();
    place.write("space.toml", SPACE);
    place
}

/// What a trial comes to: a bowl around x = 1, deeper for depth 3; the steep ones fail far out.
pub fn objective(hyperparameters: &Value) -> Option<f64> {
    let number = |name: &str| hyperparameters[name].as_f64().unwrap();
    let slope = hyperparameters["slope"].as_f64();
    assert_eq!(slope.is_some(), hyperparameters["kind"] == "steep", "{hyperparameters}");
    let value = (number("x") - 1.0).powi(2) * slope.unwrap_or(1.0) + (number("depth") - 3.0).abs();
    (slope.is_none() || value < 8.0).then_some(value)
}

/// The program that talks to a search.
pub struct Peer {
    pub child: Child,
    pub input: Option<ChildStdin>,
    pub output: BufReader<ChildStdout>,
}

/// A trial that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub number: u64,
    pub hyperparameters: Value,
}

impl Peer {
    pub fn start(place: &Place, arguments: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manytune"));
        command.current_dir(place.path("")).arg("search").args(arguments.split_whitespace());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { input: child.stdin.take(), output, child }
    }

    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{line:?} is no whole line");
        serde_json::from_str(&line).unwrap()
    }

    /// The next batch; the best trial where there is none.
    pub fn batch(&mut self) -> Result<Vec<Asked>, Value> {
        let line = self.line();
        assert_eq!(line.as_object().unwrap().len(), 1, "{line}");
        let Some(asked) = line.get("ask") else { return Err(line["best"].clone()) };
        let read = |trial: &Value| Asked {
            number: trial["number"].as_u64().unwrap(),
            hyperparameters: trial["hyperparameters"].clone(),
        };
        Ok(asked.as_array().unwrap().iter().map(read).collect())
    }

    pub fn send(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn tell(&mut self, asked: &Asked) {
        let number = asked.number;
        self.send(&match objective(&asked.hyperparameters) {
            Some(value) => json!({ "tell": { "number": number, "value": value } }).to_string(),
            None => json!({ "tell": { "number": number, "state": "failed" } }).to_string(),
        });
    }

    /// Tells every batch to the end: all that was asked for, and the best.
    pub fn finish(mut self) -> (Vec<Asked>, Value) {
        let mut all = Vec::new();
        loop {
            match self.batch() {
                Ok(batch) => {
                    batch.iter().for_each(|asked| self.tell(asked));
                    all.extend(batch);
                }
                Err(best) => {
                    let (code, error) = self.end();
                    assert_eq!(code, Some(0), "{error}");
                    return (all, best);
                }
            }
        }
    }

    /// The exit code and what was said, once the program has read to the end of its input.
    pub fn end(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        let output = self.child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!error.contains("panicked"), "{error}");
        (output.status.code(), error)
    }

    /// Tells what a trial has come to on its way; the trials that should stop.
    pub fn report(&mut self, number: u64, step: u64, value: f64) -> Vec<u64> {
        let news = json!({ "number": number, "intermediate": { "step": step, "value": value } });
        self.send(&json!({ "tell": news }).to_string());
        let answer = self.line();
        let stopped = answer["stop"].as_array().unwrap_or_else(|| panic!("{answer} is no answer"));
        stopped.iter().map(|number| number.as_u64().unwrap()).collect()
    }

    pub fn value(&mut self, number: u64, value: f64) {
        self.send(&json!({ "tell": { "number": number, "value": value } }).to_string());
    }
}

pub fn search(place: &Place, arguments: &str) -> (Vec<Asked>, Value) {
    Peer::start(place, arguments).finish()
}

pub fn numbers(asked: &[Asked]) -> Vec<u64> {
    asked.iter().map(|asked| asked.number).collect()
}

pub fn best_of(asked: &[Asked]) -> Value {
    let best = asked
        .iter()
        .filter_map(|asked| Some((objective(&asked.hyperparameters)?, asked)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(Value::Null, |(value, asked)| {
        json!({ "number": asked.number, "value": value, "hyperparameters": asked.hyperparameters })
    })
}
