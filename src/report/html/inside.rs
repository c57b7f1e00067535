//! The page of what goes on inside: the layers of the best trial over its epochs, and across the space who died.

use super::{Page, Subject, missing};
use crate::error::{Error, Result};
use crate::report::inside as seen;
use crate::study::inside::{LayerSummary, Look};
use crate::study::store::Store;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Histograms, dead units, saturation and updates.
pub struct Inside;

impl Page for Inside {
    fn name(&self) -> &'static str {
        "inside"
    }
    fn title(&self) -> &'static str {
        "Inside"
    }
    fn script(&self) -> &'static str {
        include_str!("assets/pages/inside.js")
    }

    fn data(&self, subject: &Subject) -> Option<Value> {
        if subject.stored.is_none() || subject.is_of_machines() {
            return None;
        }
        Some(of_study(subject).unwrap_or_else(|error| json!({ "missing": missing(&error) })))
    }
}

fn of_study(subject: &Subject) -> Result<Value> {
    let looks = Store::read(&subject.folder)?.inside(None)?;
    // The best trial that was looked into.
    let best = subject.board.trials.iter().find(|trial| looks.iter().any(|look| look.trial == trial.number));
    let Some(best) = best else {
        return Err(Error::store(subject.folder.display(), "nothing was looked at inside its trials")
            .allowed("a study of networks, tuned with --histograms best:N or all")
            .advice("the study anew in another folder"));
    };
    let inside = seen::Inside::open(&subject.folder, Some(best.number))?;
    Ok(json!({ "best": inside.json(), "trials": last_looks(&looks) }))
}

/// What each trial had come to at its last look: the worst of its layers.
fn last_looks(looks: &[Look]) -> Vec<Value> {
    let mut last: BTreeMap<u64, &Look> = BTreeMap::new();
    for look in looks {
        let known = last.entry(look.trial).or_insert(look);
        if look.epoch >= known.epoch {
            *known = look;
        }
    }
    let one = |(trial, look): (&u64, &&Look)| {
        let most = |of: &dyn Fn(&LayerSummary) -> Option<f64>| {
            look.layers
                .iter()
                .filter_map(of)
                .filter(|share| !share.is_nan())
                .fold(None, |most: Option<f64>, share| Some(most.map_or(share, |most| most.max(share))))
        };
        json!({
            "trial": trial,
            "dead": most(&|layer| layer.closed.map(|_| f64::from(layer.dead_count) / f64::from(layer.unit_count.max(1)))),
            "closed": most(&|layer| layer.closed),
            "update_ratio": most(&|layer| layer.update_ratio),
        })
    };
    last.iter().map(one).collect()
}
