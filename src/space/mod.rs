//! What a search may propose: hyperparameter values and configurations, ranges, scales, choices, conditions
//! and constraints.

mod constraint;
mod domain;
mod text;

pub use constraint::Constraint;
pub use domain::Domain;
pub(crate) use domain::{between, tidy};
pub use text::{key_text, quoted, value_text};

use crate::error::{Error, Result, unknown_name};
use std::collections::{BTreeMap, BTreeSet};

/// The value of one hyperparameter.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A name.
    Text(String),
    /// A list, such as the widths of hidden layers.
    List(Vec<i64>),
}

impl Value {
    /// Whether both mean the same: 1 and 1.0 do, though they are not equal as values.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(whole), Self::Float(real)) | (Self::Float(real), Self::Int(whole)) => {
                *whole as f64 == *real
            }
            _ => self == other,
        }
    }

    /// As a real number, where it is a number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }
}

/// One full assignment: hyperparameter name → value. Inactive conditional hyperparameters are absent.
pub type Configuration = BTreeMap<String, Value>;

/// What makes a dimension active: the dimension `name` is active and equals one of `values`.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The dimension that decides.
    pub name: String,
    /// At least one; each a value that it can take.
    pub values: Vec<Value>,
}

/// The numbers that a hyperparameter can be at all, whatever range of them is searched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The lower end.
    pub low: f64,
    /// Whether the lower end itself is allowed.
    pub low_included: bool,
    /// The upper end.
    pub high: f64,
    /// Whether the upper end itself is allowed.
    pub high_included: bool,
}

impl Limits {
    /// Any finite number.
    pub const NONE: Self =
        Self { low: f64::NEG_INFINITY, low_included: false, high: f64::INFINITY, high_included: false };

    /// Whether a number lies within.
    pub fn contains(&self, number: f64) -> bool {
        let above = if self.low_included { number >= self.low } else { number > self.low };
        above && if self.high_included { number <= self.high } else { number < self.high }
    }
}

/// One hyperparameter of a space.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// The values that it can take.
    pub domain: Domain,
    /// It is active where all of these hold; always, where there are none.
    pub when: Vec<Condition>,
    /// How many points a grid takes of its range; `None`: all of a finite one.
    pub grid_count: Option<u32>,
    /// How far a refined grid may go past the range.
    pub limits: Limits,
}

impl Dimension {
    /// A dimension without conditions.
    pub fn new(name: impl Into<String>, domain: Domain) -> Self {
        Self { name: name.into(), domain, when: Vec::new(), grid_count: None, limits: Limits::NONE }
    }

    /// The same dimension, active only where `name` equals one of `values`, too.
    #[must_use]
    pub fn when(mut self, name: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        self.when.push(Condition { name: name.into(), values: values.into_iter().collect() });
        self
    }
}

/// The hyperparameters that are searched, in the order of the file. Made by [`Space::new`], which checks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    /// In the order of the file.
    pub dimensions: Vec<Dimension>,
    /// What every configuration must meet.
    pub constraints: Vec<Constraint>,
}

impl Space {
    /// Checks the dimensions and makes a space of them.
    ///
    /// Errors name the key (`space.<name>`, `space.<name>.when.<other>`): a name given twice, a domain
    /// without values, a condition that names nothing, that asks for a value the other cannot take, or
    /// that depends on itself.
    pub fn new(dimensions: Vec<Dimension>) -> Result<Self> {
        let mut space = Self { dimensions, constraints: Vec::new() };
        let mut names = BTreeSet::new();
        for dimension in &space.dimensions {
            let place = format!("space.{}", dimension.name);
            if !names.insert(dimension.name.as_str()) {
                return Err(Error::usage(place, "given twice").allowed("each hyperparameter once"));
            }
            dimension.domain.check(&place)?;
            check_grid_count(dimension, &place)?;
        }
        let whens =
            space.dimensions.iter().map(|d| space.checked_conditions(d)).collect::<Result<Vec<_>>>()?;
        space.dimensions.iter_mut().zip(whens).for_each(|(dimension, when)| dimension.when = when);
        space.refuse_cycles()?;
        Ok(space)
    }

    /// The space within these constraints, instead of those that it has.
    ///
    /// Errors name the key (`search.constraints[0]`) and the column: a name that the space does not have, an
    /// operator that does not fit its types. Whether any configuration meets them is not looked at.
    pub fn with_constraints(self, constraints: Vec<Constraint>) -> Result<Self> {
        for (index, constraint) in constraints.iter().enumerate() {
            constraint.check(&format!("search.constraints[{index}]"), &self)?;
        }
        Ok(Self { constraints, ..self })
    }

    /// Whether a configuration of the space meets all constraints.
    pub fn allows(&self, configuration: &Configuration) -> bool {
        self.constraints.iter().all(|constraint| constraint.holds(configuration))
    }

    /// Whether none of its hyperparameters is free: it has a single configuration.
    pub fn is_fixed(&self) -> bool {
        self.dimensions.iter().all(|dimension| dimension.domain.size() == Some(1))
    }

    /// The dimension of this name.
    pub fn get(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|dimension| dimension.name == name)
    }

    /// Whether a dimension is active in a configuration that holds every dimension it depends on.
    pub fn is_active(&self, dimension: &Dimension, configuration: &Configuration) -> bool {
        dimension.when.iter().all(|condition| {
            configuration
                .get(&condition.name)
                .is_some_and(|found| condition.values.iter().any(|value| value.same(found)))
        })
    }

    /// Indices of the dimensions, each after those it depends on, otherwise in the order of the file.
    pub fn order(&self) -> Vec<usize> {
        let mut placed = vec![false; self.dimensions.len()];
        let mut order = Vec::with_capacity(placed.len());
        while let Some(next) = (0..placed.len())
            .find(|&i| !placed[i] && self.parents(&self.dimensions[i]).all(|parent| placed[parent]))
        {
            placed[next] = true;
            order.push(next);
        }
        order
    }

    /// The configuration at a point of the unit cube: one coordinate in [0, 1] per dimension, in the
    /// order of the file; those of inactive dimensions are not read.
    ///
    /// A uniform point gives each active dimension its own marginal distribution.
    pub fn decode(&self, point: &[f64]) -> Configuration {
        let mut configuration = Configuration::new();
        for index in self.order() {
            let dimension = &self.dimensions[index];
            if self.is_active(dimension, &configuration) {
                configuration.insert(dimension.name.clone(), dimension.domain.decode(point[index]));
            }
        }
        configuration
    }

    /// The point of the unit cube at the middle of what decodes to this configuration; `None` for a
    /// dimension that is inactive or whose value lies outside of its domain.
    pub fn encode(&self, configuration: &Configuration) -> Vec<Option<f64>> {
        self.dimensions
            .iter()
            .map(|dimension| {
                configuration.get(&dimension.name).and_then(|value| dimension.domain.encode(value))
            })
            .collect()
    }

    /// A random configuration: two words of the generator per dimension, active or not, so that a
    /// dimension's draw does not depend on the others. Constraints are not looked at.
    pub fn sample(&self, generator: &mut impl rand::Rng) -> Configuration {
        self.decode(&self.draw_point(generator))
    }

    /// A uniform point of the unit cube, as [`sample`](Self::sample) draws it.
    pub fn draw_point(&self, generator: &mut impl rand::Rng) -> Vec<f64> {
        self.dimensions.iter().map(|_| (generator.next_u64() >> 11) as f64 * 2_f64.powi(-53)).collect()
    }

    /// Whether a configuration assigns a value of its domain to every active dimension and to no other, and
    /// meets all constraints. What a refined grid proposes outside of the ranges, it does not contain.
    pub fn contains(&self, configuration: &Configuration) -> bool {
        self.allows(configuration)
            && configuration.keys().all(|name| self.get(name).is_some())
            && self.dimensions.iter().all(|dimension| match configuration.get(&dimension.name) {
                Some(value) => self.is_active(dimension, configuration) && dimension.domain.contains(value),
                None => !self.is_active(dimension, configuration),
            })
    }

    /// The dimensions that decide over this one.
    fn parents<'a>(&'a self, dimension: &'a Dimension) -> impl Iterator<Item = usize> + 'a {
        dimension
            .when
            .iter()
            .filter_map(|condition| self.dimensions.iter().position(|other| other.name == condition.name))
    }

    /// The conditions of a dimension, each value as the deciding dimension itself has it.
    fn checked_conditions(&self, dimension: &Dimension) -> Result<Vec<Condition>> {
        dimension.when.iter().map(|condition| self.checked_condition(dimension, condition)).collect()
    }

    fn checked_condition(&self, dimension: &Dimension, condition: &Condition) -> Result<Condition> {
        let place = format!("space.{}.when.{}", dimension.name, condition.name);
        let Some(other) = self.get(&condition.name) else {
            let names =
                self.dimensions.iter().map(|d| d.name.as_str()).filter(|name| *name != dimension.name);
            let error = unknown_name(place, "hyperparameter of this space", &condition.name, names);
            return Err(match error.advice.is_empty() {
                true => error
                    .allowed("another hyperparameter of [space]")
                    .advice(format!("add {} to [space], or leave the condition out", condition.name)),
                false => error,
            });
        };
        if condition.values.is_empty() {
            return Err(Error::usage(place, "no value, so it could never hold")
                .allowed(format!("one or more of {}", other.domain.text())));
        }
        if other.domain.size().is_none() {
            return Err(Error::usage(
                place,
                format!("{} is a continuous range, which never equals one value", other.name),
            )
            .allowed("a condition on a list of choices or on whole numbers"));
        }
        let values = condition.values.iter().map(|value| {
            other.domain.own(value).ok_or_else(|| {
                Error::usage(&place, format!("{} cannot be {}", other.name, value_text(value)))
                    .allowed(other.domain.text())
            })
        });
        Ok(Condition { name: condition.name.clone(), values: values.collect::<Result<_>>()? })
    }

    fn refuse_cycles(&self) -> Result<()> {
        let order = self.order();
        let Some(start) = (0..self.dimensions.len()).find(|index| !order.contains(index)) else {
            return Ok(());
        };
        // Every dimension that was not placed has a parent that was not: walking up must come back.
        let mut path = vec![start];
        loop {
            let last = path[path.len() - 1];
            let Some(next) = self.parents(&self.dimensions[last]).find(|parent| !order.contains(parent))
            else {
                unreachable!("a dimension whose parents are all placed is placed");
            };
            path.push(next);
            if let Some(first) = path.iter().position(|&index| index == next).filter(|&i| i + 1 < path.len())
            {
                let names: Vec<&str> =
                    path[first..].iter().map(|&i| self.dimensions[i].name.as_str()).collect();
                return Err(Error::usage(
                    format!("space.{}.when", names[0]),
                    format!("conditions that depend on each other: {}", names.join(" when ")),
                )
                .allowed("conditions that lead to a hyperparameter without one")
                .advice(format!("{} without `when`", names[0])));
            }
        }
    }
}

fn check_grid_count(dimension: &Dimension, place: &str) -> Result<()> {
    const MOST: u32 = 1_000_000;
    match (dimension.grid_count, &dimension.domain) {
        (None, _) => Ok(()),
        (Some(_), Domain::Fixed(_) | Domain::Choice(_)) => Err(Error::usage(
            format!("{place}.count"),
            "a count of points for a list, of which a grid takes all",
        )
        .allowed("count beside log_uniform, uniform or int")),
        (Some(count), _) if count == 0 || count > MOST => {
            Err(Error::usage(format!("{place}.count"), count).allowed(format!("1 to {MOST}")))
        }
        _ => Ok(()),
    }
}
