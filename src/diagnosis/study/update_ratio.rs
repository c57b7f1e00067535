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
    fn applies(&self, record: &Record) -> bool {
        seen(record).any(|seen| ratio(&seen).is_some())
    }
    fn examine(&self, record: &Record) -> Result<Vec<Finding>> {
        let bands: [(fn(f64) -> bool, &str, &str, &str); 2] = [
            (
                |ratio| ratio > MOST,
                "move their weights by more than a tenth of themselves a step",
                "a learning rate near where training diverges",
                "a smaller learning_rate, or a larger batch_size",
            ),
            (
                |ratio| ratio < LEAST,
                "move their weights by less than a ten-thousandth of themselves a step",
                "a learning rate so small that training takes longer than it is given, or gradients that have vanished",
                "a larger learning_rate, or more epochs",
            ),
        ];
        let findings = bands.into_iter().flat_map(|(is_outside, what, cause, advice)| {
            let verdict = Verdict {
                judged: seen(record).filter_map(|seen| Some((seen, is_outside(ratio(&seen)?)))).collect(),
                name: self.name(),
                most: Severity::Note,
                seen: &|afflicted| {
                    let middle = median(afflicted.iter().filter_map(ratio));
                    format!("{what}: {} (median); 0.001 to 0.01 is usual", short(middle))
                },
                cause,
                advice,
            };
            verdict.findings(record)
        });
        Ok(findings.collect())
    }
}
