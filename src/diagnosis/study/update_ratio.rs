//! How far a step moves the weights, as a share of them: a band that is usual, not a verdict.

use super::Diagnosis;
use super::inside::{Seen, Verdict, seen};
use super::record::{Record, median};
use super::region::short;
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;

/// Steps out of proportion.
pub struct UpdateRatio;

/// Usual is 10⁻³ to 10⁻²; these are ten times outside of that.
const LEAST: f64 = 1e-4;
const MOST: f64 = 1e-1;

/// Ratios on one side of what is usual.
struct Band {
    holds: fn(f64) -> bool,
    seen: &'static str,
    cause: &'static str,
    advice: &'static str,
}

const BANDS: [Band; 2] = [
    Band {
        holds: |ratio| ratio > MOST,
        seen: "move their weights by more than a tenth of themselves a step",
        cause: "a learning rate near where training diverges",
        advice: "a smaller learning_rate, or a larger batch_size",
    },
    Band {
        holds: |ratio| ratio < LEAST,
        seen: "move their weights by less than a ten-thousandth of themselves a step",
        cause: "a learning rate so small that training takes longer than it is given, or gradients that have vanished",
        advice: "a larger learning_rate, or more epochs",
    },
];

/// ‖Δw‖/‖w‖, the median over layers and looks, the one before training left out: that step is like no other.
fn ratio(seen: &Seen<'_>) -> Option<f64> {
    let trained = seen.looks.iter().filter(|look| look.epoch > 0);
    let ratios: Vec<f64> =
        trained.flat_map(|look| &look.layers).filter_map(|layer| layer.update_ratio).collect();
    (!ratios.is_empty()).then(|| median(ratios))
}

impl Diagnosis for UpdateRatio {
    fn name(&self) -> &'static str {
        "update_ratio"
    }
    fn healthy(&self) -> &'static str {
        "steps are small beside the weights, and not too small"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        seen(record).any(|seen| ratio(&seen).is_some())
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let findings = BANDS.iter().flat_map(|band| {
            let verdict = Verdict {
                judged: seen(record).filter_map(|seen| Some((seen, (band.holds)(ratio(&seen)?)))).collect(),
                name: self.name(),
                most: Severity::Note,
                seen: &|afflicted| {
                    let middle = median(afflicted.iter().filter_map(ratio));
                    format!("{}: {} (median); 0.001 to 0.01 is usual", band.seen, short(middle))
                },
                cause: band.cause,
                advice: band.advice,
            };
            verdict.findings(record)
        });
        Ok(findings.collect())
    }
}
