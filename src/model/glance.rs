//! What a network and its recipe do, as far as a glance shows: to tell settings that change nothing from those that do.

use super::loss::Target;
use super::lr_schedule::factor_at;
use super::optimizer::{self, Optimizer, OptimizerParameters, Slices};
use super::recipe::{Network, Recipe};
use super::svm::settings::Settings;
use crate::data::Task;
use std::sync::LazyLock;

/// Steps of an epoch that is glanced at, the first of them, and epochs at most.
const STEPS_PER_EPOCH: u64 = 50;
const FIRST_STEPS: u64 = 16;
const MOST_EPOCHS: u32 = 128;

/// Numbers that are equal where two trainings are, whatever their settings are called: sizes and names as they are,
/// of formulas what they say of some numbers. Other formulas may agree on these by accident.
pub fn glance(network: &Network, recipe: &Recipe, task: Task) -> Vec<u64> {
    let mut seen = Vec::new();
    if let Some(machine) = &recipe.machine {
        see_machine(machine, task, &mut seen);
        return seen;
    }
    seen.extend(network.hidden.iter().map(|&width| width as u64));
    if !network.hidden.is_empty() {
        see_name(network.activation.name(), &mut seen);
        seen.push(recipe.dropout.to_bits());
    }
    see_name(recipe.initializer.name(), &mut seen);
    seen.extend([recipe.batch_size as u64, recipe.balanced.into()]);
    let Recipe { l2_penalty, l1_penalty, input_dropout, clip_norm, .. } = *recipe;
    seen.extend([l2_penalty, l1_penalty, input_dropout, clip_norm].map(f64::to_bits));
    see_steps(recipe, &mut seen);
    see_loss(recipe, task, &mut seen);
    seen
}

fn see_name(name: &str, seen: &mut Vec<u64>) {
    seen.extend(name.bytes().map(u64::from));
}

/// The rates of the first steps, of the last, and of each epoch; where two parameters come to; and the numbers that the
/// optimizer reads, for it may be that a few steps of it show none: a sign hides what it is of.
fn see_steps(recipe: &Recipe, seen: &mut Vec<u64>) {
    let last = u64::from(recipe.max_epochs) * STEPS_PER_EPOCH - 1;
    let epochs = (0..u64::from(recipe.max_epochs.min(MOST_EPOCHS))).map(|epoch| epoch * STEPS_PER_EPOCH);
    for step in (0..FIRST_STEPS).chain(epochs).chain([last]) {
        let Recipe { lr_schedule, lr_schedule_parameters, max_epochs, .. } = recipe;
        let factor = factor_at(*lr_schedule, lr_schedule_parameters, step, STEPS_PER_EPOCH, *max_epochs);
        seen.push((recipe.learning_rate * factor).to_bits());
    }
    seen.extend(trace(recipe.optimizer, &recipe.optimizer_parameters));
    let place = optimizer::ALL.iter().position(|one| one.name() == recipe.optimizer.name());
    let OptimizerParameters { momentum, beta1, beta2, epsilon, .. } = recipe.optimizer_parameters;
    for (number, is_read) in [momentum, beta1, beta2, epsilon].into_iter().zip(READ[place.unwrap_or(0)]) {
        seen.extend(is_read.then_some(number.to_bits()));
    }
}

/// (optimizer) Whether each reads momentum, beta1, beta2 and epsilon: whether it does something else where one of them
/// is quite another.
static READ: LazyLock<Vec<[bool; 4]>> = LazyLock::new(|| {
    let read = |optimizer: &&'static dyn Optimizer| {
        // A short memory, so that a sign is now that of the slope, now that of what came before.
        let usual = OptimizerParameters { momentum: 0.5, beta1: 0.9, beta2: 0.5, ..optimizer.defaults() };
        let others = [
            OptimizerParameters { momentum: 0.9, ..usual },
            OptimizerParameters { beta1: 0.1, ..usual },
            OptimizerParameters { beta2: 0.1, ..usual },
            OptimizerParameters { epsilon: 1.0, ..usual },
        ];
        others.map(|other| trace(*optimizer, &other) != trace(*optimizer, &usual))
    };
    optimizer::ALL.iter().map(read).collect()
});

/// Where a few steps along slopes that change their sign take two parameters.
fn trace(optimizer: &dyn Optimizer, numbers: &OptimizerParameters) -> Vec<u64> {
    let (mut parameters, mut m, mut v) = ([0.5, -2.0], [0.0; 2], [0.0; 2]);
    let mut seen = Vec::new();
    for step in 0..FIRST_STEPS {
        let scalars = numbers.scalars::<f64>(0.1, step);
        let gradients = &[(step as f64).sin(), (1.7 * step as f64).cos()];
        let slices = Slices { parameters: &mut parameters, gradients, m: &mut m, v: &mut v };
        optimizer.step_f64(&scalars, scalars.decay, slices);
        seen.extend(parameters.map(f64::to_bits));
    }
    seen
}

fn see_loss(recipe: &Recipe, task: Task, seen: &mut Vec<u64>) {
    let target = match task {
        Task::Classification { .. } => Target::Class(0),
        Task::Regression => Target::Value(0.0),
    };
    for size in [0.01, 0.5, 3.0, 30.0, 1e3] {
        let mut outputs: Vec<f64> = (0..task.output_count()).map(|i| size * (1.0 + i as f64)).collect();
        seen.push(recipe.loss.row_f64(&recipe.loss_parameters, target, &mut outputs).to_bits());
        seen.extend(outputs.into_iter().map(f64::to_bits));
    }
}

fn see_machine(machine: &Settings, task: Task, seen: &mut Vec<u64>) {
    // The scale of a fold, which is no one's number.
    let scale = std::f64::consts::FRAC_1_PI;
    let mut bases = [0.1, 0.7, 2.0];
    let choice = machine.choice(scale);
    choice.kernel.values_f64(&choice.parameters, &mut bases);
    seen.extend(bases.map(f64::to_bits));
    seen.extend([machine.c.to_bits(), machine.balanced.into()]);
    match task {
        Task::Classification { .. } => seen.push(machine.probabilities.into()),
        Task::Regression => seen.push(machine.epsilon.to_bits()),
    }
}
