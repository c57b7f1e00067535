//! Parameters that most minibatches say nothing of.

use super::inside::{Seen, Verdict, seen};
use super::record::{Record, median};
use super::{Diagnosis, dead_units};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;

/// Parameters that are rarely updated.
pub struct RarelyUpdated;

/// Share of a layer's parameters whose gradient is 0 in a minibatch, from which it is said.
const STILL: f64 = 0.6;

/// The layer with the largest share, the median over looks.
fn still(seen: &Seen<'_>) -> f64 {
    let count = seen.last().len();
    let of_layer = |layer: usize| {
        let looks = seen.looks.iter().filter_map(|look| look.layers.get(layer));
        median(looks.map(|layer| layer.zero_gradients))
    };
    (0..count).map(of_layer).fold(0.0, f64::max)
}

impl Diagnosis for RarelyUpdated {
    fn name(&self) -> &'static str {
        "rarely_updated"
    }
    fn healthy(&self) -> &'static str {
        "minibatches reach most parameters"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        seen(record).next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let alive = seen(record).filter(|seen| !dead_units::is_afflicted(seen));
        let verdict = Verdict {
            judged: alive.map(|seen| (seen, still(&seen) >= STILL)).collect(),
            name: self.name(),
            most: Severity::Note,
            seen: &|afflicted| {
                let share = median(afflicted.iter().map(still));
                format!(
                    "have a layer of which {:.0} % of the parameters get no gradient from a minibatch (median)",
                    100.0 * share
                )
            },
            cause: "inputs that are 0 in most rows, such as rare categories or the borders of images, or units that few \
                    rows open",
            advice: "a larger batch_size; rare categories left out; optimizer = \"adagrad\", which steps further where \
                     gradients are rare",
        };
        Ok(verdict.findings(record))
    }
}
