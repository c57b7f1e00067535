//! What all pages share: the study, its hyperparameters as axes, and its trials, ranked.

use super::Subject;
use crate::report::{Leaderboard, plain};
use crate::space::{Domain, Space, Value as Setting};
use crate::trial::{State, Trial};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What the study is.
pub(super) fn study(subject: &Subject) -> Value {
    let title = &subject.board.title;
    let plan = subject.plan();
    let count = |state: &State| subject.board.trials.iter().filter(|trial| trial.state == *state).count();
    let states: serde_json::Map<String, Value> = State::ALL
        .iter()
        .filter(|state| count(state) > 0)
        .map(|state| (state.name().to_owned(), json!(count(state))))
        .collect();
    json!({
        "name": title.name,
        "objective": title.objective,
        "direction": title.direction.name(),
        "engine": title.engine,
        "device": title.device,
        "seed": title.seed,
        "folds": title.fold_count,
        "strategy": title.division.strategy,
        "schedule": plan.map(|plan| &plan.schedule),
        "max_epochs": plan.map(|plan| plan.max_epochs),
        "planned": plan.and_then(|plan| plan.trials),
        "states": states,
        "is_running": subject.is_running,
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// A hyperparameter as an axis.
pub(super) struct Axis {
    name: String,
    scale: Scale,
}

/// Where values stand on an axis.
enum Scale {
    /// Numbers of a range, as searched and as found.
    Numbers { low: f64, high: f64, log: bool, whole: bool },
    /// Values in a row.
    Values(Vec<Setting>),
}

impl Axis {
    /// Every hyperparameter, in the order of the file; those that only trials have come last, by name.
    pub fn all(subject: &Subject) -> Vec<Self> {
        let (space, board) = (&subject.space, &subject.board);
        let mut names: Vec<&str> = space.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
        let known: BTreeSet<&str> = names.iter().copied().collect();
        names.extend(board.hyperparameters.names().filter(|name| !known.contains(name)));
        names.into_iter().map(|name| Self::new(space, board, name)).collect()
    }

    fn new(space: &Space, board: &Leaderboard, name: &str) -> Self {
        let domain = space.get(name).map(|dimension| &dimension.domain);
        let found = || board.trials.iter().filter_map(|trial| trial.configuration.get(name));
        let range = match domain {
            Some(&Domain::Float { low, high, log, .. }) => Some((low, high, log, false)),
            Some(&Domain::Int { low, high, log, .. }) => Some((low as f64, high as f64, log, true)),
            _ => None,
        };
        // A refined grid, or a population, may leave the range.
        let numbers: Option<Vec<f64>> = found().map(Setting::number).collect();
        let scale = match (range, numbers) {
            (Some((low, high, log, whole)), Some(numbers)) => {
                let low = numbers.iter().copied().fold(low, f64::min);
                let high = numbers.iter().copied().fold(high, f64::max);
                Scale::Numbers { low, high, log: log && low > 0.0, whole }
            }
            _ => Scale::Values(values(domain, found())),
        };
        Self { name: name.to_owned(), scale }
    }

    /// As scripts read it.
    pub fn json(&self) -> Value {
        match &self.scale {
            Scale::Numbers { low, high, log, whole } => {
                json!({ "name": self.name, "low": low, "high": high, "log": log, "whole": whole })
            }
            Scale::Values(values) => {
                json!({ "name": self.name, "values": values.iter().map(plain).collect::<Vec<_>>() })
            }
        }
    }

    /// A trial's value: a number of a range, or the text of one in the row.
    fn setting(&self, value: &Setting) -> Value {
        match &self.scale {
            Scale::Numbers { .. } => json!(value.number()),
            Scale::Values(values) => json!(values.iter().find(|known| known.same(value)).map(plain)),
        }
    }
}

/// The values of a choice and those found beside them; numbers ascending, all else as the file lists it.
fn values<'a>(domain: Option<&Domain>, found: impl Iterator<Item = &'a Setting>) -> Vec<Setting> {
    let mut values = match domain {
        Some(Domain::Choice(values)) => values.clone(),
        Some(Domain::Fixed(value)) => vec![value.clone()],
        _ => Vec::new(),
    };
    for value in found {
        if !values.iter().any(|known| known.same(value)) {
            values.push(value.clone());
        }
    }
    if values.iter().all(|value| value.number().is_some()) {
        let number = |value: &Setting| value.number().unwrap_or(f64::NAN);
        values.sort_by(|a, b| number(a).total_cmp(&number(b)));
    }
    values
}

/// Every trial, the best first.
pub(super) fn trials(board: &Leaderboard, axes: &[Axis]) -> Vec<Value> {
    board.trials.iter().map(|trial| one(board, axes, trial)).collect()
}

fn one(board: &Leaderboard, axes: &[Axis], trial: &Trial) -> Value {
    let settings: serde_json::Map<String, Value> = axes
        .iter()
        .filter_map(|axis| {
            let value = trial.configuration.get(&axis.name)?;
            Some((axis.name.clone(), axis.setting(value)))
        })
        .collect();
    let mut object = json!({
        "number": trial.number,
        "state": trial.state.name(),
        "value": trial.score().map(|score| score.value),
        "spread": trial.spread(),
        "epochs": board.epochs(trial),
        "seconds": trial.seconds,
        "settings": settings,
    });
    if let Some(failure) = &trial.failure {
        object["failure"] = json!(failure);
    }
    if let Some(step) = trial.diverged_at_step {
        object["diverged_at_step"] = json!(step);
    }
    object
}
