//! What a network and its recipe do, as far as a glance shows: to tell settings that change nothing from those that do.

use super::loss::Target;
use super::optimizer::Slices;
use super::recipe::{Network, Recipe};
use super::svm::settings::Settings;
use crate::data::Task;

/// Steps of an epoch that is glanced at, and points of the training.
const STEPS_PER_EPOCH: u64 = 50;
const POINTS: u64 = 32;

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

/// The rates of the first steps and of some over the whole training, and where two parameters come to.
fn see_steps(recipe: &Recipe, seen: &mut Vec<u64>) {
    let count = u64::from(recipe.max_epochs) * STEPS_PER_EPOCH;
    let steps = (0..POINTS.min(count)).chain((0..POINTS).map(|point| point * count / POINTS));
    let (mut parameters, mut m, mut v) = ([0.5, -2.0], [0.0; 2], [0.0; 2]);
    for step in steps {
        let scalars = recipe.scalars::<f64>(step, STEPS_PER_EPOCH);
        let slope = (step as f64).sin();
        let slices =
            Slices { parameters: &mut parameters, gradients: &[slope, 3.0 * slope], m: &mut m, v: &mut v };
        recipe.optimizer.step_f64(&scalars, scalars.decay, slices);
        seen.extend([scalars.rate, parameters[0], parameters[1]].map(f64::to_bits));
    }
}

fn see_loss(recipe: &Recipe, task: Task, seen: &mut Vec<u64>) {
    let target = match task {
        Task::Classification { .. } => Target::Class(0),
        Task::Regression => Target::Value(0.0),
    };
    for size in [0.01, 0.5, 3.0, 30.0] {
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
