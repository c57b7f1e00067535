//! Every hyperparameter of a network: its name, bounds, default and help; what it becomes in a
//! [`Network`] and a [`Recipe`].

use super::optimizer::OptimizerParameters;
use super::recipe::{Network, Recipe};
use super::{activation, initializer, loss, lr_schedule, optimizer};
use crate::data::{Task, TaskKind};
use crate::error::{Error, Result, unknown_name};
use crate::space::{Configuration, Dimension, Domain, Space, Value, value_text};

/// The kinds of model that a study can train.
pub static MODELS: &[&str] = &["mlp", LINEAR];

/// The model without hidden layers.
pub const LINEAR: &str = "linear";

/// Widest hidden layer.
pub const MOST_UNITS: i64 = 65_536;
/// Most hidden layers.
pub const MOST_LAYERS: usize = 64;

/// The values that a hyperparameter allows.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Real numbers from `low` to `high`.
    Float {
        /// The lower end.
        low: f64,
        /// Whether the lower end itself is allowed.
        low_included: bool,
        /// The upper end.
        high: f64,
        /// Whether the upper end itself is allowed.
        high_included: bool,
    },
    /// Whole numbers from `low` to `high`.
    Int {
        /// The smallest.
        low: i64,
        /// The largest.
        high: i64,
    },
    /// `true` or `false`.
    Bool,
    /// A name of a closed list.
    Name(fn() -> Vec<&'static str>),
    /// The widths of the hidden layers, from the input on.
    Widths,
}

/// One hyperparameter.
pub struct Hyperparameter {
    /// The name in a study file.
    pub name: &'static str,
    /// What it allows.
    pub kind: Kind,
    /// What it is where a study says nothing, in words.
    pub default: &'static str,
    /// What it does, on one line.
    pub help: &'static str,
    /// Where it means something; `None`: for both tasks.
    pub task: Option<TaskKind>,
    /// Whether it shapes hidden layers, which a linear model has none of.
    pub shapes_hidden_layers: bool,
}

const fn float(low: f64, low_included: bool, high: f64, high_included: bool) -> Kind {
    Kind::Float { low, low_included, high, high_included }
}

const POSITIVE: Kind = float(0.0, false, 1e6, true);
const NOT_NEGATIVE: Kind = float(0.0, true, 1e6, true);
const BELOW_ONE: Kind = float(0.0, true, 1.0, false);

const fn both(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Hyperparameter {
    Hyperparameter { name, kind, default, help, task: None, shapes_hidden_layers: false }
}

const fn hidden(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Hyperparameter {
    Hyperparameter { name, kind, default, help, task: None, shapes_hidden_layers: true }
}

const fn only(
    task: TaskKind,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Hyperparameter {
    Hyperparameter { name, kind, default, help, task: Some(task), shapes_hidden_layers: false }
}

/// Every hyperparameter.
pub static ALL: &[Hyperparameter] = &[
    both("learning_rate", POSITIVE, "0.001", "the peak step size"),
    hidden(
        "hidden",
        Kind::Widths,
        "[64]",
        "units of each hidden layer, from the input on; or width and depth",
    ),
    hidden(
        "width",
        Kind::Int { low: 1, high: MOST_UNITS },
        "64",
        "units of every hidden layer, beside depth",
    ),
    hidden(
        "depth",
        Kind::Int { low: 0, high: MOST_LAYERS as i64 },
        "1",
        "number of hidden layers, beside width",
    ),
    hidden("activation", Kind::Name(activations), DEFAULT_ACTIVATION, "after every hidden layer"),
    both("optimizer", Kind::Name(optimizers), DEFAULT_OPTIMIZER, "how a gradient changes the parameters"),
    both("momentum", BELOW_ONE, "the optimizer's", "share of the last step that is repeated"),
    both("nesterov", Kind::Bool, "the optimizer's", "whether momentum looks ahead"),
    both("beta1", BELOW_ONE, "the optimizer's", "decay rate of the first moment"),
    both("beta2", BELOW_ONE, "the optimizer's", "decay rate of the second moment"),
    both(
        "epsilon",
        float(0.0, false, 1.0, true),
        "the optimizer's",
        "added to the root of the second moment",
    ),
    both(
        "weight_decay",
        NOT_NEGATIVE,
        "the optimizer's",
        "decoupled: weights shrink by learning_rate * weight_decay a step",
    ),
    both(
        "l2_penalty",
        NOT_NEGATIVE,
        "0",
        "half of this times the squared norm of the weights is added to the loss",
    ),
    both(
        "l1_penalty",
        NOT_NEGATIVE,
        "0",
        "this times the sum of the weights' magnitudes is added to the loss",
    ),
    hidden("dropout", BELOW_ONE, "0", "probability that a hidden unit is dropped in training"),
    both("input_dropout", BELOW_ONE, "0", "probability that a feature is dropped in training"),
    both("clip_norm", NOT_NEGATIVE, "0 (never)", "the gradient's global norm is clipped to this"),
    both("batch_size", Kind::Int { low: 1, high: 1 << 24 }, "64", "rows of a minibatch"),
    both(
        "lr_schedule",
        Kind::Name(lr_schedules),
        DEFAULT_LR_SCHEDULE,
        "how the learning rate changes over the epochs",
    ),
    both("warmup_epochs", NOT_NEGATIVE, "0", "epochs over which the learning rate first rises"),
    both("step_epochs", POSITIVE, "10", "lr_schedule step: epochs between two drops"),
    both(
        "decay",
        float(0.0, false, 1.0, true),
        "0.5",
        "lr_schedule step: factor of a drop; exponential: of an epoch",
    ),
    both("initializer", Kind::Name(initializers), DEFAULT_INITIALIZER, "how weights start"),
    both("loss", Kind::Name(losses), "the task's", "what is minimised in training"),
    only(
        TaskKind::Regression,
        "huber_delta",
        POSITIVE,
        "1",
        "loss huber: where it turns linear, in standard deviations of the target",
    ),
    only(
        TaskKind::Classification,
        "label_smoothing",
        BELOW_ONE,
        "0",
        "share of the target spread evenly over all classes",
    ),
    only(
        TaskKind::Classification,
        "class_weight",
        Kind::Name(class_weights),
        NOT_BALANCED,
        "balanced: rows weigh n / (classes * rows of their class)",
    ),
];

const DEFAULT_ACTIVATION: &str = "relu";
const DEFAULT_OPTIMIZER: &str = "adam";
const DEFAULT_LR_SCHEDULE: &str = "constant";
const DEFAULT_INITIALIZER: &str = "glorot_uniform";
const BALANCED: &str = "balanced";
const NOT_BALANCED: &str = "none";

fn activations() -> Vec<&'static str> {
    activation::ALL.iter().map(|member| member.name()).collect()
}

fn optimizers() -> Vec<&'static str> {
    optimizer::ALL.iter().map(|member| member.name()).collect()
}

fn lr_schedules() -> Vec<&'static str> {
    lr_schedule::ALL.iter().map(|member| member.name()).collect()
}

fn initializers() -> Vec<&'static str> {
    initializer::ALL.iter().map(|member| member.name()).collect()
}

fn losses() -> Vec<&'static str> {
    loss::ALL.iter().map(|member| member.name()).collect()
}

fn class_weights() -> Vec<&'static str> {
    vec![NOT_BALANCED, BALANCED]
}

/// The hyperparameter of this name.
pub fn find(name: &str) -> Option<&'static Hyperparameter> {
    ALL.iter().find(|hyperparameter| hyperparameter.name == name)
}

impl Kind {
    /// What is allowed, in words.
    pub fn text(&self) -> String {
        match self {
            Self::Float { low, low_included, high, high_included } => format!(
                "a number {} {low}, {} {high}",
                if *low_included { "from" } else { "above" },
                if *high_included { "at most" } else { "below" }
            ),
            Self::Int { low, high } => format!("a whole number from {low} to {high}"),
            Self::Bool => "true or false".to_string(),
            Self::Name(names) => names().join(", "),
            Self::Widths => format!(
                "lists of at most {MOST_LAYERS} widths from 1 to {MOST_UNITS}, such as [[64], [128, 64]]; [[]] has no hidden layer"
            ),
        }
    }

    /// The value as this kind has it (1 becomes 1.0 for a real number); `None` where it is not allowed.
    fn admit(&self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Float { .. }, Value::Int(whole)) => self.admit(&Value::Float(*whole as f64)),
            (Self::Float { low, low_included, high, high_included }, Value::Float(real)) => {
                let above = if *low_included { real >= low } else { real > low };
                let below = if *high_included { real <= high } else { real < high };
                (above && below).then(|| value.clone())
            }
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

    fn refuse(&self, place: &str, value: &Value) -> Error {
        match (self, value) {
            (Self::Name(names), Value::Text(name)) => unknown_name(place, "name", name, names()),
            (Self::Widths, Value::Int(width)) => Error::usage(place, value_text(value))
                .allowed(self.text())
                .advice(format!("[[{width}]] for one hidden layer of {width} units")),
            _ => Error::usage(place, value_text(value)).allowed(self.text()),
        }
    }

    /// A domain whose every value is allowed, in this kind's type.
    fn admit_domain(&self, place: &str, domain: &Domain) -> Result<Domain> {
        let admit = |value: &Value| self.admit(value).ok_or_else(|| self.refuse(place, value));
        match domain {
            Domain::Fixed(value) => Ok(Domain::Fixed(admit(value)?)),
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
    let space = Space { dimensions: dimensions.collect::<Result<_>>()? };
    if let (Some(_), Some(other)) = (space.get("hidden"), space.get("width").or(space.get("depth"))) {
        return Err(Error::usage(format!("space.{}", other.name), format!("{} beside hidden", other.name))
            .allowed("hidden alone, or width and depth"));
    }
    Space::new(space.dimensions)
}

fn admit_dimension(dimension: &Dimension, model: &str) -> Result<Dimension> {
    let place = format!("space.{}", dimension.name);
    let Some(hyperparameter) = find(&dimension.name) else {
        let names = ALL.iter().map(|hyperparameter| hyperparameter.name);
        return Err(unknown_name(place, "hyperparameter", &dimension.name, names));
    };
    let domain = hyperparameter.kind.admit_domain(&place, &dimension.domain)?;
    if model == LINEAR && hyperparameter.shapes_hidden_layers && domain != no_hidden_layers() {
        return Err(Error::usage(
            place,
            format!("{} for a linear model, which has no hidden layers", dimension.name),
        )
        .advice(format!("leave {} out, or set model.kind = \"{}\"", dimension.name, MODELS[0])));
    }
    Ok(Dimension { domain, ..dimension.clone() })
}

/// What `hidden` is in the space of a linear model.
pub fn no_hidden_layers() -> Domain {
    Domain::Fixed(Value::List(Vec::new()))
}

/// Refuses what means nothing for the task: a loss, or a hyperparameter of the other one.
pub fn check_task(space: &Space, task: Task) -> Result<()> {
    let (kind, name) = match task {
        Task::Classification { .. } => (TaskKind::Classification, "classification"),
        Task::Regression => (TaskKind::Regression, "regression"),
    };
    for dimension in &space.dimensions {
        let place = format!("space.{}", dimension.name);
        if find(&dimension.name).and_then(|known| known.task).is_some_and(|only| only != kind) {
            return Err(Error::usage(place, format!("{} means nothing for {name}", dimension.name)));
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

fn loss_named(place: &str, value: &Value, task: Task) -> Result<&'static dyn loss::Loss> {
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
    for (name, value) in configuration {
        let place = format!("space.{name}");
        match find(name) {
            Some(known) if known.kind.admit(value).is_some() => {}
            Some(known) => return Err(known.kind.refuse(&place, value)),
            None => {
                return Err(unknown_name(place, "hyperparameter", name, ALL.iter().map(|known| known.name)));
            }
        }
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
    found.ok_or_else(|| Error::usage(format!("space.{family}"), format!("no {family} fits")))
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
