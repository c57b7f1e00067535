//! Gradients that fade on their way down: the first layers hardly learn.

use super::by_depth::first_by_last;
use super::inside::{Verdict, seen};
use super::record::{Record, median};
use super::region::short;
use super::{Diagnosis, dead_units};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;

/// Vanishing gradients.
pub struct VanishingGradients;

/// dL/dz of the first layer by that of the output, from which it is said: a healthy network of two to four hidden
/// layers is between 0.01 and 1.
const FADED: f64 = 1e-3;

impl Diagnosis for VanishingGradients {
    fn name(&self) -> &'static str {
        "vanishing_gradients"
    }
    fn healthy(&self) -> &'static str {
        "gradients reach the first layer"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        seen(record).any(|seen| first_by_last(&seen).is_some())
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        // Where units are dead nothing passes either, and that has a finding of its own.
        let alive = seen(record).filter(|seen| !dead_units::is_afflicted(seen));
        let verdict = Verdict {
            judged: alive.filter_map(|seen| Some((seen, first_by_last(&seen)? < FADED))).collect(),
            name: self.name(),
            most: Severity::Warning,
            seen: &|afflicted| {
                let share = median(afflicted.iter().filter_map(first_by_last));
                format!("have gradients in the first layer of {} of those in the last (median)", short(share))
            },
            cause: "every layer multiplies the gradient by its weights and slopes, and the product of many numbers below \
                    1 is next to nothing",
            advice: "activation = \"relu\" or \"gelu\" instead of sigmoid or tanh; fewer layers; initializer = \
                     \"he_normal\" for relu, \"glorot_uniform\" for tanh",
        };
        Ok(verdict.findings(record))
    }
}
