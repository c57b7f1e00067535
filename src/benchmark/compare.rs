//! New results beside old ones: how many times faster each workload is than it was.

use super::record::{Record, aligned};
use crate::error::{Error, Result};
use crate::report::significant;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The results of an earlier run, as `--format json` printed them.
pub struct Old {
    path: PathBuf,
    rows: Vec<Row>,
}

/// What is compared of one of them.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    workload: String,
    engine: String,
    device: String,
    members: u64,
    config_steps_per_s: f64,
}

/// A new result beside the old one.
pub struct Ratio {
    /// New by old, in config-steps a second; or why the two cannot be compared.
    pub outcome: std::result::Result<f64, String>,
    /// The device of the old one, where it is another.
    pub other_device: Option<String>,
}

impl Old {
    /// Reads a file; an error of kind usage says where it is not what it should be.
    pub fn open(path: &Path) -> Result<Self> {
        let place = format!("--compare {}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::usage(&place, format!("cannot be read: {error}"))
                .allowed("a file that `manytune bench --format json` has printed")
        })?;
        let rows = read(&text).map_err(|(at, found)| {
            Error::usage(format!("{place}{at}"), found)
                .allowed(
                    "a list of objects with workload, engine, device, members and config_steps_per_s, as \
                     `manytune bench --format json` prints it",
                )
                .advice("print it again: manytune bench --format json > old.json")
        })?;
        Ok(Self { path: path.to_path_buf(), rows })
    }

    /// Refuses a run of which nothing could be compared, before it takes its time.
    pub fn expect_any(&self, workloads: &[&str]) -> Result<()> {
        match self.rows.iter().any(|row| workloads.contains(&row.workload.as_str())) {
            true => Ok(()),
            false => {
                let names: Vec<&str> = self.rows.iter().map(|row| row.workload.as_str()).collect();
                let found = format!("has none of {}", workloads.join(", "));
                Err(Error::usage(format!("--compare {}", self.path.display()), found)
                    .allowed(format!("a workload that it has: {}", names.join(", ")))
                    .advice("another --workload"))
            }
        }
    }

    /// A new result beside the old one of the same workload, engine and number of members.
    pub fn ratio(&self, record: &Record) -> Ratio {
        let named: Vec<&Row> = self.rows.iter().filter(|row| row.workload == record.workload).collect();
        let engine = record.engine.name();
        let alike: Vec<&&Row> = named.iter().filter(|row| row.engine == engine).collect();
        let members = record.members as u64;
        let why = match (&named[..], &alike[..]) {
            ([], _) => "it is not in the old results".to_owned(),
            ([old, ..], []) => format!("engine {engine} now, {} then", old.engine),
            (_, [old, ..]) => format!("{members} members now, {} then", old.members),
        };
        match alike.iter().find(|row| row.members == members) {
            Some(old) => Ratio {
                outcome: Ok(record.config_steps_per_s().median / old.config_steps_per_s),
                other_device: (old.device != record.device).then(|| old.device.clone()),
            },
            None => Ratio { outcome: Err(why), other_device: None },
        }
    }

    /// The error where not one of the results could be compared.
    pub fn expect_one(&self, ratios: &[Ratio]) -> Result<()> {
        let mut reasons = ratios.iter().map(|ratio| ratio.outcome.as_ref().err());
        match reasons.next().flatten().filter(|_| reasons.all(|reason| reason.is_some())) {
            None => Ok(()),
            Some(first) => {
                let found = format!("nothing can be compared; the first: {first}");
                Err(Error::usage(format!("--compare {}", self.path.display()), found)
                    .allowed("results of the same workload, engine and number of members")
                    .advice("the --engine and --members of the old results"))
            }
        }
    }
}

/// The rows of a file's text; else where (as a suffix of the file's name) and what is wrong.
fn read(text: &str) -> std::result::Result<Vec<Row>, (String, String)> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        (format!(":{}:{}", error.line(), error.column()), format!("is not JSON: {error}"))
    })?;
    let list = value.as_array().ok_or_else(|| (String::new(), "is no list of results".to_owned()))?;
    if list.is_empty() {
        return Err((String::new(), "is an empty list".to_owned()));
    }
    let row = |(index, value): (usize, &Value)| {
        let wrong = |key: &str| {
            let found = match value.get(key) {
                None => format!("result {index} has no \"{key}\""),
                Some(found) => format!("result {index} has {found} for \"{key}\""),
            };
            (String::new(), found)
        };
        let text = |key: &str| value[key].as_str().map(str::to_owned).ok_or_else(|| wrong(key));
        let rate = value["config_steps_per_s"].as_f64().filter(|rate| *rate > 0.0);
        Ok(Row {
            workload: text("workload")?,
            engine: text("engine")?,
            device: text("device")?,
            members: value["members"].as_u64().ok_or_else(|| wrong("members"))?,
            config_steps_per_s: rate.ok_or_else(|| wrong("config_steps_per_s"))?,
        })
    };
    list.iter().enumerate().map(row).collect()
}

/// The ratios, one row each.
pub fn table(records: &[Record], ratios: &[Ratio]) -> String {
    let head = ["workload", "members", "new / old"].map(str::to_owned).to_vec();
    let row = |(record, ratio): (&Record, &Ratio)| {
        let text = match (&ratio.outcome, &ratio.other_device) {
            (Ok(ratio), None) => significant(*ratio, 3),
            (Ok(ratio), Some(device)) => format!("{} (then on {device})", significant(*ratio, 3)),
            (Err(why), _) => format!("not compared: {why}"),
        };
        vec![record.workload.clone(), record.members.to_string(), text]
    };
    let rows = std::iter::once(head).chain(records.iter().zip(ratios).map(row));
    aligned(&rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_place() {
        let row = r#"{"workload":"W1","engine":"cpu","device":"x","members":4,"config_steps_per_s":2.0}"#;
        assert_eq!(read(&format!("[{row}]")).unwrap().len(), 1);
        let wrong = |text: &str| read(text).unwrap_err();
        assert!(wrong("[\n{]").0.starts_with(":2:"), "{:?}", wrong("[\n{]"));
        assert!(wrong("{}").1.contains("no list"));
        assert!(wrong("[]").1.contains("empty"));
        assert!(wrong(&format!("[{row}, 7]")).1.contains("result 1 has no \"workload\""));
        for (key, other) in [("members", "-4"), ("config_steps_per_s", "0"), ("engine", "null")] {
            let value: Value = serde_json::from_str(row).unwrap();
            let text = format!(
                "[{}]",
                row.replace(&format!("\"{key}\":{}", value[key]), &format!("\"{key}\":{other}"))
            );
            assert!(wrong(&text).1.contains(&format!("{other} for \"{key}\"")), "{text}: {:?}", wrong(&text));
        }
    }
}
