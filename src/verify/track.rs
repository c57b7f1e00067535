//! The f64 reference, step by step, and beside its state how far a correct f32 engine may be from it.
//!
//! The numbers are those of [`Trainer<f64>`]; the uncertainties come from [`rounding`]
//! and are carried through the optimizer by asking where its step goes when the gradient and the state
//! move by as much as they are uncertain. So Lion's sign, Adam near 0 and a norm at the edge of clipping
//! get the tolerance that they need, and no more.

use super::rounding::{self, Setting, UNIT, Uncertain, WIDTH};
use crate::engine::Snapshot;
use crate::model::network::layer_ranges;
use crate::model::optimizer::{Slices, StepScalars};
use crate::model::recipe::Member;
use crate::model::trainer::{Scratch, Trainer};

/// The three vectors of a member's state, by index: parameters, m, v.
pub type State = [Vec<f64>; 3];

/// A member at f64, trained beside an engine.
pub struct Track<'a> {
    setting: Setting<'a>,
    /// The reference.
    pub trainer: Trainer<f64>,
    /// Standard deviations of the parameters, m and v of an f32 engine.
    pub spread: State,
    /// The largest difference so far between the reference's gradient and that of the second
    /// computation, relative to the uncertainty of f32; far below 1 where the two agree.
    pub disagreement: f64,
    scratch: Scratch<f64>,
}

/// As f64, exact.
pub fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// The reference in the state of a snapshot.
pub fn resume(member: &Member, seed: u64, snapshot: &Snapshot) -> Trainer<f64> {
    let state = [&snapshot.parameters, &snapshot.m, &snapshot.v].map(|part| widened(part));
    Trainer::resume(member.clone(), seed, state.each_ref().map(Vec::as_slice), snapshot.step)
}

impl<'a> Track<'a> {
    /// Starts in the state of a snapshot, which is known exactly.
    pub fn new(setting: Setting<'a>, snapshot: &Snapshot) -> Self {
        let count = snapshot.parameters.len();
        Self {
            setting,
            trainer: resume(setting.member, setting.seed, snapshot),
            spread: [vec![0.0; count], vec![0.0; count], vec![0.0; count]],
            disagreement: 0.0,
            scratch: Scratch::default(),
        }
    }

    /// The parameters, m or v (0, 1, 2) with their uncertainties.
    pub fn state(&self, which: usize) -> Uncertain {
        let trainer = &self.trainer;
        let value = [&trainer.parameters, &trainer.m, &trainer.v][which].to_vec();
        Uncertain { value, spread: self.spread[which].clone() }
    }

    /// One step; returns the loss of its minibatch with its standard deviation.
    pub fn step(&mut self) -> (f64, f64) {
        let parameters = self.state(0);
        let ((_, loss_spread), second) = rounding::gradient(self.setting, &parameters, self.trainer.step);
        let loss = self.trainer.gradient(self.setting.dataset, &mut self.scratch);
        for (i, (g, &spread)) in self.scratch.gradient.iter().zip(&second.spread).enumerate() {
            let floor = 1e-9 * UNIT;
            let difference = (g - second.value[i]).abs() / (spread + floor);
            // A NaN stays.
            self.disagreement = if difference <= self.disagreement { self.disagreement } else { difference };
        }
        let gradient = Uncertain { value: self.scratch.gradient.to_vec(), spread: second.spread };
        let before = [&self.trainer.parameters, &self.trainer.m, &self.trainer.v].map(|part| part.to_vec());
        self.trainer.update(self.setting.dataset, &self.scratch);
        self.spread = self.moved_by(&before, &gradient);
        (loss, loss_spread)
    }

    /// The uncertainty of the state after the step that led from `before` with `gradient`.
    fn moved_by(&self, before: &State, gradient: &Uncertain) -> State {
        let recipe = &self.setting.member.recipe;
        let (_, steps_per_epoch) = recipe.steps(self.setting.fold().train.len());
        let step = self.trainer.step - 1;
        let scalars: StepScalars<f64> = recipe.scalars(step, steps_per_epoch);
        let after = [&self.trainer.parameters, &self.trainer.m, &self.trainer.v];
        let mut off: State =
            [vec![0.0; before[0].len()], vec![0.0; before[0].len()], vec![0.0; before[0].len()]];
        let mut add = |trials: &[State]| {
            for which in 0..3 {
                for (i, off) in off[which].iter_mut().enumerate() {
                    let distance = trials.iter().map(|trial| (trial[which][i] - after[which][i]).abs());
                    *off += distance.fold(0.0, f64::max);
                }
            }
        };
        // The numbers of the recipe, rounded to f32 as engines hold them; twice, since 1 − β may be
        // formed before the rounding or after it.
        let rounded = as_held_in_f32(recipe.scalars(step, steps_per_epoch));
        let with_rounded = [self.stepped(&rounded, before.clone(), &gradient.value)];
        add(&with_rounded);
        add(&with_rounded);
        let shift = |values: &[f64], spread: &[f64], sign: f64| -> Vec<f64> {
            // Products with the number round at its size, twice.
            let reach = |(&x, &s): (&f64, &f64)| x + sign * WIDTH * s.hypot(2.0 * UNIT * x);
            values.iter().zip(spread).map(reach).collect()
        };
        add(&[1.0, -1.0].map(|sign| {
            self.stepped(&scalars, before.clone(), &shift(&gradient.value, &gradient.spread, sign))
        }));
        for which in 0..3 {
            add(&[1.0, -1.0].map(|sign| {
                let mut moved = before.clone();
                let spread = if which == 0 { &self.spread[0] } else { &self.spread[which] };
                moved[which] = match which {
                    // Parameters are only ever added to: they round once, below.
                    0 => before[0].iter().zip(spread).map(|(w, s)| w + sign * WIDTH * s).collect(),
                    // v is never negative.
                    _ => shift(&before[which], spread, sign),
                };
                self.stepped(&scalars, moved, &gradient.value)
            }));
        }
        let mut result = off;
        for which in 0..3 {
            for (i, spread) in result[which].iter_mut().enumerate() {
                let (new, old) = (after[which][i], before[which][i]);
                // The result is rounded; the step to it (a root, a division) to a few units of its own.
                let own =
                    if which == 0 { UNIT * (old.abs() + 4.0 * (new - old).abs()) } else { UNIT * new.abs() };
                *spread = *spread / WIDTH + own;
            }
        }
        result
    }

    /// The state after one step of the recipe's optimizer.
    fn stepped(&self, scalars: &StepScalars<f64>, mut state: State, gradient: &[f64]) -> State {
        let network = &self.setting.member.network;
        let [parameters, m, v] = &mut state;
        for (range, (inputs, outputs)) in layer_ranges(network).into_iter().zip(network.layers()) {
            let bias = range.start + inputs * outputs;
            for (part, decay) in [(range.start..bias, scalars.decay), (bias..range.end, 1.0)] {
                let slices = Slices {
                    parameters: &mut parameters[part.clone()],
                    gradients: &gradient[part.clone()],
                    m: &mut m[part.clone()],
                    v: &mut v[part],
                };
                self.setting.member.recipe.optimizer.step_f64(scalars, decay, slices);
            }
        }
        state
    }
}

fn as_held_in_f32(scalars: StepScalars<f32>) -> StepScalars<f64> {
    StepScalars {
        rate: f64::from(scalars.rate),
        decay: f64::from(scalars.decay),
        momentum: f64::from(scalars.momentum),
        nesterov: f64::from(scalars.nesterov),
        beta1: f64::from(scalars.beta1),
        beta2: f64::from(scalars.beta2),
        epsilon: f64::from(scalars.epsilon),
        correction1: f64::from(scalars.correction1),
        correction2: f64::from(scalars.correction2),
    }
}
