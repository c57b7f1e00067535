//! Every combination of the values of a space, exactly once: a cell is a number, and so is a trial.

use super::cells::{Axis, Cells, Remaining, Whole};
use super::{Settings, Strategy, StrategyKind, Trials};
use crate::error::{Error, Result};
use crate::setting::Chosen;
use crate::space::{Configuration, Dimension, Domain, Space, Value, between, tidy, value_text};

/// Points of a continuous range that does not say how many.
const DEFAULT_COUNT: u32 = 5;

/// Every combination of the values of a space.
pub struct Grid;

impl StrategyKind for Grid {
    fn name(&self) -> &'static str {
        "grid"
    }
    fn summary(&self) -> &'static str {
        "every combination of the values, once; `count` points of a range, evenly or log-spaced"
    }
    fn size(&self, space: &Space, settings: &Settings) -> Option<u128> {
        let enqueued = settings.enqueued.len() as u128;
        Some(
            remaining(space, &settings.enqueued)
                .most()
                .map_or(u128::MAX, |most| most.saturating_add(enqueued)),
        )
    }
    fn learns(&self, _: &Chosen) -> bool {
        false
    }
    fn runs_all(&self) -> bool {
        true
    }
    fn notes(&self, space: &Space, _: &Settings) -> Vec<String> {
        let size = match cells(space).len() {
            Some(size) => format!("the grid has {size} cells"),
            None => "the grid has more cells than can be counted".to_string(),
        };
        let allowed = match remaining(space, &[]).len() {
            _ if space.constraints.is_empty() => String::new(),
            Some(left) => format!(", of which {left} are left by the constraints"),
            None => ", of which the constraints leave too many to be counted".to_string(),
        };
        let unsaid = space
            .dimensions
            .iter()
            .filter(|dimension| dimension.domain.size().is_none() && dimension.grid_count.is_none());
        std::iter::once(size + &allowed).chain(unsaid.map(default_points)).collect()
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(Walk { settings: settings.clone(), left: None })
    }
}

/// What a grid takes of a range that does not say how many points.
fn default_points(dimension: &Dimension) -> String {
    let points = points(&dimension.domain, DEFAULT_COUNT).0;
    let points: Vec<String> = points.iter().map(short_text).collect();
    format!(
        "{}: the grid takes {DEFAULT_COUNT} points of this range, {}; `count` sets another number",
        dimension.name,
        points.join(", ")
    )
}

/// A number in four digits.
fn short_text(value: &Value) -> String {
    match value {
        Value::Float(value) => {
            let rounded = format!("{value:.3e}").parse::<f64>().unwrap_or(*value);
            format!("{rounded:?}")
        }
        value => value_text(value),
    }
}

/// A grid being walked: behind the enqueued trials, trial n is the n-th cell that they and the constraints
/// leave.
struct Walk {
    settings: Settings,
    /// Of the space last asked about.
    left: Option<(Space, Remaining)>,
}

impl Strategy for Walk {
    fn ask(
        &mut self,
        space: &Space,
        _: Trials<'_>,
        first_number: u64,
        count: usize,
    ) -> Result<Vec<Configuration>> {
        let known = self.left.take().filter(|(known, _)| known == space);
        let (_, left) = self
            .left
            .insert(known.unwrap_or_else(|| (space.clone(), remaining(space, &self.settings.enqueued))));
        if left.most().is_none() {
            return Err(Error::usage("space", "a grid of more than 3.4e38 cells")
                .allowed("a grid whose cells can be counted")
                .advice("fewer values, a smaller `count`, or strategy = \"random\""));
        }
        let first = u128::from(first_number).saturating_sub(self.settings.enqueued.len() as u128);
        Ok((0..count as u128).map_while(|i| left.at(first + i)).collect())
    }
}

fn cells(space: &Space) -> Cells {
    Cells::new(space, |dimension| axis(dimension))
}

/// The cells that the constraints allow and that are not enqueued.
fn remaining(space: &Space, enqueued: &[Configuration]) -> Remaining {
    let cells = cells(space);
    let enqueued = enqueued.iter().filter_map(|configuration| cells.index(configuration)).collect();
    Remaining::new(space, cells, enqueued)
}

fn axis(dimension: &Dimension) -> Box<dyn Axis> {
    let domain = &dimension.domain;
    match (dimension.grid_count, domain.size()) {
        (None, Some(_)) => Box::new(Whole(domain.clone())),
        (count, None) => Box::new(points(domain, count.unwrap_or(DEFAULT_COUNT))),
        (Some(count), Some(size)) if u128::from(count) >= size => Box::new(Whole(domain.clone())),
        (Some(count), Some(_)) => Box::new(points(domain, count)),
    }
}

/// Some values of a domain, ascending.
struct Points(Vec<Value>);

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
