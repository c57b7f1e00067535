//! From a table to what engines train on: roles of columns, encoding, splits, transforms.

use super::encode::{ColumnEncoder, ColumnKind, Encoder};
use super::infer::{self, Fitted, Left};
use super::numbers::Missing;
use super::options::{ColumnRef, DataOptions, Scale};
use super::split::{self, Rows};
use super::table::{Format, Table, list_names};
use super::target::{self, Target};
use super::transform::{Rule, with_missing};
use super::{Dataset, Fold, Targets, fingerprint, idx};
use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// A table ready for a study.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The rows that have a target, encoded, with every fold and its transforms.
    pub dataset: Dataset,
    /// Encodes new rows and names predictions.
    pub encoder: Encoder,
    /// (row) The row of the table that each row of the data set is.
    pub rows: Vec<u32>,
    /// Rows of the data set that are in no fold; ascending, empty where no test set was asked for.
    pub test_rows: Vec<u32>,
    /// Columns that are not learned from, and why: a line for each reason. Among the notes too.
    pub left_out: Vec<String>,
    /// What the user should know: columns and rows left out, guesses made.
    pub notes: Vec<String>,
    /// A hash of features, targets, classes and folds: a changed table shows.
    pub fingerprint: String,
}

/// Reads the file of a study, and prepares it. Errors: those of [`load`](super::load) and [`prepare`].
pub fn read(options: &DataOptions, seed: u64) -> Result<(Table, Prepared)> {
    let table = super::load(options)?;
    let prepared = prepare(&table, options, seed)?;
    Ok((table, prepared))
}

/// Encodes a table and divides its rows. The seed decides the splits and nothing else.
///
/// Errors: a column that is named and not there, a target that cannot be learned, no feature left, more
/// folds than a class has rows, and all that [`split::divide`] refuses.
pub fn prepare(table: &Table, options: &DataOptions, seed: u64) -> Result<Prepared> {
    let missing = Missing::new(&options.missing);
    let roles = Roles::of(table, options)?;
    let mut notes = table.notes.clone();
    let target = target::fit(table, roles.target, options, &missing)?;
    notes.extend(target.notes.iter().cloned());
    let (encoder, left_out) = fit_encoder(table, options, &roles, &target, &missing, &mut notes)?;
    let features = encoder.encode_rows(table, &target.rows)?;
    let split = divide(table, options, &roles, &target, &missing, seed)?;
    notes.extend(split.notes);
    let rules = rules(&encoder, options.scale, infer::is_image(table));
    let Target { targets, task, rows, .. } = target;
    let mut dataset =
        Dataset { task, feature_count: encoder.feature_count(), features, targets, folds: Vec::new() };
    let missing = with_missing(&dataset);
    for (train, validation) in split.folds {
        let fold = Fold::learn(&dataset, &rules, &missing, train, validation);
        dataset.folds.push(fold);
    }
    let fingerprint = fingerprint::of(&dataset, encoder.class_names());
    Ok(Prepared { dataset, encoder, rows, test_rows: split.test, left_out, notes, fingerprint })
}

/// The positions of the columns that are not features.
struct Roles {
    target: usize,
    fold: Option<usize>,
    group: Option<usize>,
    ignored: Vec<usize>,
}

impl Roles {
    fn of(table: &Table, options: &DataOptions) -> Result<Self> {
        let target = target_column(table, options)?;
        let split = &options.split;
        let find = |reference: &Option<ColumnRef>, role: &str| {
            reference.as_ref().map(|reference| table.find(reference, role)).transpose()
        };
        let roles = Self {
            target,
            fold: find(&split.fold_column, "fold_column")?,
            group: find(&split.group_column, "group_column")?,
            ignored: options
                .ignore
                .iter()
                .map(|reference| table.find(reference, "ignore"))
                .collect::<Result<_>>()?,
        };
        for (key, column) in [("fold_column", roles.fold), ("group_column", roles.group)] {
            if column == Some(target) {
                return Err(twice(table, target, key));
            }
        }
        if roles.ignored.contains(&target) {
            return Err(twice(table, target, "ignore"));
        }
        if let Some(unknown) =
            options.column_types.keys().find(|name| !table.column_names().any(|known| known == *name))
        {
            return Err(table.find(&ColumnRef::Name(unknown.clone()), "types").err().unwrap_or_else(|| {
                Error::usage("data.types", format!("\"{unknown}\" is a position")).allowed("names of columns")
            }));
        }
        Ok(roles)
    }

    fn is_feature(&self, column: usize) -> bool {
        column != self.target
            && self.fold != Some(column)
            && self.group != Some(column)
            && !self.ignored.contains(&column)
    }
}

fn twice(table: &Table, column: usize, key: &str) -> Error {
    let name = &table.columns[column].name;
    Error::usage(format!("data.{key}"), format!("\"{name}\" is the target"))
        .allowed("another column")
        .advice(format!("leave it out of {key}, or choose another target"))
}

fn target_column(table: &Table, options: &DataOptions) -> Result<usize> {
    match (&options.target, table.format) {
        (Some(target), Format::Csv) => table.find(target, "the target"),
        (Some(target), _) => table.find(target, "the target").map_err(|error| {
            let (place, found) = (error.place, error.found);
            Error::data(place, found).allowed("label").advice("leave the target out: the labels are taken")
        }),
        (None, Format::Csv) => Err(Error::usage("data.target", "no target is given")
            .allowed(list_names(table.column_names()))
            .advice("--target NAME, or target = \"NAME\" under [data]")),
        (None, Format::Idx | Format::Libsvm) => table.find(&ColumnRef::from(idx::LABEL), "the target"),
    }
}

fn fit_encoder(
    table: &Table,
    options: &DataOptions,
    roles: &Roles,
    target: &Target,
    missing: &Missing,
    notes: &mut Vec<String>,
) -> Result<(Encoder, Vec<String>)> {
    let mut columns = Vec::new();
    let mut left: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (position, column) in
        table.columns.iter().enumerate().filter(|(position, _)| roles.is_feature(*position))
    {
        let declared = options.column_types.get(&column.name).copied();
        match infer::fit(table, position, &target.rows, declared, options.scale, missing)? {
            Fitted::Feature(kind) => {
                if declared.is_none() && infer::is_disguised_numbers(&kind) {
                    let name = &column.name;
                    notes.push(format!(
                        "column {name} holds numbers with signs or units and is read as categories; \
                         write plain numbers to have it read as one number"
                    ));
                }
                columns.push(ColumnEncoder { name: column.name.clone(), position, kind });
            }
            Fitted::Left(reason) => left.entry(reason as usize).or_default().push(&column.name),
        }
    }
    let reasons = [Left::Empty, Left::Constant, Left::Text, Left::Counter];
    let note = |reason: Left| left.get(&(reason as usize)).map(|names| note_of(reason, names));
    let left_out: Vec<String> = reasons.into_iter().filter_map(note).collect();
    notes.extend(left_out.iter().cloned());
    if columns.is_empty() {
        let why = if notes.is_empty() { String::new() } else { format!(": {}", notes.join("; ")) };
        return Err(Error::data(table.path.display(), format!("no column is left to learn from{why}"))
            .allowed("at least one column besides the target that varies")
            .advice("check the separator (comma, tab or semicolon) and the target"));
    }
    let encoder = Encoder {
        format: table.format,
        has_header: table.has_header,
        width: table.columns.len(),
        missing: options.missing.clone(),
        target: target.encoder.clone(),
        columns,
    };
    Ok((encoder, left_out))
}

fn note_of(reason: Left, names: &[&str]) -> String {
    let (one, many) = match reason {
        Left::Empty => ("has no values", "have no values"),
        Left::Constant => ("has the same value in every row", "have the same value in every row"),
        Left::Text => ("is text that hardly repeats", "are text that hardly repeats"),
        Left::Counter => ("counts the rows", "count the rows"),
        Left::Rare => ("has no value of three rows or more", "have no value of three rows or more"),
    };
    let listed = list_names(names.iter().copied());
    match names.len() {
        1 => format!("column {listed} {one} and is left out"),
        count => format!("{count} columns {many} and are left out: {listed}"),
    }
}

/// (feature) How each feature's transform is learned.
fn rules(encoder: &Encoder, scale: Scale, is_image: bool) -> Vec<Rule> {
    let kinds = encoder.columns.iter().map(|column| &column.kind);
    kinds
        .flat_map(|kind| {
            let first = match kind {
                ColumnKind::Numeric { .. } => Rule::of(scale, is_image),
                _ => Rule::AsIs,
            };
            (0..kind.feature_count()).map(move |feature| if feature == 0 { first } else { Rule::AsIs })
        })
        .collect()
}

fn divide(
    table: &Table,
    options: &DataOptions,
    roles: &Roles,
    target: &Target,
    missing: &Missing,
    seed: u64,
) -> Result<split::Split> {
    let labels = |column: Option<usize>, key: &str| {
        column.map(|column| levels(table, column, &target.rows, missing, key)).transpose()
    };
    let folds = labels(roles.fold, "fold_column")?;
    let groups = labels(roles.group, "group_column")?;
    let classes = match &target.targets {
        Targets::Classes(classes) => Some((classes.as_slice(), target.encoder.classes.as_slice())),
        Targets::Values { .. } => None,
    };
    let rows = Rows {
        place: table.path.display().to_string(),
        count: target.rows.len(),
        classes,
        groups: groups.as_deref(),
        folds: folds.as_deref(),
    };
    split::divide(&rows, &options.split, seed)
}

/// (row) The index of each row's value among the sorted values of a column.
fn levels(table: &Table, column: usize, rows: &[u32], missing: &Missing, key: &str) -> Result<Vec<u32>> {
    let cells = &table.columns[column].cells;
    let names = infer::sorted(infer::count(cells, rows, missing).keys());
    let index: std::collections::HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
    rows.iter()
        .map(|&row| {
            index.get(cells.text(row as usize).as_ref()).copied().ok_or_else(|| {
                Error::data(table.place_of_cell(row as usize, column), format!("no value in the {key}"))
                    .allowed("a value in every row that has a target")
                    .advice(format!("fill it in, leave the row out, or choose another {key}"))
            })
        })
        .collect()
}
