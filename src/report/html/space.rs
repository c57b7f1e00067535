//! The page of the space: every trial, and where in the space the good ones are.

use super::{Page, Subject};
use crate::diagnosis::study::verdict::UNKNOWN;
use crate::report::importance::{self, Importance};
use serde_json::{Value, json};

/// Leaderboard, parallel coordinates, importance, slices, surfaces of two hyperparameters, and the map of kernel machines.
pub struct SpacePage;

impl Page for SpacePage {
    fn name(&self) -> &'static str {
        "space"
    }
    fn title(&self) -> &'static str {
        "Space"
    }
    fn script(&self) -> &'static str {
        include_str!("assets/pages/space.js")
    }

    fn data(&self, subject: &Subject) -> Option<Value> {
        let board = &subject.board;
        // All else is what all pages share; the map of kernel machines is over these two.
        let map = subject.is_of_machines().then_some(["gamma", "c"]);
        let importance = Importance::of_trials(&subject.space, board.title.direction, &board.trials);
        let summaries: Vec<&str> = importance::ALL.iter().map(|measure| measure.summary()).collect();
        let verdicts = verdicts(subject);
        Some(json!({ "map": map, "importance": importance, "summaries": summaries, "verdicts": verdicts }))
    }
}

/// What the curves of trials say, by number; `None` where they say nothing of any.
fn verdicts(subject: &Subject) -> Option<Value> {
    subject.stored.as_ref()?;
    let known = subject.results().ok()?.verdicts.iter().filter(|(_, (name, _))| *name != UNKNOWN);
    let known: serde_json::Map<String, Value> = known
        .map(|(number, (name, seen))| (number.to_string(), json!({ "name": name, "seen": seen })))
        .collect();
    (!known.is_empty()).then_some(Value::Object(known))
}
