//! LIBSVM (also svmlight) text: `label index:value index:value … # comment`, one row a line.
//!
//! Indices count from 1 and ascend within a line; what is not written is 0. A line may lack its label
//! (rows to predict). A `qid:` is not a feature and is skipped.
//!
//! Source: the README of LIBSVM, C.-C. Chang and C.-J. Lin; T. Joachims, SVMlight.

use super::idx::LABEL;
use super::numbers::parse_number;
use super::table::{Cells, Column, Format, MAX_COLUMNS, MAX_NUMBERS, Table, TextCells};
use crate::error::{Error, Result, cut};
use std::path::Path;

/// Whether the first lines that say anything are of this layout, and one of them has a feature.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let is_pair = |token: &str| {
        token.split_once(':').is_some_and(|(index, value)| {
            (index == "qid" || index.parse::<u64>().is_ok()) && parse_number(value).is_some()
        })
    };
    let mut has_pair = false;
    let mut is_row = |line: &[u8]| {
        let Ok(line) = std::str::from_utf8(line) else { return false };
        let mut tokens = line.split_ascii_whitespace();
        let is_label = |token: &str| is_pair(token) || !token.contains([':', ',', ';', '"']);
        let has_label = tokens.next().is_some_and(is_label);
        let mut tokens = tokens.peekable();
        has_pair |= tokens.peek().is_some();
        has_label && tokens.all(is_pair)
    };
    let lines = bytes.split(|&byte| byte == b'\n').map(meaning).filter(|line| !line.is_empty());
    lines.take(10).all(&mut is_row) && has_pair
}

/// A line without its comment and outer spaces.
fn meaning(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b'#').next().unwrap_or(line).trim_ascii()
}

/// Reads a whole file. The label is the last column.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Table> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // (column) rows and values
    let mut columns: Vec<(Vec<u32>, Vec<f64>)> = Vec::new();
    let (mut labels, mut lines) = (TextCells::default(), Vec::new());
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let place = Place { path, line: number + 1 };
        let line = std::str::from_utf8(meaning(line)).ok().filter(|line| !line.contains('\0'));
        let line = line.ok_or_else(|| {
            place
                .error("a byte that is not text")
                .allowed("UTF-8 text")
                .advice("fetch or copy the file again")
        })?;
        if !line.is_empty() {
            labels.push(parse_line(&place, line, lines.len() as u32, &mut columns)?);
            lines.push(place.line as u32);
        }
    }
    let row_count = lines.len();
    if row_count == 0 || columns.is_empty() {
        return Err(Error::data(path.display(), "holds no rows with features")
            .allowed("rows of `label index:value index:value …`")
            .advice("another file; a csv file is named .csv"));
    }
    if row_count.saturating_mul(columns.len()) > MAX_NUMBERS {
        let found = format!("{row_count} rows, with indices up to {}", columns.len());
        return Err(Error::data(path.display(), found)
            .allowed(format!("at most {MAX_NUMBERS} numbers in all: rows are trained on densely"))
            .advice("fewer rows, or fewer features"));
    }
    let mut columns: Vec<Column> = (1..)
        .zip(columns)
        .map(|(index, (rows, values))| Column {
            name: format!("feature_{index}"),
            cells: Cells::Sparse { rows, values },
        })
        .collect();
    columns.push(Column { name: LABEL.into(), cells: Cells::Text(labels) });
    Ok(Table {
        path: path.into(),
        format: Format::Libsvm,
        has_header: true,
        columns,
        row_count,
        lines,
        notes: Vec::new(),
    })
}

/// A line of a file, for errors.
struct Place<'a> {
    path: &'a Path,
    line: usize,
}

impl Place<'_> {
    fn error(&self, found: impl std::fmt::Display) -> Error {
        Error::data(format!("{}, line {}", self.path.display(), self.line), found)
    }
}

/// Reads one line into the columns; returns its label, empty where it has none.
fn parse_line<'a>(
    place: &Place,
    line: &'a str,
    row: u32,
    columns: &mut Vec<(Vec<u32>, Vec<f64>)>,
) -> Result<&'a str> {
    let mut tokens = line.split_ascii_whitespace().peekable();
    let label = tokens.next_if(|token| !token.contains(':')).unwrap_or("");
    let mut last = 0;
    for token in tokens {
        let Some((index, value)) = token.split_once(':') else {
            return Err(place.error(format!("\"{}\"", cut(token))).allowed("index:value after the label"));
        };
        if index == "qid" {
            continue;
        }
        let index = index_of(place, index)?;
        if index <= last {
            let how = if index == last { "twice" } else { "after a larger one" };
            return Err(place.error(format!("index {index} comes {how}")).allowed("indices that ascend"));
        }
        last = index;
        let number = parse_number(value).filter(|number| number.is_finite());
        let number = number.ok_or_else(|| {
            place
                .error(format!("\"{}\" at index {index} is not a finite number", cut(value)))
                .allowed("a number")
        })?;
        if columns.len() < index {
            columns.resize_with(index, Default::default);
        }
        columns[index - 1].0.push(row);
        columns[index - 1].1.push(number);
    }
    Ok(label)
}

fn index_of(place: &Place, text: &str) -> Result<usize> {
    let allowed = format!("a whole number from 1 to {MAX_COLUMNS}");
    match text.parse::<usize>() {
        Ok(0) => Err(place
            .error("index 0")
            .allowed("indices count from 1")
            .advice("write the file again counting from 1 (in scikit-learn: zero_based=False)")),
        Ok(index) if index > MAX_COLUMNS => Err(place
            .error(format!("index {index}"))
            .allowed(allowed)
            .advice("fewer features: rows are trained on densely")),
        Ok(index) => Ok(index),
        Err(_) => Err(place.error(format!("index \"{}\"", cut(text))).allowed(allowed)),
    }
}
