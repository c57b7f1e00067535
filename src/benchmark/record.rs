//! What was measured of one workload, as JSON for scripts and as a row of a table for people.

use super::rates;
use super::roofline::Work;
use crate::engine::EngineKind;
use crate::engine::ceiling::{Ceilings, Spread};
use crate::report::significant;
use serde_json::{Map, Value, json};

/// What was measured of one workload.
#[derive(Clone, Debug)]
pub struct Record {
    /// The workload's name, or the study's.
    pub workload: String,
    /// What trained it.
    pub engine: EngineKind,
    /// On what.
    pub device: String,
    /// How many members at once.
    pub members: usize,
    /// Seconds and work of every timed run.
    pub laps: Vec<(f64, Work)>,
    /// The device's limits.
    pub ceilings: Ceilings,
    /// Largest relative difference of a compared loss from the reference's; `None` where gradients and steps
    /// were compared instead.
    pub worst_difference: Option<f64>,
    /// Seconds from the workload's start (its engine still closed) to the first epoch reported.
    pub first_result: f64,
    /// What else there is to say of it.
    pub details: Vec<(&'static str, Value)>,
}

impl Record {
    /// Optimizer steps of one member on one minibatch, a second.
    pub fn config_steps_per_s(&self) -> Spread {
        rates(&self.laps, |work| work.steps)
    }

    fn columns(&self) -> [(&'static str, Spread); 6] {
        let seconds = Spread::of(self.laps.iter().map(|(seconds, _)| *seconds).collect());
        [
            ("config_steps_per_s", self.config_steps_per_s()),
            ("samples_per_s", rates(&self.laps, |work| work.samples)),
            ("gflops", rates(&self.laps, |work| work.flops / 1e9)),
            ("percent_of_roofline", rates(&self.laps, |work| 100.0 * work.roof_seconds)),
            ("percent_of_peak", rates(&self.laps, |work| 100.0 * work.flops / self.ceilings.peak.median)),
            ("seconds", seconds.unwrap_or_else(|| self.config_steps_per_s())),
        ]
    }

    /// What limits the work at the roof.
    fn roof(&self) -> &'static str {
        self.laps.iter().fold(Work::default(), |sum, (_, work)| sum.and(*work)).roof()
    }

    /// One object; medians, with `_min` and `_max` beside each.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let mut put = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
        put("workload", json!(self.workload));
        put("engine", json!(self.engine.name()));
        put("device", json!(self.device));
        put("members", json!(self.members));
        for (key, spread) in self.columns() {
            put(key, json!(spread.median));
            put(&format!("{key}_min"), json!(spread.min));
            put(&format!("{key}_max"), json!(spread.max));
        }
        put("microseconds_per_config_step", json!(1e6 / self.config_steps_per_s().median));
        put("roof", json!(self.roof()));
        let limits = [("peak_gflops", self.ceilings.peak), ("copy_gb_per_s", self.ceilings.copy)];
        for (key, spread) in limits {
            put(key, json!(spread.median / 1e9));
            put(&format!("{key}_min"), json!(spread.min / 1e9));
            put(&format!("{key}_max"), json!(spread.max / 1e9));
        }
        put("worst_difference", json!(self.worst_difference));
        put("first_result_seconds", json!(self.first_result));
        put("rounds", json!(self.laps.len()));
        self.details.iter().for_each(|(key, value)| put(key, value.clone()));
        put("version", json!(env!("CARGO_PKG_VERSION")));
        Value::Object(object)
    }

    fn cells(&self) -> Vec<String> {
        let [steps, samples, gflops, roofline, _, seconds] = self.columns().map(|(_, spread)| spread);
        let number = |value: f64| significant(value, 4);
        vec![
            self.workload.clone(),
            self.members.to_string(),
            number(steps.median),
            format!("{} to {}", number(steps.min), number(steps.max)),
            significant(1e6 / steps.median, 3),
            number(samples.median),
            number(gflops.median),
            format!("{}, {}", significant(roofline.median, 3), self.roof()),
            significant(seconds.median, 3),
            significant(self.first_result, 2),
            self.worst_difference.map_or("passed".to_owned(), |worst| significant(worst, 2)),
        ]
    }
}

const HEADS: [&str; 11] = [
    "workload",
    "members",
    "config-steps/s",
    "(range)",
    "us/step",
    "samples/s",
    "GFLOP/s",
    "% of roof",
    "seconds",
    "first result",
    "off reference",
];

/// What was measured, one row each.
pub fn table(records: &[Record]) -> String {
    let Some(first) = records.first() else { return String::new() };
    let rounds: Vec<String> = records.iter().map(|record| record.laps.len().to_string()).collect();
    let rounds = if rounds.iter().all(|count| *count == rounds[0]) { &rounds[0] } else { "several" };
    let mut text = format!(
        "engine {} ({}): {} GFLOP/s at most, copies {} GB/s; medians of {rounds}\n\n",
        first.engine.name(),
        first.device,
        significant(first.ceilings.peak.median / 1e9, 4),
        significant(first.ceilings.copy.median / 1e9, 3)
    );
    let rows = std::iter::once(HEADS.map(str::to_owned).to_vec()).chain(records.iter().map(Record::cells));
    text.push_str(&aligned(&rows.collect::<Vec<_>>()));
    text
}

/// Rows of cells in columns: the first flush left, the others flush right.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |cell: &String| cell.chars().count();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(length).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
