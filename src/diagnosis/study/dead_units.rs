//! Units that nothing passes back through, for whatever row: they learn no more.

use super::Diagnosis;
use super::inside::{Seen, Verdict, seen};
use super::record::{Record, median};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;

/// Dead units.
pub struct DeadUnits;

/// Share of a layer's units that must be dead. Some are in most trained networks of rectifiers.
const DEAD: f64 = 0.4;

/// The largest share of dead units among the hidden layers, at the last look.
pub(super) fn dead(seen: &Seen<'_>) -> f64 {
    let share = |dead: u32, units: u32| f64::from(dead) / f64::from(units.max(1));
    let hidden = seen.last().iter().filter(|layer| layer.closed.is_some());
    hidden.map(|layer| share(layer.dead_count, layer.unit_count)).fold(0.0, f64::max)
}

/// Whether so many units of a layer are dead, of an activation that saturates on one side alone.
pub(super) fn is_afflicted(seen: &Seen<'_>) -> bool {
    !seen.saturates() && dead(seen) >= DEAD
}

impl Diagnosis for DeadUnits {
    fn name(&self) -> &'static str {
        "dead_units"
    }
    fn healthy(&self) -> &'static str {
        "units pass gradients back for some rows"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        seen(record).next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let verdict = Verdict {
            judged: seen(record).map(|seen| (seen, is_afflicted(&seen))).collect(),
            name: self.name(),
            most: Severity::Warning,
            seen: &|afflicted| {
                let share = median(afflicted.iter().map(dead));
                format!("end with a layer of which {:.0} % of the units are dead (median)", 100.0 * share)
            },
            cause: "a step that was too large, or a bias, has pushed pre-activations below 0 for every row: the slope \
                    there is 0, and nothing pulls them back",
            advice: "a smaller learning_rate or clip_norm = 1.0; activation = \"leaky_relu\", \"elu\" or \"gelu\"; \
                     scale = \"standard\"",
        };
        Ok(verdict.findings(record))
    }
}
