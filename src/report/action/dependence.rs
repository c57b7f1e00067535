//! Partial dependence: what is predicted on average where one column is set to a value in all rows.
//!
//! f̄(x) = mean over rows of f(row with its column = x) (Friedman, "Greedy function approximation: a gradient boosting
//! machine", 2001), f the fold models of the best trial averaged; the lines of single rows are "individual conditional
//! expectation" (Goldstein et al., 2015). It averages over rows that may not exist where columns depend on each other.

use super::{Place, Predict, numbers_of, rounded, spread, together};
use crate::data::{ColumnType, EncodedColumn, Encoder};
use crate::study::outside::Outside;
use serde::Serialize;

/// Places of a column.
const MOST_PLACES: usize = 20;
/// Rows that are averaged over, and rows that decide which columns are shown.
const MOST_ROWS: usize = 200;
const FEW_ROWS: usize = 30;
/// Columns that are shown, and that may be.
const MOST_COLUMNS: usize = 12;
const MOST_CANDIDATES: usize = 200;
/// Classes that have a curve, and rows that have a line.
const MOST_CLASSES: usize = 6;
const MOST_LINES: usize = 12;

/// The partial dependence on one column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dependence {
    /// The column.
    pub column: String,
    /// What it is set to: numbers from its 5th to its 95th percentile, or names.
    pub places: Vec<Place>,
    /// Of classes the most frequent ones, of two the second; of values one.
    pub curves: Vec<Curve>,
    /// (row, place) single rows, spread evenly over the sample; of the first curve.
    pub lines: Vec<Vec<f64>>,
    /// How far the curves go up and down: the widest of them, in the unit of a prediction.
    pub range: f64,
}

/// The mean prediction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// The class; `None` of values.
    pub class: Option<String>,
    /// (place)
    pub mean: Vec<f64>,
}

/// The dependence on the columns that move the predictions of a study's best models most, the most first.
pub fn most(outside: &Outside) -> Vec<Dependence> {
    let (encoder, dataset) = (outside.encoder(), outside.dataset());
    let predict = |features: &[f32]| together(&outside.model, features);
    let features = |most: usize| -> Vec<f32> {
        let rows = spread(dataset.row_count(), most);
        rows.flat_map(|row| dataset.row(row as u32)).copied().collect()
    };
    let (few, many) = (features(FEW_ROWS), features(MOST_ROWS));
    let outputs = outputs(outside);
    let columns: Vec<EncodedColumn<'_>> = encoder.columns().take(MOST_CANDIDATES).collect();
    let mut ranges: Vec<(usize, f64)> = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let found = Dependence::new(encoder, index, column, &few, &predict, &outputs, 4);
        ranges.push((index, found.range));
    }
    ranges.sort_by(|a, b| b.1.total_cmp(&a.1));
    let shown = ranges.iter().take(MOST_COLUMNS).filter(|(_, range)| *range > 0.0);
    let one = |&(index, _): &(usize, f64)| {
        Dependence::new(encoder, index, &columns[index], &many, &predict, &outputs, MOST_PLACES)
    };
    let mut found: Vec<Dependence> = shown.map(one).collect();
    found.sort_by(|a, b| b.range.total_cmp(&a.range));
    found
}

/// What of a prediction has a curve: the number of each output and its name.
pub struct Outputs {
    /// Numbers in a row of predictions.
    pub width: usize,
    /// Those that are shown, with the names of classes.
    pub shown: Vec<(usize, Option<String>)>,
}

fn outputs(outside: &Outside) -> Outputs {
    let names = outside.encoder().class_names();
    let shown = match names.len() {
        0 => vec![(0, None)],
        2 => vec![(1, Some(names[1].clone()))],
        count => {
            let mut rows = vec![0_u64; count];
            if let crate::data::Targets::Classes(classes) = &outside.dataset().targets {
                classes.iter().for_each(|&class| rows[class as usize] += 1);
            }
            let mut classes: Vec<usize> = (0..count).collect();
            classes.sort_by_key(|&class| std::cmp::Reverse(rows[class]));
            classes.truncate(MOST_CLASSES);
            classes.sort_unstable();
            classes.into_iter().map(|class| (class, Some(names[class].clone()))).collect()
        }
    };
    Outputs { width: names.len().max(1), shown }
}

impl Dependence {
    /// Of some encoded rows (row, feature), the column set to so many places at most.
    pub fn new(
        encoder: &Encoder,
        index: usize,
        column: &EncodedColumn<'_>,
        features: &[f32],
        predict: Predict<'_>,
        outputs: &Outputs,
        most_places: usize,
    ) -> Self {
        let places = places(encoder, index, column, features, most_places);
        let width = encoder.feature_count().max(1);
        let mut changed = features.to_vec();
        // (place, row, output)
        let said: Vec<Vec<f64>> = places
            .iter()
            .map(|place| {
                for row in changed.chunks_exact_mut(width) {
                    encoder.put(index, place.cell(), &mut row[column.features.clone()]);
                }
                predict(&changed)
            })
            .collect();
        let row_count = features.len() / width;
        let mean = |numbers: &Vec<f64>, output: usize| {
            let sum: f64 = numbers.iter().skip(output).step_by(outputs.width).sum();
            rounded(sum / row_count.max(1) as f64, 6)
        };
        let curve = |(output, class): &(usize, Option<String>)| Curve {
            class: class.clone(),
            mean: said.iter().map(|numbers| mean(numbers, *output)).collect(),
        };
        let curves: Vec<Curve> = outputs.shown.iter().map(curve).collect();
        let first = outputs.shown.first().map_or(0, |shown| shown.0);
        let at = |row: usize| said.iter().map(move |numbers| numbers[row * outputs.width + first]);
        let lines = spread(row_count, MOST_LINES);
        Self {
            column: column.name.to_owned(),
            places,
            lines: lines.map(|row| at(row).map(|number| rounded(number, 4)).collect()).collect(),
            range: curves.iter().map(|curve| range(&curve.mean)).fold(0.0, f64::max),
            curves,
        }
    }
}

fn range(numbers: &[f64]) -> f64 {
    let finite = || numbers.iter().copied().filter(|number| number.is_finite());
    let range = finite().fold(f64::NEG_INFINITY, f64::max) - finite().fold(f64::INFINITY, f64::min);
    if range.is_finite() { range } else { 0.0 }
}

/// What a column is set to: its own numbers where they are few, else numbers spread evenly from the 5th to the 95th
/// percentile, as scikit-learn has it; or its names.
fn places(
    encoder: &Encoder,
    index: usize,
    column: &EncodedColumn<'_>,
    features: &[f32],
    most: usize,
) -> Vec<Place> {
    if column.kind != ColumnType::Numeric {
        let names = encoder.names(index).into_iter().take(most);
        return names.map(|name| Place::Name(name.to_owned())).collect();
    }
    let numbers = numbers_of(encoder, index, column.features.start, features);
    let mut distinct = numbers.clone();
    distinct.dedup();
    if distinct.len() > most {
        let percentile = |share: f64| {
            let at = share * (numbers.len() - 1) as f64;
            let (below, above) = (numbers[at.floor() as usize], numbers[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        let (low, high) = (percentile(0.05), percentile(0.95));
        distinct = (0..most).map(|at| low + (high - low) * at as f64 / (most - 1) as f64).collect();
        distinct.dedup();
    }
    distinct.into_iter().map(|number| Place::Number(rounded(number, 6))).collect()
}
