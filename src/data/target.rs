//! The target column: which rows have one, whether it is a class or a number, and its encoding.

use super::encode::TargetEncoder;
use super::infer;
use super::numbers::{self, Missing, Scan, has_more_distinct, parse_number};
use super::options::{ColumnType, DataOptions, TaskKind};
use super::table::{Cells, Table};
use super::{Targets, Task};
use crate::error::{Error, Result, cut};
use std::collections::HashMap;

/// More distinct whole numbers than this are amounts; up to this many are classes.
const MOST_NUMERIC_CLASSES: usize = 20;

/// Whole numbers with at most this many distinct values may be classes all the same, which is noted.
const MOST_DOUBTFUL_CLASSES: usize = 200;

/// The target of a study.
pub(super) struct Target {
    /// The rows of the table that have one; the rows of the data set, in order.
    pub rows: Vec<u32>,
    pub targets: Targets,
    pub task: Task,
    pub encoder: TargetEncoder,
    pub notes: Vec<String>,
}

/// Reads the target column.
///
/// Errors: no values, one value only, a different class on every row, a number that is none or infinite
/// in a target of numbers.
pub(super) fn fit(table: &Table, column: usize, options: &DataOptions, missing: &Missing) -> Result<Target> {
    let cells = &table.columns[column].cells;
    let (rows, absent): (Vec<u32>, Vec<u32>) =
        (0..table.row_count as u32).partition(|&row| is_present(cells, row as usize, missing));
    if rows.is_empty() {
        return Err(Error::data(table.place_of_column(column), "the target is missing in every row")
            .allowed("a value in at least some rows")
            .advice(
                "another target column; missing = […] under [data] says what a missing value looks like",
            ));
    }
    let scan = numbers::scan(cells, &rows, missing);
    let mut notes = Vec::new();
    if let Some(&first) = absent.first() {
        let place = table.place_of_cell(first as usize, column);
        notes.push(format!("{} rows without a target are left out (the first: {place})", absent.len()));
    }
    let name = table.columns[column].name.clone();
    let (targets, task, classes) = match task_of(table, column, options, &scan)? {
        TaskKind::Regression => {
            let is_whole = scan.numbers.iter().all(|number| number.fract() == 0.0);
            let is_said = options.task.is_some() || options.column_types.contains_key(&name);
            if !is_said && is_whole && !has_more_distinct(&scan.numbers, MOST_DOUBTFUL_CLASSES) {
                notes.push(format!(
                    "\"{name}\" has more than {MOST_NUMERIC_CLASSES} distinct whole numbers and is predicted \
                     as an amount; if they are classes, set task = \"classification\""
                ));
            }
            (values(table, column, scan)?, Task::Regression, Vec::new())
        }
        TaskKind::Classification => classes(table, column, &rows)?,
    };
    let encoder = TargetEncoder { name, position: column, classes };
    Ok(Target { rows, targets, task, encoder, notes })
}

fn is_present(cells: &Cells, row: usize, missing: &Missing) -> bool {
    match cells {
        Cells::Text(text) => !missing.is(text.get(row)),
        Cells::Numbers(numbers) => !numbers[row].is_nan(),
        Cells::Bytes(_) | Cells::Sparse { .. } => true,
    }
}

fn task_of(table: &Table, column: usize, options: &DataOptions, scan: &Scan) -> Result<TaskKind> {
    let declared = options.column_types.get(&table.columns[column].name).map(|declared| match declared {
        ColumnType::Numeric => TaskKind::Regression,
        ColumnType::Categorical | ColumnType::Boolean => TaskKind::Classification,
    });
    if let Some(task) = options.task.or(declared) {
        return Ok(task);
    }
    if scan.bad > 0 && !numbers::is_numeric_with_mistakes(scan) {
        return Ok(TaskKind::Classification);
    }
    numbers::check_numeric(table, column, scan)?;
    let is_amount = scan.numbers.iter().any(|number| number.fract() != 0.0)
        || has_more_distinct(&scan.numbers, MOST_NUMERIC_CLASSES);
    Ok(if is_amount { TaskKind::Regression } else { TaskKind::Classification })
}

fn values(table: &Table, column: usize, scan: Scan) -> Result<Targets> {
    numbers::check_numeric(table, column, &scan)?;
    if !has_more_distinct(&scan.numbers, 1) {
        return Err(constant(table, column, &scan.numbers[0].to_string(), scan.numbers.len()));
    }
    let (centre, scale) = numbers::near_unit(scan.numbers.clone());
    let stored = scan.numbers.iter().map(|number| ((number - centre) / scale) as f32).collect();
    Ok(Targets::Values { stored, centre, scale })
}

fn constant(table: &Table, column: usize, value: &str, row_count: usize) -> Error {
    let rows = if row_count == 1 { "the only row".to_owned() } else { format!("all {row_count} rows") };
    let found = format!(
        "the target is \"{}\" in {rows} that {} one",
        cut(value),
        if row_count == 1 { "has" } else { "have" }
    );
    Error::data(table.place_of_column(column), found)
        .allowed("at least two different values")
        .advice("another target column, or rows with another value")
}

/// The number of a label that is written as one writes an amount: 1, +1, -2.50. Others are names, such as 007 and
/// 12e1, and so are those with more digits than an f64 keeps apart.
fn plain_number(label: &str) -> Option<f64> {
    const DIGITS: usize = 15;
    let digits = label.strip_prefix(['-', '+']).unwrap_or(label);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = !whole.is_empty()
        && are_digits(whole)
        && are_digits(fraction)
        && (whole == "0" || !whole.starts_with('0'))
        && whole.len() + fraction.len() <= DIGITS;
    // Zero has one sign.
    is_plain.then(|| parse_number(label)).flatten().map(|number| number + 0.0)
}

/// Classes in order: by number where all labels are numbers, else by text. There 1 and 1.0 are one class, named as it
/// first comes.
fn classes(table: &Table, column: usize, rows: &[u32]) -> Result<(Targets, Task, Vec<String>)> {
    let cells = &table.columns[column].cells;
    let mut first_rows: HashMap<String, u32> = HashMap::new();
    for &row in rows {
        let label = cells.text(row as usize);
        if !first_rows.contains_key(label.as_ref()) {
            first_rows.insert(label.into_owned(), row);
        }
    }
    let labels = infer::sorted(first_rows.keys());
    let are_numbers = labels.iter().all(|label| parse_number(label).is_some());
    let mut names: Vec<String> = Vec::new();
    let mut class_of: HashMap<&str, u32> = HashMap::new();
    let mut classes_of_numbers: HashMap<u64, u32> = HashMap::new();
    for label in &labels {
        let number = plain_number(label).filter(|_| are_numbers).map(f64::to_bits);
        let next = names.len() as u32;
        let class = number.map_or(next, |number| *classes_of_numbers.entry(number).or_insert(next));
        match names.get_mut(class as usize) {
            None => names.push(label.clone()),
            Some(name) if first_rows[label] < first_rows[name.as_str()] => *name = label.clone(),
            Some(_) => {}
        }
        class_of.insert(label, class);
    }
    let place = || table.place_of_column(column);
    if names.len() == 1 {
        return Err(constant(table, column, &names[0], rows.len()));
    }
    if names.len() == rows.len() {
        return Err(Error::data(
            place(),
            format!("the target is different in every one of {} rows", rows.len()),
        )
        .allowed("classes that repeat")
        .advice("another target column, or task = \"regression\" if it is a number"));
    }
    let classes = rows.iter().map(|&row| class_of[cells.text(row as usize).as_ref()]).collect();
    Ok((Targets::Classes(classes), Task::Classification { class_count: names.len() }, names))
}
