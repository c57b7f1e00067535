//! What the diagnoses of what goes on inside models share: which trials are afflicted, and where in the space they lie.

use super::record::{Record, listed};
use super::region::Region;
use crate::diagnosis::{Finding, Severity};
use crate::model::activation;
use crate::space::{Configuration, Value};
use crate::study::inside::{LayerSummary, Look};
use crate::trial::Trial;

/// Share of the trials from which it is said, and from which it is more than a note.
const NOTED: f64 = 0.15;
const WARNED: f64 = 0.3;

/// A trial that was looked into.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// Which.
    pub trial: &'a Trial,
    /// By epoch; at least one.
    pub looks: &'a [Look],
}

impl Seen<'_> {
    /// The last look; the first where there is one alone.
    pub fn last(&self) -> &[LayerSummary] {
        self.looks.last().map_or(&[], |look| &look.layers)
    }

    /// Whether its activation saturates on both sides.
    pub fn saturates(&self) -> bool {
        let Some(Value::Text(name)) = self.trial.configuration.get("activation") else { return false };
        activation::ALL.iter().any(|known| known.name() == name && known.steepest().is_some())
    }
}

/// What a diagnosis says of the trials that it judges.
pub struct Verdict<'a> {
    /// The trials judged, and whether each is afflicted.
    pub judged: Vec<(Seen<'a>, bool)>,
    /// The diagnosis.
    pub name: &'static str,
    /// The most that it may be.
    pub most: Severity,
    /// What the afflicted have, after "so many of so many trials".
    pub seen: &'a dyn Fn(&[Seen<'a>]) -> String,
    /// The likely cause.
    pub cause: &'static str,
    /// What to try.
    pub advice: &'static str,
}

/// Trials that were looked into, by rank.
pub fn seen<'a>(record: &'a Record<'_>) -> impl Iterator<Item = Seen<'a>> {
    record.trials.iter().filter_map(|trial| {
        let looks = record.looks.get(&trial.number).filter(|looks| !looks.is_empty())?;
        Some(Seen { trial, looks })
    })
}

impl Verdict<'_> {
    /// The finding, where enough trials are afflicted: with the part of the space that they lie in.
    pub fn findings(self, record: &Record<'_>) -> Vec<Finding> {
        let afflicted: Vec<Seen<'_>> =
            self.judged.iter().filter(|(_, is)| *is).map(|(seen, _)| *seen).collect();
        let share = afflicted.len() as f64 / self.judged.len().max(1) as f64;
        // Also where it is the winner alone.
        let is_best = self.judged.first().is_some_and(|(_, is)| *is);
        if afflicted.is_empty() || (share < NOTED && !is_best) {
            return Vec::new();
        }
        let configurations: Vec<(&Configuration, bool)> =
            self.judged.iter().map(|(seen, is)| (&seen.trial.configuration, *is)).collect();
        let region = record.plan.space.as_ref().and_then(|space| Region::of(space, &configurations));
        let place = match &region {
            Some(region) => region.counted(),
            None => listed(afflicted.iter().map(|seen| seen.trial)),
        };
        let severity = if share >= WARNED || is_best { self.most } else { Severity::Note };
        let seen = format!("{} of {} trials {}", afflicted.len(), self.judged.len(), (self.seen)(&afflicted));
        let (cause, advice) = (self.cause.to_owned(), self.advice.to_owned());
        vec![Finding { name: self.name, severity, place, seen, cause, advice }]
    }
}
