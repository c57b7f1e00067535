//! Hidden units of tanh or sigmoid that sit at the ends of their range, where slopes are nearly 0.

use super::Diagnosis;
use super::inside::{Seen, Verdict, seen};
use super::record::{Record, median};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;

/// Saturated activations.
pub struct Saturation;

/// Share of (row, unit) pairs of a layer that must be saturated: |a| above 0.95 for tanh.
const SATURATED: f64 = 0.6;

/// The layer that is saturated most, at the last look: its share of saturated pairs and its mean |activation|.
fn most_saturated(seen: &Seen<'_>) -> (f64, f64) {
    let hidden =
        seen.last().iter().filter_map(|layer| Some((layer.closed?, layer.mean_activation.unwrap_or(0.0))));
    hidden.fold((0.0, 0.0), |most, layer| if layer.0 > most.0 { layer } else { most })
}

impl Diagnosis for Saturation {
    fn name(&self) -> &'static str {
        "saturation"
    }
    fn healthy(&self) -> &'static str {
        "tanh and sigmoid work where they have a slope"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        seen(record).any(|seen| seen.saturates())
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let of_kind = seen(record).filter(Seen::saturates);
        let verdict = Verdict {
            judged: of_kind.map(|seen| (seen, most_saturated(&seen).0 >= SATURATED)).collect(),
            name: self.name(),
            most: Severity::Warning,
            seen: &|afflicted| {
                let share = median(afflicted.iter().map(|seen| most_saturated(seen).0));
                let mean = median(afflicted.iter().map(|seen| most_saturated(seen).1));
                format!(
                    "with tanh or sigmoid have a layer that is saturated for {:.0} % of its rows and units, mean \
                     |activation| {mean:.2} (medians)",
                    100.0 * share
                )
            },
            cause: "inputs or weights that are too large: slopes are nearly 0 at the ends of the range, and layers \
                    below hardly learn",
            advice: "scale = \"standard\"; initializer = \"glorot_uniform\"; a smaller learning_rate; weight_decay; or \
                     activation = \"relu\"",
        };
        Ok(verdict.findings(record))
    }
}
