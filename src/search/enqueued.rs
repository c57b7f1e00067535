//! Configurations that the user wants tried first: checked against the space, and completed where they leave
//! hyperparameters open.

use crate::error::{Error, Result, unknown_name};
use crate::random::{Purpose, Stream};
use crate::space::{Configuration, Domain, Space, Value, value_text};

/// Draws of what a configuration leaves open, before it is refused.
const MOST_DRAWS: usize = 10_000;

/// Full configurations of trials 0, 1, …, from the values that the user gives for each. What they leave open is
/// drawn at random, as trial n of a random search draws it: again until every given value is active, the
/// constraints hold, and no other configuration is the same.
///
/// Errors name the key (`search.enqueue[0]`, `search.enqueue[0].width`): a hyperparameter that the space does
/// not have, a value outside of its range or list, values that no configuration of the space has together, or
/// one that is enqueued twice. Configurations that are complete stay as they are.
pub fn complete(space: &Space, given: &[Configuration], seed: u64) -> Result<Vec<Configuration>> {
    let mut all: Vec<Configuration> = Vec::with_capacity(given.len());
    for (number, given) in given.iter().enumerate() {
        let place = format!("search.enqueue[{number}]");
        let given = admitted(space, given, &place)?;
        let mut generator = Stream::new(seed, Purpose::Search, 0, number as u32, 0).reader();
        let drawn = (0..MOST_DRAWS).map(|_| filled(space, &given, &space.draw_point(&mut generator)));
        let mut closest = Fault::Inactive(String::new());
        let found = drawn.into_iter().find(|drawn| match fault_of(space, &given, drawn, &all) {
            None => true,
            Some(fault) => {
                closest = std::cmp::max(closest.clone(), fault);
                false
            }
        });
        all.push(found.ok_or_else(|| closest.error(space, &place))?);
    }
    Ok(all)
}

/// The given values as their domains have them.
fn admitted(space: &Space, given: &Configuration, place: &str) -> Result<Configuration> {
    let names = || space.dimensions.iter().map(|dimension| dimension.name.as_str());
    if given.is_empty() {
        return Err(
            Error::usage(place, "no value").allowed("values of one or more hyperparameters of [space]")
        );
    }
    let admit = |(name, value): (&String, &Value)| {
        let place = format!("{place}.{name}");
        let Some(dimension) = space.get(name) else {
            return Err(unknown_name(place, "hyperparameter of this space", name, names()));
        };
        let own = match (&dimension.domain, value) {
            (Domain::Float { step: None, .. }, Value::Int(whole)) => Some(Value::Float(*whole as f64)),
            (Domain::Float { step: None, .. }, _) => Some(value.clone()),
            (domain, _) => domain.own(value),
        };
        match own.filter(|own| dimension.domain.contains(own)) {
            Some(own) => Ok((name.clone(), own)),
            None => Err(Error::usage(place, format!("{name} cannot be {}", value_text(value)))
                .allowed(dimension.domain.text())),
        }
    };
    given.iter().map(admit).collect()
}

/// The configuration at a point, but for the values that are given.
fn filled(space: &Space, given: &Configuration, point: &[f64]) -> Configuration {
    let mut configuration = Configuration::new();
    for index in space.order() {
        let dimension = &space.dimensions[index];
        if space.is_active(dimension, &configuration) {
            let own = given.get(&dimension.name).cloned();
            let value = own.unwrap_or_else(|| dimension.domain.decode(point[index]));
            configuration.insert(dimension.name.clone(), value);
        }
    }
    configuration
}

/// Why a drawn configuration will not do, what came closest last.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// A value is given for this hyperparameter, which is inactive.
    Inactive(String),
    /// This constraint does not hold.
    Forbidden(usize),
    /// It is the same as this one.
    Repeated(usize),
}

fn fault_of(
    space: &Space,
    given: &Configuration,
    drawn: &Configuration,
    others: &[Configuration],
) -> Option<Fault> {
    if let Some(name) = given.keys().find(|name| !drawn.contains_key(*name)) {
        return Some(Fault::Inactive(name.clone()));
    }
    if let Some(index) = space.constraints.iter().position(|constraint| !constraint.holds(drawn)) {
        return Some(Fault::Forbidden(index));
    }
    others.iter().position(|other| other == drawn).map(Fault::Repeated)
}

impl Fault {
    fn error(self, space: &Space, place: &str) -> Error {
        match self {
            Self::Inactive(name) => {
                let when = space.get(&name).map(|found| found.when_text()).unwrap_or_default();
                Error::usage(place, format!("{name} is inactive beside the other values"))
                    .allowed(format!("{name} where {when}"))
                    .advice(format!("leave {name} out, or change what it depends on"))
            }
            Self::Forbidden(index) => {
                Error::usage(place, format!("forbidden by the constraint \"{}\"", space.constraints[index]))
                    .allowed("configurations that meet search.constraints")
            }
            Self::Repeated(index) => Error::usage(place, format!("the same as search.enqueue[{index}]"))
                .allowed("each configuration once")
                .advice("leave it out"),
        }
    }
}
