//! Which hyperparameters of a study make its models larger or smaller, whether larger ones did better, and what to change.

use super::Record;
use super::ranks::{Correlation, correlation};
use super::region::short;
use crate::model::hyperparameter::{self, Capacity};
use crate::space::{Dimension, Domain, Value, value_text};
use crate::trial::Trial;

/// Share of a range next to its end.
const OUTER: f64 = 0.2;

/// A hyperparameter that is searched and acts on capacity.
pub struct Lever<'a> {
    /// It, as searched.
    pub dimension: &'a Dimension,
    /// What more of it does.
    pub capacity: Capacity,
}

/// The hyperparameters of a space that act on capacity, those that are fixed too.
pub fn levers<'a>(record: &'a Record<'_>) -> Vec<Lever<'a>> {
    let dimensions = record.plan.space.iter().flat_map(|space| &space.dimensions);
    let known = dimensions.filter_map(|dimension| {
        let found = hyperparameter::find(&record.plan.model, &dimension.name)?;
        Some(Lever { dimension, capacity: found.capacity })
    });
    known.filter(|lever| lever.capacity != Capacity::Neither).collect()
}

impl Lever<'_> {
    /// How much capacity a value gives, beside other values of this hyperparameter.
    fn amount(&self, value: &Value) -> Option<f64> {
        let amount = match value {
            // Weights between hidden layers, and units: of widths alone what counts is which is more.
            Value::List(widths) => {
                let pairs: f64 = widths.windows(2).map(|pair| pair[0] as f64 * pair[1] as f64).sum();
                pairs + widths.iter().sum::<i64>() as f64
            }
            other => other.number()?,
        };
        Some(if self.capacity == Capacity::Lowers { -amount } else { amount })
    }

    /// Whether more than one value of it is searched.
    pub fn is_free(&self) -> bool {
        !matches!(self.dimension.domain, Domain::Fixed(_))
    }

    /// How the capacity that it gives goes with how good trials are, of trials given by rank.
    pub fn correlation(&self, trials: &[&Trial]) -> Correlation {
        let value =
            |trial: &Trial| trial.configuration.get(&self.dimension.name).and_then(|v| self.amount(v));
        let pairs =
            trials.iter().enumerate().filter_map(|(rank, trial)| Some((value(trial)?, -(rank as f64))));
        correlation(&pairs.collect::<Vec<_>>())
    }

    /// Whether a trial has as much capacity by it as is searched, or nearly.
    pub fn is_at_most(&self, trial: &Trial) -> bool {
        self.is_at_end(trial, Capacity::Raises)
    }

    /// Whether a trial has as much capacity by it as is searched, or as little, or nearly.
    fn is_at_end(&self, trial: &Trial, wanted: Capacity) -> bool {
        let Some(value) = trial.configuration.get(&self.dimension.name) else { return false };
        match &self.dimension.domain {
            Domain::Fixed(_) => false,
            Domain::Choice(_) => {
                let is_there = |end: &Value| self.amount(value) == self.amount(end);
                self.end(wanted).is_some_and(|end| is_there(&end))
            }
            domain => domain.encode(value).is_some_and(|place| match self.goes_up(wanted) {
                true => place >= 1.0 - OUTER,
                false => place <= OUTER,
            }),
        }
    }

    /// Whether capacity as wanted is had by more of the hyperparameter.
    fn goes_up(&self, wanted: Capacity) -> bool {
        self.capacity == wanted
    }

    /// Of what is searched that which gives most capacity, or least.
    fn end(&self, wanted: Capacity) -> Option<Value> {
        let ends: Vec<Value> = match &self.dimension.domain {
            Domain::Fixed(value) => vec![value.clone()],
            Domain::Choice(values) => values.clone(),
            Domain::Float { low, high, .. } => vec![Value::Float(*low), Value::Float(*high)],
            Domain::Int { low, high, .. } => vec![Value::Int(*low), Value::Int(*high)],
        };
        let sign = if wanted == Capacity::Raises { 1.0 } else { -1.0 };
        let amounts = ends.into_iter().filter_map(|value| Some((sign * self.amount(&value)?, value)));
        amounts.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, value)| value)
    }

    /// What gives more capacity than is searched, in words; nothing where there is no more to have.
    fn more(&self) -> Option<String> {
        self.beyond(&self.end(Capacity::Raises)?, Capacity::Raises)
    }

    /// What gives more capacity than a value, or less, in words; nothing where there is none to have.
    fn beyond(&self, value: &Value, wanted: Capacity) -> Option<String> {
        let (name, is_up) = (&self.dimension.name, self.goes_up(wanted));
        // A regulariser that is off already, or a width of 1.
        let limit = if is_up { self.dimension.limits.high } else { self.dimension.limits.low };
        if value.number().is_some_and(|number| number == limit) {
            return None;
        }
        let word = if is_up { "beyond" } else { "below" };
        Some(format!("{name} {word} {}", shown(value)))
    }

    /// What would give a trial more capacity, or less, and whether that is within what is searched.
    fn way(&self, trial: &Trial, wanted: Capacity) -> Option<(String, bool)> {
        let own = trial.configuration.get(&self.dimension.name)?;
        let beyond = self.beyond(own, wanted)?;
        let is_within = self.is_free() && !self.is_at_end(trial, wanted);
        Some(match self.end(wanted).filter(|_| is_within) {
            Some(end) => (format!("{beyond} (searched to {})", shown(&end)), true),
            None => (beyond, false),
        })
    }
}

/// A value in few digits.
fn shown(value: &Value) -> String {
    match value {
        Value::Float(number) => short(*number),
        other => value_text(other),
    }
}

/// What would give a trial more capacity, or less: within what is searched, where that has room.
pub fn change(record: &Record<'_>, trial: &Trial, wanted: Capacity) -> String {
    let levers = levers(record);
    let ways: Vec<(String, bool)> = levers.iter().filter_map(|lever| lever.way(trial, wanted)).collect();
    let has_room = ways.iter().any(|(_, is_within)| *is_within);
    let mut texts: Vec<String> =
        ways.into_iter().filter(|(_, is_within)| *is_within == has_room).map(|(text, _)| text).collect();
    if !levers.iter().any(|lever| lever.capacity == wanted) {
        texts.push(format!("{} (not in the space)", raised_by(record, wanted)));
    }
    texts.join("; ")
}

/// Whether a trial has by none of these hyperparameters more capacity than another.
pub fn is_no_larger(levers: &[Lever<'_>], trial: &Trial, other: &Trial) -> bool {
    levers.iter().all(|lever| {
        let amount = |trial: &Trial| {
            trial.configuration.get(&lever.dimension.name).and_then(|value| lever.amount(value))
        };
        match (amount(trial), amount(other)) {
            (Some(own), Some(others)) => own <= others,
            (own, others) => own.is_none() && others.is_none(),
        }
    })
}

/// What would give models more capacity than any of the study had.
pub fn more(record: &Record<'_>) -> String {
    let levers = levers(record);
    let mut ways: Vec<String> = levers.iter().filter_map(Lever::more).collect();
    if !levers.iter().any(|lever| lever.capacity == Capacity::Raises) {
        ways.insert(0, raised_by(record, Capacity::Raises));
    }
    ways.join("; ")
}

/// What would give models less capacity.
pub fn less(record: &Record<'_>) -> String {
    format!("less {}; more {}", raised_by(record, Capacity::Raises), raised_by(record, Capacity::Lowers))
}

/// Hyperparameters of the model that act so on capacity: those that are searched, else all there are.
fn raised_by(record: &Record<'_>, capacity: Capacity) -> String {
    let searched: Vec<String> = levers(record)
        .iter()
        .filter(|lever| lever.capacity == capacity)
        .map(|lever| lever.dimension.name.clone())
        .collect();
    if !searched.is_empty() {
        return searched.join(", ");
    }
    let all = hyperparameter::all_of(&record.plan.model).iter();
    all.filter(|known| known.capacity == capacity).map(|known| known.name).collect::<Vec<_>>().join(", ")
}
