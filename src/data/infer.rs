//! What each column holds, told from its cells: numbers, one of two values, categories, or nothing
//! that a model could use.

use super::encode::ColumnKind;
use super::options::{ColumnType, DEFAULT_MISSING, Scale};
use super::table::{Cells, Format, Table, list_names};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::collections::HashMap;

/// Numbers beyond this have squares that pass the largest f64.
pub(super) const LARGEST: f64 = 1e150;

/// With [`Scale::None`] a number must also fit f32 with room for a product.
const LARGEST_UNSCALED: f64 = 1e30;

/// More categories than this, and those with fewer than [`RARE`] rows go to `(other)`.
const MANY_CATEGORIES: usize = 10;
const RARE: u32 = 3;

/// Categories beyond the most frequent this many go to `(other)`.
const MOST_CATEGORIES: usize = 64;

/// A column is taken for numbers with mistakes in it where at most one present cell in this many is
/// not a number.
const MISTAKE_SHARE: usize = 10;

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
    NotANumber,
}

/// Reads a cell as a number.
pub(super) fn number(cell: &str, missing: &Missing) -> Number {
    match parse_number(cell) {
        Some(number) if missing.numbers.contains(&number) => Number::Missing,
        Some(number) if number.abs() <= LARGEST => Number::Finite(number),
        _ if missing.is(cell) => Number::Missing,
        Some(_) => Number::TooLarge,
        None => Number::NotANumber,
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
            Number::NotANumber => {
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
    Error::data(table.place_of_cell(row, column), format!("{cell} is infinite or too large"))
        .allowed(format!("numbers from -{largest:e} to {largest:e}, or a missing value"))
}

/// Whether nearly all cells are numbers, of many values, so that the others must be mistakes.
pub(super) fn is_numeric_with_mistakes(scan: &Scan) -> bool {
    scan.bad > 0
        && scan.bad * MISTAKE_SHARE <= scan.present
        && has_more_distinct(&scan.numbers, MANY_CATEGORIES)
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

/// Why a column is no feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Empty,
    Constant,
    /// Text that nearly never repeats.
    Text,
    /// Counts the rows.
    Counter,
}

/// What became of a column.
pub(super) enum Fitted {
    Feature(ColumnKind),
    Left(Left),
}

/// Decides what a column holds and learns how to encode it from the given rows.
///
/// Errors: a number that is not one in a column of numbers, an infinite one, more than two values in a
/// column declared boolean.
pub(super) fn fit(
    table: &Table,
    column: usize,
    rows: &[u32],
    declared: Option<ColumnType>,
    scale: Scale,
    missing: &Missing,
) -> Result<Fitted> {
    let cells = &table.columns[column].cells;
    let scan = scan(cells, rows, missing);
    if scan.present == 0 {
        return Ok(Fitted::Left(Left::Empty));
    }
    let numeric = match declared {
        Some(declared) => declared == ColumnType::Numeric,
        None => scan.bad == 0 || is_numeric_with_mistakes(&scan),
    };
    if numeric {
        check_numeric(table, column, &scan)?;
        if declared.is_none() && is_counter(&table.columns[column].name, &scan.numbers) {
            return Ok(Fitted::Left(Left::Counter));
        }
        if has_more_distinct(&scan.numbers, 1) {
            return fit_numeric(table, column, rows, scale, scan).map(Fitted::Feature);
        }
    }
    let counts = count(cells, rows, missing);
    let has_missing = scan.present < rows.len();
    if counts.len() == 1 && !has_missing {
        return Ok(Fitted::Left(Left::Constant));
    }
    match declared {
        Some(ColumnType::Boolean) => fit_boolean(table, column, &counts, has_missing).map(Fitted::Feature),
        None if let Some(kind) = boolean(&counts, has_missing) => Ok(Fitted::Feature(kind)),
        None if counts.len() > MANY_CATEGORIES && 2 * counts.len() > scan.present => {
            Ok(Fitted::Left(Left::Text))
        }
        _ => Ok(fit_categorical(&counts, has_missing)),
    }
}

/// Whether a column counts its rows, from 0 or 1 by ones, under a name that says so (or none).
fn is_counter(name: &str, numbers: &[f64]) -> bool {
    const NAMES: [&str; 9] =
        ["index", "row", "rownames", "row_names", "row_number", "number", "no", "nr", "#"];
    let name = name.to_lowercase();
    let named = name == super::csv::UNNAMED || name.starts_with("unnamed") || NAMES.contains(&name.as_str());
    let first = numbers.first().copied().unwrap_or(f64::NAN);
    (named || name.ends_with("id"))
        && (first == 0.0 || first == 1.0)
        && numbers.windows(2).all(|pair| pair[1] - pair[0] == 1.0)
}

fn fit_numeric(table: &Table, column: usize, rows: &[u32], scale: Scale, scan: Scan) -> Result<ColumnKind> {
    let indicator = scan.present < rows.len();
    let is_byte = matches!(table.columns[column].cells, Cells::Bytes(_));
    let (centre, scale) = match scale {
        Scale::None => {
            if let Some(place) = scan.numbers.iter().position(|number| number.abs() > LARGEST_UNSCALED) {
                let error = too_large(table, column, rows[place] as usize, LARGEST_UNSCALED);
                return Err(error.advice("scale = \"standard\" under [data]"));
            }
            (0.0, 1.0)
        }
        // Bytes are exact in f32 as they are.
        _ if is_byte => (0.0, 255.0),
        _ => near_unit(scan.numbers),
    };
    Ok(ColumnKind::Numeric { centre, scale, indicator })
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

/// How many of the given rows hold each text, missing ones left out.
pub(super) fn count<'a>(cells: &'a Cells, rows: &[u32], missing: &Missing) -> HashMap<Cow<'a, str>, u32> {
    let mut counts = HashMap::new();
    for &row in rows {
        let cell = cells.text(row as usize);
        if let Some(count) = counts.get_mut(&cell) {
            *count += 1;
        } else if !missing.is(&cell) {
            counts.insert(cell, 1);
        }
    }
    counts
}

/// Two values where the first means 0 and the second 1, in any case.
const PAIRS: [[&str; 2]; 5] = [["false", "true"], ["no", "yes"], ["f", "t"], ["n", "y"], ["off", "on"]];

/// A column of two values, or of two words for no and yes in any case.
fn boolean(counts: &HashMap<Cow<str>, u32>, indicator: bool) -> Option<ColumnKind> {
    let is_one_of = |pair: &[&str; 2]| {
        counts.keys().all(|value| pair.iter().any(|word| word.eq_ignore_ascii_case(value)))
            && pair.iter().all(|word| counts.keys().any(|value| word.eq_ignore_ascii_case(value)))
    };
    if let Some([no, yes]) = PAIRS.iter().find(|pair| is_one_of(pair)) {
        return Some(ColumnKind::Boolean { no: no.to_string(), yes: yes.to_string(), indicator });
    }
    let [no, yes] = <[String; 2]>::try_from(sorted(counts.keys())).ok()?;
    Some(ColumnKind::Boolean { no, yes, indicator })
}

fn fit_boolean(
    table: &Table,
    column: usize,
    counts: &HashMap<Cow<str>, u32>,
    indicator: bool,
) -> Result<ColumnKind> {
    boolean(counts, indicator).ok_or_else(|| {
        let values = sorted(counts.keys());
        let found = format!("{} values in a column declared boolean", values.len());
        Error::data(
            table.place_of_column(column),
            format!("{found}: {}", list_names(values.iter().map(String::as_str))),
        )
        .allowed("two values, or missing")
        .advice("declare it categorical")
    })
}

fn fit_categorical(counts: &HashMap<Cow<str>, u32>, missing: bool) -> Fitted {
    let mut names = sorted(counts.keys());
    if names.len() > MANY_CATEGORIES {
        names.retain(|name| counts[name.as_str()] >= RARE);
    }
    if names.len() > MOST_CATEGORIES {
        // A stable sort: equally frequent names stay in order.
        names.sort_by_key(|name| std::cmp::Reverse(counts[name.as_str()]));
        names.truncate(MOST_CATEGORIES);
        names = sorted(names.iter());
    }
    if names.is_empty() && !missing {
        return Fitted::Left(Left::Text);
    }
    Fitted::Feature(ColumnKind::Categorical { names, missing })
}

/// Names in order: by number where all are numbers, else by text.
pub(super) fn sorted<T: AsRef<str>>(names: impl Iterator<Item = T>) -> Vec<String> {
    let mut names: Vec<String> = names.map(|name| name.as_ref().to_string()).collect();
    let numbers: Option<HashMap<String, f64>> =
        names.iter().map(|name| Some((name.clone(), parse_number(name)?))).collect();
    match numbers {
        Some(numbers) => names.sort_by(|a, b| numbers[a].total_cmp(&numbers[b]).then_with(|| a.cmp(b))),
        None => names.sort(),
    }
    names
}

/// Whether the numeric columns of a table are one quantity in one unit, to be scaled alike: the pixels
/// of images.
pub(super) fn is_image(table: &Table) -> bool {
    table.format == Format::Idx
        && table.columns.first().is_some_and(|column| {
            column.name.starts_with("pixel_") && matches!(column.cells, Cells::Bytes(_))
        })
}
