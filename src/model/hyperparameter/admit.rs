//! Checks values and spaces against the list of hyperparameters.

use super::machine::{self, KERNEL};
use super::{Kind, LINEAR, MODELS, MOST_LAYERS, MOST_UNITS, SVM, all_of, find, model_of};
use crate::data::{Task, TaskKind};
use crate::error::{Error, Result, cut, unknown_name};
use crate::model::loss;
use crate::space::{Dimension, Domain, Limits, Space, Value, value_text};

impl Kind {
    /// What is allowed, in words.
    pub fn text(&self) -> String {
        match self {
            Self::Float { low, low_included, high, high_included } => format!(
                "a number {} {low}, {} {high}",
                if *low_included { "from" } else { "above" },
                if *high_included { "at most" } else { "below" }
            ),
            Self::FloatOr { name, .. } => format!("{}, or \"{name}\"", self.number().text()),
            Self::Int { low, high } => format!("a whole number from {low} to {high}"),
            Self::Bool => "true or false".to_string(),
            Self::Name(names) => names().join(", "),
            Self::Widths => format!(
                "lists of at most {MOST_LAYERS} widths from 1 to {MOST_UNITS}, such as [[64], [128, 64]]; [[]] has no hidden layer"
            ),
        }
    }

    /// Real numbers alone, where a name may stand for one.
    fn number(&self) -> Self {
        match *self {
            Self::FloatOr { low, low_included, high, high_included, .. } => {
                Self::Float { low, low_included, high, high_included }
            }
            other => other,
        }
    }

    /// The numbers that it allows; none are beyond the limits of what is no number.
    pub fn limits(&self) -> Limits {
        match self.number() {
            Self::Float { low, low_included, high, high_included } => {
                Limits { low, low_included, high, high_included }
            }
            Self::Int { low, high } => {
                Limits { low: low as f64, low_included: true, high: high as f64, high_included: true }
            }
            _ => Limits::NONE,
        }
    }

    /// The value as this kind has it (1 becomes 1.0 for a real number); `None` where it is not allowed.
    pub(super) fn admit(&self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::FloatOr { name, .. }, Value::Text(text)) => (text == name).then(|| value.clone()),
            (Self::FloatOr { .. }, _) => self.number().admit(value),
            (Self::Float { .. }, Value::Int(whole)) => self.admit(&Value::Float(*whole as f64)),
            (Self::Float { .. }, Value::Float(real)) => self.limits().contains(*real).then(|| value.clone()),
            (Self::Int { low, high }, Value::Int(whole)) => {
                (low..=high).contains(&whole).then(|| value.clone())
            }
            (Self::Bool, Value::Bool(_)) => Some(value.clone()),
            (Self::Name(names), Value::Text(name)) => names().contains(&name.as_str()).then(|| value.clone()),
            (Self::Widths, Value::List(widths)) => {
                let fits = widths.len() <= MOST_LAYERS && widths.iter().all(|w| (1..=MOST_UNITS).contains(w));
                fits.then(|| value.clone())
            }
            _ => None,
        }
    }

    pub(super) fn refuse(&self, place: &str, value: &Value) -> Error {
        match (self, value) {
            (Self::Name(names), Value::Text(name)) => {
                unknown_name(place, place.rsplit('.').next().unwrap_or("name"), name, names())
            }
            (Self::Widths, Value::Int(width)) => Error::usage(place, value_text(value))
                .allowed(self.text())
                .advice(format!("[[{width}]] for one hidden layer of {width} units")),
            _ => Error::usage(place, cut(&value_text(value))).allowed(self.text()),
        }
    }

    /// A list of numbers could mean the layers of one network or a choice between networks: it is
    /// refused, not guessed.
    fn admit_widths(&self, place: &str, values: &[Value]) -> Result<Domain> {
        let refuse = |found: String| Error::usage(place, found).allowed(self.text());
        if values.is_empty() {
            return Err(refuse("an empty list".to_string()));
        }
        if values.iter().all(|value| matches!(value, Value::Int(_))) {
            let widths: Vec<String> = values.iter().map(value_text).collect();
            let (one, several) = (widths.join(", "), widths.join("], ["));
            return Err(refuse(format!("[{one}]")).advice(format!(
                "[[{one}]] for one network of {} hidden layers, [[{several}]] for a choice between networks of one",
                widths.len()
            )));
        }
        let admit = |value: &Value| self.admit(value).ok_or_else(|| self.refuse(place, value));
        Ok(Domain::Choice(values.iter().map(admit).collect::<Result<_>>()?))
    }

    /// A domain whose every value is allowed, in this kind's type.
    fn admit_domain(&self, place: &str, domain: &Domain) -> Result<Domain> {
        if matches!(self, Self::FloatOr { .. }) && matches!(domain, Domain::Float { .. } | Domain::Int { .. })
        {
            return self.number().admit_domain(place, domain);
        }
        let admit = |value: &Value| self.admit(value).ok_or_else(|| self.refuse(place, value));
        match domain {
            Domain::Fixed(value) => Ok(Domain::Fixed(admit(value)?)),
            Domain::Choice(values) if matches!(self, Self::Widths) => self.admit_widths(place, values),
            Domain::Choice(values) => Ok(Domain::Choice(values.iter().map(admit).collect::<Result<_>>()?)),
            Domain::Float { low, high, .. } => match self {
                Self::Float { .. } => {
                    admit(&Value::Float(*low))?;
                    admit(&Value::Float(*high))?;
                    Ok(domain.clone())
                }
                Self::Int { .. } => Err(Error::usage(place, "a range of real numbers")
                    .allowed(self.text())
                    .advice(format!("{{ int = [{}, {}] }}", low.ceil(), high.floor()))),
                _ => Err(Error::usage(place, "a range of numbers").allowed(self.text())),
            },
            Domain::Int { low, high, .. } => match self {
                Self::Float { .. } | Self::Int { .. } => {
                    admit(&Value::Int(*low))?;
                    admit(&Value::Int(*high))?;
                    Ok(domain.clone())
                }
                _ => Err(Error::usage(place, "a range of whole numbers").allowed(self.text())),
            },
        }
    }
}

/// Checks a space against the hyperparameters of a model, and returns it in their types.
///
/// Errors name the key: an unknown hyperparameter, an end of a range or a choice that is not allowed,
/// `hidden` beside `width` or `depth`, hidden layers of a linear model.
pub fn admit(space: &Space, model: &str) -> Result<Space> {
    let dimensions = space.dimensions.iter().map(|dimension| admit_dimension(dimension, model));
    let mut space = Space { dimensions: dimensions.collect::<Result<_>>()?, ..space.clone() };
    if model == SVM && space.get(KERNEL).is_none() {
        space.dimensions.push(Dimension::new(KERNEL, default_kernel()));
    }
    if let (Some(_), Some(other)) = (space.get("hidden"), space.get("width").or(space.get("depth"))) {
        return Err(Error::usage(format!("space.{}", other.name), format!("{} beside hidden", other.name))
            .allowed("hidden alone, or width and depth"));
    }
    Space::new(space.dimensions)?.with_constraints(space.constraints)
}

fn admit_dimension(dimension: &Dimension, model: &str) -> Result<Dimension> {
    let place = format!("space.{}", dimension.name);
    let Some(hyperparameter) = find(model, &dimension.name) else {
        let names = all_of(model).iter().map(|hyperparameter| hyperparameter.name);
        let error = unknown_name(place, "hyperparameter", &dimension.name, names);
        let owner = MODELS.iter().find(|other| find(other, &dimension.name).is_some());
        return Err(match owner {
            Some(owner) => error.advice(format!("leave {} out, or model.kind = \"{owner}\"", dimension.name)),
            None => error,
        });
    };
    let domain = hyperparameter.kind.admit_domain(&place, &dimension.domain)?;
    if model == LINEAR && hyperparameter.shapes_hidden_layers && domain != no_hidden_layers() {
        return Err(Error::usage(
            place,
            format!("{} for a linear model, which has no hidden layers", dimension.name),
        )
        .allowed("hyperparameters that shape no hidden layer")
        .advice(format!("leave {} out, or set model.kind = \"{}\"", dimension.name, MODELS[0])));
    }
    Ok(Dimension { domain, limits: hyperparameter.kind.limits(), ..dimension.clone() })
}

/// What `hidden` is in the space of a linear model.
pub fn no_hidden_layers() -> Domain {
    Domain::Fixed(Value::List(Vec::new()))
}

/// What `kernel` is in the space of a kernel machine that names none.
pub fn default_kernel() -> Domain {
    Domain::Fixed(Value::Text(machine::ALL[0].default.to_owned()))
}

/// Refuses what means nothing for the task: a loss, or a hyperparameter of the other one.
pub fn check_task(space: &Space, task: Task) -> Result<()> {
    let (kind, name) = match task {
        Task::Classification { .. } => (TaskKind::Classification, "classification"),
        Task::Regression => (TaskKind::Regression, "regression"),
    };
    let model = model_of(space.dimensions.iter().map(|dimension| dimension.name.as_str()));
    for dimension in &space.dimensions {
        let place = format!("space.{}", dimension.name);
        if find(model, &dimension.name).and_then(|known| known.task).is_some_and(|only| only != kind) {
            return Err(Error::usage(place, format!("{} means nothing for {name}", dimension.name))
                .allowed(format!("hyperparameters of {name}"))
                .advice(format!(
                    "leave {} out, or set data.task if the task was guessed wrong",
                    dimension.name
                )));
        }
        if dimension.name != "loss" {
            continue;
        }
        let count = dimension.domain.size().unwrap_or(0);
        for value in (0..count).map(|index| dimension.domain.at(index)) {
            loss_named(&place, &value, task)?;
        }
    }
    Ok(())
}

pub(super) fn loss_named(place: &str, value: &Value, task: Task) -> Result<&'static dyn loss::Loss> {
    loss::ALL.iter().copied().find(|loss| is_named(value, loss.name()) && loss.fits(task)).ok_or_else(|| {
        let fitting: Vec<&str> =
            loss::ALL.iter().filter(|loss| loss.fits(task)).map(|loss| loss.name()).collect();
        Error::usage(place, format!("{} does not fit the task", value_text(value)))
            .allowed(fitting.join(", "))
    })
}

fn is_named(value: &Value, name: &str) -> bool {
    matches!(value, Value::Text(text) if text == name)
}
