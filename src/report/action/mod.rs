//! The model in action: what the best models say of rows that they had not trained on, and of changed ones. Plain
//! structures for pages and scripts; each is a bounded sample, however many rows there are.

pub mod calibration;
pub mod classes;
pub mod confusion;
pub mod dependence;
pub mod regions;
pub mod segments;
pub mod values;

use crate::data::{Encoder, Targets};
use crate::model::metric::most_probable;
use crate::study::model::{Predictions, SavedModel};
use crate::study::outside::Outside;
use calibration::Calibration;
use classes::ClassScores;
use confusion::Confusion;
use dependence::Dependence;
use regions::Regions;
use segments::Segments;
use serde::Serialize;
use values::Values;

/// z of a two-sided 95 % interval of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Everything that is shown of the model in action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Action {
    /// Rows that the models had not trained on: all below but dependence and regions is of these.
    pub row_count: usize,
    /// Of classes.
    pub confusion: Option<Confusion>,
    /// Of classes.
    pub classes: Option<ClassScores>,
    /// Of classes, where the model knows probabilities.
    pub calibration: Option<Calibration>,
    /// Of values.
    pub values: Option<Values>,
    /// Where the model is worst; `None` where rows are images, of which a pixel says nothing.
    pub segments: Option<Segments>,
    /// The columns that move the prediction most, the first of them first; empty where rows are images.
    pub dependence: Vec<Dependence>,
    /// Where exactly two columns are learned from.
    pub regions: Option<Regions>,
}

impl Action {
    /// Of a study's best models. `is_image`: the columns are pixels, and each alone says nothing.
    pub fn new(outside: &Outside, is_image: bool) -> Self {
        let judged = Judged::of(outside);
        let names = outside.encoder().class_names();
        let is_of_classes = matches!(outside.dataset().targets, Targets::Classes(_));
        let (own, said) = (judged.labels(), judged.predictions());
        let of_classes = is_of_classes && !own.is_empty();
        Self {
            row_count: judged.rows.len(),
            confusion: of_classes.then(|| Confusion::new(names, &own, &said)),
            classes: of_classes.then(|| ClassScores::new(names, &own, &said)),
            calibration: (of_classes && outside.has_probabilities())
                .then(|| Calibration::new(names, &own, &judged.numbers)),
            values: (!is_of_classes && !judged.rows.is_empty()).then(|| Values::new(&judged)),
            segments: (!is_image && !judged.rows.is_empty()).then(|| Segments::new(outside, &judged)),
            dependence: if is_image { Vec::new() } else { dependence::most(outside) },
            regions: Regions::new(outside),
        }
    }
}

/// Rows that the best models had not trained on, and what they say of them.
pub struct Judged {
    /// Rows of the data set, ascending.
    pub rows: Vec<u32>,
    /// (row) its own value, or its class's number.
    pub own: Vec<f64>,
    /// (row, class) probabilities or votes; of values (row).
    pub numbers: Vec<f64>,
}

impl Judged {
    /// Of a study.
    pub fn of(outside: &Outside) -> Self {
        let mut judged = Self { rows: Vec::new(), own: Vec::new(), numbers: Vec::new() };
        for (row, said) in (0..).zip(&outside.rows) {
            if let Some(said) = said.as_ref().filter(|said| !said.is_trained_on) {
                judged.rows.push(row);
                judged.own.push(outside.value(row));
                judged.numbers.extend(&said.numbers);
            }
        }
        judged
    }

    /// (row) the class's number.
    fn labels(&self) -> Vec<usize> {
        self.own.iter().map(|own| *own as usize).collect()
    }

    /// (row) the class that is said.
    fn predictions(&self) -> Vec<usize> {
        let width = (self.numbers.len() / self.rows.len().max(1)).max(1);
        self.numbers.chunks_exact(width).map(most_probable).collect()
    }
}

/// What a model says of encoded rows: (row, output).
pub type Predict<'a> = &'a dyn Fn(&[f32]) -> Vec<f64>;

/// What a study's fold models say together.
fn together(model: &SavedModel, features: &[f32]) -> Vec<f64> {
    match model.predict(features) {
        Predictions::Probabilities(numbers) | Predictions::Votes(numbers) | Predictions::Values(numbers) => {
            numbers
        }
    }
}

/// At most so many of some rows, spread evenly over them.
pub fn spread(count: usize, most: usize) -> impl Iterator<Item = usize> {
    let taken = count.min(most);
    (0..taken).map(move |index| index * count / taken)
}

/// A number for a page: so many significant digits say all that can be seen.
fn rounded(number: f64, digits: usize) -> f64 {
    format!("{number:.*e}", digits - 1).parse().unwrap_or(number)
}

/// The 95 % interval of a share of at least one (Wilson, "Probable inference, the law of succession, and statistical inference", 1927).
pub fn wilson(successes: u64, count: u64) -> [f64; 2] {
    let (n, share) = (count as f64, successes as f64 / count as f64);
    let center = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    // The share itself lies within, also where rounding is all there is below it.
    [((center - half) / whole).max(0.0).min(share), ((center + half) / whole).min(1.0).max(share)]
}

/// A place on the axis of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// Of a column of numbers.
    Number(f64),
    /// Of a column of names.
    Name(String),
}

impl Place {
    /// As the encoder takes it.
    fn cell(&self) -> crate::data::Cell<'_> {
        match self {
            Self::Number(number) => crate::data::Cell::Number(*number),
            Self::Name(name) => crate::data::Cell::Name(name),
        }
    }
}

/// The numbers of a column in some encoded rows, ascending; what is missing is left out.
fn numbers_of(encoder: &Encoder, column: usize, first: usize, features: &[f32]) -> Vec<f64> {
    let rows = features.chunks_exact(encoder.feature_count().max(1));
    let number = |row: &[f32]| match encoder.cell(column, &row[first..]) {
        crate::data::Cell::Number(number) => Some(number),
        _ => None,
    };
    let mut numbers: Vec<f64> = rows.filter_map(number).collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}
