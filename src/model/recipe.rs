//! How a network is trained: every number and family member that a configuration settles.

use super::activation::Activation;
use super::initializer::Initializer;
use super::loss::{Loss, LossParameters};
use super::lr_schedule::{LrSchedule, LrScheduleParameters, factor_at};
use super::optimizer::{Optimizer, OptimizerParameters, StepScalars};
use super::real::Real;

/// The shape of a multilayer perceptron; no hidden layers make it linear.
#[derive(Clone)]
pub struct Network {
    /// Features of a row.
    pub input_count: usize,
    /// Units of each hidden layer, from the input on.
    pub hidden: Vec<usize>,
    /// Classes, or 1 for a value.
    pub output_count: usize,
    /// After every hidden layer. The output layer has none.
    pub activation: &'static dyn Activation,
}

impl Network {
    /// Inputs and outputs of each layer, from the input on.
    pub fn layers(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let inputs = std::iter::once(self.input_count).chain(self.hidden.iter().copied());
        let outputs = self.hidden.iter().copied().chain(std::iter::once(self.output_count));
        inputs.zip(outputs)
    }

    /// Inputs and outputs of layer `layer`, less than [`layer_count`](Self::layer_count).
    pub fn shape(&self, layer: usize) -> (usize, usize) {
        let units = |layer: usize| self.hidden.get(layer).copied().unwrap_or(self.output_count);
        (if layer == 0 { self.input_count } else { units(layer - 1) }, units(layer))
    }

    /// Number of layers with weights.
    pub fn layer_count(&self) -> usize {
        self.hidden.len() + 1
    }

    /// Number of parameters, biases included; the largest number where they are more than can be counted.
    pub fn parameter_count(&self) -> usize {
        let count = |(inputs, outputs): (usize, usize)| inputs.saturating_add(1).saturating_mul(outputs);
        self.layers().map(count).fold(0, usize::saturating_add)
    }
}

/// Everything about the training of a network but its shape and its data.
#[derive(Clone)]
pub struct Recipe {
    /// Which update.
    pub optimizer: &'static dyn Optimizer,
    /// Its numbers.
    pub optimizer_parameters: OptimizerParameters,
    /// The peak learning rate.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub lr_schedule: &'static dyn LrSchedule,
    /// Its numbers.
    pub lr_schedule_parameters: LrScheduleParameters,
    /// What is minimised.
    pub loss: &'static dyn Loss,
    /// Its numbers.
    pub loss_parameters: LossParameters,
    /// Whether rows are weighted by their class, n/(K·n_k).
    pub balanced: bool,
    /// ½·l2_penalty·‖w‖² is added to the loss.
    pub l2_penalty: f64,
    /// l1_penalty·‖w‖₁ is added to the loss.
    pub l1_penalty: f64,
    /// Probability that a hidden unit is dropped; in [0, 1).
    pub dropout: f64,
    /// Probability that a feature is dropped; in [0, 1).
    pub input_dropout: f64,
    /// The gradient's global norm is clipped to this; 0 is never.
    pub clip_norm: f64,
    /// How weights start.
    pub initializer: &'static dyn Initializer,
    /// Rows of a minibatch; at least 1. The last of an epoch may be shorter.
    pub batch_size: usize,
    /// Length of the learning-rate schedule.
    pub max_epochs: u32,
    /// The kernel machine that is trained instead of the network, where one is; no other number of the recipe
    /// is read then.
    pub machine: Option<super::svm::settings::Settings>,
}

impl Recipe {
    /// Rows of a minibatch and steps of an epoch, for so many training rows.
    pub fn steps(&self, train_count: usize) -> (usize, u64) {
        let batch = self.batch_size.min(train_count).max(1);
        (batch, train_count.div_ceil(batch) as u64)
    }

    /// The scalars of one step.
    pub fn scalars<R: Real>(&self, step: u64, steps_per_epoch: u64) -> StepScalars<R> {
        let factor =
            factor_at(self.lr_schedule, &self.lr_schedule_parameters, step, steps_per_epoch, self.max_epochs);
        self.optimizer_parameters.scalars(self.learning_rate * factor, step)
    }

    /// The scalars of a step that is only looked at: behind the last of the schedule those of the last, where rates
    /// have not come to nothing.
    pub fn scalars_aside<R: Real>(&self, step: u64, steps_per_epoch: u64) -> StepScalars<R> {
        let count = u64::from(self.max_epochs) * steps_per_epoch;
        self.scalars(step.min(count.saturating_sub(1)), steps_per_epoch)
    }
}

/// One model to train: the unit that engines work on.
#[derive(Clone)]
pub struct Member {
    /// Index of its fold in the data set.
    pub fold: usize,
    /// Which repeat with other random numbers; 0 where there is one.
    pub repeat: u16,
    /// Its shape.
    pub network: Network,
    /// Its training.
    pub recipe: Recipe,
}

impl Member {
    /// The word of the random counters that tells folds and repeats apart.
    pub fn stream(&self) -> u32 {
        self.fold as u32 | u32::from(self.repeat) << 16
    }
}
