//! The values that a grid takes of each hyperparameter.

use crate::search::cells::{Axis, Whole};
use crate::space::{Dimension, Domain, Value, between, tidy, value_text};

/// Points of a continuous range that does not say how many.
const DEFAULT_COUNT: u32 = 5;

/// All values of a list, and of a range the points that are asked for, or all of a finite one.
pub(super) fn axis(dimension: &Dimension) -> Box<dyn Axis> {
    let domain = &dimension.domain;
    match (dimension.grid_count, domain.size()) {
        (None, Some(_)) => Box::new(Whole(domain.clone())),
        (count, None) => Box::new(points(domain, count.unwrap_or(DEFAULT_COUNT))),
        (Some(count), Some(size)) if u128::from(count) >= size => Box::new(Whole(domain.clone())),
        (Some(count), Some(_)) => Box::new(points(domain, count)),
    }
}

/// Some values of a domain, ascending.
pub(super) struct Points(pub Vec<Value>);

impl Axis for Points {
    fn len(&self) -> u128 {
        self.0.len() as u128
    }
    fn at(&self, index: u128) -> Value {
        self.0[index as usize].clone()
    }
    fn index(&self, value: &Value) -> Option<u128> {
        self.0.iter().position(|own| own.same(value)).map(|index| index as u128)
    }
}

/// `count` values of a range from end to end, evenly spaced or evenly in the logarithm; the middle
/// where only one is asked for. Whole numbers and steps are rounded to the nearest, each once.
fn points(domain: &Domain, count: u32) -> Points {
    let mut points: Vec<Value> = (0..count)
        .map(|i| {
            let share = if count == 1 { 0.5 } else { f64::from(i) / f64::from(count - 1) };
            point(domain, share)
        })
        .collect();
    points.dedup();
    Points(points)
}

/// The value of a range at a share of the way from its low to its high end.
fn point(domain: &Domain, share: f64) -> Value {
    match domain {
        Domain::Float { low, high, log, step: None } => {
            let value = between(*low, *high, *log, share);
            // The ends stay as they were written.
            Value::Float(if share > 0.0 && share < 1.0 { tidy(value).clamp(*low, *high) } else { value })
        }
        Domain::Int { low, step, log, .. } => {
            let last = domain.size().unwrap_or(1) - 1;
            let top = *low as f64 + last as f64 * *step as f64;
            let above = (between(*low as f64, top, *log, share) - *low as f64) / *step as f64;
            domain.at((above.round().max(0.0) as u128).min(last))
        }
        _ => {
            let last = domain.size().unwrap_or(1) - 1;
            domain.at(((share * last as f64).round() as u128).min(last))
        }
    }
}

/// What a grid takes of a range that does not say how many points.
pub(super) fn default_points(dimension: &Dimension) -> String {
    let points = points(&dimension.domain, DEFAULT_COUNT).0;
    let points: Vec<String> = points.iter().map(short_text).collect();
    format!(
        "{}: the grid takes {DEFAULT_COUNT} points of this range, {}; `count` sets another number",
        dimension.name,
        points.join(", ")
    )
}

/// A number in four digits.
pub(super) fn short_text(value: &Value) -> String {
    match value {
        Value::Float(value) => {
            let rounded = format!("{value:.3e}").parse::<f64>().unwrap_or(*value);
            format!("{rounded:?}")
        }
        value => value_text(value),
    }
}
