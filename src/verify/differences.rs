//! The f64 reference against central differences of its own loss, with Richardson extrapolation.
//!
//! D(h) = (f(w + h) − f(w − h))/2h errs by c₂h² + c₄h⁴ + …; from D(h), D(h/2), D(h/4) the first two
//! terms are eliminated (Ridders, 1982). Across a kink a difference is no derivative: where a
//! pre-activation, an error or a penalised weight changes side between w − h and w + h, the parameter is
//! skipped and counted.

use super::findings::{Findings, Measure};
use super::outcome::Kind;
use super::rounding::{self, Setting, Uncertain};
use crate::engine::Snapshot;
use crate::model::loss::Target;
use crate::model::network::layer_ranges;
use crate::model::trainer::{Scratch, Trainer};
use crate::random::{Purpose, Stream};

/// The widest step. At h/4 the noise of f64 is about 10⁻¹⁶/1.2e-4 ≈ 10⁻¹² of the loss; what is left of
/// the truncation error after two eliminations is of order h⁶ ≈ 10⁻²⁰ times a seventh derivative.
const STEP: f64 = 1.0 / 2048.0;

/// Allowed difference, relative to the largest gradient of the tensor: 10³ times the worst seen.
const RELATIVE: f64 = 1e-8;

/// Allowed difference, relative to 1 + the loss: the noise of the differences, with room.
const ABSOLUTE: f64 = 1e-10;

/// Compares the gradient of the step after `start` with differences, for at most `most` parameters of
/// each tensor, drawn by `salt`.
pub fn check(
    findings: &mut Findings,
    name: &str,
    setting: Setting<'_>,
    start: &Snapshot,
    most: usize,
    suffix: &str,
) {
    // Clipping scales the gradient as a whole; it is no derivative of anything.
    let mut member = setting.member.clone();
    member.recipe.clip_norm = 0.0;
    let setting = Setting { member: &member, ..setting };
    let mut objective = Objective::new(setting, start);
    let loss = objective.at(None);
    let gradient = objective.scratch.gradient.clone();
    let stream = Stream::new(setting.seed, Purpose::Verify, 1, 0, 0);
    for (layer, (range, (inputs, outputs))) in
        layer_ranges(&member.network).into_iter().zip(member.network.layers()).enumerate()
    {
        let bias = range.start + inputs * outputs;
        for part in [range.start..bias, bias..range.end] {
            let largest = gradient[part.clone()].iter().fold(0.0, |a: f64, g| a.max(g.abs()));
            let tolerance = RELATIVE * largest + ABSOLUTE * (1.0 + loss.abs());
            let count = part.len();
            for pick in 0..count.min(most) {
                // All of a small tensor; drawn with replacement from a large one.
                let offset = if count <= most { pick } else { stream.word(pick as u32) as usize % count };
                let index = part.start + offset;
                let Some(expected) = objective.slope(index) else {
                    findings.add_blind(name, Kind::Reference, 1, 1);
                    continue;
                };
                findings.add_blind(name, Kind::Reference, 0, 1);
                let found = gradient[index];
                let (i, j) = ((index - range.start) / outputs, (index - range.start) % outputs);
                let place = format!(
                    "layer {layer} (input {i} of {inputs}, the last being the bias; unit {j}): back-propagation \
                     gives {found:e}, differences {expected:e} {suffix}",
                );
                let error = (found - expected).abs();
                findings.add(name, Kind::Reference, Measure { error, tolerance, place });
            }
        }
    }
}

/// The penalised loss of one minibatch as a function of one parameter.
struct Objective<'a> {
    setting: Setting<'a>,
    trainer: Trainer<f64>,
    scratch: Scratch<f64>,
}

impl<'a> Objective<'a> {
    fn new(setting: Setting<'a>, start: &Snapshot) -> Self {
        let trainer = super::track::resume(setting.member, setting.seed, start);
        Self { setting, trainer, scratch: Scratch::default() }
    }

    /// The objective, with one parameter moved.
    fn at(&mut self, moved: Option<(usize, f64)>) -> f64 {
        let kept = moved.map(|(index, to)| std::mem::replace(&mut self.trainer.parameters[index], to));
        let value = self.trainer.gradient(self.setting.dataset, &mut self.scratch) + self.penalty();
        if let (Some((index, _)), Some(kept)) = (moved, kept) {
            self.trainer.parameters[index] = kept;
        }
        value
    }

    fn penalty(&self) -> f64 {
        let (network, recipe) = (&self.setting.member.network, &self.setting.member.recipe);
        let weights = layer_ranges(network)
            .into_iter()
            .zip(network.layers())
            .flat_map(|(range, (inputs, outputs))| range.start..range.start + inputs * outputs);
        weights
            .map(|i| self.trainer.parameters[i])
            .map(|w| recipe.l1_penalty * w.abs() + 0.5 * recipe.l2_penalty * w * w)
            .sum()
    }

    /// The derivative with respect to one parameter; `None` where a kink lies between.
    fn slope(&mut self, index: usize) -> Option<f64> {
        let w = self.trainer.parameters[index];
        if self.sides(index, w - STEP) != self.sides(index, w + STEP) {
            return None;
        }
        let mut difference =
            |h: f64| (self.at(Some((index, w + h))) - self.at(Some((index, w - h)))) / (2.0 * h);
        let (wide, middle, narrow) = (difference(STEP), difference(STEP / 2.0), difference(STEP / 4.0));
        let (first, second) = ((4.0 * middle - wide) / 3.0, (4.0 * narrow - middle) / 3.0);
        Some((16.0 * second - first) / 15.0)
    }

    /// On which side of every kink the minibatch lies with parameter `index` at `to`.
    fn sides(&self, index: usize, to: f64) -> Vec<bool> {
        let (network, recipe) = (&self.setting.member.network, &self.setting.member.recipe);
        let mut parameters = Uncertain::exact(self.trainer.parameters.clone());
        parameters.value[index] = to;
        let step = self.trainer.step;
        let rows = self.setting.rows(step);
        let pass = rounding::forward(self.setting, &parameters, &rows, &self.setting.masks(step));
        let kinks = network.activation.kinks();
        let mut sides: Vec<bool> = pass
            .pre_activations
            .iter()
            .flatten()
            .flat_map(|z| kinks.iter().map(move |kink| z > kink))
            .collect();
        for (&row, output) in rows.iter().zip(&pass.outputs.value) {
            if let Target::Value(value) = self.setting.target(row) {
                sides.push((output - value).abs() > recipe.loss_parameters.huber_delta);
            }
        }
        if recipe.l1_penalty > 0.0 {
            sides.push(to > 0.0);
        }
        sides
    }
}
