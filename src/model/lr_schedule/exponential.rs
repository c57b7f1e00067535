//! multiplied by decay each epoch, continuously

use super::{LrSchedule, LrScheduleParameters};

/// multiplied by decay each epoch, continuously
pub struct Exponential;

impl LrSchedule for Exponential {
    fn name(&self) -> &'static str {
        "exponential"
    }
    fn summary(&self) -> &'static str {
        "multiplied by decay each epoch, continuously"
    }
    fn factor(&self, parameters: &LrScheduleParameters, epochs: f64, _total: f64) -> f64 {
        parameters.decay.powf(epochs)
    }
}
