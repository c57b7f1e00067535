//! Which hyperparameters the trials of a leaderboard have, and in which of them they differ.

use crate::space::{Configuration, Value};
use std::collections::BTreeMap;

/// Taken from one configuration after the other, so that not all of them need be held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hyperparameters {
    /// By name, its first value, and of how many trials that is the value.
    seen: BTreeMap<String, (Value, usize)>,
    trial_count: usize,
}

impl Hyperparameters {
    /// The next trial's.
    pub fn take(&mut self, configuration: &Configuration) {
        self.trial_count += 1;
        for (name, value) in configuration {
            match self.seen.get_mut(name) {
                Some((first, holders)) => *holders += usize::from(first.same(value)),
                None => drop(self.seen.insert(name.clone(), (value.clone(), 1))),
            }
        }
    }

    /// Every name, in the order of names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.seen.keys().map(String::as_str)
    }

    /// The names of those that differ between trials, or that a trial lacks.
    pub fn varying(&self) -> Vec<&str> {
        self.names().filter(|name| !self.is_fixed(name)).collect()
    }

    /// Those that have the same value in every trial.
    pub fn fixed(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.seen
            .iter()
            .filter(|(name, _)| self.is_fixed(name))
            .map(|(name, (value, _))| (name.as_str(), value))
    }

    /// With one trial nothing differs, and everything is of interest.
    fn is_fixed(&self, name: &str) -> bool {
        self.trial_count > 1 && self.seen[name].1 == self.trial_count
    }
}
