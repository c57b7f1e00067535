//! the learning rate as given

use super::{LrSchedule, LrScheduleParameters};

/// the learning rate as given
pub struct Constant;

impl LrSchedule for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }
    fn summary(&self) -> &'static str {
        "the learning rate as given"
    }
    fn factor(&self, _: &LrScheduleParameters, _epochs: f64, _total: f64) -> f64 {
        1.0
    }
    fn is_constant(&self) -> bool {
        true
    }
}
