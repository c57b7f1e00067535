//! multiplied by decay every step_epochs

use super::{LrSchedule, LrScheduleParameters};

/// multiplied by decay every step_epochs
pub struct Step;

impl LrSchedule for Step {
    fn name(&self) -> &'static str {
        "step"
    }
    fn summary(&self) -> &'static str {
        "multiplied by decay every step_epochs"
    }
    fn factor(&self, parameters: &LrScheduleParameters, epochs: f64, _total: f64) -> f64 {
        parameters.decay.powf((epochs / parameters.step_epochs).floor())
    }
}
