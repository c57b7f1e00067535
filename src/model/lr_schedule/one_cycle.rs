//! from 1/25 up to 1 over 30 % of the epochs, down to 4e-6 over the rest, both along cosines (Smith and Topin, 2018)

use super::{LrSchedule, LrScheduleParameters};

/// from 1/25 up to 1 over 30 % of the epochs, down to 4e-6 over the rest, both along cosines (Smith and Topin, 2018)
pub struct OneCycle;

impl LrSchedule for OneCycle {
    fn name(&self) -> &'static str {
        "one_cycle"
    }
    fn summary(&self) -> &'static str {
        "from 1/25 up to 1 over 30 % of the epochs, down to 4e-6 over the rest, both along cosines (Smith and Topin, 2018)"
    }
    fn factor(&self, _: &LrScheduleParameters, epochs: f64, total: f64) -> f64 {
        const RISE: f64 = 0.3;
        const START: f64 = 1.0 / 25.0;
        const END: f64 = START / 1e4;
        let progress = (epochs / total).min(1.0);
        let between = |from: f64, to: f64, share: f64| {
            to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
        };
        if progress < RISE {
            between(START, 1.0, progress / RISE)
        } else {
            between(1.0, END, (progress - RISE) / (1.0 - RISE))
        }
    }
}
