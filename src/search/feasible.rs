//! Whether there is anything to search: found out before anything runs.

use super::cells::{Cells, Remaining};
use super::{Settings, StrategyKind};
use crate::error::{Error, Result};
use crate::model::metric::Direction;
use crate::random::{Purpose, Stream};
use crate::space::{Configuration, Space};
use std::collections::BTreeSet;

/// Random configurations that are tried where they cannot all be.
const DRAWS: u32 = 10_000;
/// Layer of their streams.
const LAYER: usize = 1001;

/// Refuses constraints that no configuration of the space meets.
///
/// All are looked at where they are few enough to walk; else 10,000 random ones, the same for every seed, and what
/// the strategy has of its own where that is counted: a grid has points that no random one meets. The error names the
/// constraint that forbids the most of the random ones.
pub fn refuse_impossible(space: &Space, strategy: &dyn StrategyKind) -> Result<()> {
    if space.constraints.is_empty() {
        return Ok(());
    }
    let own = strategy.size(space, &Settings::new(0, Direction::Minimize)).filter(|_| strategy.runs_all());
    if own.is_some_and(|count| (1..u128::MAX).contains(&count)) {
        return Ok(());
    }
    let cells = Cells::all(space).map(|cells| Remaining::new(space, cells, BTreeSet::new()));
    let is_certain = match cells {
        Some(cells) if cells.has_any() => return Ok(()),
        Some(cells) => cells.len() == Some(0),
        None => false,
    };
    let drawn = || {
        (0..DRAWS).map(|number| space.sample(&mut Stream::new(0, Purpose::Search, LAYER, number, 0).reader()))
    };
    if !is_certain && drawn().any(|configuration| space.allows(&configuration)) {
        return Ok(());
    }
    let drawn: Vec<Configuration> = drawn().collect();
    let forbidden = space.constraints.iter().map(|c| drawn.iter().filter(|drawn| !c.holds(drawn)).count());
    // The first of those that forbid equally many.
    let worst = forbidden.enumerate().rev().max_by_key(|(_, count)| *count);
    let (index, count) = worst.unwrap_or_default();
    let found = match is_certain {
        true => "no configuration of the space meets the constraints".to_owned(),
        false => format!("none of {DRAWS} random configurations meets the constraints"),
    };
    let constraint = &space.constraints[index];
    let share = match space.constraints.len() {
        1 => String::new(),
        _ => format!(", which alone forbids {count} of {DRAWS} random ones"),
    };
    Err(Error::usage(format!("search.constraints[{index}]"), found)
        .allowed("constraints that leave part of [space], and more of a range than single values")
        .advice(format!("loosen or leave out \"{constraint}\"{share}; or widen the ranges of [space]")))
}

/// Refuses a space of which a strategy has nothing to propose: a grid none of whose cells meets the
/// constraints.
pub fn refuse_empty(kind: &dyn StrategyKind, space: &Space, settings: &Settings) -> Result<()> {
    if kind.size(space, settings) != Some(0) {
        return Ok(());
    }
    let found = format!("{} has no configuration that meets the constraints", kind.name());
    Err(Error::usage("search.constraints", found)
        .allowed("constraints that leave a part of what the strategy proposes")
        .advice("more points of each range, with `count`; or another strategy"))
}

/// Refuses a space that has a single configuration: there is nothing to search.
pub fn refuse_fixed(space: &Space) -> Result<()> {
    if !space.is_fixed() {
        return Ok(());
    }
    let found = match space.dimensions.is_empty() {
        true => "no hyperparameter",
        false => "no free hyperparameter: every one has a single value",
    };
    Err(Error::usage("space", found)
        .allowed("at least one range, or list of two or more choices")
        .advice("x = { uniform = [0.0, 1.0] }"))
}
