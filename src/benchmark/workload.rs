//! The workloads that every engine and every peer is timed on: which members, on which table.
//!
//! A member is a function of its number alone, never of how many there are, so that runs of different
//! sizes share their members. Row counts are multiples of every batch size: no minibatch is short, and
//! config-steps of one workload are alike.

use crate::data::{Dataset, Fold, Targets, Task, Transform};
use crate::engine::{EngineKind, Job};
use crate::model::initializer::{self, Initializer};
use crate::model::loss::LossParameters;
use crate::model::lr_schedule::{self, LrScheduleParameters};
use crate::model::optimizer::{self, Optimizer};
use crate::model::recipe::{Member, Network, Recipe};
use crate::model::{activation, loss};
use crate::random::{Purpose, Stream, uniform};
use std::sync::Arc;

/// Seeds the tables, the initial weights and the minibatches of every workload.
pub const SEED: u64 = 7;

/// A reasonable number of members, by what trains them.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// On the processor.
    pub cpu: usize,
    /// On a graphics device.
    pub gpu: usize,
    /// On a graphics device in software: it is some hundred times slower, and is timed for its tests only.
    pub software: usize,
}

impl Counts {
    /// For this engine.
    pub fn of(self, kind: EngineKind, is_software: bool) -> usize {
        match kind {
            EngineKind::Cpu => self.cpu,
            EngineKind::Gpu if is_software => self.software,
            EngineKind::Gpu => self.gpu,
        }
    }
}

/// Members on a table of random numbers.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// What `--workload` takes.
    pub name: &'static str,
    /// What it is, on one line.
    pub summary: &'static str,
    /// Rows of the table; all of them train.
    pub row_count: usize,
    /// Columns of the table.
    pub feature_count: usize,
    /// Classes of its target.
    pub class_count: usize,
    /// How many members are compared with the reference, the first and the last among them.
    pub compared_members: usize,
    /// Members where nothing is said.
    pub counts: Counts,
    shape: fn(usize) -> Shape,
}

/// What distinguishes the members of a workload, but for the learning rate.
struct Shape {
    hidden: Vec<usize>,
    batch_size: usize,
    has_adam: bool,
}

/// All of them.
pub static ALL: &[Workload] = &[
    Workload {
        name: "W1",
        summary: "tiny: 16-32-2, batch 32, adam",
        row_count: 3200,
        feature_count: 16,
        class_count: 2,
        compared_members: 3,
        counts: Counts { cpu: 1024, gpu: 4096, software: 64 },
        shape: |_| Shape { hidden: vec![32], batch_size: 32, has_adam: true },
    },
    Workload {
        name: "W2",
        summary: "medium: 64-128-128-10, batch 128, adam",
        row_count: 5120,
        feature_count: 64,
        class_count: 10,
        compared_members: 3,
        counts: Counts { cpu: 64, gpu: 1024, software: 2 },
        shape: |_| Shape { hidden: vec![128, 128], batch_size: 128, has_adam: true },
    },
    Workload {
        name: "W3",
        summary: "large: 784-256-256-10, batch 128, adam",
        row_count: 1280,
        feature_count: 784,
        class_count: 10,
        compared_members: 3,
        counts: Counts { cpu: 16, gpu: 256, software: 1 },
        shape: |_| Shape { hidden: vec![256, 256], batch_size: 128, has_adam: true },
    },
    Workload {
        name: "W4",
        summary: "mixed: widths 32 to 256, 1 to 4 hidden layers, batch 32 to 256, sgd and adam",
        row_count: 1280,
        feature_count: 64,
        class_count: 10,
        compared_members: 6,
        counts: Counts { cpu: 256, gpu: 1024, software: 4 },
        shape: mixed,
    },
];

/// The mix of W4: 4 widths × 4 depths × 4 batch sizes × 2 optimizers.
///
/// Of every four members from a multiple of 4 on, each has another width, depth and batch size, and two have
/// adam. The first 64 hold every triple of width, depth and batch size once, the first 128 each of the 128
/// combinations once. The optimizer goes with the parity of all three, so none of them, nor any two, tells it.
fn mixed(number: usize) -> Shape {
    let (place, block) = (number % 4, number / 4);
    let width = place;
    let depth = (place + block + 1) % 4;
    let batch = (place + block / 4 + 2) % 4;
    let is_even = (width + depth + batch + number / 64).is_multiple_of(2);
    Shape { hidden: vec![32 << width; depth + 1], batch_size: 32 << batch, has_adam: is_even }
}

/// The learning rates of Adam, and those of gradient descent with momentum: from 1 to 10 times this. They are
/// small, so that no member's training amplifies rounding: from 2e-3 on, Adam lets the losses of f32 and f64
/// part by more than a hundredth within two epochs of the largest networks of W4.
const ADAM_RATE: f64 = 3e-5;
const SGD_RATE: f64 = 1e-3;
const MOMENTUM: f64 = 0.9;

/// How all weights start.
pub fn initializer() -> &'static dyn Initializer {
    initializer::ALL[0]
}

fn optimizer_named(name: &str) -> &'static dyn Optimizer {
    optimizer::ALL.iter().copied().find(|optimizer| optimizer.name() == name).expect("a member of ALL")
}

impl Workload {
    /// Member `number`.
    pub fn member(&self, number: usize) -> Member {
        let Shape { hidden, batch_size, has_adam } = (self.shape)(number);
        let optimizer = optimizer_named(if has_adam { "adam" } else { "sgd" });
        let mut optimizer_parameters = optimizer.defaults();
        if !has_adam {
            optimizer_parameters.momentum = MOMENTUM;
        }
        // Multiples of the golden ratio fill the range evenly, however many members there are.
        let share = (number as f64 * 0.618_033_988_749_895).fract();
        let relu = activation::ALL.iter().copied().find(|activation| activation.name() == "relu");
        let recipe = Recipe {
            optimizer,
            optimizer_parameters,
            learning_rate: if has_adam { ADAM_RATE } else { SGD_RATE } * 10_f64.powf(share),
            lr_schedule: lr_schedule::ALL[0],
            lr_schedule_parameters: LrScheduleParameters::default(),
            loss: loss::cross_entropy(),
            loss_parameters: LossParameters::default(),
            balanced: false,
            l2_penalty: 0.0,
            l1_penalty: 0.0,
            dropout: 0.0,
            input_dropout: 0.0,
            clip_norm: 0.0,
            initializer: initializer(),
            batch_size,
            max_epochs: 1_000_000,
            machine: None,
        };
        let network = Network {
            input_count: self.feature_count,
            hidden,
            output_count: self.class_count,
            activation: relu.expect("a member of ALL"),
        };
        Member { fold: 0, repeat: 0, network, recipe }
    }

    /// The first `count` members.
    pub fn members(&self, count: usize) -> Vec<Member> {
        (0..count).map(|number| self.member(number)).collect()
    }

    /// The table: features uniform in ±√3, so of unit variance; the class is the largest of as many random
    /// linear functions of them. No validation rows: peers are timed on training alone.
    pub fn job(&self) -> Job {
        let (rows, features, classes) = (self.row_count, self.feature_count, self.class_count);
        let features_of = numbers(0, rows * features);
        let teacher = numbers(1, classes * features);
        let score = |row: &[f32], class: usize| -> f32 {
            row.iter().zip(&teacher[class * features..]).map(|(x, w)| x * w).sum()
        };
        let best = |row: &[f32]| {
            let order = |a: &usize, b: &usize| score(row, *a).total_cmp(&score(row, *b));
            (0..classes).max_by(order).unwrap_or(0) as u32
        };
        let dataset = Dataset {
            task: Task::Classification { class_count: classes },
            feature_count: features,
            targets: Targets::Classes(features_of.chunks_exact(features).map(best).collect()),
            features: features_of,
            folds: vec![Fold {
                train: (0..rows as u32).collect(),
                validation: Vec::new(),
                transforms: vec![Transform::IDENTITY; features],
                target: Transform::IDENTITY,
                balanced_weights: vec![1.0; classes],
            }],
        };
        Job { dataset: Arc::new(dataset), seed: SEED, with_outputs: false }
    }
}

/// Numbers uniform in ±√3, from the stream of this layer.
pub fn numbers(layer: usize, count: usize) -> Vec<f32> {
    let stream = Stream::new(SEED, Purpose::Verify, layer, 0, 0);
    let number = |word: u32| 12_f32.sqrt() * (uniform(word) - 0.5);
    (0..count.div_ceil(4) as u32).flat_map(|block| stream.block(block)).take(count).map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_minibatch_is_short() {
        for workload in ALL {
            for number in 0..128 {
                let batch = workload.member(number).recipe.batch_size;
                assert_eq!(workload.row_count % batch, 0, "{} {number}", workload.name);
            }
        }
    }

    #[test]
    fn any_number_of_members_covers_the_mix() {
        let key = |number: usize| {
            let member = ALL[3].member(number);
            let hidden = member.network.hidden;
            (hidden[0], hidden.len(), member.recipe.batch_size, member.recipe.optimizer.name())
        };
        for block in 0..64 {
            let members: Vec<_> = (4 * block..4 * block + 4).map(key).collect();
            let count = |part: fn(&(usize, usize, usize, &'static str)) -> String| {
                members.iter().map(part).collect::<BTreeSet<String>>().len()
            };
            assert_eq!(count(|m| m.0.to_string()), 4, "widths of block {block}");
            assert_eq!(count(|m| m.1.to_string()), 4, "depths of block {block}");
            assert_eq!(count(|m| m.2.to_string()), 4, "batch sizes of block {block}");
            assert_eq!(members.iter().filter(|m| m.3 == "adam").count(), 2, "block {block}");
        }
        let triples: BTreeSet<_> = (0..64).map(|n| (key(n).0, key(n).1, key(n).2)).collect();
        assert_eq!(triples.len(), 64);
        assert_eq!((0..128).map(key).collect::<BTreeSet<_>>().len(), 128);
        let pairs: BTreeSet<_> = (0..64).map(|n| (key(n).0, key(n).1, key(n).3)).collect();
        assert_eq!(pairs.len(), 32, "width and depth tell the optimizer");
    }
}
