//! Every hyperparameter: its name, bounds, default and help. The checks of a space and the
//! models of configurations follow from this list.

mod admit;
mod build;
pub mod machine;

pub use admit::{admit, check_task, default_kernel, no_hidden_layers};
pub use build::build;
pub use machine::SVM;

use super::{activation, initializer, loss, lr_schedule, optimizer};
use crate::data::TaskKind;

/// The kinds of model that a study can train.
pub static MODELS: &[&str] = &["mlp", LINEAR, SVM];

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
    /// Real numbers, or one name.
    FloatOr {
        /// The lower end.
        low: f64,
        /// Whether the lower end itself is allowed.
        low_included: bool,
        /// The upper end.
        high: f64,
        /// Whether the upper end itself is allowed.
        high_included: bool,
        /// What may stand for a number.
        name: &'static str,
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

/// What more of a hyperparameter does to what a model can learn by heart (Goodfellow, Bengio and Courville, Deep
/// Learning, 2016, table 11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// More of it fits more: it helps where models are too small, and over-fits.
    Raises,
    /// More of it fits less: a regulariser.
    Lowers,
    /// It is no matter of more or less, or acts on how training goes.
    Neither,
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
    /// What more of it does to what the model can learn by heart.
    pub capacity: Capacity,
}

impl Hyperparameter {
    const fn raises(self) -> Self {
        Self { capacity: Capacity::Raises, ..self }
    }

    const fn lowers(self) -> Self {
        Self { capacity: Capacity::Lowers, ..self }
    }
}

const fn float(low: f64, low_included: bool, high: f64, high_included: bool) -> Kind {
    Kind::Float { low, low_included, high, high_included }
}

const POSITIVE: Kind = float(0.0, false, 1e6, true);
const NOT_NEGATIVE: Kind = float(0.0, true, 1e6, true);
const BELOW_ONE: Kind = float(0.0, true, 1.0, false);

const fn both(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Hyperparameter {
    Hyperparameter {
        name,
        kind,
        default,
        help,
        task: None,
        shapes_hidden_layers: false,
        capacity: Capacity::Neither,
    }
}

const fn hidden(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Hyperparameter {
    Hyperparameter { shapes_hidden_layers: true, ..both(name, kind, default, help) }
}

const fn only(
    task: TaskKind,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Hyperparameter {
    Hyperparameter { task: Some(task), ..both(name, kind, default, help) }
}

/// Every hyperparameter of a network.
pub static ALL: &[Hyperparameter] = &[
    both("learning_rate", POSITIVE, "0.001", "the peak step size"),
    hidden(
        "hidden",
        Kind::Widths,
        "[64]",
        "units of each hidden layer, from the input on; or width and depth",
    )
    .raises(),
    hidden(
        "width",
        Kind::Int { low: 1, high: MOST_UNITS },
        "64",
        "units of every hidden layer, beside depth",
    )
    .raises(),
    hidden(
        "depth",
        Kind::Int { low: 0, high: MOST_LAYERS as i64 },
        "1",
        "number of hidden layers, beside width",
    )
    .raises(),
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
    )
    .lowers(),
    both(
        "l2_penalty",
        NOT_NEGATIVE,
        "0",
        "half of this times the squared norm of the weights is added to the loss",
    )
    .lowers(),
    both(
        "l1_penalty",
        NOT_NEGATIVE,
        "0",
        "this times the sum of the weights' magnitudes is added to the loss",
    )
    .lowers(),
    hidden("dropout", BELOW_ONE, "0", "probability that a hidden unit is dropped in training").lowers(),
    both("input_dropout", BELOW_ONE, "0", "probability that a feature is dropped in training").lowers(),
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
    )
    .lowers(),
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

/// Every hyperparameter of a kind of model.
pub fn all_of(model: &str) -> &'static [Hyperparameter] {
    if model == SVM { machine::ALL } else { ALL }
}

/// The hyperparameter of this name, of a kind of model.
pub fn find(model: &str, name: &str) -> Option<&'static Hyperparameter> {
    all_of(model).iter().find(|hyperparameter| hyperparameter.name == name)
}

/// The kind of model, as far as its hyperparameters say it: a kernel belongs to kernel machines, which have one
/// always.
fn model_of<'a>(mut names: impl Iterator<Item = &'a str>) -> &'static str {
    if names.any(|name| name == machine::KERNEL) { SVM } else { MODELS[0] }
}
