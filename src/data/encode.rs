//! The encoder: what turns rows of raw cells into numbers, and numbers into the names of classes.
//!
//! It is saved with a model. It is learned from all rows of a study, but nothing in it tells a model
//! about rows it must not see: the centre and scale of a numeric column only keep f32's digits and
//! cancel in each fold's own [`Transform`](super::Transform), and a category that no training row of a
//! fold has is multiplied by 0 there.

use super::numbers::{self, LARGEST, Missing, parse_number, too_large};
use super::options::ColumnType;
use super::table::{Format, MAX_NUMBERS, Table};
use crate::error::{Error, Result, cut, nearest};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;

/// New numbers beyond this are stored as this: far beyond all that a model has seen, and with room in f32
/// for the products to come. The rows that an encoder was learned from stay below their own count, or
/// below this where they are not scaled.
pub(super) const LARGEST_STORED: f64 = 1e30;

/// Everything needed to encode new rows and to name predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    pub(super) format: Format,
    pub(super) has_header: bool,
    /// Number of columns of the file it was learned from, the target among them.
    pub(super) width: usize,
    /// What a missing value looks like.
    pub(super) missing: Vec<String>,
    pub(super) target: TargetEncoder,
    pub(super) columns: Vec<ColumnEncoder>,
}

/// How the target is encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TargetEncoder {
    pub name: String,
    pub position: usize,
    /// (class) Names in order; empty for a number.
    pub classes: Vec<String>,
}

/// How one column is encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ColumnEncoder {
    pub name: String,
    /// Its position in the file it was learned from.
    pub position: usize,
    pub kind: ColumnKind,
}

/// What a column holds and which features it becomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ColumnKind {
    /// (x − centre)/scale; `indicator`: a second feature that is 1 where the value is missing.
    Numeric { centre: f64, scale: f64, indicator: bool },
    /// 0 for `no`, 1 for `yes`, missing for anything else; `indicator` as above.
    Boolean { no: String, yes: String, indicator: bool },
    /// One feature per name, one for all others, and one for missing values where the table had any.
    Categorical { names: Vec<String>, missing: bool },
}

/// A column as it is encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedColumn<'a> {
    /// Its name in the file.
    pub name: &'a str,
    /// What it is read as.
    pub kind: ColumnType,
    /// The features that it becomes.
    pub features: Range<usize>,
    /// The last of them, where it is 1 in rows whose value is missing.
    pub indicator: Option<usize>,
    /// Of a number: centre and scale, with which the file's own is centre + scale · the stored one.
    pub unit: (f64, f64),
}

impl ColumnKind {
    fn column_type(&self) -> ColumnType {
        match self {
            Self::Numeric { .. } => ColumnType::Numeric,
            Self::Boolean { .. } => ColumnType::Boolean,
            Self::Categorical { .. } => ColumnType::Categorical,
        }
    }

    fn has_indicator(&self) -> bool {
        match self {
            Self::Numeric { indicator, .. } | Self::Boolean { indicator, .. } => *indicator,
            Self::Categorical { missing, .. } => *missing,
        }
    }

    pub fn feature_count(&self) -> usize {
        match self {
            Self::Numeric { indicator, .. } | Self::Boolean { indicator, .. } => 1 + usize::from(*indicator),
            Self::Categorical { names, missing } => names.len() + 1 + usize::from(*missing),
        }
    }

    fn feature_names(&self, column: &str) -> Vec<String> {
        let missing = |present: bool| present.then(|| format!("{column}=(missing)"));
        match self {
            Self::Numeric { indicator, .. } => {
                [column.to_string()].into_iter().chain(missing(*indicator)).collect()
            }
            Self::Boolean { yes, indicator, .. } => {
                [format!("{column}={yes}")].into_iter().chain(missing(*indicator)).collect()
            }
            Self::Categorical { names, missing: has_missing } => names
                .iter()
                .map(|name| format!("{column}={name}"))
                .chain([format!("{column}=(other)")])
                .chain(missing(*has_missing))
                .collect(),
        }
    }
}

impl Encoder {
    /// (class) The labels as the file has them; empty for regression.
    pub fn class_names(&self) -> &[String] {
        &self.target.classes
    }

    /// The name of the column that is predicted.
    pub fn target_name(&self) -> &str {
        &self.target.name
    }

    /// (feature) `column`, `column=category`, `column=(other)`, `column=(missing)`.
    pub fn feature_names(&self) -> Vec<String> {
        self.columns.iter().flat_map(|column| column.kind.feature_names(&column.name)).collect()
    }

    /// The columns that features are made of, in the order of their features.
    pub fn columns(&self) -> impl Iterator<Item = EncodedColumn<'_>> {
        self.columns.iter().scan(0, |end, column| {
            let start = *end;
            *end += column.kind.feature_count();
            let (name, kind) = (&*column.name, column.kind.column_type());
            let indicator = column.kind.has_indicator().then(|| *end - 1);
            let unit = match column.kind {
                ColumnKind::Numeric { centre, scale, .. } => (centre, scale),
                _ => (0.0, 1.0),
            };
            Some(EncodedColumn { name, kind, features: start..*end, indicator, unit })
        })
    }

    /// Number of features of a row.
    pub fn feature_count(&self) -> usize {
        self.columns.iter().map(|column| column.kind.feature_count()).sum()
    }

    /// The layout of the files it reads.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether its files begin with the names of the columns.
    pub fn has_header(&self) -> bool {
        self.has_header
    }

    /// (row, feature) All rows of a table, before any fold's transform; missing numbers are NaN.
    ///
    /// Columns are found by name, in any order; without a header by position, where the target may be
    /// left out. Columns that it does not know are not read. Errors: a column that is missing, a number
    /// that is none, an infinite one.
    pub fn encode(&self, table: &Table) -> Result<Vec<f32>> {
        let rows: Vec<u32> = (0..table.row_count() as u32).collect();
        self.encode_rows(table, &rows)
    }

    /// The given rows of a table, as [`Encoder::encode`] has them.
    pub(super) fn encode_rows(&self, table: &Table, rows: &[u32]) -> Result<Vec<f32>> {
        let width = self.feature_count();
        if rows.len().saturating_mul(width) > MAX_NUMBERS {
            return Err(Error::data(
                table.path.display(),
                format!("{} rows of {width} features", rows.len()),
            )
            .allowed(format!("at most {MAX_NUMBERS} numbers in all, 4 GiB"))
            .advice("fewer rows, or ignore columns with many categories"));
        }
        let missing = Missing::new(&self.missing);
        let places = self.places(table)?;
        let mut features = vec![0.0; rows.len() * width];
        let mut first = 0;
        for (column, place) in self.columns.iter().zip(places) {
            // A sparse file does not write columns that are 0 in all its rows.
            if let Some(place) = place {
                let source = Source { table, column: place, rows, missing: &missing };
                source.write(&column.kind, &mut features, width, first)?;
            } else if let ColumnKind::Numeric { centre, scale, .. } = column.kind {
                let zero = (-centre / scale) as f32;
                features.iter_mut().skip(first).step_by(width).for_each(|feature| *feature = zero);
            }
            first += column.kind.feature_count();
        }
        Ok(features)
    }

    /// Where each column of the encoder is in a table.
    fn places(&self, table: &Table) -> Result<Vec<Option<usize>>> {
        if self.format == Format::Csv && !self.has_header {
            return self.places_by_position(table);
        }
        let positions = table.positions();
        self.columns
            .iter()
            .map(|column| match positions.get(column.name.as_str()) {
                Some(&position) => Ok(Some(position)),
                None if self.format == Format::Libsvm => Ok(None),
                None => Err(self.missing_column(table, &column.name)),
            })
            .collect()
    }

    fn places_by_position(&self, table: &Table) -> Result<Vec<Option<usize>>> {
        let width = table.columns.len();
        let target = self.target.position;
        let shift = |position: usize| match width {
            _ if width == self.width => Some(position),
            _ if width + 1 == self.width => Some(position - usize::from(position > target)),
            _ => None,
        };
        let places = self.columns.iter().map(|column| shift(column.position).map(Some)).collect();
        let found = format!("{width} columns");
        let both = format!("{}, or {} without the target", self.width, self.width - 1);
        let error = || {
            Error::data(table.path.display(), found)
                .allowed(both + ": the model was trained without a header")
                .advice("the columns of the file that it was trained on, in the same order")
        };
        Option::ok_or_else(places, error)
    }

    fn missing_column(&self, table: &Table, name: &str) -> Error {
        let error = Error::data(table.path.display(), format!("no column \"{name}\""))
            .allowed(format!("every column that the model was trained on ({} of them)", self.columns.len()));
        // A header that the model knows cannot be a misspelling of another one.
        let known = self.columns.iter().map(|column| column.name.as_str()).chain([self.target_name()]);
        let known: HashMap<&str, ()> = known.map(|name| (name, ())).collect();
        match nearest(name, table.column_names().filter(|name| !known.contains_key(name))) {
            Some(near) => error.advice(format!("is \"{near}\" the same column? Rename it")),
            None if !table.column_names().any(|name| known.contains_key(name)) => {
                error.advice("names of the columns in the first line, as in the file that it was trained on")
            }
            None => error.advice("add the column, empty where its values are not known"),
        }
    }
}

/// What to try where a cell of new rows cannot be used.
const CORRECT_CELL: &str = "correct the cell, or leave it empty if its value is not known";

/// Rows of one column, about to be encoded.
struct Source<'a> {
    table: &'a Table,
    column: usize,
    rows: &'a [u32],
    missing: &'a Missing,
}

impl Source<'_> {
    /// Writes the features of the column into a row-major matrix of zeros, from feature `first` on.
    fn write(&self, kind: &ColumnKind, features: &mut [f32], width: usize, first: usize) -> Result<()> {
        let rows = features.chunks_exact_mut(width).map(|row| &mut row[first..]);
        match kind {
            ColumnKind::Numeric { centre, scale, indicator } => {
                self.write_numbers(*centre, *scale, *indicator, rows)
            }
            ColumnKind::Boolean { no, yes, indicator } => {
                self.write_text(rows, |cell, row| {
                    row[0] = boolean(cell, no, yes);
                    if *indicator && row[0].is_nan() {
                        row[1] = 1.0;
                    }
                });
                Ok(())
            }
            ColumnKind::Categorical { names, missing } => {
                let slots: HashMap<&str, usize> =
                    names.iter().enumerate().map(|(slot, name)| (name.as_str(), slot)).collect();
                let other = names.len();
                self.write_text(rows, |cell, row| {
                    let slot = match slots.get(cell) {
                        Some(&slot) => slot,
                        None => other + usize::from(*missing && self.missing.is(cell)),
                    };
                    row[slot] = 1.0;
                });
                Ok(())
            }
        }
    }

    fn write_text<'f>(&self, rows: impl Iterator<Item = &'f mut [f32]>, write: impl Fn(&str, &mut [f32])) {
        let cells = &self.table.columns[self.column].cells;
        for (&row, features) in self.rows.iter().zip(rows) {
            write(&cells.text(row as usize), features);
        }
    }

    fn write_numbers<'f>(
        &self,
        centre: f64,
        scale: f64,
        indicator: bool,
        rows: impl Iterator<Item = &'f mut [f32]>,
    ) -> Result<()> {
        let scan = numbers::scan(&self.table.columns[self.column].cells, self.rows, self.missing);
        if let Some(row) = scan.first_bad {
            return Err(self.not_a_number(row));
        }
        if let Some(row) = scan.first_large {
            return Err(too_large(self.table, self.column, row, LARGEST).advice(CORRECT_CELL));
        }
        for (number, features) in scan.numbers.iter().zip(rows) {
            let stored = (number - centre) / scale;
            features[0] = stored.clamp(-LARGEST_STORED, LARGEST_STORED) as f32;
            if indicator && number.is_nan() {
                features[1] = 1.0;
            }
        }
        Ok(())
    }

    fn not_a_number(&self, row: usize) -> Error {
        let cell = self.table.columns[self.column].cells.text(row);
        Error::data(
            self.table.place_of_cell(row, self.column),
            format!("\"{}\" in a column of numbers", cut(&cell)),
        )
        .allowed("a number, or a missing value")
        .advice(CORRECT_CELL)
    }
}

/// 0 or 1, or NaN for neither. Case decides only where the two differ by nothing else.
fn boolean(cell: &str, no: &str, yes: &str) -> f32 {
    let is = |word: &str| cell == word || cell.eq_ignore_ascii_case(word) && !no.eq_ignore_ascii_case(yes);
    let is_number = |word: &str| parse_number(cell).is_some_and(|number| Some(number) == parse_number(word));
    match () {
        _ if is(no) => 0.0,
        _ if is(yes) => 1.0,
        _ if is_number(no) => 0.0,
        _ if is_number(yes) => 1.0,
        _ => f32::NAN,
    }
}
