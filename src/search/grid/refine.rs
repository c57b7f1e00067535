//! Passes of a grid: the first is all its cells; each after it lies around the best trial so far, and begins when
//! all trials before it are told.
//!
//! A choice stays at the best. A range is a ladder of values with a gap between them, of the same number in every
//! pass: where the best is the largest or smallest value tried, the ladder goes on past it with the same gap, as
//! far as the hyperparameter's limits ({-1, 0, 1} with the best at 1 becomes {1, 2, 3}); else the gap is halved
//! around the best. Cells that were tried already are left out.

use super::axis::{Points, axis, short_text};
use super::{REFINE, remaining};
use crate::model::metric::Direction;
use crate::search::cells::{Cells, Remaining};
use crate::search::{Settings, Told};
use crate::space::{Configuration, Dimension, Domain, Space, Value};

/// Points of a refined range at most.
const MOST_POINTS: u128 = 1000;
/// Values of a range that a remark names.
const MOST_NAMED: usize = 9;

/// What stands at a number.
pub enum Found {
    /// A cell.
    Cell(Configuration),
    /// Nothing before so many trials are told.
    Needs(u64),
    /// Nothing.
    End,
}

/// The passes so far, at least one.
pub struct Passes {
    passes: Vec<Pass>,
    /// Passes at most, the first included.
    most: usize,
    direction: Direction,
    /// What was decided since these were last taken.
    pub remarks: Vec<String>,
}

struct Pass {
    /// The number of its first trial.
    start: u64,
    /// (trial) the values that it goes by: of all trials before it.
    basis: Vec<Option<f64>>,
    left: Remaining,
    /// (dimension) of ranges.
    ladders: Vec<Option<Ladder>>,
}

impl Passes {
    /// The first pass.
    pub fn new(space: &Space, settings: &Settings) -> Self {
        let first = Pass {
            start: settings.enqueued.len() as u64,
            basis: Vec::new(),
            left: remaining(space, &settings.enqueued),
            ladders: space.dimensions.iter().map(Ladder::new).collect(),
        };
        let most = settings.chosen.count(&REFINE) as usize + 1;
        Self { passes: vec![first], most, direction: settings.direction, remarks: Vec::new() }
    }

    /// Whether the first pass has too many cells to be numbered.
    pub fn is_uncountable(&self) -> bool {
        self.passes[0].left.most().is_none()
    }

    /// Drops the passes that other results than these led to.
    pub fn forget_unlike(&mut self, told: &[Told]) {
        let is_like = |pass: &Pass| pass.basis.iter().zip(told).all(|(value, told)| *value == told.value);
        let like = self.passes.iter().take_while(|pass| is_like(pass)).count();
        self.passes.truncate(like.max(1));
    }

    /// What stands at a trial's number, given the results of trials before it. None of a pass is proposed before
    /// all trials before the pass are told: where as many are told as a pass begins behind, it is all of those.
    pub fn find(&mut self, space: &Space, told: &[Told], number: u64) -> Found {
        let is_open = |pass: &Pass| pass.start <= number && pass.basis.len() <= told.len();
        let mut index = self.passes.iter().rposition(is_open).unwrap_or(0);
        loop {
            let pass = &mut self.passes[index];
            if let Some(cell) = pass.left.at(number.saturating_sub(pass.start).into()) {
                return Found::Cell(cell);
            }
            let end = pass.start.saturating_add(u64::try_from(pass.left.count()).unwrap_or(u64::MAX));
            index += 1;
            if index == self.most {
                return Found::End;
            }
            if (told.len() as u64) < end {
                return Found::Needs(end);
            }
            if index == self.passes.len() {
                match self.next(space, &told[..end as usize]) {
                    Some(next) => self.passes.push(next),
                    None => return Found::End,
                }
            }
        }
    }

    /// The pass around the best of these trials; `None` where none has a value.
    fn next(&mut self, space: &Space, told: &[Told]) -> Option<Pass> {
        let index = self.passes.len();
        let valued = told.iter().filter_map(|told| Some((told.value.filter(|value| !value.is_nan())?, told)));
        // The first of equals.
        let best = valued.min_by(|(a, _), (b, _)| self.direction.compare(*a, *b));
        let Some((value, best)) = best else {
            self.remarks.push("the grid is not refined: no trial of it has a value".to_owned());
            return None;
        };
        let mut ladders = self.passes[index - 1].ladders.clone();
        let mut moves = Vec::new();
        for (dimension, ladder) in space.dimensions.iter().zip(&mut ladders) {
            if let (Some(ladder), Some(best)) = (ladder, best.configuration.get(&dimension.name)) {
                moves.push(format!("  {} {}", dimension.name, ladder.step(best)));
            }
        }
        let cells = Cells::new(space, |dimension| {
            let place = space.dimensions.iter().position(|own| own.name == dimension.name);
            let ladder = place.and_then(|place| ladders[place].as_ref());
            match (best.configuration.get(&dimension.name), ladder) {
                (_, Some(ladder)) if !ladder.values.is_empty() => Box::new(Points(ladder.values.clone())),
                (Some(value), None) => Box::new(Points(vec![value.clone()])),
                _ => axis(dimension),
            }
        });
        let taken = told.iter().filter_map(|told| cells.index(&told.configuration)).collect();
        let mut left = Remaining::new(space, cells, taken);
        let count = left.count();
        self.remarks.push(format!(
            "grid, pass {} of {}: {count} new cells around trial {}, the best with {}",
            index + 1,
            self.most,
            best.number,
            short_text(&Value::Float(value))
        ));
        if count > 0 {
            self.remarks.append(&mut moves);
        }
        let basis = told.iter().map(|told| told.value).collect();
        Some(Pass { start: told.len() as u64, basis, left, ladders })
    }
}

/// The cells of a refined pass at most.
pub fn most_refined(space: &Space) -> u128 {
    let ladders: Vec<Option<Ladder>> = space.dimensions.iter().map(Ladder::new).collect();
    // Active in other cells than the best, a choice may have all its values.
    let mut varies = vec![false; ladders.len()];
    let mut most = 1_u128;
    for index in space.order() {
        let dimension = &space.dimensions[index];
        let position = |name: &str| space.dimensions.iter().position(|other| other.name == name);
        let is_free = |parent: usize| ladders[parent].is_some() || varies[parent];
        varies[index] = dimension.when.iter().filter_map(|condition| position(&condition.name)).any(is_free);
        most = most.saturating_mul(match &ladders[index] {
            Some(ladder) => 2 * (ladder.count as u128 / 2) + 1,
            None if varies[index] => axis(dimension).len(),
            None => 1,
        });
    }
    most
}

/// The values of one range in a pass.
#[derive(Clone)]
struct Ladder {
    /// Ascending; none in the first pass.
    values: Vec<Value>,
    /// All values of all passes.
    known: Vec<Value>,
    /// How many there are in the first pass.
    count: usize,
    /// Between two of them, or between their logarithms.
    gap: f64,
    /// The smallest and the largest value of any pass.
    lowest: f64,
    highest: f64,
    dimension: Dimension,
}

impl Ladder {
    /// Of the axis of a range with two or more points.
    fn new(dimension: &Dimension) -> Option<Self> {
        if !matches!(dimension.domain, Domain::Int { .. } | Domain::Float { .. }) {
            return None;
        }
        let axis = axis(dimension);
        let count = axis.len().min(MOST_POINTS);
        let (lowest, highest) = (axis.at(0).number()?, axis.at(axis.len() - 1).number()?);
        let mut ladder = Self {
            values: Vec::new(),
            known: (0..count).map(|index| axis.at(index)).collect(),
            count: count as usize,
            gap: 0.0,
            lowest,
            highest,
            dimension: dimension.clone(),
        };
        let (low, high) = (ladder.scaled(lowest), ladder.scaled(highest));
        ladder.gap = ladder.whole_steps((high - low) / (axis.len() - 1) as f64, f64::round);
        (count > 1).then_some(ladder)
    }

    /// Moves past an edge or zooms in, and says so.
    fn step(&mut self, best: &Value) -> String {
        let (at, reach) = (best.number().unwrap_or(self.lowest), self.count as i64 - 1);
        let up = if at >= self.highest { self.points(best, 0, reach) } else { Vec::new() };
        let down = if at <= self.lowest { self.points(best, -reach, 0) } else { Vec::new() };
        let said;
        if up.len() > 1 || down.len() > 1 {
            said = "goes on past its edge";
            self.values = if up.len() > 1 { up } else { down };
        } else {
            let is_finest = self.quantum().is_some_and(|step| !self.is_log() && self.gap <= step);
            self.gap = self.whole_steps(self.gap / 2.0, f64::ceil);
            let half = if is_finest { 0 } else { self.count as i64 / 2 };
            self.values = self.points(best, -half, half);
            said = if self.values.len() > 1 { "zooms in" } else { "stays" };
        }
        let ends = [self.values.first(), self.values.last()].map(|end| end.and_then(Value::number));
        self.known.extend_from_slice(&self.values);
        self.lowest = ends[0].map_or(self.lowest, |low| self.lowest.min(low));
        self.highest = ends[1].map_or(self.highest, |high| self.highest.max(high));
        format!("{said}: {}", self.text())
    }

    /// The best and the values so many gaps around it that the limits allow, ascending, each once.
    fn points(&self, best: &Value, first: i64, last: i64) -> Vec<Value> {
        let center = best.number().unwrap_or(self.lowest);
        let mut points: Vec<Value> = (first..=last)
            .filter_map(|steps| match steps {
                0 => Some(best.clone()),
                _ => self.value(self.unscaled(self.scaled(center) + steps as f64 * self.gap)),
            })
            .collect();
        points.dedup_by(|a, b| a.same(b));
        points
    }

    /// The value of the domain's kind nearest to a number: the known one where they differ by rounding alone;
    /// `None` beyond the limits.
    fn value(&self, number: f64) -> Option<Value> {
        let (place, room) = (self.scaled(number), 1e-6 * self.gap);
        let is_here =
            |known: &&Value| known.number().is_some_and(|known| (self.scaled(known) - place).abs() <= room);
        if let Some(known) = self.known.iter().find(is_here) {
            return Some(known.clone());
        }
        let nearest_step = |low: f64, step: f64| low + ((number - low) / step).round() * step;
        let snapped = match self.dimension.domain {
            Domain::Int { low, step, .. } => nearest_step(low as f64, step as f64),
            Domain::Float { low, step: Some(step), .. } => short(nearest_step(low, step)),
            _ => short(number),
        };
        let is_sound = snapped.is_finite() && (!self.is_log() || snapped > 0.0);
        if !is_sound || !self.dimension.limits.contains(snapped) {
            return None;
        }
        match self.dimension.domain {
            // Exact there, and what is larger would saturate.
            Domain::Int { .. } => (snapped.abs() <= 2_f64.powi(53)).then_some(Value::Int(snapped as i64)),
            _ => Some(Value::Float(snapped)),
        }
    }

    fn is_log(&self) -> bool {
        matches!(self.dimension.domain, Domain::Int { log: true, .. } | Domain::Float { log: true, .. })
    }

    /// Between two neighbours of the domain, where it has any.
    fn quantum(&self) -> Option<f64> {
        match self.dimension.domain {
            Domain::Int { step, .. } => Some(step as f64),
            Domain::Float { step, .. } => step,
            _ => None,
        }
    }

    /// A gap of a domain with steps is a whole number of them, at least one.
    fn whole_steps(&self, gap: f64, round: fn(f64) -> f64) -> f64 {
        match self.quantum().filter(|_| !self.is_log()) {
            Some(step) => round(gap / step).max(1.0) * step,
            None => gap,
        }
    }

    fn scaled(&self, value: f64) -> f64 {
        if self.is_log() { libm::log(value) } else { value }
    }

    fn unscaled(&self, value: f64) -> f64 {
        if self.is_log() { libm::exp(value) } else { value }
    }

    fn text(&self) -> String {
        let texts: Vec<String> = self.values.iter().map(short_text).collect();
        match texts.len() {
            0..=MOST_NAMED => texts.join(", "),
            count => format!("{}, …, {} ({count} values)", texts[..3].join(", "), texts[count - 1]),
        }
    }
}

/// Rounded to 12 digits: 1e-4 as 1e-3 divided by the ratio of 1e-3 and 1e-2 is 1e-4.
fn short(number: f64) -> f64 {
    format!("{number:.11e}").parse().unwrap_or(number)
}
