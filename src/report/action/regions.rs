//! Decision regions: what is predicted all over the plane of the two columns that a model learns from.

use super::{Judged, Place, numbers_of, rounded, spread, together};
use crate::data::{Cell, ColumnType, EncodedColumn, Encoder};
use crate::model::metric::most_probable;
use crate::study::outside::Outside;
use serde::Serialize;

/// Places of an axis of numbers.
const PLACE_COUNT: usize = 48;
/// How far the plane goes beyond the rows, a share of their width.
const MARGIN: f64 = 0.04;
/// Most rows that are shown on it.
const MOST_POINTS: usize = 400;

/// The plane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Regions {
    /// The two columns, the horizontal one first.
    pub axes: [Axis; 2],
    /// The names of classes; empty of values.
    pub classes: Vec<String>,
    /// (vertical, horizontal) the number of the class that is predicted; empty of values.
    pub predicted: Vec<Vec<usize>>,
    /// (vertical, horizontal) the probability of that class; of values what is predicted.
    pub numbers: Vec<Vec<f64>>,
    /// Rows that the models had not trained on, spread evenly.
    pub points: Vec<Point>,
}

/// An axis of the plane.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// The column.
    pub column: String,
    /// The middles of the cells, numbers ascending; or names.
    pub places: Vec<Place>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Of the data set.
    pub row: u32,
    /// Where it is; `None` where a value is missing or a rare name.
    pub at: [Option<Place>; 2],
    /// Its own value, or its class's number.
    pub own: f64,
}

impl Regions {
    /// Of a study's best models; `None` where they do not learn from exactly two columns.
    pub fn new(outside: &Outside) -> Option<Self> {
        let encoder = outside.encoder();
        let columns: Vec<EncodedColumn<'_>> = encoder.columns().collect();
        let [horizontal, vertical] = columns.as_slice() else { return None };
        let features = &outside.dataset().features;
        let axes = [(0, horizontal), (1, vertical)].map(|(index, column)| Axis {
            column: column.name.to_owned(),
            places: places(encoder, index, column, features),
        });
        let mut rows =
            Vec::with_capacity(axes[0].places.len() * axes[1].places.len() * encoder.feature_count());
        let mut row = vec![0.0; encoder.feature_count()];
        for above in &axes[1].places {
            encoder.put(1, above.cell(), &mut row[vertical.features.clone()]);
            for across in &axes[0].places {
                encoder.put(0, across.cell(), &mut row[horizontal.features.clone()]);
                rows.extend_from_slice(&row);
            }
        }
        let classes = encoder.class_names().to_vec();
        let said = together(&outside.model, &rows);
        let cells: Vec<&[f64]> = said.chunks_exact(classes.len().max(1)).collect();
        let width = axes[0].places.len().max(1);
        let grid = |number: &dyn Fn(&[f64]) -> f64| -> Vec<Vec<f64>> {
            cells
                .chunks(width)
                .map(|line| line.iter().map(|cell| rounded(number(cell), 4)).collect())
                .collect()
        };
        let numbers = grid(&|cell| cell[if classes.is_empty() { 0 } else { most_probable(cell) }]);
        let line = |line: &[&[f64]]| line.iter().map(|cell| most_probable(cell)).collect();
        let predicted = if classes.is_empty() { Vec::new() } else { cells.chunks(width).map(line).collect() };
        Some(Self { axes, classes, predicted, numbers, points: points(outside, [horizontal, vertical]) })
    }
}

fn places(encoder: &Encoder, index: usize, column: &EncodedColumn<'_>, features: &[f32]) -> Vec<Place> {
    if column.kind != ColumnType::Numeric {
        return encoder.names(index).into_iter().map(|name| Place::Name(name.to_owned())).collect();
    }
    let numbers = numbers_of(encoder, index, column.features.start, features);
    let (Some(low), Some(high)) = (numbers.first(), numbers.last()) else { return Vec::new() };
    let (low, width) = (low - MARGIN * (high - low), (1.0 + 2.0 * MARGIN) * (high - low));
    let at = |place: usize| low + width * (place as f64 + 0.5) / PLACE_COUNT as f64;
    (0..PLACE_COUNT).map(|place| Place::Number(rounded(at(place), 6))).collect()
}

fn points(outside: &Outside, columns: [&EncodedColumn<'_>; 2]) -> Vec<Point> {
    let judged = Judged::of(outside);
    let at = |row: u32, index: usize| {
        let features = &outside.dataset().row(row)[columns[index].features.clone()];
        match outside.encoder().cell(index, features) {
            Cell::Number(number) => Some(Place::Number(rounded(number, 6))),
            Cell::Name(name) => Some(Place::Name(name.to_owned())),
            Cell::Other | Cell::Missing => None,
        }
    };
    let point = |place: usize| {
        let row = judged.rows[place];
        Point { row, at: [at(row, 0), at(row, 1)], own: rounded(judged.own[place], 6) }
    };
    spread(judged.rows.len(), MOST_POINTS).map(point).collect()
}
