//! The f64 reference against central differences of its own loss, with Richardson extrapolation.
//!
//! D(h) = (f(w + h) − f(w − h))/2h errs by c₂h² + c₄h⁴ + …; from D(h), D(h/2), D(h/4) the first two
//! terms are eliminated (Ridders, 1982). Across a kink a difference is no derivative: where a
//! pre-activation, an error or a penalised weight changes side between w − h and w + h, smaller steps are
//! tried, and where those cross a kink too the parameter is skipped and counted.

use super::findings::{Findings, Measure};
use super::outcome::Kind;
use super::rounding::{self, Setting, Uncertain};
use crate::data::Task;
use crate::engine::Snapshot;
use crate::model::loss::Target;
use crate::model::network::layer_ranges;
use crate::model::recipe::Recipe;
use crate::model::trainer::{Scratch, Trainer};
use crate::random::{Purpose, Stream};

/// The widest steps, in the order tried. What is left of the truncation error after two eliminations is
/// of order h⁶ ≈ 10⁻²⁰ times a seventh derivative.
const STEPS: [f64; 3] = [1.0 / 2048.0, 1.0 / 16384.0, 1.0 / 131_072.0];

/// Allowed difference, relative to the largest gradient of the tensor: 10³ times the worst seen.
const RELATIVE: f64 = 1e-8;

/// Allowed noise of the difference of two losses, in f64 units of 1 + the loss. It is divided by h.
const NOISE: f64 = 64.0 * f64::EPSILON / 2.0;

/// How often as many parameters of a large tensor are drawn as are compared.
const REDRAWS: usize = 4;

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
            let count = part.len();
            let wanted = count.min(most);
            let mut compared = 0;
            // All of a small tensor; drawn from a large one, and drawn again where a kink lies too near.
            for pick in 0..if count <= most { count } else { REDRAWS * most } {
                if compared == wanted {
                    break;
                }
                let offset = if count <= most { pick } else { stream.word(pick as u32) as usize % count };
                let index = part.start + offset;
                let Some((expected, step)) = objective.slope(index) else { continue };
                compared += 1;
                let found = gradient[index];
                let (i, j) = ((index - range.start) / outputs, (index - range.start) % outputs);
                let place = format!(
                    "layer {layer} (input {i} of {inputs}, the last being the bias; unit {j}): back-propagation \
                     gives {found:e}, differences {expected:e} {suffix}",
                );
                let error = (found - expected).abs();
                let tolerance = RELATIVE * largest + NOISE * (1.0 + loss.abs()) / step;
                findings.add(name, Kind::Reference, Measure { error, tolerance, place });
            }
            findings.add_blind(name, Kind::Reference, wanted - compared, wanted);
        }
    }
}

/// The penalised loss of one minibatch as a function of one parameter.
struct Objective<'a> {
    setting: Setting<'a>,
    trainer: Trainer<f64>,
    scratch: Scratch<f64>,
    /// Whether the loss of a value has a kink in its slope at an error of huber_delta.
    bends: bool,
}

impl<'a> Objective<'a> {
    fn new(setting: Setting<'a>, start: &Snapshot) -> Self {
        let trainer = super::track::resume(setting.member, setting.seed, start);
        Self { setting, trainer, scratch: Scratch::default(), bends: bends_at_delta(&setting.member.recipe) }
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

    /// The derivative with respect to one parameter and the step it was taken at; `None` where a kink lies
    /// too near.
    fn slope(&mut self, index: usize) -> Option<(f64, f64)> {
        let w = self.trainer.parameters[index];
        let recipe = &self.setting.member.recipe;
        let kinked = !self.setting.member.network.activation.kinks().is_empty();
        let kinked = kinked || self.bends || recipe.l1_penalty > 0.0;
        let at = |to: f64| {
            let mut parameters = Uncertain::exact(self.trainer.parameters.to_vec());
            parameters.value[index] = to;
            sides(self.setting, &parameters, self.trainer.step)
        };
        let smooth = |step: &f64| !kinked || at(w - step) == at(w + step);
        let widest = STEPS.into_iter().find(smooth)?;
        let mut difference =
            |h: f64| (self.at(Some((index, w + h))) - self.at(Some((index, w - h)))) / (2.0 * h);
        let (wide, middle, narrow) = (difference(widest), difference(widest / 2.0), difference(widest / 4.0));
        let (first, second) = ((4.0 * middle - wide) / 3.0, (4.0 * narrow - middle) / 3.0);
        Some(((16.0 * second - first) / 15.0, widest))
    }
}

/// Where the minibatch of a step lies beside every kink, positive on one side: of the activation, of the
/// loss, and of the l1 penalty on each weight (biases, which begin at 0, have none).
pub fn beside_kinks(setting: Setting<'_>, parameters: &Uncertain, step: u64) -> Vec<f64> {
    let (network, recipe) = (&setting.member.network, &setting.member.recipe);
    let kinks = network.activation.kinks();
    let bends = bends_at_delta(recipe);
    let mut places = Vec::new();
    if bends || !kinks.is_empty() {
        let rows = setting.rows(step);
        let pass = rounding::forward(setting, parameters, &rows, &setting.masks(step));
        let pre_activations = pass.pre_activations.iter().flatten();
        places.extend(pre_activations.flat_map(|z| kinks.iter().map(move |kink| z - kink)));
        for (&row, output) in rows.iter().zip(&pass.outputs.value) {
            if let Target::Value(value) = setting.target(row)
                && bends
            {
                places.push((output - value).abs() - recipe.loss_parameters.huber_delta);
            }
        }
    }
    if recipe.l1_penalty > 0.0 {
        for (range, (inputs, outputs)) in layer_ranges(network).into_iter().zip(network.layers()) {
            places.extend(&parameters.value[range][..inputs * outputs]);
        }
    }
    places
}

/// On which side of every kink the minibatch of a step lies.
pub fn sides(setting: Setting<'_>, parameters: &Uncertain, step: u64) -> Vec<bool> {
    beside_kinks(setting, parameters, step).into_iter().map(|place| place > 0.0).collect()
}

/// Whether the slope of a loss of values grows differently below and above an error of huber_delta.
fn bends_at_delta(recipe: &Recipe) -> bool {
    if !recipe.loss.fits(Task::Regression) {
        return false;
    }
    let delta = recipe.loss_parameters.huber_delta;
    let slope = |error: f64| {
        let mut output = [error];
        recipe.loss.row_f64(&recipe.loss_parameters, Target::Value(0.0), &mut output);
        output[0]
    };
    let (below, above) = (slope(delta) - slope(0.5 * delta), slope(1.5 * delta) - slope(delta));
    (above - below).abs() > 1e-6 * below.abs()
}
