//! Which hyperparameters of a study make its models larger or smaller, whether larger ones did better, and what to change.

use super::Record;
use super::ranks::{Correlation, correlation};
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
        let Some(value) = trial.configuration.get(&self.dimension.name) else { return false };
        match &self.dimension.domain {
            Domain::Fixed(_) => false,
            Domain::Choice(values) => {
                let most =
                    values.iter().filter_map(|value| self.amount(value)).fold(f64::NEG_INFINITY, f64::max);
                self.amount(value).is_some_and(|amount| amount >= most)
            }
            domain => domain.encode(value).is_some_and(|place| match self.capacity {
                Capacity::Lowers => place <= OUTER,
                _ => place >= 1.0 - OUTER,
            }),
        }
    }

    /// What gives more capacity than is searched, in words; nothing where there is no more to have.
    fn more(&self) -> Option<String> {
        let (name, domain) = (&self.dimension.name, &self.dimension.domain);
        let ends: Vec<Value> = match domain {
            Domain::Fixed(value) => vec![value.clone()],
            Domain::Choice(values) => values.clone(),
            Domain::Float { low, high, .. } => vec![Value::Float(*low), Value::Float(*high)],
            Domain::Int { low, high, .. } => vec![Value::Int(*low), Value::Int(*high)],
        };
        let amounts = ends.iter().filter_map(|value| Some((self.amount(value)?, value)));
        let (_, most) = amounts.max_by(|a, b| a.0.total_cmp(&b.0))?;
        match self.capacity {
            // A regulariser that is off already.
            Capacity::Lowers if most.number() == Some(0.0) => None,
            Capacity::Lowers => Some(format!("{name} below {}", value_text(most))),
            _ => Some(format!("{name} beyond {}", value_text(most))),
        }
    }
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
