//! Divides rows into folds, hold-out and test sets: seeded, stratified by class, groups kept whole.

use super::options::SplitOptions;
use crate::error::{Error, Result, cut};
use crate::random::{Purpose, Stream};

/// Most folds of a study, those of all repeats: each is a model of every trial. The random streams have 16 bits for them.
pub const MOST_FOLDS: usize = 1000;

/// What is known of the rows to divide.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    /// Where the rows are from, for errors.
    pub place: String,
    /// How many there are.
    pub count: usize,
    /// (row) The class of each row, and (class) the names; `None` for regression.
    pub classes: Option<(&'a [u32], &'a [String])>,
    /// (row) The group of each row, from 0; rows of a group stay together.
    pub groups: Option<&'a [u32]>,
    /// (row) The user's own fold of each row, from 0.
    pub folds: Option<&'a [u32]>,
}

/// Rows, divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Training and validation rows of each fold, both ascending; repeat after repeat.
    pub folds: Vec<(Vec<u32>, Vec<u32>)>,
    /// Rows that no fold holds, ascending.
    pub test: Vec<u32>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Divides rows: first the test set, then the rest into folds or one hold-out set.
///
/// The same rows, options and seed give the same division. Errors: options that exclude each other or
/// are out of range (kind usage); fewer rows of a class, groups or rows than folds (kind data).
pub fn divide(rows: &Rows, options: &SplitOptions, seed: u64) -> Result<Split> {
    check(rows, options)?;
    let all: Vec<u32> = (0..rows.count as u32).collect();
    let (rest, test) = match options.test {
        Some(fraction) => {
            let mut parts = rows.deal(&all, &[1.0 - fraction, fraction], "test", shuffled(seed, 0, &all))?;
            let test = parts.pop().unwrap_or_default();
            (parts.pop().unwrap_or_default(), test)
        }
        None => (all, Vec::new()),
    };
    let mut folds = Vec::new();
    for repeat in 0..options.repeats {
        // Step 0 is that of the test set.
        let order = shuffled(seed, 1 + repeat as u32, &rest);
        let parts = validation_rows(rows, options, &rest, order)?;
        check_repeats(options.repeats, parts.len())?;
        folds.extend(parts.into_iter().map(|validation| (without(&rest, &validation), validation)));
    }
    let notes = rows.absent_classes(&folds);
    Ok(Split { folds, test, notes })
}

/// The validation rows of each fold of one repeat.
fn validation_rows(
    rows: &Rows,
    options: &SplitOptions,
    rest: &[u32],
    order: Vec<u32>,
) -> Result<Vec<Vec<u32>>> {
    match (rows.folds, options.validation) {
        (Some(folds), _) => by_value(rows, folds, rest),
        (None, Some(fraction)) => {
            let parts = rows.deal(rest, &[1.0 - fraction, fraction], "validation", order)?;
            Ok(parts.into_iter().skip(1).collect())
        }
        (None, None) => {
            rows.check_fold_count(rest, options.folds)?;
            let weights = vec![1.0 / options.folds as f64; options.folds];
            rows.deal(rest, &weights, "folds", order)
        }
    }
}

/// Refuses more folds in all than there can be.
fn check_repeats(repeats: usize, folds: usize) -> Result<()> {
    match repeats * folds <= MOST_FOLDS {
        true => Ok(()),
        false => Err(Error::usage("data.repeats", format!("{repeats} times {folds} folds"))
            .allowed(format!("at most {MOST_FOLDS} in all"))
            .advice("fewer repeats, or fewer folds")),
    }
}

fn check(rows: &Rows, options: &SplitOptions) -> Result<()> {
    for (key, fraction) in [("validation", options.validation), ("test", options.test)] {
        if let Some(fraction) = fraction.filter(|fraction| !(*fraction > 0.0 && *fraction < 1.0)) {
            return Err(Error::usage(format!("data.{key}"), fraction)
                .allowed("a fraction of the rows, above 0 and below 1"));
        }
    }
    if !(1..=MOST_FOLDS).contains(&options.repeats) {
        return Err(Error::usage("data.repeats", options.repeats).allowed(format!("1 to {MOST_FOLDS}")));
    }
    let conflict = |one: &str, other: &str| {
        Err(Error::usage(format!("data.{one}"), format!("cannot be used with {other}"))
            .allowed("folds, validation or fold_column; group_column with the first two")
            .advice(format!("leave {other} out")))
    };
    if rows.folds.is_some() && options.validation.is_some() {
        return conflict("fold_column", "validation");
    }
    if rows.folds.is_some() && rows.groups.is_some() {
        return conflict("fold_column", "group_column");
    }
    let by_count = rows.folds.is_none() && options.validation.is_none();
    if by_count && !(2..=MOST_FOLDS).contains(&options.folds) {
        return Err(Error::usage("data.folds", options.folds)
            .allowed(format!("2 to {MOST_FOLDS}"))
            .advice("validation = 0.2 for a single hold-out set"));
    }
    Ok(())
}

/// Rows in a seeded order (Fisher–Yates; the bias of a 32-bit word over n rows is below n/2³²).
fn shuffled(seed: u64, step: u32, rows: &[u32]) -> Vec<u32> {
    let stream = Stream::new(seed, Purpose::Split, 0, step, 0);
    let mut rows = rows.to_vec();
    for last in (1..rows.len()).rev() {
        let word = u64::from(stream.word(last as u32));
        rows.swap(last, ((word * (last as u64 + 1)) >> 32) as usize);
    }
    rows
}

/// The rows of `all` that are not in `part`; both ascending.
fn without(all: &[u32], part: &[u32]) -> Vec<u32> {
    all.iter().copied().filter(|row| part.binary_search(row).is_err()).collect()
}

/// The user's own folds.
fn by_value(rows: &Rows, folds: &[u32], rest: &[u32]) -> Result<Vec<Vec<u32>>> {
    let count = folds.iter().max().map_or(0, |&largest| largest as usize + 1);
    if !(2..=MOST_FOLDS).contains(&count) {
        let found =
            format!("{count} different value{} in the fold_column", if count == 1 { "" } else { "s" });
        return Err(Error::data(&rows.place, found)
            .allowed(format!("2 to {MOST_FOLDS}: each value is a fold"))
            .advice("another column, or folds = 5 without one"));
    }
    let mut parts = vec![Vec::new(); count];
    for &row in rest {
        parts[folds[row as usize] as usize].push(row);
    }
    match parts.iter().position(Vec::is_empty) {
        Some(empty) => Err(Error::data(&rows.place, format!("the test set takes every row of fold {empty}"))
            .allowed("rows of every fold outside the test set")
            .advice("a smaller test fraction")),
        None => Ok(parts),
    }
}

impl Rows<'_> {
    fn class(&self, row: u32) -> usize {
        self.classes.map_or(0, |(classes, _)| classes[row as usize] as usize)
    }

    fn class_count(&self) -> usize {
        self.classes.map_or(1, |(_, names)| names.len())
    }

    /// (class) How many of the given rows are of each class.
    fn count_classes(&self, rows: &[u32]) -> Vec<usize> {
        let mut counts = vec![0; self.class_count()];
        rows.iter().for_each(|&row| counts[self.class(row)] += 1);
        counts
    }

    fn check_fold_count(&self, rest: &[u32], folds: usize) -> Result<()> {
        let too_few = |found: String, most: usize| {
            let fewer = if most >= 2 { format!("folds = {most}, ") } else { String::new() };
            Err(Error::data(&self.place, found)
                .allowed(format!("at least one for each of {folds} folds"))
                .advice(format!("{fewer}validation = 0.2, or leave these rows out")))
        };
        if rest.len() < folds {
            return too_few(format!("{} rows to divide", rest.len()), rest.len());
        }
        let Some((_, names)) = self.classes.filter(|_| self.groups.is_none()) else { return Ok(()) };
        let counts = self.count_classes(rest);
        match (0..names.len()).filter(|&class| counts[class] < folds).min_by_key(|&class| counts[class]) {
            Some(class) => {
                let rows = if counts[class] == 1 { "row" } else { "rows" };
                too_few(
                    format!("class \"{}\" has {} {rows}", cut(&names[class]), counts[class]),
                    counts[class],
                )
            }
            None => Ok(()),
        }
    }

    /// Deals rows into parts of the given weights (they sum to 1); each part ascending.
    fn deal(&self, rows: &[u32], weights: &[f64], key: &str, order: Vec<u32>) -> Result<Vec<Vec<u32>>> {
        let mut parts = match self.groups {
            Some(groups) => self.deal_groups(groups, weights, &order)?,
            None => self.deal_rows(weights, key != "folds", &order),
        };
        if let Some(empty) = parts.iter().position(Vec::is_empty) {
            let what = if empty == 0 { "training" } else { key };
            return Err(Error::data(&self.place, format!("{} rows: none is left for {what}", rows.len()))
                .allowed("at least one row in each part")
                .advice(format!("another fraction for {key}, or more rows")));
        }
        parts.iter_mut().for_each(|part| part.sort_unstable());
        Ok(parts)
    }

    /// Deals single rows, class by class, so that every part has its share of every class to within one
    /// row, and its share of all rows to within one.
    ///
    /// With `holds_out`, the first part has a row of every class, even of a class of one row.
    fn deal_rows(&self, weights: &[f64], holds_out: bool, order: &[u32]) -> Vec<Vec<u32>> {
        let mut by_class = vec![Vec::new(); self.class_count()];
        order.iter().for_each(|&row| by_class[self.class(row)].push(row));
        let mut parts = vec![Vec::new(); weights.len()];
        for class in by_class {
            let quotas = quotas(&parts, weights, holds_out, class.len());
            let mut rows = class.into_iter();
            for (part, quota) in parts.iter_mut().zip(quotas) {
                part.extend(rows.by_ref().take(quota));
            }
        }
        parts
    }

    /// Deals whole groups, the largest first, each to the part that then is nearest its share of every
    /// class.
    ///
    /// With c rows of class k in part f of weight w, n_k of the class in all, and g_k in the group, the
    /// part taken has the least Σ_k (2·c·g_k + g_k²)/(n_k²·w): what Σ_f Σ_k (c/n_k)²/w grows by, which is
    /// smallest where every c is its share w·n_k.
    fn deal_groups(&self, groups: &[u32], weights: &[f64], order: &[u32]) -> Result<Vec<Vec<u32>>> {
        let members = group_members(groups, order);
        if members.len() < weights.len() {
            let found = format!("{} groups to divide into {}", members.len(), weights.len());
            return Err(Error::data(&self.place, found)
                .allowed("at least one group for each part")
                .advice("fewer folds, or no group_column"));
        }
        let totals = self.count_classes(order);
        let mut counts = vec![vec![0_usize; totals.len()]; weights.len()];
        let mut parts = vec![Vec::new(); weights.len()];
        for (dealt, group) in members.iter().enumerate() {
            let of_class = self.count_classes(group);
            let growth = |part: usize| -> f64 {
                let terms =
                    of_class.iter().zip(&counts[part]).zip(&totals).filter(|((group, _), _)| **group > 0);
                let sum: f64 = terms
                    .map(|((&group, &held), &total)| {
                        let (group, held, total) = (group as f64, held as f64, total as f64);
                        (2.0 * held * group + group * group) / (total * total)
                    })
                    .sum();
                sum / weights[part]
            };
            let fullness = |part: usize| parts[part].len() as f64 / weights[part];
            let empty_count = parts.iter().filter(|part: &&Vec<u32>| part.is_empty()).count();
            let must_fill = members.len() - dealt <= empty_count;
            let chosen = (0..weights.len())
                .filter(|&part| !must_fill || parts[part].is_empty())
                .map(|part| (growth(part), fullness(part), part))
                .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
                .map_or(0, |(_, _, part)| part);
            parts[chosen].extend_from_slice(group);
            counts[chosen].iter_mut().zip(&of_class).for_each(|(held, &group)| *held += group);
        }
        Ok(parts)
    }

    /// Notes for folds that train on no row of some class: whole groups or the user's folds hold it.
    fn absent_classes(&self, folds: &[(Vec<u32>, Vec<u32>)]) -> Vec<String> {
        let Some((_, names)) = self.classes else { return Vec::new() };
        let mut notes = Vec::new();
        for (fold, (train, _)) in folds.iter().enumerate() {
            let counts = self.count_classes(train);
            let absent = (0..names.len()).filter(|&class| counts[class] == 0);
            notes.extend(absent.map(|class| {
                format!(
                    "fold {fold} has no row of class \"{}\" to train on and cannot predict it",
                    names[class]
                )
            }));
        }
        notes
    }
}

/// How many of a class's rows each part takes: its share rounded down, and one more for the parts that
/// are then furthest behind their share of all rows (the first of them on a tie).
fn quotas(parts: &[Vec<u32>], weights: &[f64], holds_out: bool, count: usize) -> Vec<usize> {
    // Shares that are whole come out of the product a rounding error away.
    const SLACK: f64 = 1e-9;
    let share = |part: usize| weights[part] * count as f64;
    let mut quotas: Vec<usize> = (0..weights.len()).map(|part| (share(part) + SLACK) as usize).collect();
    let dealt = parts.iter().map(Vec::len).sum::<usize>() + count;
    let lag = |part: usize| match holds_out && part == 0 && quotas[0] == 0 {
        true => f64::INFINITY,
        false => weights[part] * dealt as f64 - (parts[part].len() + quotas[part]) as f64,
    };
    let mut behind: Vec<(f64, usize)> = (0..weights.len())
        .filter(|&part| quotas[part] as f64 + SLACK < share(part))
        .map(|part| (lag(part), part))
        .collect();
    behind.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let rest = count - quotas.iter().sum::<usize>();
    behind.iter().take(rest).for_each(|&(_, part)| quotas[part] += 1);
    quotas
}

/// The rows of each group, the largest group first, equal ones in the given (shuffled) order.
fn group_members(groups: &[u32], order: &[u32]) -> Vec<Vec<u32>> {
    let count = groups.iter().max().map_or(0, |&largest| largest as usize + 1);
    let mut place = vec![usize::MAX; count];
    let mut members: Vec<Vec<u32>> = Vec::new();
    for &row in order {
        let group = groups[row as usize] as usize;
        if place[group] == usize::MAX {
            place[group] = members.len();
            members.push(Vec::new());
        }
        members[place[group]].push(row);
    }
    members.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    members
}
