//! Rungs in integers: budgets that grow by a factor or by equal steps, and the epochs they mean.
//!
//! No logarithm is taken: ⌊ln 243 / ln 3⌋ is 4 in floating point, and a rung is lost.

use super::Settings;
use crate::setting::Setting;

/// How much longer the survivors of a rung train.
pub const REDUCTION_FACTOR: Setting = Setting {
    name: "reduction_factor",
    summary: "one trial in so many survives a rung, and trains so many times as long",
    default: 3.0,
    low: 2.0,
    high: 1000.0,
    whole: true,
};

/// The smallest budget.
pub const MIN_EPOCHS: Setting = Setting {
    name: "min_epochs",
    summary: "no trial is stopped before so many epochs",
    default: 1.0,
    low: 1.0,
    high: 1e6,
    whole: true,
};

/// Where the first rung is, for rungs at equal steps.
pub const WARMUP_EPOCHS: Setting = Setting {
    name: "warmup_epochs",
    summary: "no trial is stopped before so many epochs",
    default: 5.0,
    low: 1.0,
    high: 1e6,
    whole: true,
};

/// Epochs from one rung to the next, for rungs at equal steps.
pub const INTERVAL: Setting = Setting {
    name: "interval",
    summary: "trials are compared every so many epochs",
    default: 5.0,
    low: 1.0,
    high: 1e6,
    whole: true,
};

/// What a budget of one is.
pub const RUNG_STEPS: Setting = Setting {
    name: "rung_steps",
    summary: "rungs count units of so many steps instead of epochs; 0: epochs",
    default: 0.0,
    low: 0.0,
    high: 1e12,
    whole: true,
};

/// The budgets of rungs, ascending, and what a budget of one is.
pub struct Ladder {
    budgets: Vec<u32>,
    /// Steps of a budget of one; `None`: an epoch.
    unit: Option<u64>,
    max_epochs: u32,
}

impl Ladder {
    /// Rungs at max, max/η, max/η², … down to the smallest budget; the one at max is the end, no rung.
    pub fn geometric(settings: &Settings) -> Self {
        let (min, factor) = (settings.chosen.count(&MIN_EPOCHS), settings.chosen.count(&REDUCTION_FACTOR));
        Self::new(descending(min as u32, settings.max_epochs, factor as u32), settings)
    }

    /// Rungs at the warm-up and at equal steps from there on.
    pub fn even(settings: &Settings) -> Self {
        let first = settings.chosen.count(&WARMUP_EPOCHS) as u32;
        let interval = settings.chosen.count(&INTERVAL) as usize;
        Self::new((first..settings.max_epochs).step_by(interval).collect(), settings)
    }

    fn new(budgets: Vec<u32>, settings: &Settings) -> Self {
        let unit = Some(settings.chosen.count(&RUNG_STEPS)).filter(|steps| *steps > 0);
        Self { budgets, unit, max_epochs: settings.max_epochs }
    }

    /// Number of budgets.
    pub fn len(&self) -> usize {
        self.budgets.len()
    }

    /// The last so many budgets for people: `1, 3, 9 epochs`.
    pub fn text(&self, last: usize) -> String {
        let budgets: Vec<String> = self.budgets[self.len() - last..].iter().map(u32::to_string).collect();
        let unit = self.unit.map_or("epochs".to_owned(), |steps| format!("times {steps} steps"));
        if budgets.is_empty() { "no epoch".to_owned() } else { format!("{} {unit}", budgets.join(", ")) }
    }

    /// The last so many rungs as epochs of a trial: those of a budget in steps are the first end of an epoch
    /// at or after it, and no two rungs fall on the same epoch.
    pub fn epochs(&self, last: usize, steps_per_epoch: u64) -> Vec<u32> {
        let budgets = &self.budgets[self.len() - last..];
        let Some(unit) = self.unit else { return budgets.to_vec() };
        let mut before = 0;
        let epochs = budgets.iter().map(|budget| {
            let epochs = u64::from(*budget).saturating_mul(unit).div_ceil(steps_per_epoch.max(1));
            before = epochs.max(before + 1);
            before
        });
        epochs
            .map_while(|epochs| u32::try_from(epochs).ok().filter(|epochs| *epochs < self.max_epochs))
            .collect()
    }
}

/// ⌊max/ηˢ⌋, …, ⌊max/η²⌋, ⌊max/η⌋, the first of them at least `min`: exactly log_η(max/min) where that is whole.
pub fn descending(min: u32, max: u32, factor: u32) -> Vec<u32> {
    let mut budgets = Vec::new();
    let mut divisor = u64::from(factor);
    while u64::from(max) / divisor >= u64::from(min.max(1)) {
        budgets.push((u64::from(max) / divisor) as u32);
        divisor *= u64::from(factor);
    }
    budgets.reverse();
    budgets
}
