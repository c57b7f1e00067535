//! Gradients that grow on their way down, or past all numbers.

use super::Diagnosis;
use super::by_depth::first_by_last;
use super::inside::{Seen, Verdict, seen};
use super::record::Record;
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;

/// Exploding gradients.
pub struct ExplodingGradients;

/// dL/dz of the first layer by that of the output, from which it is said.
const GROWN: f64 = 100.0;

fn is_afflicted(seen: &Seen<'_>) -> bool {
    let overflows = seen.looks.iter().flat_map(|look| &look.layers).any(|layer| layer.not_finite > 0.0);
    overflows || first_by_last(seen).is_some_and(|share| share > GROWN)
}

impl Diagnosis for ExplodingGradients {
    fn name(&self) -> &'static str {
        "exploding_gradients"
    }
    fn healthy(&self) -> &'static str {
        "gradients keep their size from layer to layer"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        seen(record).next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let verdict = Verdict {
            judged: seen(record).map(|seen| (seen, is_afflicted(&seen))).collect(),
            name: self.name(),
            most: Severity::Warning,
            seen: &|_| {
                format!(
                    "have gradients {GROWN} times as large in the first layer as in the last, or infinite"
                )
            },
            cause: "weights so large that every layer multiplies the gradient, at the start or after steps that were too \
                    large",
            advice: "clip_norm = 1.0; a smaller learning_rate; fewer layers; scale = \"standard\"",
        };
        Ok(verdict.findings(record))
    }
}
