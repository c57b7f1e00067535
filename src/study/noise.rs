//! What other seeds, and labels without meaning, make of a study's best configurations.

use crate::data::{Dataset, Fold, Targets};
use crate::model::metric::Direction;
use crate::random::{Purpose, Stream};
use crate::sample::Sample;
use serde::{Deserialize, Serialize};

/// Deviations of a difference beyond which a lead is no matter of seeds.
const SURE: f64 = 2.0;

/// Scores of one configuration with several seeds, on the same folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seeds {
    /// The trial that it is the configuration of.
    pub trial: Option<u64>,
    /// (seed) the mean over folds; a training that diverged has none.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation.
    pub standard_deviation: f64,
}

impl Seeds {
    /// Of at least one value; `None` of none.
    pub fn of(trial: Option<u64>, values: Vec<f64>) -> Option<Self> {
        let sample = Sample::of(&values);
        // Of one value nothing is known of how far others are.
        let standard_deviation = if sample.count > 1 { sample.deviation() } else { 0.0 };
        (sample.count > 0).then_some(Self { trial, values, mean: sample.mean, standard_deviation })
    }
}

/// The best trial's lead over the next, beside what seeds do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lead {
    /// The next one, with the same seeds.
    pub next: Seeds,
    /// The difference of what both came to in the study, in the objective's unit; not below 0.
    pub lead: f64,
    /// Of the difference of two single trainings.
    pub standard_deviation: f64,
    /// Whether the lead is within two of those: another seed may well turn it round.
    pub is_within_noise: bool,
}

impl Lead {
    /// Of the two best, with what they came to in the study.
    pub fn of(best: &Seeds, next: Seeds, values: (f64, f64)) -> Self {
        let lead = (values.0 - values.1).abs();
        let standard_deviation = best.standard_deviation.hypot(next.standard_deviation);
        Self { next, lead, standard_deviation, is_within_noise: !(lead > SURE * standard_deviation) }
    }
}

/// What chance gives: the same configurations, trained on labels that were dealt anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Permuted {
    /// Configurations trained on each permutation: the one in question, or all of a study, whose best counts.
    #[serde(default = "one")]
    pub configurations: usize,
    /// (permutation) the best mean over folds.
    pub values: Vec<f64>,
    /// (1 + those at least as good)/(1 + permutations): as the mean over seeds of one configuration, or as the best value
    /// of a study of all (Phipson and Smyth, 2010).
    pub p: f64,
}

/// What was kept before there was a choice is of one.
fn one() -> usize {
    1
}

impl Permuted {
    /// Of so many configurations and permutations, beside a value on the labels as they are. A permutation on which all
    /// diverged has no value, and is no better.
    pub fn of(
        value: f64,
        values: Vec<f64>,
        (configurations, permutations): (usize, usize),
        direction: Direction,
    ) -> Self {
        let as_good = values.iter().filter(|&&other| !direction.better(value, other)).count();
        Self { configurations, values, p: (1 + as_good) as f64 / (1 + permutations) as f64 }
    }
}

/// What was found of a configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// With other seeds.
    pub seeds: Seeds,
    /// What it came to in its study.
    pub value: Option<f64>,
    /// Beside the next best trial, where there is one.
    pub lead: Option<Lead>,
    /// With permuted labels, where any were asked for.
    pub permuted: Option<Permuted>,
}

/// The data with the targets of all rows dealt anew, every fold's own figures of them learned again.
pub fn with_permuted_targets(dataset: &Dataset, seed: u64, number: u32) -> Dataset {
    let stream = Stream::new(seed, Purpose::Report, 1, number, 0);
    let mut order: Vec<u32> = (0..dataset.row_count() as u32).collect();
    order.sort_by_key(|&row| (stream.word(row), row));
    let targets = match &dataset.targets {
        Targets::Classes(classes) => {
            Targets::Classes(order.iter().map(|&row| classes[row as usize]).collect())
        }
        Targets::Values { stored, centre, scale } => Targets::Values {
            stored: order.iter().map(|&row| stored[row as usize]).collect(),
            centre: *centre,
            scale: *scale,
        },
    };
    let mut permuted = Dataset { targets, ..dataset.clone() };
    let rows = dataset.folds.iter().map(|Fold { train, validation, .. }| (train.clone(), validation.clone()));
    let first = permuted.append_folds(rows.collect());
    permuted.folds.drain(..first);
    permuted
}
