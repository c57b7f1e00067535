//! Cells read as numbers: what is missing, what is one, what keeps a column from being numeric.

use super::options::DEFAULT_MISSING;
use super::table::{Cells, Table};
use crate::error::{Error, Result, cut};

/// Numbers beyond this have squares that pass the largest f64.
pub(super) const LARGEST: f64 = 1e150;

/// A column is taken for numbers with mistakes in it where at most one present cell in this many is
/// not a number, and there are more than [`FEW`] distinct numbers.
const MISTAKE_SHARE: usize = 10;
const FEW: usize = 10;

/// A cell as a number, infinite ones included; `None` for anything else, NaN among it.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| !number.is_nan())
}

/// What a missing value looks like.
pub(super) struct Missing {
    texts: Vec<String>,
    numbers: Vec<f64>,
}

impl Missing {
    /// From the spellings of a study, or the default ones where it has none.
    pub fn new(spellings: &[String]) -> Self {
        let texts = match spellings {
            [] => DEFAULT_MISSING.map(String::from).to_vec(),
            _ => spellings.to_vec(),
        };
        let numbers = texts.iter().filter_map(|text| parse_number(text)).collect();
        Self { texts, numbers }
    }

    pub fn is(&self, cell: &str) -> bool {
        cell.is_empty()
            || self.texts.iter().any(|text| text.eq_ignore_ascii_case(cell))
            || (!self.numbers.is_empty()
                && parse_number(cell).is_some_and(|number| self.numbers.contains(&number)))
    }
}

/// One cell read as a number.
pub(super) enum Number {
    Missing,
    Finite(f64),
    /// Infinite, or beyond [`LARGEST`].
    TooLarge,
    Text,
}

/// Reads a cell as a number.
pub(super) fn number(cell: &str, missing: &Missing) -> Number {
    match parse_number(cell) {
        Some(number) if missing.numbers.contains(&number) => Number::Missing,
        Some(number) if number.abs() <= LARGEST => Number::Finite(number),
        _ if missing.is(cell) => Number::Missing,
        Some(_) => Number::TooLarge,
        None => Number::Text,
    }
}

/// A column read as numbers, as far as it can be.
pub(super) struct Scan {
    /// NaN where missing or not a number.
    pub numbers: Vec<f64>,
    /// Cells that are not missing.
    pub present: usize,
    /// Cells that are not numbers.
    pub bad: usize,
    /// The first row whose cell is not a number.
    pub first_bad: Option<usize>,
    /// The first row whose cell is too large.
    pub first_large: Option<usize>,
}

/// Reads the given rows of a column as numbers.
pub(super) fn scan(cells: &Cells, rows: &[u32], missing: &Missing) -> Scan {
    let mut scan = Scan {
        numbers: Vec::with_capacity(rows.len()),
        present: 0,
        bad: 0,
        first_bad: None,
        first_large: None,
    };
    let mut add = |row: usize, cell: Number| {
        scan.present += usize::from(!matches!(cell, Number::Missing));
        match cell {
            Number::Finite(number) => return scan.numbers.push(number),
            Number::Missing => {}
            Number::TooLarge => scan.first_large = scan.first_large.or(Some(row)),
            Number::Text => {
                scan.bad += 1;
                scan.first_bad = scan.first_bad.or(Some(row));
            }
        }
        scan.numbers.push(f64::NAN);
    };
    let finite = |value: f64| match value.abs() <= LARGEST {
        true => Number::Finite(value),
        false if value.is_nan() => Number::Missing,
        false => Number::TooLarge,
    };
    let rows = rows.iter().map(|&row| row as usize);
    match cells {
        Cells::Text(text) => rows.for_each(|row| add(row, number(text.get(row), missing))),
        Cells::Bytes(bytes) => rows.for_each(|row| add(row, Number::Finite(bytes[row].into()))),
        Cells::Numbers(numbers) => rows.for_each(|row| add(row, finite(numbers[row]))),
        Cells::Sparse { rows: held, values } => {
            let mut next = 0;
            for row in rows {
                next += held[next..].iter().take_while(|&&place| (place as usize) < row).count();
                let here = held.get(next).is_some_and(|&place| place as usize == row);
                add(row, finite(if here { values[next] } else { 0.0 }));
            }
        }
    }
    scan
}

/// The error for the first cell that keeps a column from being numeric, where one does.
pub(super) fn check_numeric(table: &Table, column: usize, scan: &Scan) -> Result<()> {
    if let Some(row) = scan.first_bad {
        return Err(not_a_number(table, column, row, scan));
    }
    match scan.first_large {
        Some(row) => Err(too_large(table, column, row, LARGEST)),
        None => Ok(()),
    }
}

fn not_a_number(table: &Table, column: usize, row: usize, scan: &Scan) -> Error {
    let cell = table.columns[column].cells.text(row);
    let cell = cut(&cell);
    let numeric = scan.present - scan.bad;
    let found = format!("\"{cell}\" is not a number, as {numeric} of {} values here are", scan.present);
    Error::data(table.place_of_cell(row, column), found).allowed("a number, or a missing value").advice(
        format!(
            "missing = [\"{cell}\", …] under [data] if it means missing, or declare the column categorical"
        ),
    )
}

/// The error for a number that is infinite or out of reach.
pub(super) fn too_large(table: &Table, column: usize, row: usize, largest: f64) -> Error {
    let cell = table.columns[column].cells.text(row);
    let cell = cut(&cell);
    Error::data(table.place_of_cell(row, column), format!("{cell} is infinite or too large"))
        .allowed(format!("numbers from -{largest:e} to {largest:e}, or a missing value"))
        .advice(format!("missing = [\"{cell}\", …] under [data] if it means missing"))
}

/// Whether nearly all cells are numbers, of many values, so that the others must be mistakes.
pub(super) fn is_numeric_with_mistakes(scan: &Scan) -> bool {
    scan.bad > 0 && scan.bad * MISTAKE_SHARE <= scan.present && has_more_distinct(&scan.numbers, FEW)
}

/// Whether there are more than `count` distinct numbers, NaN not counted.
pub(super) fn has_more_distinct(numbers: &[f64], count: usize) -> bool {
    let mut distinct: Vec<f64> = Vec::with_capacity(count + 1);
    for &number in numbers {
        if !number.is_nan() && !distinct.contains(&number) {
            distinct.push(number);
            if distinct.len() > count {
                return true;
            }
        }
    }
    false
}

/// The median and the mean distance from it: what brings numbers near unit scale, with the most digits
/// where most of the numbers are. NaN is left out; the scale is above 0.
pub(super) fn near_unit(mut numbers: Vec<f64>) -> (f64, f64) {
    numbers.retain(|number| !number.is_nan());
    let count = numbers.len();
    if count == 0 {
        return (0.0, 1.0);
    }
    let (_, centre, _) = numbers.select_nth_unstable_by(count / 2, f64::total_cmp);
    let centre = *centre;
    let spread: f64 = numbers.iter().map(|number| (number - centre).abs() / count as f64).sum();
    (centre, if spread > 0.0 { spread } else { 1.0 })
}
