//! A table as read from a file: named columns of raw cells, and the line each row came from.

use super::options::ColumnRef;
use crate::error::{Error, Result, cut, nearest};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Most columns that a file may have. Wider tables would need a first layer of gigabytes.
pub const MAX_COLUMNS: usize = 100_000;

/// Most numbers that an encoded table may have: 4 GiB of them.
pub const MAX_NUMBERS: usize = 1 << 30;

/// The layout of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-, tab- or semicolon-separated text.
    Csv,
    /// The layout of the MNIST files.
    Idx,
    /// `label index:value …`, one row a line.
    Libsvm,
}

/// Columns of raw cells.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) has_header: bool,
    pub(super) columns: Vec<Column>,
    pub(super) row_count: usize,
    /// (row) the line that each row begins on; empty where the file has no lines.
    pub(super) lines: Vec<u32>,
    /// What the user should know about how the file was read.
    pub(super) notes: Vec<String>,
}

/// One column of a [`Table`].
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub name: String,
    pub cells: Cells,
}

/// The raw cells of one column, in the narrowest form that loses nothing.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    Text(TextCells),
    Bytes(Vec<u8>),
    Numbers(Vec<f64>),
    /// Ascending rows and their values; every other row holds 0.
    Sparse {
        rows: Vec<u32>,
        values: Vec<f64>,
    },
}

/// Text cells end to end in one string, so that a cell costs no allocation of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct TextCells {
    text: String,
    /// Where each cell ends; files are shorter than 4 GiB.
    ends: Vec<u32>,
}

impl TextCells {
    pub fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len() as u32);
    }

    pub fn get(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.text[start..self.ends[row] as usize]
    }
}

impl Cells {
    /// The cell as text, numbers in their shortest form.
    pub fn text(&self, row: usize) -> Cow<'_, str> {
        match self {
            Self::Text(cells) => Cow::Borrowed(cells.get(row)),
            Self::Bytes(bytes) => Cow::Owned(bytes[row].to_string()),
            Self::Numbers(numbers) => Cow::Owned(numbers[row].to_string()),
            Self::Sparse { rows, values } => {
                Cow::Owned(rows.binary_search(&(row as u32)).map_or(0.0, |place| values[place]).to_string())
            }
        }
    }
}

impl Table {
    /// Number of rows, the header not counted.
    pub fn row_count(&self) -> usize {
        self.row_count
    }

    /// The file it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The layout of the file.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The names of all columns, in the order of the file.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// A cell as text, numbers in their shortest form; both places from 0, as [`Self::row_count`] and
    /// [`Self::column_names`] count.
    pub fn cell(&self, row: usize, column: usize) -> Cow<'_, str> {
        self.columns[column].cells.text(row)
    }

    /// The line of the file that a row begins on, where the file has lines.
    pub fn line(&self, row: usize) -> Option<u32> {
        self.lines.get(row).copied()
    }

    /// Column name → position.
    pub(super) fn positions(&self) -> HashMap<&str, usize> {
        self.column_names().enumerate().map(|(position, name)| (name, position)).collect()
    }

    /// Names the file and a column of it, for errors.
    pub(super) fn place_of_column(&self, column: usize) -> String {
        format!("{}, column \"{}\"", self.path.display(), cut(&self.columns[column].name))
    }

    /// Names the file, a row and a column of it, for errors.
    pub(super) fn place_of_cell(&self, row: usize, column: usize) -> String {
        let name = cut(&self.columns[column].name);
        match self.line(row) {
            Some(line) => format!("{}, line {line}, column \"{name}\"", self.path.display()),
            None => format!("{}, row {}, \"{name}\"", self.path.display(), row + 1),
        }
    }

    /// The position of the column that `reference` names.
    ///
    /// A name that no column has but that is a number counts as a position where there is no header,
    /// so that `--target 4` works. Errors name `role` (a study key), the nearest column and all of
    /// them.
    pub(super) fn find(&self, reference: &ColumnRef, role: &str) -> Result<usize> {
        let count = self.columns.len();
        let index = match reference {
            ColumnRef::Index(index) => Some(*index),
            ColumnRef::Name(name) => match self.column_names().position(|known| known == name) {
                Some(position) => return Ok(position),
                None => name.parse().ok().filter(|_| !self.has_header),
            },
        };
        match index {
            Some(index) if index < count => Ok(index),
            Some(_) => Err(Error::data(self.path.display(), format!("no column {reference} for {role}"))
                .allowed(format!("0 to {} (the first column is 0), or a name", count - 1))),
            None => Err(self.unknown_column(reference, role)),
        }
    }

    fn unknown_column(&self, reference: &ColumnRef, role: &str) -> Error {
        let error = Error::data(self.path.display(), format!("no column {reference} for {role}"))
            .allowed(list_names(self.column_names()));
        let ColumnRef::Name(name) = reference else { return error };
        if self.columns.len() == 1 {
            return error.advice("there is one column only: separate columns by comma, tab or semicolon");
        }
        if !self.has_header && self.format == Format::Csv {
            return error.advice(
                "the first record was read as data, so columns have no names of their own: \
                 set has_header = true, or give the position (the first column is 0)",
            );
        }
        match nearest(name, self.column_names()) {
            Some(near) => error.advice(format!("did you mean \"{near}\"?")),
            None => error,
        }
    }
}

/// Names for a message: the first eight of them, long ones cut, and how many more there are.
pub(super) fn list_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<Cow<str>> = names.by_ref().take(8).map(cut).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{}, … and {more} more", shown.join(", ")),
    }
}
