//! Which classes are taken for which.

use serde::Serialize;

/// Most classes that have a line of their own.
const MOST_CLASSES: usize = 30;

/// The confusion matrix.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confusion {
    /// Names; where there are too many, those with most mistakes, in the order of the classes.
    pub classes: Vec<String>,
    /// How many classes share a last line and column; 0 where each has its own.
    pub other_count: usize,
    /// (label, prediction) rows.
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// Of (row) labels and predictions, both numbers of classes.
    pub fn new(names: &[String], labels: &[usize], predictions: &[usize]) -> Self {
        let mut mistakes = vec![0_u64; names.len()];
        for (&label, &said) in labels.iter().zip(predictions).filter(|(label, said)| label != said) {
            mistakes[label] += 1;
            mistakes[said] += 1;
        }
        let mut shown: Vec<usize> = (0..names.len()).collect();
        shown.sort_by_key(|&class| std::cmp::Reverse(mistakes[class]));
        shown.truncate(MOST_CLASSES);
        shown.sort_unstable();
        let other_count = names.len() - shown.len();
        let mut place = vec![shown.len(); names.len()];
        shown.iter().enumerate().for_each(|(at, &class)| place[class] = at);
        let width = shown.len() + usize::from(other_count > 0);
        let mut counts = vec![vec![0; width]; width];
        labels.iter().zip(predictions).for_each(|(&label, &said)| counts[place[label]][place[said]] += 1);
        Self { classes: shown.iter().map(|&class| names[class].clone()).collect(), other_count, counts }
    }
}
