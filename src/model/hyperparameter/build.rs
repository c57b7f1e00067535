//! What a configuration becomes: a [`Network`] and a [`Recipe`], which may be that of a kernel machine.

use super::admit::loss_named;
use super::{
    BALANCED, DEFAULT_ACTIVATION, DEFAULT_INITIALIZER, DEFAULT_LR_SCHEDULE, DEFAULT_OPTIMIZER, NOT_BALANCED,
    SVM, all_of, find, machine, model_of,
};
use crate::data::Task;
use crate::error::{Error, Result, unknown_name};
use crate::model::optimizer::OptimizerParameters;
use crate::model::recipe::{Network, Recipe};
use crate::model::{activation, initializer, loss, lr_schedule, optimizer};
use crate::space::{Configuration, Value};

/// The network and recipe of a configuration.
///
/// `hidden` absent means `depth` layers of `width` units; a linear model's configuration holds an empty
/// `hidden`. What is absent takes its default, the optimizer's own where it has one.
pub fn build(
    configuration: &Configuration,
    task: Task,
    feature_count: usize,
    max_epochs: u32,
) -> Result<(Network, Recipe)> {
    let read = Reader { configuration };
    let model = model_of(configuration.keys().map(String::as_str));
    for (name, value) in configuration {
        let place = format!("space.{name}");
        match find(model, name) {
            Some(known) if known.kind.admit(value).is_some() => {}
            Some(known) => return Err(known.kind.refuse(&place, value)),
            None => {
                let names = all_of(model).iter().map(|known| known.name);
                return Err(unknown_name(place, "hyperparameter", name, names));
            }
        }
    }
    if model == SVM {
        return of_machine(configuration, task, feature_count);
    }
    let activation = read.name("activation", DEFAULT_ACTIVATION);
    let network = Network {
        input_count: feature_count,
        hidden: read.hidden(),
        output_count: task.output_count(),
        activation: member("activation", activation::ALL, |m| m.name(), activation)?,
    };
    Ok((network, recipe(&read, task, max_epochs)?))
}

/// A kernel machine, and the network that it is trained instead of: it has the features and classes.
fn of_machine(configuration: &Configuration, task: Task, feature_count: usize) -> Result<(Network, Recipe)> {
    let nothing = Configuration::new();
    let (network, recipe) = build(&nothing, task, feature_count, 1)?;
    let machine = Some(machine::settings(configuration, task));
    Ok((Network { hidden: Vec::new(), ..network }, Recipe { machine, ..recipe }))
}

fn recipe(read: &Reader<'_>, task: Task, max_epochs: u32) -> Result<Recipe> {
    let optimizer = read.name("optimizer", DEFAULT_OPTIMIZER);
    let optimizer = member("optimizer", optimizer::ALL, |m| m.name(), optimizer)?;
    let lr_schedule = read.name("lr_schedule", DEFAULT_LR_SCHEDULE);
    let initializer = read.name("initializer", DEFAULT_INITIALIZER);
    let loss = match read.configuration.get("loss") {
        Some(value) => loss_named("space.loss", value, task)?,
        None => member("loss", loss::ALL, |m| m.fits(task), true)?,
    };
    let (rates, losses) = (lr_schedule::LrScheduleParameters::default(), loss::LossParameters::default());
    Ok(Recipe {
        optimizer,
        optimizer_parameters: read.optimizer_parameters(optimizer.defaults()),
        learning_rate: read.real("learning_rate", 1e-3),
        lr_schedule: member("lr_schedule", lr_schedule::ALL, |m| m.name(), lr_schedule)?,
        lr_schedule_parameters: lr_schedule::LrScheduleParameters {
            warmup_epochs: read.real("warmup_epochs", rates.warmup_epochs),
            step_epochs: read.real("step_epochs", rates.step_epochs),
            decay: read.real("decay", rates.decay),
        },
        loss,
        loss_parameters: loss::LossParameters {
            label_smoothing: read.real("label_smoothing", losses.label_smoothing),
            huber_delta: read.real("huber_delta", losses.huber_delta),
        },
        balanced: read.name("class_weight", NOT_BALANCED) == BALANCED,
        l2_penalty: read.real("l2_penalty", 0.0),
        l1_penalty: read.real("l1_penalty", 0.0),
        dropout: read.real("dropout", 0.0),
        input_dropout: read.real("input_dropout", 0.0),
        clip_norm: read.real("clip_norm", 0.0),
        initializer: member("initializer", initializer::ALL, |m| m.name(), initializer)?,
        batch_size: read.whole("batch_size", 64),
        max_epochs,
        machine: None,
    })
}

/// The first member of a family whose fact equals `wanted`.
fn member<M: ?Sized, T: PartialEq>(
    family: &str,
    all: &'static [&'static M],
    fact: impl Fn(&M) -> T,
    wanted: T,
) -> Result<&'static M> {
    let found = all.iter().copied().find(|member| fact(member) == wanted);
    found.ok_or_else(|| {
        Error::usage(format!("space.{family}"), format!("no {family} fits"))
            .allowed(format!("a {family} that `manytune --list` names"))
    })
}

/// Reads a configuration whose values have been checked.
struct Reader<'a> {
    configuration: &'a Configuration,
}

impl<'a> Reader<'a> {
    fn real(&self, name: &str, default: f64) -> f64 {
        match self.configuration.get(name) {
            Some(Value::Float(value)) => *value,
            Some(Value::Int(value)) => *value as f64,
            _ => default,
        }
    }

    fn whole(&self, name: &str, default: usize) -> usize {
        match self.configuration.get(name) {
            Some(Value::Int(value)) => usize::try_from(*value).unwrap_or(default),
            _ => default,
        }
    }

    fn name(&self, name: &str, default: &'a str) -> &'a str {
        match self.configuration.get(name) {
            Some(Value::Text(value)) => value,
            _ => default,
        }
    }

    fn hidden(&self) -> Vec<usize> {
        match self.configuration.get("hidden") {
            Some(Value::List(widths)) => widths.iter().filter_map(|&w| usize::try_from(w).ok()).collect(),
            _ => vec![self.whole("width", 64); self.whole("depth", 1)],
        }
    }

    fn optimizer_parameters(&self, defaults: OptimizerParameters) -> OptimizerParameters {
        OptimizerParameters {
            momentum: self.real("momentum", defaults.momentum),
            nesterov: match self.configuration.get("nesterov") {
                Some(Value::Bool(value)) => *value,
                _ => defaults.nesterov,
            },
            beta1: self.real("beta1", defaults.beta1),
            beta2: self.real("beta2", defaults.beta2),
            epsilon: self.real("epsilon", defaults.epsilon),
            weight_decay: self.real("weight_decay", defaults.weight_decay),
        }
    }
}
