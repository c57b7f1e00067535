//! The page of the model in action: what it says of rows that it had not trained on, and of changed ones.

use super::{Page, Subject, missing, pictures};
use crate::model::metric::most_probable;
use crate::report::action::{self, Judged, spread};
use crate::study::outside::Outside;
use serde_json::{Value, json};

/// Images with what is said of them, confusion, calibration, residuals, segments, partial dependence, decision regions.
pub struct Action;

/// Images that are shown.
const PICTURES: usize = 24;

impl Page for Action {
    fn name(&self) -> &'static str {
        "action"
    }
    fn title(&self) -> &'static str {
        "In action"
    }
    fn script(&self) -> &'static str {
        include_str!("assets/pages/action.js")
    }

    fn data(&self, subject: &Subject) -> Option<Value> {
        subject.stored.as_ref()?;
        Some(match subject.outside() {
            Ok(outside) => {
                let size = pictures::size(&outside.table, outside.encoder());
                let pictures = size
                    .map(|size| json!({ "width": size.width, "height": size.height, "rows": rows(outside) }));
                json!({
                    "trial": outside.trial,
                    "target": outside.encoder().target_name(),
                    "pictures": pictures,
                    "action": action::Action::new(outside, size.is_some()),
                })
            }
            Err(error) => json!({ "missing": missing(error) }),
        })
    }
}

/// Some rows as images, spread evenly over all that the models had not trained on.
fn rows(outside: &Outside) -> Vec<Value> {
    let (table, encoder) = (&outside.table, outside.encoder());
    let (names, learned) = (encoder.class_names(), pictures::learned(table, encoder));
    let judged = Judged::of(outside);
    let width = names.len().max(1);
    let row = |at: usize| {
        let numbers = &judged.numbers[at * width..(at + 1) * width];
        let place = outside.prepared.rows[judged.rows[at] as usize] as usize;
        let (own, said) = match names.is_empty() {
            true => (json!(judged.own[at]), json!(numbers[0])),
            false => (json!(names[judged.own[at] as usize]), json!(names[most_probable(numbers)])),
        };
        json!({
            "row": place,
            "line": table.line(place),
            "own": own,
            "said": said,
            "probability": (!names.is_empty()).then(|| numbers[most_probable(numbers)]),
            "cells": pictures::pixels(table, place, &learned),
        })
    };
    spread(judged.rows.len(), PICTURES).map(row).collect()
}
