//! What the features of a column say, in the column's own words, and back: for pages that show or change one column.

use super::encode::{ColumnKind, Encoder, LARGEST_STORED};

/// What a cell of a column says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A number, in the column's own unit.
    Number(f64),
    /// One of the names that the encoder knows.
    Name(&'a str),
    /// Any other name.
    Other,
    /// Nothing.
    Missing,
}

impl Encoder {
    /// The names that a column can have, in the order of its features; empty for numbers.
    ///
    /// Columns count as [`Encoder::columns`] has them, here and below.
    pub fn names(&self, column: usize) -> Vec<&str> {
        match &self.columns[column].kind {
            ColumnKind::Numeric { .. } => Vec::new(),
            ColumnKind::Boolean { no, yes, .. } => vec![no, yes],
            ColumnKind::Categorical { names, .. } => names.iter().map(String::as_str).collect(),
        }
    }

    /// Reads one column of an encoded row, from the column's own features.
    pub fn cell(&self, column: usize, features: &[f32]) -> Cell<'_> {
        match &self.columns[column].kind {
            ColumnKind::Numeric { .. } | ColumnKind::Boolean { .. } if features[0].is_nan() => Cell::Missing,
            ColumnKind::Numeric { centre, scale, .. } => {
                Cell::Number(centre + scale * f64::from(features[0]))
            }
            ColumnKind::Boolean { no, yes, .. } => Cell::Name(if features[0] > 0.5 { yes } else { no }),
            ColumnKind::Categorical { names, .. } => {
                match features.iter().position(|feature| *feature > 0.5) {
                    Some(slot) if slot < names.len() => Cell::Name(&names[slot]),
                    Some(slot) if slot > names.len() => Cell::Missing,
                    _ => Cell::Other,
                }
            }
        }
    }

    /// Writes one column of an encoded row into the column's own features, as encoding a file would.
    ///
    /// A name of a column of numbers counts as missing; a missing name where the encoder has seen none, and a number
    /// in a column of names, as another name.
    pub fn put(&self, column: usize, cell: Cell<'_>, features: &mut [f32]) {
        features.fill(0.0);
        let is_missing = match (&self.columns[column].kind, cell) {
            (ColumnKind::Numeric { centre, scale, .. }, Cell::Number(number)) => {
                let stored = (number - centre) / scale;
                features[0] = stored.clamp(-LARGEST_STORED, LARGEST_STORED) as f32;
                number.is_nan()
            }
            (ColumnKind::Boolean { no, yes, .. }, Cell::Name(name)) if name == no || name == yes => {
                features[0] = f32::from(u8::from(name == yes));
                false
            }
            (ColumnKind::Categorical { names, missing }, cell) => {
                let known = match cell {
                    Cell::Name(name) => names.iter().position(|known| known == name),
                    _ => None,
                };
                let is_missing = cell == Cell::Missing && *missing;
                features[known.unwrap_or(names.len() + usize::from(is_missing))] = 1.0;
                return;
            }
            _ => {
                features[0] = f32::NAN;
                true
            }
        };
        // The indicator, where there is one.
        if let (true, Some(indicator)) = (is_missing, features.get_mut(1)) {
            *indicator = 1.0;
        }
    }
}
