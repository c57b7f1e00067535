//! Small tables made in code: every task, odd numbers of columns, missing and constant columns, folds
//! with transforms of their own, and training sets whose sizes decide how many steps an epoch has.

use super::checks::{minibatch, projection};
use crate::data::{Dataset, Fold, Targets, Task, Transform};
use crate::engine::Job;
use crate::random::{Purpose, Stream, StreamReader, uniform};
use rand::Rng;
use std::sync::Arc;

/// Training rows of each fold. A batch of as many makes an epoch of one step.
pub const TRAIN_COUNTS: [usize; 7] = [1, 2, 5, 33, 64, 70, 130];

/// Validation rows of each fold; one has none, as where a model is refitted on all rows.
const VALIDATION_COUNTS: [usize; 7] = [9, 0, 17, 21, 33, 66, 300];

/// Rows of each table: the largest fold, and some that no fold uses.
const ROWS: usize = 440;

/// One in so many numbers is missing.
const MISSING: u32 = 20;

/// (task, features) of the tables.
const SHAPES: [(Task, usize); GENERAL] = [
    (Task::Classification { class_count: 3 }, 7),
    (Task::Regression, 5),
    (Task::Classification { class_count: 2 }, 1),
    (Task::Classification { class_count: 10 }, 33),
    (Task::Regression, 65),
];

/// Number of tables of general use, the first ones.
pub const GENERAL: usize = 5;

/// The table whose rows are unit vectors (see [`minibatch`]).
pub const UNIT_ROWS: usize = GENERAL;

/// The table of projections of activations (see [`projection`]).
pub const PROJECTIONS: usize = GENERAL + 1;

/// All tables.
pub fn all(seed: u64) -> Vec<Job> {
    let general = (0..).zip(SHAPES).map(|(number, (task, feature_count))| {
        table(task, feature_count, Stream::new(seed, Purpose::Verify, 0, number, 0).reader())
    });
    let seed = seed ^ 0x5eed;
    let datasets = general.chain([minibatch::unit_rows(), projection::table(seed)]);
    datasets.map(|dataset| Job { dataset: Arc::new(dataset), seed, with_outputs: true }).collect()
}

/// The fold with so many training rows.
pub fn fold_of(train_count: usize) -> usize {
    TRAIN_COUNTS.iter().position(|&count| count == train_count).expect("a fold has this many training rows")
}

/// In [−1, 1).
fn signed(random: &mut StreamReader) -> f32 {
    2.0 * uniform(random.next_u32()) - 1.0
}

fn table(task: Task, feature_count: usize, mut random: StreamReader) -> Dataset {
    let random = &mut random;
    // Columns lie around their own centre on their own scale, so that transforms matter.
    let columns: Vec<(f32, f32)> =
        (0..feature_count).map(|_| (3.0 * signed(random), 4.0_f32.powf(signed(random)))).collect();
    let mut features = Vec::with_capacity(ROWS * feature_count);
    for _ in 0..ROWS {
        for &(centre, scale) in &columns {
            // A sum of three: near normal, bounded.
            let value = centre + scale * (signed(random) + signed(random) + signed(random));
            features.push(if random.next_u32().is_multiple_of(MISSING) { f32::NAN } else { value });
        }
    }
    let targets = match task {
        Task::Classification { class_count } => {
            Targets::Classes((0..ROWS).map(|_| random.next_u32() % class_count as u32).collect())
        }
        Task::Regression => Targets::Values {
            stored: (0..ROWS).map(|_| 1.5 * signed(random)).collect(),
            centre: 10.0,
            scale: 2.0,
        },
    };
    let mut dataset = Dataset { task, feature_count, features, targets, folds: Vec::new() };
    dataset.folds = TRAIN_COUNTS
        .into_iter()
        .zip(VALIDATION_COUNTS)
        .map(|(train, validation)| fold(&dataset, &columns, train, validation, random))
        .collect();
    dataset
}

fn fold(
    dataset: &Dataset,
    columns: &[(f32, f32)],
    train_count: usize,
    validation_count: usize,
    random: &mut StreamReader,
) -> Fold {
    let mut rows: Vec<u32> = (0..ROWS as u32).collect();
    for i in 0..train_count + validation_count {
        rows.swap(i, i + random.next_u32() as usize % (ROWS - i));
    }
    let (train, rest) = rows.split_at_mut(train_count);
    let validation = &mut rest[..validation_count];
    train.sort_unstable();
    validation.sort_unstable();
    let transforms = columns
        .iter()
        .enumerate()
        .map(|(column, &(centre, scale))| Transform {
            shift: centre + 0.25 * signed(random),
            // The third column of every fold is one that was constant in its training rows.
            scale: if column == 2 { 0.0 } else { (1.0 + 0.25 * signed(random)) / scale },
            fill: 0.5 * signed(random),
        })
        .collect();
    let target = Transform { shift: 0.25 * signed(random), scale: 1.0 + 0.25 * signed(random), fill: 0.0 };
    let balanced_weights = balanced_weights(dataset, train);
    Fold { train: train.to_vec(), validation: validation.to_vec(), transforms, target, balanced_weights }
}

/// n/(K·n_k); 0 for a class that the rows lack.
fn balanced_weights(dataset: &Dataset, rows: &[u32]) -> Vec<f32> {
    let Targets::Classes(classes) = &dataset.targets else { return Vec::new() };
    let mut counts = vec![0_u32; dataset.task.output_count()];
    rows.iter().for_each(|&row| counts[classes[row as usize] as usize] += 1);
    let (n, k) = (rows.len() as f32, counts.len() as f32);
    counts.iter().map(|&count| if count == 0 { 0.0 } else { n / (k * count as f32) }).collect()
}
