//! Learns each fold's transforms from its training rows alone, and takes predictions back to the
//! target's own unit.
//!
//! With shift a and factor b, what a model reads of a stored number x is (x − a)·b.
//!
//! | rule | a | b |
//! |---|---|---|
//! | as is | 0 | 1 |
//! | standard | mean | 1 / standard deviation |
//! | minmax | smallest | 1 / (largest − smallest) |
//!
//! A column that is constant in the training rows gets b = 0: nothing was learned of it, so it may not
//! act on other rows. A missing number becomes the median of the training rows where a column has
//! missing numbers at all, else their mean (both then scaled). Statistics are computed in f64. A stored
//! number is (value − centre)/scale of the whole column; that cancels in a and b, so no fold learns
//! anything from rows outside its training rows.

use super::options::Scale;
use super::{Dataset, Fold, Targets, Task, Transform};
use serde::{Deserialize, Serialize};

/// How the transform of a feature is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    AsIs,
    Standard,
    Minmax,
    /// Standard, but one mean and deviation for all features of this rule: the pixels of images are one
    /// quantity, and a pixel that is hardly ever lit must not be blown up to unit deviation.
    StandardTogether,
    MinmaxTogether,
}

impl Rule {
    const ALL: [Self; 5] =
        [Self::AsIs, Self::Standard, Self::Minmax, Self::StandardTogether, Self::MinmaxTogether];

    pub fn of(scale: Scale, together: bool) -> Self {
        match (scale, together) {
            (Scale::None, _) => Self::AsIs,
            (Scale::Standard, false) => Self::Standard,
            (Scale::Standard, true) => Self::StandardTogether,
            (Scale::Minmax, false) => Self::Minmax,
            (Scale::Minmax, true) => Self::MinmaxTogether,
        }
    }

    fn is_together(self) -> bool {
        matches!(self, Self::StandardTogether | Self::MinmaxTogether)
    }
}

/// What the training rows say of one feature.
#[derive(Clone, Copy, Debug)]
struct Statistics {
    count: usize,
    mean: f64,
    /// Mean squared distance from the mean.
    variance: f64,
    smallest: f64,
    largest: f64,
    /// Where the column has missing numbers.
    median: Option<f64>,
}

impl Statistics {
    const NONE: Self = Self {
        count: 0,
        mean: 0.0,
        variance: 0.0,
        smallest: f64::INFINITY,
        largest: f64::NEG_INFINITY,
        median: None,
    };

    fn is_constant(&self) -> bool {
        self.smallest >= self.largest
    }

    /// The transform of a feature; `unit` holds the statistics that give shift and factor.
    fn transform(&self, rule: Rule, unit: &Self) -> Transform {
        let (shift, factor) = match rule {
            Rule::AsIs => (0.0, 1.0),
            Rule::Standard | Rule::StandardTogether => (unit.mean, 1.0 / unit.variance.sqrt()),
            Rule::Minmax | Rule::MinmaxTogether => (unit.smallest, 1.0 / (unit.largest - unit.smallest)),
        };
        if self.is_constant() || !(factor as f32).is_finite() {
            return Transform { shift: 0.0, scale: 0.0, fill: 0.0 };
        }
        let fill = (self.median.unwrap_or(self.mean) - shift) * factor;
        Transform { shift: shift as f32, scale: factor as f32, fill: fill as f32 }
    }
}

/// (feature) Statistics over the given rows; medians for the features of `with_median`.
fn statistics(dataset: &Dataset, rows: &[u32], with_median: &[bool]) -> Vec<Statistics> {
    let mut all = vec![Statistics::NONE; dataset.feature_count];
    // Row by row, as the matrix lies in memory; means first, then distances from them.
    for &row in rows {
        for (feature, &stored) in all.iter_mut().zip(dataset.row(row)) {
            if !stored.is_nan() {
                let value = f64::from(stored);
                feature.count += 1;
                feature.mean += value;
                feature.smallest = feature.smallest.min(value);
                feature.largest = feature.largest.max(value);
            }
        }
    }
    all.iter_mut().for_each(|feature| feature.mean /= feature.count.max(1) as f64);
    for &row in rows {
        for (feature, &stored) in all.iter_mut().zip(dataset.row(row)) {
            if !stored.is_nan() {
                feature.variance += (f64::from(stored) - feature.mean).powi(2);
            }
        }
    }
    for (index, feature) in all.iter_mut().enumerate() {
        feature.variance /= feature.count.max(1) as f64;
        if with_median[index] && feature.count > 0 {
            feature.median = Some(median(dataset, rows, index));
        }
    }
    all
}

/// The median of a feature over rows of which at least one has it.
fn median(dataset: &Dataset, rows: &[u32], feature: usize) -> f64 {
    let mut values: Vec<f32> =
        rows.iter().map(|&row| dataset.row(row)[feature]).filter(|value| !value.is_nan()).collect();
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    let upper = f64::from(*upper);
    match below.iter().copied().max_by(f32::total_cmp) {
        Some(lower) if even => (f64::from(lower) + upper) / 2.0,
        _ => upper,
    }
}

/// One statistic for several features: that of all their numbers.
fn together<'a>(features: impl Iterator<Item = &'a Statistics> + Clone) -> Statistics {
    let count: usize = features.clone().map(|feature| feature.count).sum();
    let weigh = |of: &dyn Fn(&Statistics) -> f64| -> f64 {
        features.clone().map(|feature| of(feature) * feature.count as f64).sum::<f64>() / count.max(1) as f64
    };
    let mean = weigh(&|feature| feature.mean);
    Statistics {
        count,
        mean,
        variance: weigh(&|feature| feature.variance + (feature.mean - mean).powi(2)),
        smallest: features.clone().map(|feature| feature.smallest).fold(f64::INFINITY, f64::min),
        largest: features.map(|feature| feature.largest).fold(f64::NEG_INFINITY, f64::max),
        median: None,
    }
}

/// (feature) The transforms that the rules give for statistics of the same features.
fn transforms(statistics: &[Statistics], rules: &[Rule]) -> Vec<Transform> {
    let shared =
        statistics.iter().zip(rules).filter(|(_, rule)| rule.is_together()).map(|(feature, _)| feature);
    let shared = together(shared);
    statistics
        .iter()
        .zip(rules)
        .map(|(feature, &rule)| feature.transform(rule, if rule.is_together() { &shared } else { feature }))
        .collect()
}

/// (feature) Whether any row of the table misses the feature.
pub(super) fn with_missing(dataset: &Dataset) -> Vec<bool> {
    let mut missing = vec![false; dataset.feature_count];
    for row in dataset.features.chunks_exact(dataset.feature_count.max(1)) {
        missing.iter_mut().zip(row).for_each(|(missing, feature)| *missing |= feature.is_nan());
    }
    missing
}

impl Fold {
    /// The fold of these rows, with all that is learned from its training rows.
    pub(super) fn learn(
        dataset: &Dataset,
        rules: &[Rule],
        with_missing: &[bool],
        train: Vec<u32>,
        validation: Vec<u32>,
    ) -> Self {
        let statistics = statistics(dataset, &train, with_missing);
        Self {
            transforms: transforms(&statistics, rules),
            target: target_transform(&dataset.targets, &train),
            balanced_weights: balanced_weights(dataset, &train),
            train,
            validation,
        }
    }
}

/// Mean 0 and deviation 1 over the training rows; deviation as it is where they are all equal.
fn target_transform(targets: &Targets, train: &[u32]) -> Transform {
    let Targets::Values { stored, .. } = targets else { return Transform::IDENTITY };
    let values = || train.iter().map(|&row| f64::from(stored[row as usize]));
    let count = train.len().max(1) as f64;
    let mean = values().sum::<f64>() / count;
    let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    let scale = (1.0 / deviation) as f32;
    Transform { shift: mean as f32, scale: if scale.is_finite() { scale } else { 1.0 }, fill: 0.0 }
}

/// (class) n/(K·n_k), with K the classes that the training rows have; 0 for a class they lack.
fn balanced_weights(dataset: &Dataset, train: &[u32]) -> Vec<f32> {
    let (Targets::Classes(classes), Task::Classification { class_count }) = (&dataset.targets, dataset.task)
    else {
        return Vec::new();
    };
    let mut counts = vec![0_usize; class_count];
    train.iter().for_each(|&row| counts[classes[row as usize] as usize] += 1);
    let held = counts.iter().filter(|&&count| count > 0).count();
    let weight = |count: usize| if count == 0 { 0.0 } else { train.len() as f64 / (held * count) as f64 };
    counts.into_iter().map(|count| weight(count) as f32).collect()
}

impl Dataset {
    /// Appends a fold that trains on all rows but the final test set and validates on none; returns its
    /// index.
    ///
    /// Its transforms are learned as those of the first fold were: a transform is a function of its
    /// rule and of training rows, so the rule is the one that gives that fold's transform again.
    pub fn refit_fold(&mut self) -> usize {
        let mut train: Vec<u32> =
            self.folds.iter().flat_map(|fold| fold.train.iter().chain(&fold.validation).copied()).collect();
        train.sort_unstable();
        train.dedup();
        self.append_folds(vec![(train, Vec::new())])
    }

    /// Appends folds of these training and validation rows, both ascending, whose transforms are learned from their own
    /// training rows as those of the first fold were. Returns the index of the first of them.
    pub fn append_folds(&mut self, rows: Vec<(Vec<u32>, Vec<u32>)>) -> usize {
        let (rules, missing, first) = (self.rules(), with_missing(self), self.folds.len());
        for (train, validation) in rows {
            let fold = Fold::learn(self, &rules, &missing, train, validation);
            self.folds.push(fold);
        }
        first
    }

    /// (feature) The rule by which each feature's transforms were learned.
    fn rules(&self) -> Vec<Rule> {
        let mut rules = vec![Rule::AsIs; self.feature_count];
        let mut unknown: Vec<usize> = (0..self.feature_count).collect();
        let missing = with_missing(self);
        for fold in &self.folds {
            if unknown.is_empty() {
                break;
            }
            let statistics = statistics(self, &fold.train, &missing);
            for rule in Rule::ALL {
                let given = transforms(&statistics, &vec![rule; self.feature_count]);
                unknown.retain(|&feature| {
                    // A factor of 0 says that the feature is constant there, under any rule.
                    let same =
                        fold.transforms[feature].scale != 0.0 && given[feature] == fold.transforms[feature];
                    if same {
                        rules[feature] = rule;
                    }
                    !same
                });
            }
        }
        rules
    }

    /// How a model of the given fold says values of the target; `None` for classes.
    pub fn target_unit(&self, fold: usize) -> Option<TargetUnit> {
        let Targets::Values { centre, scale, .. } = self.targets else { return None };
        let Transform { shift, scale: factor, .. } = self.folds[fold].target;
        Some(TargetUnit {
            offset: centre + scale * f64::from(shift),
            factor: if factor == 0.0 { 0.0 } else { scale / f64::from(factor) },
        })
    }
}

/// What an output of a regression model means: value = offset + factor·output.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetUnit {
    /// In the target's own unit.
    pub offset: f64,
    /// In the target's own unit, per unit of output.
    pub factor: f64,
}

impl TargetUnit {
    /// An output of the model in the target's own unit.
    pub fn value(self, output: f32) -> f64 {
        self.offset + self.factor * f64::from(output)
    }
}
