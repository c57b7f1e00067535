//! What each column holds, told from its cells: numbers, one of two values, categories, or nothing
//! that a model could use.

use super::encode::ColumnKind;
use super::numbers::{
    self, Missing, Scan, check_numeric, has_more_distinct, is_numeric_with_mistakes, near_unit, parse_number,
    too_large,
};
use super::options::{ColumnType, Scale};
use super::table::{Cells, Column, Format, Table, list_names};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// With [`Scale::None`] a number must also fit f32 with room for a product.
const LARGEST_UNSCALED: f64 = super::encode::LARGEST_STORED;

/// More categories than this, and those with fewer than [`RARE`] rows go to `(other)`.
const MANY_CATEGORIES: usize = 10;
const RARE: u32 = 3;

/// Categories beyond the most frequent this many go to `(other)`.
const MOST_CATEGORIES: usize = 64;

/// Why a column is no feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Empty,
    Constant,
    /// Text that nearly never repeats.
    Text,
    /// Counts the rows.
    Counter,
    /// Names of which each has a few rows only.
    Rare,
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
    let Column { name, cells } = &table.columns[column];
    let scan = numbers::scan(cells, rows, missing);
    if scan.present == 0 {
        return Ok(Fitted::Left(Left::Empty));
    }
    let numeric = match declared {
        Some(declared) => declared == ColumnType::Numeric,
        None => scan.bad == 0 || is_numeric_with_mistakes(&scan),
    };
    if numeric {
        if declared.is_none() && is_named_as_row_numbers(name) && are_row_numbers(table, cells, missing) {
            return Ok(Fitted::Left(Left::Counter));
        }
        check_numeric(table, column, &scan)?;
        if declared.is_none() && is_counter(name, &scan.numbers) {
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

/// Whether a column has the name, or lack of one, that pandas and R give row numbers.
fn is_named_as_row_numbers(name: &str) -> bool {
    [super::csv::UNNAMED, "Unnamed: 0"].contains(&name)
}

/// Whether a column of such a name numbers rows, be they mixed, drawn or of several tables one after the other: whole
/// numbers from 0 on, none of which comes twice, or that count on and begin again, or of which there are many. All rows
/// are looked at, those without a target too; a row of totals may have no number.
fn are_row_numbers(table: &Table, cells: &Cells, missing: &Missing) -> bool {
    const MANY: usize = 20;
    let rows: Vec<u32> = (0..table.row_count as u32).collect();
    let numbers = numbers::scan(cells, &rows, missing).numbers;
    let numbers: Vec<f64> = numbers.into_iter().filter(|number| !number.is_nan()).collect();
    let distinct = numbers.iter().map(|number| number.to_bits()).collect::<HashSet<_>>().len();
    let is_start = |number: f64| number == 0.0 || number == 1.0;
    let goes_on = |pair: &[f64]| pair[1] - pair[0] == 1.0 || is_start(pair[1]);
    let counts = numbers.first().is_some_and(|&first| is_start(first)) && numbers.windows(2).all(goes_on);
    numbers.iter().all(|number| number.fract() == 0.0 && *number >= 0.0)
        && (counts || distinct == numbers.len() || distinct > MANY && 4 * distinct > numbers.len())
}

/// Whether a column counts its rows, from 0 or 1 by ones, under a name that says so.
fn is_counter(name: &str, numbers: &[f64]) -> bool {
    const NAMES: [&str; 9] =
        ["index", "row", "rownames", "row_names", "row_number", "number", "no", "nr", "#"];
    let name = name.to_lowercase();
    let named = name.ends_with("id") || NAMES.contains(&name.as_str());
    let first = numbers.first().copied().unwrap_or(f64::NAN);
    named && (first == 0.0 || first == 1.0) && numbers.windows(2).all(|pair| pair[1] - pair[0] == 1.0)
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
        return Fitted::Left(Left::Rare);
    }
    Fitted::Feature(ColumnKind::Categorical { names, missing })
}

/// Whether categories are numbers but for currency and percent signs or commas between digits.
pub(super) fn is_disguised_numbers(kind: &ColumnKind) -> bool {
    let ColumnKind::Categorical { names, .. } = kind else { return false };
    let is_number = |name: &String| {
        let plain: String = name.chars().filter(|sign| !"$€£¥%, ".contains(*sign)).collect();
        plain.len() < name.len() && parse_number(&plain).is_some()
    };
    !names.is_empty() && names.iter().all(is_number)
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
