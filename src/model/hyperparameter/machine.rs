//! Every hyperparameter of a kernel machine, and the machines of configurations.

use super::{BALANCED, Hyperparameter, Kind, NOT_BALANCED, both, class_weights, float, only};
use crate::data::{Task, TaskKind};
use crate::model::svm::kernel::{self, Kernel};
use crate::model::svm::settings::{Gamma, Settings};
use crate::space::{Configuration, Value};

/// The kind of model.
pub const SVM: &str = "svm";
/// The hyperparameter that only the configuration of a kernel machine has, and always.
pub const KERNEL: &str = "kernel";
/// The gamma that depends on a fold's training rows.
pub const SCALE: &str = "scale";

const POSITIVE: Kind = float(0.0, false, 1e9, true);

/// Every hyperparameter of a kernel machine.
pub static ALL: &[Hyperparameter] = &[
    both(KERNEL, Kind::Name(kernels), "rbf", "the similarity of two rows"),
    both("c", POSITIVE, "1.0", "what an error costs, beside the flatness of the function").raises(),
    both(
        "gamma",
        Kind::FloatOr { low: 0.0, low_included: false, high: 1e9, high_included: true, name: SCALE },
        "\"scale\"",
        "factor of the kernel's distance or product; scale: 1 / (features * variance)",
    )
    .raises(),
    both("degree", Kind::Int { low: 1, high: 16 }, "3", "kernel polynomial: its power").raises(),
    both(
        "coef0",
        float(-1e6, true, 1e6, true),
        "0.0",
        "kernels polynomial and sigmoid: added to the product",
    ),
    only(
        TaskKind::Regression,
        "epsilon",
        float(0.0, true, 1e6, true),
        "0.1",
        "errors below it cost nothing, in standard deviations of the target",
    )
    .lowers(),
    only(
        TaskKind::Classification,
        "class_weight",
        Kind::Name(class_weights),
        NOT_BALANCED,
        "balanced: errors cost n / (classes * rows of their class)",
    ),
    only(
        TaskKind::Classification,
        "probabilities",
        Kind::Bool,
        "false",
        "fits probabilities (Platt) by five more trainings; log_loss turns it on",
    ),
];

fn kernels() -> Vec<&'static str> {
    kernel::ALL.iter().map(|kernel| kernel.name()).collect()
}

/// The machine of a configuration that names a kernel and whose values have been checked.
pub fn settings(configuration: &Configuration, task: Task) -> Settings {
    let real = |name: &str, default: f64| match configuration.get(name) {
        Some(Value::Float(value)) => *value,
        Some(Value::Int(value)) => *value as f64,
        _ => default,
    };
    let is =
        |name: &str, text: &str| matches!(configuration.get(name), Some(Value::Text(found)) if found == text);
    let first: &'static dyn Kernel = kernel::ALL[0];
    let kernel = kernel::ALL.iter().copied().find(|kernel| is(KERNEL, kernel.name())).unwrap_or(first);
    Settings {
        kernel,
        gamma: match configuration.get("gamma") {
            None | Some(Value::Text(_)) => Gamma::Scale,
            _ => Gamma::Value(real("gamma", 1.0)),
        },
        coef0: real("coef0", 0.0),
        degree: real("degree", 3.0) as u32,
        c: real("c", 1.0),
        epsilon: if task == Task::Regression { real("epsilon", 0.1) } else { 0.0 },
        balanced: is("class_weight", BALANCED),
        probabilities: matches!(configuration.get("probabilities"), Some(Value::Bool(true))),
    }
}
