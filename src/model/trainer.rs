//! One member in training: a step, an epoch, an evaluation. At f64 it is the reference; at f32 the
//! engine on the CPU.

mod probe;

use super::buffer::Buffer;
use super::layer::dropout::Mask;
use super::loss::{self, LANES, LossParameters, Targets};
use super::metric::Evaluation;
use super::network::{Workspace, backward, forward, initial_parameters};
use super::optimizer::{Slices, StepScalars};
use super::real::Real;
use super::recipe::Member;
use crate::data::{self, Dataset, Fold, Transform};
use crate::random::Permutation;
use std::ops::Range;

/// Rows evaluated at a time: bounds the workspace, whatever the number of rows.
pub const EVALUATION_ROWS: usize = 256;

/// Buffers that any member can train in; one per thread.
#[derive(Default)]
pub struct Scratch<R> {
    /// Intermediate values of the minibatch.
    pub workspace: Workspace<R>,
    /// dL/dparameters, penalties included, clipped: what [`Trainer::gradient`] found.
    pub gradient: Buffer<R>,
    rows: Vec<u32>,
    order: Order,
    columns: Columns,
    lanes: Vec<[R; LANES]>,
    /// Of the step under way.
    masks: Vec<Option<Mask>>,
}

impl<R: Real> Scratch<R> {
    /// Frees the buffers that grow with the network, where they take more than so many bytes.
    pub fn shrink(&mut self, most: usize) {
        let buffers = self.workspace.inputs.iter().chain(&self.workspace.derivatives);
        let buffers = buffers.chain([&self.workspace.outputs, &self.gradient]);
        let bytes: usize = buffers.map(Buffer::bytes).sum();
        if bytes > most {
            (self.workspace, self.gradient) = Default::default();
        }
    }
}

/// The order of the rows of an epoch, drawn once for all its steps: a pure function of the key, so it
/// may serve whichever member comes next.
#[derive(Default)]
struct Order {
    /// Seed, epoch, stream of the member, number of rows.
    key: (u64, u32, u32, u32),
    /// Empty before the first use.
    positions: Vec<u32>,
}

impl Order {
    fn of(&mut self, seed: u64, epoch: u32, stream: u32, count: u32) -> &[u32] {
        let key = (seed, epoch, stream, count);
        if self.key != key || self.positions.is_empty() {
            *self = Self { key, positions: Permutation::new(seed, epoch, stream, count).all() };
        }
        &self.positions
    }
}

/// The transforms of a fold, each of their numbers in a row of its own, so that a row of the table is
/// transformed in SIMD lanes.
#[derive(Default)]
struct Columns {
    shift: Vec<f32>,
    scale: Vec<f32>,
    fill: Vec<f32>,
}

impl Columns {
    fn load(&mut self, transforms: &[Transform]) {
        self.shift.clear();
        self.scale.clear();
        self.fill.clear();
        self.shift.extend(transforms.iter().map(|transform| transform.shift));
        self.scale.extend(transforms.iter().map(|transform| transform.scale));
        self.fill.extend(transforms.iter().map(|transform| transform.fill));
    }
}

/// The state of one member: parameters, optimizer state and position.
#[derive(Clone)]
pub struct Trainer<R> {
    /// What is trained.
    pub member: Member,
    /// Laid out as [`layer_ranges`](super::network::layer_ranges) says.
    pub parameters: Buffer<R>,
    /// First optimizer state number of each parameter.
    pub m: Buffer<R>,
    /// Second optimizer state number of each parameter.
    pub v: Buffer<R>,
    /// Steps taken.
    pub step: u64,
    /// Sum of the losses of the minibatches since the last epoch's end.
    pub loss_sum: f64,
    seed: u64,
}

impl<R: Real> Trainer<R> {
    /// A member at its initial parameters.
    pub fn new(member: Member, seed: u64) -> Self {
        let initial = initial_parameters(&member.network, member.recipe.initializer, seed, member.stream());
        let state = Buffer::zeros(initial.len());
        let (m, v, mut parameters) = (state.clone(), state.clone(), state);
        parameters.iter_mut().zip(initial).for_each(|(to, w)| *to = R::of(f64::from(w)));
        Self { member, parameters, m, v, step: 0, loss_sum: 0.0, seed }
    }

    /// A member in a given state: parameters, m, v, each of which must have the network's parameter count.
    pub fn resume(member: Member, seed: u64, state: [&[R]; 3], step: u64) -> Self {
        assert!(state.iter().all(|part| part.len() == member.network.parameter_count()));
        let [parameters, m, v] = state.map(Buffer::from);
        Self { member, parameters, m, v, step, loss_sum: 0.0, seed }
    }

    fn fold<'a>(&self, dataset: &'a Dataset) -> &'a Fold {
        &dataset.folds[self.member.fold]
    }

    /// The rows of the minibatch of the next step.
    fn draw(&self, dataset: &Dataset, order: &mut Order, rows: &mut Vec<u32>) {
        let train = &self.fold(dataset).train;
        let (batch, steps_per_epoch) = self.member.recipe.steps(train.len());
        let (epoch, step) = (self.step / steps_per_epoch, self.step % steps_per_epoch);
        let order = order.of(self.seed, epoch as u32, self.member.stream(), train.len() as u32);
        let start = step as usize * batch;
        let end = (start + batch).min(train.len());
        rows.clear();
        rows.extend(order[start..end].iter().map(|&position| train[position as usize]));
    }

    /// The mask of the activations that enter each layer, at the next step; none where nothing is dropped.
    fn draw_masks(&self, masks: &mut Vec<Option<Mask>>) {
        let recipe = &self.member.recipe;
        masks.clear();
        if recipe.dropout == 0.0 && recipe.input_dropout == 0.0 {
            return;
        }
        masks.extend((0..self.member.network.layer_count()).map(|layer| {
            let probability = if layer == 0 { recipe.input_dropout } else { recipe.dropout };
            (probability > 0.0)
                .then(|| Mask::new(self.seed, layer, self.step, self.member.stream(), probability))
        }));
    }

    /// The next step's way forward: returns the mean loss of the minibatch, weighted by class where the
    /// recipe says so, penalties not included; its gradient is in the workspace's outputs.
    fn forward(&self, dataset: &Dataset, scratch: &mut Scratch<R>) -> f64 {
        let network = &self.member.network;
        let Scratch { workspace, rows, order, columns, lanes, masks, .. } = scratch;
        self.draw(dataset, order, rows);
        self.draw_masks(masks);
        workspace.reserve(network, rows.len());
        columns.load(&self.fold(dataset).transforms);
        gather(dataset, columns, rows, &mut workspace.inputs[0]);
        forward(network, &self.parameters, rows.len(), workspace, masks);
        let outputs = &mut workspace.outputs[..rows.len() * network.output_count];
        self.loss(dataset, rows, outputs, lanes)
    }

    /// The gradient of the next step, into `scratch.gradient`; returns the mean loss of the minibatch,
    /// weighted by class where the recipe says so, penalties not included.
    pub fn gradient(&self, dataset: &Dataset, scratch: &mut Scratch<R>) -> f64 {
        let _flushing = R::flushing();
        let loss = self.forward(dataset, scratch);
        self.backward(scratch);
        loss
    }

    /// dL/dparameters, penalties included, clipped, after the way forward.
    fn backward(&self, scratch: &mut Scratch<R>) {
        scratch.gradient.resize(self.parameters.len());
        let mut end = self.parameters.len();
        for layer in (0..self.member.network.layer_count()).rev() {
            let own = self.layer_before(layer, end);
            end = own.start;
            self.backward_layer(layer, own.clone(), scratch, own);
        }
        self.clip(&mut scratch.gradient);
    }

    /// Where the parameters of a layer lie that end at `end`.
    fn layer_before(&self, layer: usize, end: usize) -> Range<usize> {
        let (inputs, outputs) = self.member.network.shape(layer);
        end - (inputs + 1) * outputs..end
    }

    /// The gradient of one layer, penalties included, into `to` of `scratch.gradient`; see [`backward`].
    fn backward_layer(&self, layer: usize, own: Range<usize>, scratch: &mut Scratch<R>, to: Range<usize>) {
        let Scratch { workspace, rows, masks, gradient, .. } = scratch;
        let (network, parameters, gradient) =
            (&self.member.network, &self.parameters[own], &mut gradient[to]);
        backward(network, layer, parameters, rows.len(), workspace, masks, gradient);
        let (inputs, outputs) = network.shape(layer);
        self.add_penalties(&parameters[..inputs * outputs], gradient);
    }

    /// The mean loss of the rows; its gradient replaces their outputs.
    fn loss(&self, dataset: &Dataset, rows: &[u32], outputs: &mut [R], lanes: &mut Vec<[R; LANES]>) -> f64 {
        let (recipe, fold) = (&self.member.recipe, self.fold(dataset));
        let share = R::ONE / R::of(rows.len() as f64);
        let output_count = self.member.network.output_count;
        let mut sum = 0.0;
        for (rows, outputs) in rows.chunks(LANES).zip(outputs.chunks_mut(LANES * output_count)) {
            let targets = targets_of(dataset, fold, rows);
            to_lanes(outputs, output_count, lanes);
            let losses = R::loss_rows(recipe.loss, &recipe.loss_parameters, &targets, lanes);
            for (row, outputs) in outputs.chunks_exact_mut(output_count).enumerate() {
                let weight = match &targets {
                    Targets::Classes(classes) if recipe.balanced => {
                        R::of(f64::from(fold.balanced_weights[classes[row] as usize]))
                    }
                    _ => R::ONE,
                };
                sum += (losses[row] * weight).to_f64();
                outputs.iter_mut().zip(&*lanes).for_each(|(d, lane)| *d = lane[row] * (weight * share));
            }
        }
        sum / rows.len() as f64
    }

    /// Adds the gradients of the penalties on some weights to the head of their gradient.
    fn add_penalties(&self, weights: &[R], gradient: &mut [R]) {
        let recipe = &self.member.recipe;
        if recipe.l1_penalty == 0.0 && recipe.l2_penalty == 0.0 {
            return;
        }
        let (l1, l2) = (R::of(recipe.l1_penalty), R::of(recipe.l2_penalty));
        R::vectorized(
            #[inline(always)]
            || gradient.iter_mut().zip(weights).for_each(|(g, &w)| *g += l2 * w + l1 * w.sign()),
        );
    }

    fn clip(&self, gradient: &mut [R]) {
        let limit = self.member.recipe.clip_norm;
        if limit <= 0.0 {
            return;
        }
        let norm = gradient.iter().map(|g| g.to_f64().powi(2)).sum::<f64>().sqrt();
        if norm > limit {
            let factor = R::of(limit / norm);
            gradient.iter_mut().for_each(|g| *g *= factor);
        }
    }

    /// Applies `scratch.gradient`: one optimizer step.
    pub fn update(&mut self, dataset: &Dataset, scratch: &Scratch<R>) {
        let _flushing = R::flushing();
        let scalars = self.scalars(dataset);
        let mut end = self.parameters.len();
        for layer in (0..self.member.network.layer_count()).rev() {
            let own = self.layer_before(layer, end);
            end = own.start;
            self.update_layer(layer, own.clone(), &scalars, &scratch.gradient[own]);
        }
        self.step += 1;
    }

    /// Goes back and steps at once, each layer as soon as its gradient is there and nothing else needs its
    /// weights: they and the gradient are still in the cache. The numbers are those of a gradient and an
    /// update, one after the other.
    fn backward_and_update(&mut self, dataset: &Dataset, scratch: &mut Scratch<R>) {
        if self.member.recipe.clip_norm > 0.0 {
            self.backward(scratch);
            self.update(dataset, scratch);
            return;
        }
        let scalars = self.scalars(dataset);
        let mut end = self.parameters.len();
        for layer in (0..self.member.network.layer_count()).rev() {
            let own = self.layer_before(layer, end);
            end = own.start;
            scratch.gradient.grow(own.len());
            self.backward_layer(layer, own.clone(), scratch, 0..own.len());
            self.update_layer(layer, own.clone(), &scalars, &scratch.gradient[..own.len()]);
        }
        self.step += 1;
    }

    fn scalars(&self, dataset: &Dataset) -> StepScalars<R> {
        let (_, steps_per_epoch) = self.member.recipe.steps(self.fold(dataset).train.len());
        self.member.recipe.scalars(self.step, steps_per_epoch)
    }

    /// Steps the weights of a layer, which decay, and its biases, which do not.
    fn update_layer(&mut self, layer: usize, own: Range<usize>, scalars: &StepScalars<R>, gradient: &[R]) {
        let (inputs, outputs) = self.member.network.shape(layer);
        let decaying = if scalars.decay == R::ONE { own.len() } else { inputs * outputs };
        for (part, decay) in [(0..decaying, scalars.decay), (decaying..own.len(), R::ONE)] {
            let at = own.start + part.start..own.start + part.end;
            let slices = Slices {
                parameters: &mut self.parameters[at.clone()],
                gradients: &gradient[part],
                m: &mut self.m[at.clone()],
                v: &mut self.v[at],
            };
            R::optimize(self.member.recipe.optimizer, scalars, decay, slices);
        }
    }

    /// Trains to the end of the current epoch. Returns the mean of the minibatch losses, or the step
    /// (from 0) at which the loss was not finite; that step is not applied.
    pub fn epoch(&mut self, dataset: &Dataset, scratch: &mut Scratch<R>) -> Result<f64, u64> {
        let (_, steps_per_epoch) = self.member.recipe.steps(self.fold(dataset).train.len());
        let end = (self.step / steps_per_epoch + 1) * steps_per_epoch;
        self.train_until(dataset, scratch, end, || false)?;
        Ok(std::mem::take(&mut self.loss_sum) / steps_per_epoch as f64)
    }

    /// Trains until `end` steps are taken, or before that, between two steps, until `stop` says so.
    /// Returns whether it came to the end, or the step (from 0) at which the loss was not finite; that
    /// step is not applied.
    pub fn train_until(
        &mut self,
        dataset: &Dataset,
        scratch: &mut Scratch<R>,
        end: u64,
        stop: impl Fn() -> bool,
    ) -> Result<bool, u64> {
        let _flushing = R::flushing();
        while self.step < end {
            if stop() {
                return Ok(false);
            }
            let loss = self.forward(dataset, scratch);
            if !loss.is_finite() {
                return Err(self.step);
            }
            self.loss_sum += loss;
            self.backward_and_update(dataset, scratch);
        }
        Ok(true)
    }

    /// Scores the validation rows of the member's fold.
    pub fn evaluate(&self, dataset: &Dataset, scratch: &mut Scratch<R>, with_outputs: bool) -> Evaluation {
        let evaluation = self.evaluate_unless(dataset, scratch, with_outputs, || false);
        evaluation.expect("nothing stops it")
    }

    /// The same; `None` where `stop` says so before all rows are scored.
    pub fn evaluate_unless(
        &self,
        dataset: &Dataset,
        scratch: &mut Scratch<R>,
        with_outputs: bool,
        stop: impl Fn() -> bool,
    ) -> Option<Evaluation> {
        let _flushing = R::flushing();
        let fold = self.fold(dataset);
        let mut evaluation = Evaluation { row_count: fold.validation.len(), ..Default::default() };
        let classes =
            matches!(dataset.targets, data::Targets::Classes(_)).then_some(self.member.network.output_count);
        evaluation.correct.resize(classes.unwrap_or(0), 0);
        evaluation.predicted.resize(classes.unwrap_or(0), 0);
        let mut collected = Vec::new();
        let mut lanes = std::mem::take(&mut scratch.lanes);
        let output_count = self.member.network.output_count;
        for rows in fold.validation.chunks(EVALUATION_ROWS) {
            if stop() {
                return None;
            }
            let outputs = self.outputs(dataset, &fold.transforms, rows, scratch);
            if with_outputs {
                collected.extend(outputs.iter().map(|output| output.to_f64() as f32));
            }
            for (rows, outputs) in rows.chunks(LANES).zip(outputs.chunks(LANES * output_count)) {
                let targets = targets_of(dataset, fold, rows);
                to_lanes(outputs, output_count, &mut lanes);
                score_rows(&mut evaluation, rows.len(), &targets, &mut lanes);
            }
        }
        scratch.lanes = lanes;
        evaluation.outputs = with_outputs.then_some(collected);
        Some(evaluation)
    }

    /// The outputs (row, output) of some rows of a data set, without dropout.
    pub fn outputs<'a>(
        &self,
        dataset: &Dataset,
        transforms: &[Transform],
        rows: &[u32],
        scratch: &'a mut Scratch<R>,
    ) -> &'a mut [R] {
        let _flushing = R::flushing();
        let (network, workspace) = (&self.member.network, &mut scratch.workspace);
        workspace.reserve(network, rows.len());
        scratch.columns.load(transforms);
        gather(dataset, &scratch.columns, rows, &mut workspace.inputs[0]);
        forward(network, &self.parameters, rows.len(), workspace, &[]);
        &mut workspace.outputs[..rows.len() * network.output_count]
    }
}

/// Reads rows of the table into (row, feature), transformed.
fn gather<R: Real>(dataset: &Dataset, columns: &Columns, rows: &[u32], inputs: &mut [R]) {
    let Columns { shift, scale, fill } = columns;
    R::vectorized(
        #[inline(always)]
        || {
            for (&row, inputs) in rows.iter().zip(inputs.chunks_exact_mut(dataset.feature_count.max(1))) {
                let transforms = shift.iter().zip(scale).zip(fill);
                for ((input, &stored), ((&shift, &scale), &fill)) in
                    inputs.iter_mut().zip(dataset.row(row)).zip(transforms)
                {
                    *input = R::of(f64::from(Transform { shift, scale, fill }.apply(stored)));
                }
            }
        },
    );
}

/// What up to LANES rows should give in a fold; the lanes behind them repeat the last.
fn targets_of<R: Real>(dataset: &Dataset, fold: &Fold, rows: &[u32]) -> Targets<R> {
    let row = |lane: usize| rows[lane.min(rows.len() - 1)] as usize;
    match &dataset.targets {
        data::Targets::Classes(classes) => Targets::Classes(std::array::from_fn(|lane| classes[row(lane)])),
        data::Targets::Values { stored, .. } => {
            let value = |lane| R::of(f64::from(fold.target.apply(stored[row(lane)])));
            Targets::Values(std::array::from_fn(value))
        }
    }
}

/// (row, output) → (output, row) for up to LANES rows; the lanes behind them are 0.
fn to_lanes<R: Real>(outputs: &[R], output_count: usize, lanes: &mut Vec<[R; LANES]>) {
    lanes.clear();
    lanes.resize(output_count, [R::ZERO; LANES]);
    for (row, outputs) in outputs.chunks_exact(output_count).enumerate() {
        lanes.iter_mut().zip(outputs).for_each(|(lane, &output)| lane[row] = output);
    }
}

/// Adds the first `count` rows to an evaluation; their outputs are used up. The first of equal largest
/// outputs is the prediction.
fn score_rows<R: Real>(
    evaluation: &mut Evaluation,
    count: usize,
    targets: &Targets<R>,
    outputs: &mut [[R; LANES]],
) {
    match targets {
        Targets::Values(values) => {
            for (output, &value) in outputs[0].iter().zip(values).take(count) {
                let error = (*output - value).to_f64();
                evaluation.loss_sum += error * error;
                evaluation.absolute_error_sum += error.abs();
            }
        }
        Targets::Classes(classes) => {
            let mut best = [0; LANES];
            for (class, output) in outputs.iter().enumerate() {
                for row in 0..count {
                    if output[row] > outputs[best[row]][row] {
                        best[row] = class;
                    }
                }
            }
            let plain = LossParameters::default();
            let losses = R::loss_rows(loss::cross_entropy(), &plain, targets, outputs);
            for row in 0..count {
                evaluation.predicted[best[row]] += 1;
                evaluation.correct[classes[row] as usize] += u32::from(best[row] == classes[row] as usize);
                evaluation.loss_sum += losses[row].to_f64();
            }
        }
    }
}
