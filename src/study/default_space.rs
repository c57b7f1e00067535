//! The space of a study that names none: what works on tables of this size and task.

use crate::data::Task;
use crate::model::hyperparameter::machine::KERNEL;
use crate::model::hyperparameter::{self, LINEAR, SVM, default_kernel, no_hidden_layers};
use crate::space::{Dimension, Domain, Limits, Space, Value};

/// The default space for a task, a number of rows and of features after encoding, and a model.
///
/// Widths and minibatches grow with the rows, so that a random search of 100 trials stays affordable on
/// two cores. sgd shares the range of the others' learning rates: its momentum is what makes the steps
/// large enough.
pub fn default_space(task: Task, row_count: usize, feature_count: usize, model: &str) -> Space {
    let dimensions =
        if model == SVM { of_machine() } else { of_network(task, row_count, feature_count, model) };
    let limited = |dimension: Dimension| {
        let found = hyperparameter::find(model, &dimension.name);
        Dimension { limits: found.map_or(Limits::NONE, |found| found.kind.limits()), ..dimension }
    };
    Space { dimensions: dimensions.into_iter().map(limited).collect(), ..Space::default() }
}

/// The customary grid of Hsu, Chang and Lin (A Practical Guide to Support Vector Classification, 2003), exact
/// powers of two.
fn of_machine() -> Vec<Dimension> {
    let powers = |low: i32, high: i32| {
        let powers = (low..=high).step_by(2).map(|power| Value::Float(2.0_f64.powi(power)));
        Domain::Choice(powers.collect())
    };
    vec![
        Dimension::new("c", powers(-5, 15)),
        Dimension::new("gamma", powers(-15, 3)),
        Dimension::new(KERNEL, default_kernel()),
    ]
}

fn of_network(task: Task, row_count: usize, feature_count: usize, model: &str) -> Vec<Dimension> {
    let mut dimensions = vec![
        Dimension::new("learning_rate", log_uniform(3e-4, 3e-2)),
        Dimension::new("optimizer", names(&["adam", "adamw", "sgd"])),
        Dimension::new("momentum", uniform(0.8, 0.99)).when("optimizer", [text("sgd")]),
        Dimension::new("nesterov", Domain::Choice(vec![Value::Bool(false), Value::Bool(true)]))
            .when("optimizer", [text("sgd")]),
        Dimension::new("weight_decay", log_uniform(1e-6, 1e-1)),
        Dimension::new("batch_size", batch_sizes(row_count)),
        Dimension::new("lr_schedule", names(&["constant", "cosine", "one_cycle"])),
    ];
    if model == LINEAR {
        dimensions.push(Dimension::new("hidden", no_hidden_layers()));
    } else {
        dimensions.push(Dimension::new("hidden", hidden(row_count, feature_count)));
        dimensions.push(Dimension::new("activation", names(&["relu", "tanh", "gelu", "silu"])));
        dimensions.push(Dimension::new("dropout", dropout(row_count)));
    }
    if matches!(task, Task::Classification { .. }) {
        dimensions.push(Dimension::new("label_smoothing", uniform(0.0, 0.1)));
    }
    dimensions
}

/// Small data are fitted by narrow networks; wide inputs (images) ask for one wide first layer.
fn hidden(row_count: usize, feature_count: usize) -> Domain {
    let widths: &[&[i64]] = match row_count {
        0..2_000 => &[&[16], &[32], &[64], &[32, 32], &[64, 64]],
        _ if feature_count > 300 => &[&[64], &[128], &[256], &[128, 64]],
        _ => &[&[32], &[64], &[64, 32], &[64, 64], &[128, 64]],
    };
    Domain::Choice(widths.iter().map(|widths| Value::List(widths.to_vec())).collect())
}

fn batch_sizes(row_count: usize) -> Domain {
    let sizes: &[i64] = match row_count {
        0..2_000 => &[16, 32, 64],
        2_000..20_000 => &[64, 128, 256],
        20_000..200_000 => &[128, 256, 512],
        _ => &[512, 1024, 2048],
    };
    Domain::Choice(sizes.iter().map(|&size| Value::Int(size)).collect())
}

/// Many rows leave little to regularise.
fn dropout(row_count: usize) -> Domain {
    uniform(0.0, if row_count < 20_000 { 0.4 } else { 0.2 })
}

fn text(name: &str) -> Value {
    Value::Text(name.to_string())
}

fn names(names: &[&str]) -> Domain {
    Domain::Choice(names.iter().map(|name| text(name)).collect())
}

fn log_uniform(low: f64, high: f64) -> Domain {
    Domain::Float { low, high, log: true, step: None }
}

fn uniform(low: f64, high: f64) -> Domain {
    Domain::Float { low, high, log: false, step: None }
}
