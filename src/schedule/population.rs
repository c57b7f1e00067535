//! Population-based training (Jaderberg et al., "Population based training of neural networks", 2017): every
//! few epochs, the trials of the bottom quantile of a population take over the weights and the optimizer's state
//! of trials of the top quantile, and go on with their hyperparameters, changed a little.
//!
//! With m trials that have come to a rung, k = ⌊quantile·m⌋: each of the last k takes over one of the first k,
//! drawn uniformly (truncation selection). A trial is ranked by its best mean since it last took over; the
//! lower number wins a tie. Every `population_size` trials are a population of their own. How hyperparameters
//! change is in `study/succession.rs`.

use super::ladder::INTERVAL;
use super::{Decision, Place, Records, Schedule, ScheduleKind, Settings};
use crate::random::{Purpose, Stream};
use crate::setting::Setting;
use std::ops::Range;

/// Keeps the draws of donors apart from those of strategies.
const LAYER: usize = 2001;

const POPULATION_SIZE: Setting = Setting {
    name: "population_size",
    summary: "so many trials train side by side",
    default: 20.0,
    low: 2.0,
    high: 1e4,
    whole: true,
};

const QUANTILE: Setting = Setting {
    name: "quantile",
    summary: "this share of a population, the worst, takes over from the same share, the best",
    default: 0.25,
    low: 0.0,
    high: 0.5,
    whole: false,
};

const RESAMPLE: Setting = Setting {
    name: "resample",
    summary: "a hyperparameter is drawn anew with this probability, else multiplied by 1.2 or 0.8",
    default: 0.25,
    low: 0.0,
    high: 1.0,
    whole: false,
};

/// Population-based training.
pub struct Population;

impl ScheduleKind for Population {
    fn name(&self) -> &'static str {
        "population"
    }
    fn summary(&self) -> &'static str {
        "the worst trials take over the weights of the best, and change their hyperparameters"
    }
    fn takes_over(&self) -> bool {
        true
    }
    fn settings(&self) -> &'static [Setting] {
        &[POPULATION_SIZE, INTERVAL, QUANTILE, RESAMPLE]
    }
    fn create(&self, settings: &Settings) -> Box<dyn Schedule> {
        let chosen = &settings.chosen;
        Box::new(PopulationBased {
            size: chosen.count(&POPULATION_SIZE),
            interval: chosen.count(&INTERVAL) as u32,
            quantile: chosen.value(&QUANTILE),
            resample: chosen.value(&RESAMPLE),
            max_epochs: settings.max_epochs,
            seed: settings.seed,
        })
    }
}

struct PopulationBased {
    size: u64,
    interval: u32,
    quantile: f64,
    resample: f64,
    max_epochs: u32,
    seed: u64,
}

impl PopulationBased {
    /// One of so many, by the trial and the rung.
    fn draw(&self, number: u64, rung: usize, count: usize) -> usize {
        let stream = Stream::new(self.seed, Purpose::Search, LAYER, rung as u32, number as u32);
        let word = stream.word((number >> 32) as u32);
        ((u64::from(word) * count as u64) >> 32) as usize
    }
}

impl Schedule for PopulationBased {
    fn cohort(&self, number: u64) -> Range<u64> {
        let first = number / self.size * self.size;
        first..first + self.size
    }
    fn rungs(&self, _: u64, _: u64) -> Vec<u32> {
        (self.interval..self.max_epochs).step_by(self.interval as usize).collect()
    }
    fn decide(&self, records: &Records, number: u64, rung: usize) -> Option<Decision> {
        let mut ranked = Vec::new();
        let numbers = self.cohort(number);
        for other in numbers.start..records.end().unwrap_or(u64::MAX).min(numbers.end) {
            match records.place(other, rung) {
                Place::Ahead => return None,
                // Those that have ended train no more, and their weights are gone.
                Place::At(loss) => ranked.push((loss, other)),
                _ => {}
            }
        }
        ranked.sort_by(|(a, one), (b, other)| a.total_cmp(b).then(one.cmp(other)));
        let count = (self.quantile * ranked.len() as f64) as usize;
        let rank = ranked.iter().position(|(_, other)| *other == number)?;
        if rank < ranked.len() - count {
            return Some(Decision::Continue);
        }
        let (_, donor) = ranked[self.draw(number, rung, count)];
        Some(Decision::TakeOver { donor, resample: self.resample })
    }
    fn looks_back_to(&self, number: u64) -> u64 {
        self.cohort(number).start
    }
}
