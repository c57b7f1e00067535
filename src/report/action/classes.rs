//! How well each class is told from the others.

use serde::Serialize;

/// Most classes that are listed.
const MOST_CLASSES: usize = 200;

/// The scores of all classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScores {
    /// The share of rows that are right.
    pub accuracy: f64,
    /// The mean of F1 over the classes that have one.
    pub macro_f1: f64,
    /// In the order of the classes; where there are too many, those with the least F1.
    pub classes: Vec<ClassScore>,
    /// Classes that are not listed.
    pub other_count: usize,
}

/// The scores of one class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Its name.
    pub name: String,
    /// Of the rows that are said to be of it, the share that are; `None` where none is said to be.
    pub precision: Option<f64>,
    /// Of its rows, the share that are said to be; `None` where it has none.
    pub recall: Option<f64>,
    /// 2·right/(its rows + rows said to be of it); `None` where there are neither.
    pub f1: Option<f64>,
    /// Its rows.
    pub support: u64,
    /// Rows that are said to be of it.
    pub predicted: u64,
}

impl ClassScores {
    /// Of (row) labels and predictions, both numbers of classes; at least one row.
    pub fn new(names: &[String], labels: &[usize], predictions: &[usize]) -> Self {
        let [mut right, mut support, mut predicted] = [0; 3].map(|_| vec![0_u64; names.len()]);
        for (&label, &said) in labels.iter().zip(predictions) {
            right[label] += u64::from(label == said);
            support[label] += 1;
            predicted[said] += 1;
        }
        let share = |of: u64, all: u64| (all > 0).then(|| of as f64 / all as f64);
        let score = |class: usize| ClassScore {
            name: names[class].clone(),
            precision: share(right[class], predicted[class]),
            recall: share(right[class], support[class]),
            f1: share(2 * right[class], support[class] + predicted[class]),
            support: support[class],
            predicted: predicted[class],
        };
        let mut classes: Vec<ClassScore> = (0..names.len()).map(score).collect();
        let known: Vec<f64> = classes.iter().filter_map(|class| class.f1).collect();
        let macro_f1 = known.iter().sum::<f64>() / known.len() as f64;
        let accuracy = right.iter().sum::<u64>() as f64 / labels.len() as f64;
        let other_count = classes.len().saturating_sub(MOST_CLASSES);
        if other_count > 0 {
            let mut order: Vec<usize> = (0..classes.len()).collect();
            let f1 = |class: usize| classes[class].f1.unwrap_or(f64::INFINITY);
            order.sort_by(|&a, &b| f1(a).total_cmp(&f1(b)));
            order.truncate(MOST_CLASSES);
            order.sort_unstable();
            classes = order.into_iter().map(|class| classes[class].clone()).collect();
        }
        Self { accuracy, macro_f1, classes, other_count }
    }
}
