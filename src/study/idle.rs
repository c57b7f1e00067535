//! Hyperparameters that a space searches and nothing reads, such as momentum beside an optimizer that has none: trials
//! that differ in them alone are one trial.

use super::run::Build;
use crate::data::Task;
use crate::model::glance::glance;
use crate::random::{Purpose, Stream};
use crate::space::{Condition, Configuration, Dimension, Domain, Space, Value, value_text};

/// Random configurations that are looked at, at most, and the fewest in which a hyperparameter must be active.
const DRAWS: u32 = 64;
const MOST_DRAWS: u32 = 512;
const FEWEST: usize = 8;
/// A value beside which nothing has an effect is none of the cause where that had come by chance as likely as this.
const CHANCE: f64 = 1e-4;
/// Layer of their streams.
const LAYER: usize = 1002;
/// Places of a range that are tried.
const PLACES: [f64; 4] = [0.03, 0.37, 0.66, 0.97];

/// A random configuration, and what it trains.
struct Draw {
    point: Vec<f64>,
    configuration: Configuration,
    seen: Vec<u64>,
}

/// A note of each hyperparameter that changes nothing in this space, or nothing beside some values of another one:
/// then with the condition that leaves it out there.
pub fn notes(space: &Space, task: Task, build: &Build<'_>) -> Vec<String> {
    let see = |configuration: &Configuration| {
        build(configuration).ok().map(|(network, recipe)| glance(&network, &recipe, task))
    };
    let draw = |number: u32| {
        let point = space.draw_point(&mut Stream::new(0, Purpose::Search, LAYER, number, 0).reader());
        let configuration = space.decode(&point);
        see(&configuration).map(|seen| Draw { point, configuration, seen })
    };
    let draws: Vec<Draw> = (0..DRAWS).filter_map(draw).collect();
    let note = |(at, dimension): (usize, &Dimension)| {
        let seen =
            draws.iter().filter_map(|draw| Some((&draw.configuration, matters(space, at, draw, &see)?)));
        let seen: Vec<(&Configuration, bool)> = seen.collect();
        if seen.len() < FEWEST || seen.iter().all(|(_, matters)| *matters) {
            return None;
        }
        let name = &dimension.name;
        if seen.iter().all(|(_, matters)| !matters) {
            // Before that is said, it is looked at more closely.
            let mut more = (DRAWS..MOST_DRAWS).filter_map(draw);
            let is_idle = !more.any(|draw| matters(space, at, &draw, &see) == Some(true));
            let note =
                || format!("{name} changes nothing in this space: with any value of it the same is trained");
            return is_idle.then(note);
        }
        if matches!(dimension.domain, Domain::Fixed(_)) {
            // No two trials differ in it.
            return None;
        }
        let others = space.dimensions.iter().filter(|other| other.name != *name);
        others.filter_map(|other| split_by(other, dimension, &seen)).next().map(|(idle, used)| {
            let other = used.name.clone();
            let mut left = dimension.clone();
            left.when.retain(|condition| condition.name != other);
            left.when.push(used);
            format!(
                "{name} changes nothing where {other} is {}: when = {{ {} }} leaves it out there",
                idle.iter().map(value_text).collect::<Vec<_>>().join(" or "),
                left.when_text()
            )
        })
    };
    space.dimensions.iter().enumerate().filter_map(note).collect()
}

/// Whether other values of a dimension train something else; `None` where it is inactive, or has no other value.
fn matters(
    space: &Space,
    at: usize,
    draw: &Draw,
    see: &dyn Fn(&Configuration) -> Option<Vec<u64>>,
) -> Option<bool> {
    let name = &space.dimensions[at].name;
    let own = draw.configuration.get(name)?;
    // What cannot be built is read, at least.
    let differs = |other: &Configuration| see(other).is_none_or(|other| other != draw.seen);
    if let Domain::Fixed(value) = &space.dimensions[at].domain {
        let mut other = draw.configuration.clone();
        other.insert(name.clone(), another(value)?);
        return Some(differs(&other));
    }
    let mut point = draw.point.clone();
    let mut others = PLACES
        .iter()
        .map(|place| {
            point[at] = *place;
            space.decode(&point)
        })
        .filter(|other| other.get(name) != Some(own))
        .peekable();
    others.peek()?;
    Some(others.any(|other| differs(&other)))
}

/// A value beside the only one; none for names and lists, of which there may be no other, and for what is off.
fn another(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(value) => value.then_some(Value::Bool(false)),
        Value::Int(value) => Some(Value::Int(value + 1)),
        Value::Float(value) => (*value != 0.0).then_some(Value::Float(0.5 * value)),
        Value::Text(_) | Value::List(_) => None,
    }
}

/// The values of a choice beside which a dimension has no effect, and the condition that leaves them out; none where the
/// choice does not decide that.
fn split_by(
    other: &Dimension,
    dimension: &Dimension,
    seen: &[(&Configuration, bool)],
) -> Option<(Vec<Value>, Condition)> {
    let Domain::Choice(values) = &other.domain else { return None };
    // A condition that the dimension has already leaves some of them.
    let known = dimension.when.iter().find(|condition| condition.name == other.name);
    let values: Vec<&Value> = known.map_or(values, |condition| &condition.values).iter().collect();
    if !values.iter().all(|value| matches!(value, Value::Text(_) | Value::Bool(_))) {
        return None;
    }
    // (value) With effect, all of them.
    let count = |value: &&Value| {
        let beside = seen.iter().filter(|(configuration, _)| configuration.get(&other.name) == Some(value));
        beside.fold((0, 0), |(with, all), (_, matters)| (with + u32::from(*matters), all + 1))
    };
    let counts: Vec<(u32, u32)> = values.iter().map(count).collect();
    if counts.iter().map(|(_, all)| *all as usize).sum::<usize>() < seen.len() {
        // Inactive in some.
        return None;
    }
    let used = counts.iter().filter(|(with, _)| *with > 0);
    let (with, all) = used.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    let without = 1.0 - f64::from(with) / f64::from(all.max(1));
    let may_be_chance =
        |(with, all): &(u32, u32)| *all == 0 || *with == 0 && without.powi(*all as i32) > CHANCE;
    if counts.iter().any(may_be_chance) {
        return None;
    }
    let chosen = |is_idle: bool| -> Vec<Value> {
        let chosen = values.iter().zip(&counts).filter(|(_, (with, _))| (*with == 0) == is_idle);
        chosen.map(|(value, _)| (*value).clone()).collect()
    };
    let (idle, used) = (chosen(true), chosen(false));
    (!idle.is_empty() && !used.is_empty())
        .then(|| (idle, Condition { name: other.name.clone(), values: used }))
}
