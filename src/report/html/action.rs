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
    let (table, target, names) =
        (&outside.table, outside.encoder().target_name(), outside.encoder().class_names());
    let columns: Vec<usize> =
        (0..).zip(table.column_names()).filter(|(_, name)| *name != target).map(|(at, _)| at).collect();
    let judged = Judged::of(outside);
    let width = names.len().max(1);
    let row = |at: usize| {
        let numbers = &judged.numbers[at * width..(at + 1) * width];
        let place = outside.prepared.rows[judged.rows[at] as usize] as usize;
        let cells = columns.iter().map(|&column| table.cell(place, column).parse::<f64>().unwrap_or(0.0));
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
            "cells": cells.collect::<Vec<f64>>(),
        })
    };
    spread(judged.rows.len(), PICTURES).map(row).collect()
}
