//! Learning curves in characters: how the mean validation score of each trial of a table went, epoch by epoch.

use crate::trial::Trial;

/// From the lowest value to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Where there is no number.
pub(super) const GAP: char = ' ';
/// Characters of the longest curve.
const WIDTH: usize = 16;
/// This share of all values at either end is drawn like what is just inside: one that ran away hides no other.
const TAIL: f64 = 0.05;

/// What the curves of a table have in common: the same height is the same score, the same place the same epoch.
pub struct Sparklines {
    low: f64,
    high: f64,
    /// Epochs of the longest curve.
    epoch_count: usize,
}

impl Sparklines {
    /// For these trials; `None` where none has trained for two epochs.
    pub fn of(trials: &[Trial]) -> Option<Self> {
        Self::of_curves(&trials.iter().map(|trial| trial.history.mean_values()).collect::<Vec<_>>())
    }

    /// For curves of (epoch) values, under the same condition.
    pub fn of_curves(curves: &[Vec<f64>]) -> Option<Self> {
        let epoch_count = curves.iter().map(Vec::len).max().filter(|&count| count > 1)?;
        let finite = curves.iter().flatten().copied().filter(|value| value.is_finite());
        let mut values: Vec<f64> = finite.collect();
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |share: f64| values[(share * last as f64).round() as usize];
        Some(Self { low: at(TAIL), high: at(1.0 - TAIL), epoch_count })
    }

    /// The curve of a trial, as wide as all others.
    pub fn text(&self, trial: &Trial) -> String {
        self.curve(&trial.history.mean_values())
    }

    /// A curve, as wide as all others.
    pub fn curve(&self, values: &[f64]) -> String {
        let width = self.epoch_count.min(WIDTH);
        let epoch = |place: usize| (place * self.epoch_count / width).min(values.len());
        (0..width).map(|place| self.bar(&values[epoch(place)..epoch(place + 1)])).collect()
    }

    /// The mean of what is finite of some epochs.
    fn bar(&self, values: &[f64]) -> char {
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        if finite.is_empty() {
            return GAP;
        }
        let mean = finite.iter().map(|value| value / finite.len() as f64).sum::<f64>();
        let share = (mean - self.low) / (self.high - self.low);
        // All values are equal: a line in the middle.
        let share = if share.is_finite() { share } else { 0.5 };
        bar(share)
    }
}

/// The bar of a share from 0 to 1; what lies beyond is drawn like the nearer end.
pub(super) fn bar(share: f64) -> char {
    BARS[((share * BARS.len() as f64).max(0.0) as usize).min(BARS.len() - 1)]
}
