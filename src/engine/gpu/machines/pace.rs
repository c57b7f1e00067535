//! How many passes a submission takes, so that it stays within some 50 ms. No number depends on it.

use super::problem::Form;
use super::sources::Bases;

/// Problems that a device works on at a time, roughly.
const AT_A_TIME: f64 = 128.0;
/// The same in software.
const AT_A_TIME_SOFTWARE: f64 = 2.0;
/// What a pass takes beside its rows, in vec4 of rows.
const PASS: f64 = 100.0;
/// Features whose distance takes as long as a stored base's way into a pass.
const FEATURES: f64 = 0.5;
/// Most growth of the estimate at a time: what ended early tells little.
const GROWTH: f64 = 4.0;
/// Passes of one problem in one submission at most.
const MOST_PASSES: f64 = 1e6;

/// What was seen of the device's speed, in vec4 of rows a second.
pub struct Pace {
    rate: f64,
    at_a_time: f64,
    /// How long submissions should take.
    pub seconds: f64,
}

impl Pace {
    /// A careful first guess.
    pub fn new(is_software: bool, seconds: f64) -> Self {
        let (rate, at_a_time) = if is_software { (1e6, AT_A_TIME_SOFTWARE) } else { (1e7, AT_A_TIME) };
        Self { rate, at_a_time, seconds }
    }

    /// How often the problems of a submission share the device.
    fn turns(&self, problems: usize) -> f64 {
        (problems as f64 / self.at_a_time).max(1.0)
    }

    /// Work of one problem, beside so many.
    pub fn work(&self, problems: usize) -> f64 {
        self.rate * self.seconds / self.turns(problems)
    }

    /// Passes of a problem within so much work.
    pub fn budget(work: f64, form: &Form, bases: Bases, feature_count: usize) -> u32 {
        let base = match bases {
            Bases::Stored => 1.0,
            Bases::Computed => 1.0 + feature_count as f64 / FEATURES,
        };
        let pass = PASS + (form.quads() * form.layers()) as f64 * base;
        (work / pass).clamp(1.0, MOST_PASSES) as u32
    }

    /// Learns from a submission in which some problem used all of its work.
    pub fn learn(&mut self, work: f64, problems: usize, seconds: f64) {
        let seen = work * self.turns(problems) / seconds.max(1e-6);
        self.rate = seen.clamp(self.rate / GROWTH, self.rate * GROWTH);
    }
}
