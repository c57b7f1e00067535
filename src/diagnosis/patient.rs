//! What diagnoses look at: a study's data as prepared, and what would train on them.

use crate::data::{ColumnType, Dataset, EncodedColumn, Format, Prepared, Table, Targets};
use crate::engine::{Engine, Job};
use crate::error::Result;
use crate::study::plan::Plan;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

/// Opens an engine for networks, or one for kernel machines.
pub type Open<'a> = &'a dyn Fn(Job) -> Result<Box<dyn Engine>>;

/// A study before it runs.
pub struct Patient<'a> {
    /// What is to be run, settled.
    pub plan: &'a Plan,
    /// The file.
    pub table: &'a Table,
    /// Its rows, encoded and divided.
    pub prepared: &'a Prepared,
    /// What trains.
    pub open: Open<'a>,
    columns: OnceLock<Vec<Column>>,
    twins: OnceLock<Vec<u32>>,
    distinctive: OnceLock<Vec<bool>>,
    figures: RefCell<Vec<String>>,
}

/// A column of the table that is learned from, and which of its values each row has.
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// What it is read as.
    pub kind: ColumnType,
    /// Its features.
    pub features: Range<usize>,
    /// The one of them that is 1 where its value is missing, where it has one.
    pub indicator: Option<usize>,
    /// Of a number: centre and scale, with which the file's own is centre + scale · the stored one.
    pub unit: (f64, f64),
    /// (row) The number of the row's value among the distinct ones, by first appearance.
    pub values: Vec<u32>,
    /// (value) Rows that have it.
    pub counts: Vec<u32>,
    /// (some rows) The numbers of a numeric column with mean 0 and length 1, missing ones at the mean; all 0 where they
    /// do not vary.
    standard: Vec<f64>,
}

impl<'a> Patient<'a> {
    /// A study whose data are prepared and whose plan is settled.
    pub fn new(plan: &'a Plan, table: &'a Table, prepared: &'a Prepared, open: Open<'a>) -> Self {
        Self {
            plan,
            table,
            prepared,
            open,
            columns: OnceLock::new(),
            twins: OnceLock::new(),
            distinctive: OnceLock::new(),
            figures: RefCell::default(),
        }
    }

    /// Says a figure that is worth knowing though nothing is wrong.
    pub fn say(&self, figure: String) {
        self.figures.borrow_mut().push(figure);
    }

    /// The figures that were said.
    pub fn figures(&self) -> Vec<String> {
        self.figures.borrow().clone()
    }

    /// The rows, encoded.
    pub fn dataset(&self) -> &'a Dataset {
        &self.prepared.dataset
    }

    /// The columns that are learned from; none where they are the pixels of images, of which one alone says
    /// nothing.
    pub fn columns(&self) -> &[Column] {
        self.columns.get_or_init(|| match self.table.format() {
            Format::Idx => Vec::new(),
            _ => self.prepared.encoder.columns().map(|column| self.column(&column)).collect(),
        })
    }

    fn column(&self, column: &EncodedColumn<'_>) -> Column {
        let EncodedColumn { kind, features, indicator, unit, .. } = column.clone();
        let dataset = self.dataset();
        let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
        let (mut values, mut counts) = (Vec::with_capacity(dataset.row_count()), Vec::new());
        for row in 0..dataset.row_count() as u32 {
            let key = dataset.row(row)[features.clone()].iter().map(|&x| bits(x)).collect();
            let value = *known.entry(key).or_insert_with(|| {
                counts.push(0);
                counts.len() as u32 - 1
            });
            counts[value as usize] += 1;
            values.push(value);
        }
        let standard =
            if kind == ColumnType::Numeric { standardised(dataset, features.start) } else { Vec::new() };
        Column { name: column.name.to_owned(), kind, features, indicator, unit, values, counts, standard }
    }

    /// (row) The first row whose features are all the same; the row itself where it is the first.
    pub fn first_twins(&self) -> &[u32] {
        self.twins.get_or_init(|| {
            let dataset = self.dataset();
            let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
            let first = |row: u32| {
                let key = dataset.row(row).iter().map(|&x| bits(x)).collect();
                *known.entry(key).or_insert(row)
            };
            (0..dataset.row_count() as u32).map(first).collect()
        })
    }

    /// (row) Whether another row with the same features would be no accident: its values, taken as independent, leave
    /// less than one pair of such rows to be expected in a table of n², with what columns share counted once. How rare
    /// a value is is judged by rows that differ: copies are what is looked for.
    pub fn is_distinctive(&self) -> &[bool] {
        self.distinctive.get_or_init(|| self.find_distinctive())
    }

    fn find_distinctive(&self) -> Vec<bool> {
        let (twins, columns) = (self.first_twins(), self.columns());
        if columns.is_empty() {
            return vec![true; twins.len()];
        }
        let firsts: Vec<usize> = (0..twins.len()).filter(|&row| twins[row] as usize == row).collect();
        let distinct: Vec<Column> = columns.iter().map(|column| column.at(&firsts)).collect();
        // Settings that were tried again and again, each with a result of its own, are no copies: there columns that go
        // together are one column.
        let own = own_shares(if self.copies_agree() { &distinct } else { columns });
        let chances: Vec<Vec<f64>> = distinct.iter().map(Column::chances).collect();
        let bits = |row: usize| -> f64 {
            let bits =
                |(at, column): (usize, &Column)| -own[at] * chances[at][column.values[row] as usize].log2();
            columns.iter().enumerate().map(bits).sum()
        };
        let limit = 2.0 * (twins.len().max(2) as f64).log2();
        (0..twins.len()).map(|row| bits(row) > limit).collect()
    }

    /// Whether rows with the features of an earlier one have its target, but for one in a hundred.
    fn copies_agree(&self) -> bool {
        let twins = self.first_twins().iter().enumerate();
        let copies: Vec<(u32, u32)> =
            twins.map(|(row, &first)| (row as u32, first)).filter(|(row, first)| row != first).collect();
        let agrees = |(row, first): &&(u32, u32)| self.target_of(*row) == self.target_of(*first);
        100 * copies.iter().filter(agrees).count() >= 99 * copies.len()
    }

    /// Where a row of the data set stands in the file.
    pub fn place_of(&self, row: u32) -> String {
        let row = self.prepared.rows.get(row as usize).copied().unwrap_or(row);
        match self.table.line(row as usize) {
            Some(line) => format!("line {line}"),
            None => format!("row {}", row + 1),
        }
    }

    /// Places of some rows, the first of them.
    pub fn places_of(&self, rows: &[u32]) -> String {
        const SHOWN: usize = 4;
        let shown: Vec<String> = rows.iter().take(SHOWN).map(|&row| self.place_of(row)).collect();
        match rows.len().saturating_sub(SHOWN) {
            0 => shown.join(", "),
            more => format!("{}, … and {more} more", shown.join(", ")),
        }
    }

    /// (row) A class's number, or a value; equal where targets are.
    pub fn target_of(&self, row: u32) -> f64 {
        match &self.dataset().targets {
            Targets::Classes(classes) => f64::from(classes[row as usize]),
            Targets::Values { stored, .. } => f64::from(stored[row as usize]),
        }
    }
}

/// (column) The share of its information that no column before it has. Of two columns with many values mutual
/// information cannot be told from so many rows; only where they are one another's renaming is it all.
fn own_shares(columns: &[Column]) -> Vec<f64> {
    let share = |(at, column): (usize, &Column)| {
        let few = (column.values.len() as f64).sqrt().max(2.0);
        let known = columns[..at].iter().map(|other| match other.says_the_same(column) {
            true => 1.0,
            false if other.counts.len().max(column.counts.len()) as f64 > few => 0.0,
            false => column.known_from(other),
        });
        1.0 - known.fold(0.0, f64::max).min(1.0)
    };
    columns.iter().enumerate().map(share).collect()
}

impl Column {
    /// The same of some rows, among which each row is that differs from all before it: values keep their numbers.
    fn at(&self, rows: &[usize]) -> Self {
        let values: Vec<u32> = rows.iter().map(|&row| self.values[row]).collect();
        let mut counts = vec![0; self.counts.len()];
        values.iter().for_each(|&value| counts[value as usize] += 1);
        Self {
            name: self.name.clone(),
            kind: self.kind,
            features: self.features.clone(),
            indicator: self.indicator,
            unit: self.unit,
            values,
            counts,
            standard: self.standard.clone(),
        }
    }

    /// (value) How likely one more row has it: the share of rows, but of values that one row has what Good and Turing
    /// estimate, 2·N₂/(N₁·n), with Nₖ values of k rows each, and N₂ at least a half. The share says 1/n of any number
    /// with many digits.
    fn chances(&self) -> Vec<f64> {
        let with = |rows: u32| self.counts.iter().filter(|&&count| count == rows).count() as f64;
        let (singles, pairs, count) = (with(1), with(2), self.values.len() as f64);
        let rare = 2.0 * pairs.max(0.5) / (singles.max(1.0) * count);
        self.counts
            .iter()
            .map(|&rows| if rows == 1 { rare.min(1.0 / count) } else { f64::from(rows) / count })
            .collect()
    }

    /// The correlation of two numeric columns; 0 where one is none.
    pub fn correlation(&self, other: &Self) -> f64 {
        self.standard.iter().zip(&other.standard).map(|(x, y)| x * y).sum()
    }

    /// Whether each value of one goes with one value of the other, in every row, and not because every row has a value
    /// of its own: numbers must be multiples of each other, names must repeat.
    pub fn says_the_same(&self, other: &Self) -> bool {
        // Values are numbered by first appearance: renamings of each other are equal.
        let is_renamed = FEW * self.counts.len() <= self.values.len() && self.values == other.values;
        is_renamed || self.correlation(other).abs() >= SAME
    }

    /// The share of its entropy that is known where another column is: I(x; y)/H(x), of frequencies.
    fn known_from(&self, other: &Self) -> f64 {
        let count = self.values.len() as f64;
        let term = |rows: f64| -rows / count * (rows / count).ln();
        let entropy = |column: &Self| -> f64 { column.counts.iter().map(|&rows| term(rows.into())).sum() };
        let mut pairs: HashMap<(u32, u32), u32> = HashMap::new();
        self.values.iter().zip(&other.values).for_each(|(&x, &y)| *pairs.entry((x, y)).or_default() += 1);
        let mut together: Vec<u32> = pairs.into_values().collect();
        // In an order of their own: sums must not depend on that of a hash.
        together.sort_unstable();
        let both: f64 = together.into_iter().map(|rows| term(rows.into())).sum();
        let own = entropy(self);
        if own > 0.0 { (own + entropy(other) - both) / own } else { 1.0 }
    }
}

/// Rows for a distinct value, at least, of columns whose values repeat.
const FEW: usize = 4;
/// |correlation| from which numbers are multiples of each other, all but the rounding of f32.
const SAME: f64 = 1.0 - 1e-9;

/// See [`Column::standard`].
fn standardised(dataset: &Dataset, feature: usize) -> Vec<f64> {
    const ROWS: usize = 4096;
    let every = dataset.row_count().div_ceil(ROWS).max(1);
    let numbers = (0..dataset.row_count() as u32).step_by(every).map(|row| dataset.row(row)[feature]);
    let numbers: Vec<f64> = numbers.map(f64::from).collect();
    let present = || numbers.iter().filter(|x| !x.is_nan());
    let mean = present().sum::<f64>() / present().count().max(1) as f64;
    let length = present().map(|x| (x - mean).powi(2)).sum::<f64>().sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    numbers.iter().map(|x| if x.is_nan() { 0.0 } else { (x - mean) * scale }).collect()
}

/// The bits of a number, the same for every NaN and for both zeros.
fn bits(x: f32) -> u32 {
    if x.is_nan() { f32::NAN.to_bits() } else { (x + 0.0).to_bits() }
}
