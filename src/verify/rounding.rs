//! How far a correct f32 engine may stray from the f64 reference: a second, independent computation of
//! a minibatch in f64 that carries, beside every number, the standard deviation of its rounding error.
//!
//! A fixed tolerance is either too wide for small numbers or too narrow for saturated ones. Here every
//! number has its own: a sum of n products errs by about (1 + √n/4)·2⁻²⁴·Σ|terms| (Higham and Mary, "A
//! new approach to probabilistic rounding error analysis", SISC 2019: worst-case bounds grow with n,
//! what happens grows with √n) and, where equal terms round alike, by up to 2⁻²⁴·Σ|partial sums|; the
//! errors of the terms themselves add up as independent ones do, in quadrature.
//! Where a function bends or jumps within the uncertainty of its argument (the kink of relu), the
//! uncertainty of its value grows by as much as the function moves there: that is what makes a
//! pre-activation within rounding of 0 harmless, with no special case.
//!
//! A comparison allows [`WIDTH`] standard deviations.

use super::uncertain::{Sum, collect};
use crate::data::{Dataset, Fold, Targets};
use crate::model::activation::Activation;
use crate::model::layer::dropout::Mask;
use crate::model::loss::Target;
use crate::model::network::layer_ranges;
use crate::model::recipe::Member;
use crate::random::Permutation;

pub use super::uncertain::{SUBNORMAL, UNIT, Uncertain, WIDTH};

/// Error of an activation and of its derivative, in units of 2⁻²⁴ of the size of the terms they are
/// summed from: what the erfc of [`crate::model::real`] needs, the least accurate of its functions.
const FUNCTION_ERROR: f64 = 4.0;

/// What decides a minibatch besides the parameters.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The table.
    pub dataset: &'a Dataset,
    /// The key of all random streams.
    pub seed: u64,
    /// The model in training.
    pub member: &'a Member,
}

impl<'a> Setting<'a> {
    /// The fold of the member.
    pub fn fold(&self) -> &'a Fold {
        &self.dataset.folds[self.member.fold]
    }

    /// The rows of the minibatch of step `step`, in order.
    pub fn rows(&self, step: u64) -> Vec<u32> {
        let train = &self.fold().train;
        let (batch, steps) = self.member.recipe.steps(train.len());
        let (epoch, step) = ((step / steps) as u32, (step % steps) as usize);
        let permutation = Permutation::new(self.seed, epoch, self.member.stream(), train.len() as u32);
        (step * batch..((step + 1) * batch).min(train.len()))
            .map(|position| train[permutation.at(position as u32) as usize])
            .collect()
    }

    /// The dropout masks of step `step`, one per layer.
    pub fn masks(&self, step: u64) -> Vec<Option<Mask>> {
        let recipe = &self.member.recipe;
        (0..self.member.network.layer_count())
            .map(|layer| {
                let probability = if layer == 0 { recipe.input_dropout } else { recipe.dropout };
                let mask = Mask::new(self.seed, layer, step, self.member.stream(), probability);
                (probability > 0.0).then_some(mask)
            })
            .collect()
    }

    /// What a row should give.
    pub fn target(&self, row: u32) -> Target<f64> {
        match &self.dataset.targets {
            Targets::Classes(classes) => Target::Class(classes[row as usize] as usize),
            Targets::Values { stored, .. } => {
                Target::Value(f64::from(self.fold().target.apply(stored[row as usize])))
            }
        }
    }

    /// (row, feature) what enters the network. The transform is f32 arithmetic by definition.
    fn features(&self, rows: &[u32]) -> Uncertain {
        let value: Vec<f64> = rows
            .iter()
            .flat_map(|&row| self.dataset.row(row).iter().zip(&self.fold().transforms))
            .map(|(&stored, transform)| f64::from(transform.apply(stored)))
            .collect();
        let spread = value.iter().map(|x| x.abs() * UNIT).collect();
        Uncertain { value, spread }
    }
}

/// A minibatch on its way forward.
pub struct Forward {
    /// Per layer (row, input): what enters it, dropout included.
    inputs: Vec<Uncertain>,
    /// Per hidden layer (row, unit): the derivative of the activation, dropout included.
    slopes: Vec<Uncertain>,
    /// Per hidden layer (row, unit): pre-activations.
    pub pre_activations: Vec<Vec<f64>>,
    /// (row, output)
    pub outputs: Uncertain,
}

/// The network's outputs for some rows; no masks where a model is used rather than trained.
pub fn forward(
    setting: Setting<'_>,
    parameters: &Uncertain,
    rows: &[u32],
    masks: &[Option<Mask>],
) -> Forward {
    let network = &setting.member.network;
    let mut x = setting.features(rows);
    let mut pass = Forward {
        inputs: Vec::new(),
        slopes: Vec::new(),
        pre_activations: Vec::new(),
        outputs: Uncertain::default(),
    };
    let ranges = layer_ranges(network);
    for (layer, (inputs, outputs)) in network.layers().enumerate() {
        let mask = masks.get(layer).and_then(Option::as_ref);
        if let Some(mask) = mask {
            drop_units(mask, inputs, &mut x);
            if layer > 0 {
                drop_units(mask, inputs, &mut pass.slopes[layer - 1]);
            }
        }
        let z = dense(rows.len(), &x, parameters, ranges[layer].start, (inputs, outputs));
        pass.inputs.push(x);
        if layer == network.hidden.len() {
            pass.outputs = z;
            break;
        }
        let (activated, slopes) = activate(network.activation, &z);
        pass.pre_activations.push(z.value);
        pass.slopes.push(slopes);
        x = activated;
    }
    pass
}

/// Z = X·W + b; the layer's parameters start at `start`.
fn dense(rows: usize, x: &Uncertain, p: &Uncertain, start: usize, shape: (usize, usize)) -> Uncertain {
    let (inputs, outputs) = shape;
    collect((0..rows * outputs).map(|index| {
        let (row, j) = (index / outputs, index % outputs);
        let mut sum = Sum::default();
        sum.add(p.at(start + inputs * outputs + j), (1.0, 0.0));
        (0..inputs).for_each(|i| sum.add(x.at(row * inputs + i), p.at(start + i * outputs + j)));
        sum.finish()
    }))
}

/// Multiplies (row, unit) by the factors of a dropout mask.
fn drop_units(mask: &Mask, units: usize, numbers: &mut Uncertain) {
    for row in 0..numbers.value.len() / units {
        for (unit, factor) in mask.factors(row, units).enumerate() {
            let (index, factor) = (row * units + unit, f64::from(factor));
            numbers.value[index] *= factor;
            numbers.spread[index] = (numbers.spread[index] * factor).hypot(UNIT * numbers.value[index]);
        }
    }
}

/// The activations of uncertain pre-activations, and the derivatives.
fn activate(activation: &dyn Activation, z: &Uncertain) -> (Uncertain, Uncertain) {
    let at = |shift: &dyn Fn(f64, f64) -> f64| {
        let mut values: Vec<f64> = z.value.iter().zip(&z.spread).map(|(&z, &s)| shift(z, s)).collect();
        let mut slopes = vec![0.0; values.len()];
        activation.apply_f64(&mut values, &mut slopes);
        [values, slopes]
    };
    // The argument is uncertain by its own error and by the rounding of products with it inside.
    let reach = |z: f64, spread: f64| WIDTH * spread.hypot(2.0 * UNIT * z);
    let here = at(&|z, _| z);
    let moved = [at(&|z, s| z + reach(z, s)), at(&|z, s| z - reach(z, s))];
    // A derivative's terms may cancel at a point; they do not half a unit away: the size there is the
    // size of the terms. A value has no such excuse.
    let near = [at(&|z, _| z + 0.5), at(&|z, _| z - 0.5)];
    let [value, slope] = [0, 1].map(|which| {
        collect(here[which].iter().enumerate().map(|(i, &value)| {
            let largest = |others: &[[Vec<f64>; 2]; 2], f: &dyn Fn(f64) -> f64| {
                others.iter().map(|other| f(other[which][i])).fold(0.0, f64::max)
            };
            let movement = with_room(largest(&moved, &|other| (other - value).abs()), value) / WIDTH;
            let terms = if which == 1 { largest(&near, &|other| other.abs()) } else { 0.0 };
            let error = FUNCTION_ERROR * UNIT * terms.max(value.abs());
            (value, movement.hypot(error).hypot(SUBNORMAL / WIDTH))
        }))
    });
    (value, slope)
}

/// How far a function may move where it jumps: a jump that does happen is met whole, and beside it the
/// rounding of everything else, or a second one as large. Added up as independent errors are, the two would
/// have no room.
fn with_room(movement: f64, value: f64) -> f64 {
    // What moves by rounding alone moves by some 10⁻⁶ of itself.
    if movement > 1e-3 * value.abs() { 1.5 * movement } else { movement }
}

/// The loss of some rows, each weighted, and its gradient with respect to the outputs.
pub struct RowLosses {
    /// Mean over the rows, and its standard deviation.
    pub mean: (f64, f64),
    /// (row, output) gradient of the mean.
    pub d_outputs: Uncertain,
}

/// The mean loss of a minibatch.
pub fn row_losses(setting: Setting<'_>, rows: &[u32], outputs: &Uncertain) -> RowLosses {
    let recipe = &setting.member.recipe;
    let width = setting.member.network.output_count;
    let mut sum = Sum::default();
    let mut d_outputs = Uncertain::zeros(outputs.value.len());
    for (r, &row) in rows.iter().enumerate() {
        let target = setting.target(row);
        let weight = match target {
            Target::Class(class) if recipe.balanced => f64::from(setting.fold().balanced_weights[class]),
            _ => 1.0,
        };
        let share = weight / rows.len() as f64;
        let span = r * width..(r + 1) * width;
        let outputs = Uncertain {
            value: outputs.value[span.clone()].to_vec(),
            spread: outputs.spread[span.clone()].to_vec(),
        };
        let loss = |outputs: &mut [f64]| recipe.loss.row_f64(&recipe.loss_parameters, target, outputs);
        let (loss, gradient) = uncertain_loss(&outputs, recipe.loss_parameters.label_smoothing, loss);
        sum.add(loss, (share, UNIT * share));
        for (k, index) in span.enumerate() {
            d_outputs.value[index] = gradient.value[k] * share;
            d_outputs.spread[index] = (gradient.spread[k] * share).hypot(4.0 * UNIT * d_outputs.value[index]);
        }
    }
    RowLosses { mean: sum.finish(), d_outputs }
}

/// The loss of one row of uncertain outputs, and its gradient.
///
/// `smoothing` is the size of the constants that enter the gradient and may cancel with the rest.
pub fn uncertain_loss(
    outputs: &Uncertain,
    smoothing: f64,
    loss: impl Fn(&mut [f64]) -> f64,
) -> ((f64, f64), Uncertain) {
    let mut gradient = outputs.value.clone();
    let value = loss(&mut gradient);
    // Differences of outputs are rounded at the size of the largest.
    let rounding = 2.0 * UNIT * outputs.value.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let steps = 4.0 + 0.5 * (outputs.value.len() as f64).sqrt();
    let mut value_variance = (steps * UNIT * value).powi(2);
    let mut variance: Vec<f64> =
        gradient.iter().map(|g| (steps * UNIT * (g.abs() + smoothing)).powi(2)).collect();
    for k in 0..outputs.value.len() {
        let reach = WIDTH * outputs.spread[k].hypot(rounding);
        let (mut value_off, mut off) = (0.0_f64, vec![0.0_f64; gradient.len()]);
        for shift in [reach, -reach] {
            let mut moved = outputs.value.clone();
            moved[k] += shift;
            value_off = value_off.max((loss(&mut moved) - value).abs());
            off.iter_mut().zip(&moved).zip(&gradient).for_each(|((o, m), g)| *o = o.max((m - g).abs()));
        }
        value_variance += (value_off / WIDTH).powi(2);
        variance.iter_mut().zip(&off).for_each(|(v, o)| *v += (o / WIDTH).powi(2));
    }
    let spread = variance.into_iter().map(f64::sqrt).collect();
    ((value, value_variance.sqrt()), Uncertain { value: gradient, spread })
}

/// The loss of the minibatch of one step (its mean over rows, penalties not included) and the gradient,
/// penalties included, clipped.
pub fn gradient(setting: Setting<'_>, parameters: &Uncertain, step: u64) -> ((f64, f64), Uncertain) {
    let (rows, masks) = (setting.rows(step), setting.masks(step));
    let pass = forward(setting, parameters, &rows, &masks);
    let losses = row_losses(setting, &rows, &pass.outputs);
    let mut gradient = backward(setting, parameters, &pass, losses.d_outputs, rows.len());
    add_penalties(setting, parameters, &mut gradient);
    clip(setting.member.recipe.clip_norm, &mut gradient);
    (losses.mean, gradient)
}

fn backward(
    setting: Setting<'_>,
    parameters: &Uncertain,
    pass: &Forward,
    d_outputs: Uncertain,
    rows: usize,
) -> Uncertain {
    let network = &setting.member.network;
    let (ranges, shapes) = (layer_ranges(network), network.layers().collect::<Vec<_>>());
    let mut gradient = Uncertain::zeros(parameters.value.len());
    let mut d_z = d_outputs;
    for layer in (0..shapes.len()).rev() {
        let ((inputs, outputs), start) = (shapes[layer], ranges[layer].start);
        let x = &pass.inputs[layer];
        for element in 0..(inputs + 1) * outputs {
            let (i, j) = (element / outputs, element % outputs);
            let mut sum = Sum::default();
            for row in 0..rows {
                let factor = if i < inputs { x.at(row * inputs + i) } else { (1.0, 0.0) };
                sum.add(factor, d_z.at(row * outputs + j));
            }
            (gradient.value[start + element], gradient.spread[start + element]) = sum.finish();
        }
        if layer == 0 {
            break;
        }
        let slopes = &pass.slopes[layer - 1];
        d_z = collect((0..rows * inputs).map(|index| {
            let (row, i) = (index / inputs, index % inputs);
            let mut sum = Sum::default();
            (0..outputs)
                .for_each(|j| sum.add(d_z.at(row * outputs + j), parameters.at(start + i * outputs + j)));
            let mut product = Sum::default();
            product.add(sum.finish(), slopes.at(index));
            product.finish()
        }));
    }
    gradient
}

fn add_penalties(setting: Setting<'_>, parameters: &Uncertain, gradient: &mut Uncertain) {
    let (network, recipe) = (&setting.member.network, &setting.member.recipe);
    let (l1, l2) = (recipe.l1_penalty, recipe.l2_penalty);
    if l1 == 0.0 && l2 == 0.0 {
        return;
    }
    for (range, (inputs, outputs)) in layer_ranges(network).into_iter().zip(network.layers()) {
        for index in range.start..range.start + inputs * outputs {
            let (w, spread) = parameters.at(index);
            let sign = if w == 0.0 { 0.0 } else { w.signum() };
            gradient.value[index] += l2 * w + l1 * sign;
            // A weight within rounding of 0 may have either sign.
            let jump =
                if spread > 0.0 && w.abs() <= WIDTH * spread { with_room(2.0 * l1, l1) / WIDTH } else { 0.0 };
            let rounding = 2.0 * UNIT * (gradient.value[index].abs() + (l2 * w).abs() + l1);
            let own = gradient.spread[index];
            gradient.spread[index] = own.hypot(l2 * spread).hypot(rounding).hypot(jump);
        }
    }
}

fn clip(limit: f64, gradient: &mut Uncertain) {
    if limit <= 0.0 {
        return;
    }
    let squares: f64 = gradient.value.iter().map(|g| g * g).sum();
    let norm = squares.sqrt();
    let along = gradient.value.iter().zip(&gradient.spread).map(|(g, s)| (g * s).powi(2)).sum::<f64>().sqrt();
    let summation = (2.0 + 0.25 * (gradient.value.len() as f64).sqrt()) * UNIT;
    // A gradient of norm 0 has nothing to clip.
    let relative = if norm > 0.0 { (along / squares).hypot(summation) } else { return };
    if norm * (1.0 + WIDTH * relative) <= limit {
        return;
    }
    let factor = (limit / norm).min(1.0);
    for (value, spread) in gradient.value.iter_mut().zip(&mut gradient.spread) {
        *value *= factor;
        *spread = (*spread * factor).hypot(*value * relative);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::activation;

    /// The f32 functions themselves, from −20 to 20: at most half of what a comparison allows.
    #[test]
    fn every_f32_activation_lies_well_within_its_uncertainty() {
        let points: Vec<f32> = (-8000..=8000).map(|i| i as f32 * 0.002_503).collect();
        for activation in activation::ALL {
            let (mut values, mut slopes) = (points.clone(), vec![0.0; points.len()]);
            activation.apply_f32(&mut values, &mut slopes);
            let exact = Uncertain::exact(points.iter().map(|&x| f64::from(x)).collect());
            let (value, slope) = activate(*activation, &exact);
            for (found, expected) in [(values, value), (slopes, slope)] {
                for (i, &found) in found.iter().enumerate() {
                    let difference = (f64::from(found) - expected.value[i]).abs();
                    // exp flushes to 0 below e^-87.5, and gelu multiplies what it flushed by x.
                    let allowed = 0.5 * WIDTH * expected.spread[i] + SUBNORMAL;
                    assert!(
                        difference <= allowed,
                        "{} at {}: {found} against {}, {} deviations",
                        activation.name(),
                        points[i],
                        expected.value[i],
                        difference / expected.spread[i]
                    );
                }
            }
        }
    }
}
