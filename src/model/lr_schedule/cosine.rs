//! (1 + cos(pi epochs/total))/2 (Loshchilov and Hutter, 2017, without restarts)

use super::{LrSchedule, LrScheduleParameters};

/// (1 + cos(pi epochs/total))/2 (Loshchilov and Hutter, 2017, without restarts)
pub struct Cosine;

impl LrSchedule for Cosine {
    fn name(&self) -> &'static str {
        "cosine"
    }
    fn summary(&self) -> &'static str {
        "(1 + cos(pi epochs/total))/2 (Loshchilov and Hutter, 2017, without restarts)"
    }
    fn factor(&self, _: &LrScheduleParameters, epochs: f64, total: f64) -> f64 {
        0.5 * (1.0 + (std::f64::consts::PI * (epochs / total).min(1.0)).cos())
    }
}
