//! Where in the space some trials stand apart from the others: the one or two hyperparameters that tell them best.

use crate::space::{Configuration, Space, Value, value_text};
use std::collections::BTreeSet;

/// A part of the space, as a conjunction of at most two conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The conditions.
    pub conditions: Vec<Side>,
    /// Trials in it, and how many of them are afflicted.
    pub inside: (usize, usize),
    /// Trials outside of it, and how many of them are.
    pub outside: (usize, usize),
}

/// One condition on one hyperparameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Side {
    /// At least this number.
    From(String, f64),
    /// At most this number.
    UpTo(String, f64),
    /// This value.
    Is(String, Value),
}

/// Of the conditions that tell trials apart, the least that the Gini impurity must fall by, as a share of what it was:
/// less is what chance does.
const LEAST_GAIN: f64 = 0.2;
/// The same for a second condition beside the first.
const LEAST_SECOND_GAIN: f64 = 0.3;
/// Fewer trials on one side tell nothing.
const FEWEST: usize = 2;
/// Ends of ranges that are tried, evenly over the trials.
const MOST_ENDS: usize = 64;

impl Side {
    /// The hyperparameter.
    pub fn name(&self) -> &str {
        match self {
            Self::From(name, _) | Self::UpTo(name, _) | Self::Is(name, _) => name,
        }
    }

    /// Whether a configuration meets it; one without the hyperparameter does not.
    pub fn holds(&self, configuration: &Configuration) -> bool {
        let number = |name: &str| configuration.get(name).and_then(Value::number);
        match self {
            Self::From(name, least) => number(name).is_some_and(|number| number >= *least),
            Self::UpTo(name, most) => number(name).is_some_and(|number| number <= *most),
            Self::Is(name, value) => configuration.get(name).is_some_and(|found| found.same(value)),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::From(name, least) => format!("{name} from {}", short(*least)),
            Self::UpTo(name, most) => format!("{name} up to {}", short(*most)),
            Self::Is(name, value) => format!("{name} = {}", value_text(value)),
        }
    }
}

/// Three significant digits.
pub fn short(number: f64) -> String {
    let rounded: f64 = format!("{number:.2e}").parse().unwrap_or(number);
    match rounded.abs() {
        0.0 | 1e-4..1e7 => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}

impl Region {
    /// The part of the space in which trials are afflicted, of trials given as (configuration, is afflicted). `None`
    /// where all or none are, or no hyperparameter tells which.
    pub fn of(space: &Space, trials: &[(&Configuration, bool)]) -> Option<Self> {
        let first = best_side(space, trials, LEAST_GAIN)?;
        let within: Vec<(&Configuration, bool)> =
            trials.iter().copied().filter(|(configuration, _)| first.holds(configuration)).collect();
        let mut conditions = vec![first];
        conditions.extend(best_side(space, &within, LEAST_SECOND_GAIN));
        let is_inside =
            |configuration: &Configuration| conditions.iter().all(|side| side.holds(configuration));
        let count = |inside: bool| {
            let these = trials.iter().filter(|(configuration, _)| is_inside(configuration) == inside);
            these.fold((0, 0), |(all, bad), (_, is_bad)| (all + 1, bad + usize::from(*is_bad)))
        };
        let (inside, outside) = (count(true), count(false));
        Some(Self { conditions, inside, outside })
    }

    /// In words: `learning_rate from 0.03, activation = "relu"`.
    pub fn text(&self) -> String {
        self.conditions.iter().map(Side::text).collect::<Vec<_>>().join(", ")
    }

    /// In words, with counts.
    pub fn counted(&self) -> String {
        let ((inside, bad), (outside, others)) = (self.inside, self.outside);
        format!("{}: {bad} of {inside} there, {others} of {outside} elsewhere", self.text())
    }
}

/// n·2p(1 − p) of so many trials, so many of them afflicted.
fn impurity(all: usize, bad: usize) -> f64 {
    2.0 * bad as f64 * (all - bad) as f64 / all.max(1) as f64
}

/// The condition that lowers the impurity most, where it lowers it enough and is met by the afflicted.
fn best_side(space: &Space, trials: &[(&Configuration, bool)], least_gain: f64) -> Option<Side> {
    let bad = trials.iter().filter(|(_, is_bad)| *is_bad).count();
    let before = impurity(trials.len(), bad);
    let gain = |side: &Side| {
        let inside = trials.iter().filter(|(configuration, _)| side.holds(configuration));
        let (all, inside_bad) =
            inside.fold((0, 0), |(all, bad), (_, is_bad)| (all + 1, bad + usize::from(*is_bad)));
        let rest = trials.len() - all;
        // More of them afflicted than elsewhere.
        let is_theirs = inside_bad * rest > (bad - inside_bad) * all;
        let fits = all.min(rest) >= FEWEST.min(trials.len() / 2) && is_theirs;
        if fits { before - impurity(all, inside_bad) - impurity(rest, bad - inside_bad) } else { 0.0 }
    };
    let sides = space.dimensions.iter().flat_map(|dimension| sides(&dimension.name, trials));
    // Of equals the first.
    let best =
        sides.map(|side| (gain(&side), side)).fold(None, |best: Option<(f64, Side)>, found| match best {
            Some(best) if best.0 >= found.0 => Some(best),
            _ => Some(found),
        });
    best.filter(|(gain, _)| *gain > 0.0 && *gain >= least_gain * before).map(|(_, side)| side)
}

/// The conditions on a hyperparameter that tell some trials from others.
fn sides(name: &str, trials: &[(&Configuration, bool)]) -> Vec<Side> {
    let values = trials.iter().filter_map(|(configuration, _)| configuration.get(name));
    let mut numbers: Vec<f64> = values.clone().filter_map(Value::number).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    let every = numbers.len().div_ceil(MOST_ENDS).max(1);
    let numbers: Vec<f64> = numbers.into_iter().step_by(every).collect();
    let mut known = BTreeSet::new();
    let others = values.filter(|value| value.number().is_none() && known.insert(value_text(value)));
    let named = others.map(|value| Side::Is(name.to_owned(), value.clone()));
    let from = numbers.iter().skip(1).map(|&number| Side::From(name.to_owned(), number));
    let to = numbers.iter().rev().skip(1).map(|&number| Side::UpTo(name.to_owned(), number));
    from.chain(to).chain(named.collect::<Vec<_>>()).collect()
}
