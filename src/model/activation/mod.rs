//! Activation functions: one file each, with its formula, derivative and kinks; one shader each under
//! the same stem in `shaders/activation/`.

mod elu;
mod gelu;
mod identity;
mod leaky_relu;
mod relu;
mod selu;
mod sigmoid;
mod silu;
mod softplus;
mod tanh;

use super::real::Real;

/// Every activation, in the order of their codes on the device.
pub static ALL: &[&dyn Activation] = &[
    &identity::Identity,
    &relu::Relu,
    &leaky_relu::LeakyRelu,
    &elu::Elu,
    &selu::Selu,
    &softplus::Softplus,
    &sigmoid::Sigmoid,
    &tanh::Tanh,
    &gelu::Gelu,
    &silu::Silu,
];

/// What the author of an activation writes: its facts and its formula, once for both precisions.
pub trait Formula: Sync + 'static {
    /// The name in a study file.
    const NAME: &'static str;
    /// The formula and its source, on one line.
    const SUMMARY: &'static str;
    /// The WGSL function `activation_<name>(x: vec4<f32>) -> Activated`: value and derivative.
    const SHADER: &'static str;
    /// Where the first derivative is not differentiable: finite differences across these points lie.
    const KINKS: &'static [f64];
    /// Whether f′(x) is 1 where f(x) > 0, and 0 elsewhere: then it need not be stored for the way back.
    const GATES: bool = false;
    /// The largest slope of an activation that is flat far out on both sides: one that saturates.
    const STEEPEST: Option<f64> = None;

    /// The value f(x) and the derivative f′(x).
    fn value_and_derivative<R: Real>(x: R) -> (R, R);
}

/// An activation function, whatever its formula.
pub trait Activation: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// The formula and its source, on one line.
    fn summary(&self) -> &'static str;
    /// The WGSL source of `activation_<name>`.
    fn shader(&self) -> &'static str;
    /// Where the first derivative is not differentiable.
    fn kinks(&self) -> &'static [f64];
    /// Whether f′(x) is 1 where f(x) > 0, and 0 elsewhere.
    fn gates(&self) -> bool;
    /// The largest slope of one that saturates on both sides.
    fn steepest(&self) -> Option<f64>;
    /// Replaces each pre-activation by its activation, and writes the derivative beside it.
    fn apply_f32(&self, values: &mut [f32], derivatives: &mut [f32]);
    /// Replaces each pre-activation by its activation.
    fn values_f32(&self, values: &mut [f32]);
    /// [`apply_f32`](Self::apply_f32) at f64.
    fn apply_f64(&self, values: &mut [f64], derivatives: &mut [f64]);
    /// [`values_f32`](Self::values_f32) at f64.
    fn values_f64(&self, values: &mut [f64]);
}

impl<F: Formula> Activation for F {
    fn name(&self) -> &'static str {
        F::NAME
    }
    fn summary(&self) -> &'static str {
        F::SUMMARY
    }
    fn shader(&self) -> &'static str {
        F::SHADER
    }
    fn kinks(&self) -> &'static [f64] {
        F::KINKS
    }
    fn gates(&self) -> bool {
        F::GATES
    }
    fn steepest(&self) -> Option<f64> {
        F::STEEPEST
    }
    fn values_f32(&self, values: &mut [f32]) {
        apply_values::<f32, F>(values);
    }
    fn values_f64(&self, values: &mut [f64]) {
        apply_values::<f64, F>(values);
    }
    fn apply_f32(&self, values: &mut [f32], derivatives: &mut [f32]) {
        apply::<f32, F>(values, derivatives);
    }
    fn apply_f64(&self, values: &mut [f64], derivatives: &mut [f64]) {
        apply::<f64, F>(values, derivatives);
    }
}

fn apply<R: Real, F: Formula>(values: &mut [R], derivatives: &mut [R]) {
    R::vectorized(
        #[inline(always)]
        || {
            for (value, derivative) in values.iter_mut().zip(derivatives) {
                (*value, *derivative) = F::value_and_derivative(*value);
            }
        },
    );
}

fn apply_values<R: Real, F: Formula>(values: &mut [R]) {
    R::vectorized(
        #[inline(always)]
        || values.iter_mut().for_each(|value| *value = F::value_and_derivative(*value).0),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gates_has_the_derivative_that_its_value_tells() {
        for activation in ALL {
            let points: Vec<f32> = (-40..=40).map(|i| i as f32 * 0.25).collect();
            let (mut values, mut slopes) = (points.clone(), vec![0.0; points.len()]);
            activation.apply_f32(&mut values, &mut slopes);
            let mut alone = points.clone();
            activation.values_f32(&mut alone);
            assert_eq!(alone, values, "{}", activation.name());
            let told = values.iter().zip(&slopes).all(|(&y, &d)| d == f32::from(u8::from(y > 0.0)));
            assert_eq!(activation.gates(), told, "{}", activation.name());
        }
    }

    #[test]
    fn what_saturates_is_flat_far_out_and_nowhere_steeper_than_it_says() {
        for activation in ALL {
            let points: Vec<f64> = (-4000..=4000).map(|i| f64::from(i) * 0.01).collect();
            let (mut values, mut slopes) = (points.clone(), vec![0.0; points.len()]);
            activation.apply_f64(&mut values, &mut slopes);
            let is_flat =
                [slopes.first(), slopes.last()].into_iter().flatten().all(|slope| slope.abs() < 1e-9);
            let steepest = slopes.iter().fold(0.0_f64, |most, slope| most.max(slope.abs()));
            assert_eq!(activation.steepest(), is_flat.then_some(steepest), "{}", activation.name());
        }
    }

    /// Central differences with one Richardson step, away from kinks.
    #[test]
    fn every_derivative_is_the_slope_of_its_value() {
        for activation in ALL {
            for i in -80..=80 {
                let x = f64::from(i) * 0.1 + 0.013;
                let value = |x: f64| {
                    let (mut values, mut derivatives) = ([x], [0.0]);
                    activation.apply_f64(&mut values, &mut derivatives);
                    (values[0], derivatives[0])
                };
                let slope = |h: f64| (value(x + h).0 - value(x - h).0) / (2.0 * h);
                let h = 1e-3;
                let expected = (4.0 * slope(h / 2.0) - slope(h)) / 3.0;
                let found = value(x).1;
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{} at {x}: {found} against {expected}",
                    activation.name()
                );
            }
        }
    }

    #[test]
    fn both_precisions_agree_far_into_saturation() {
        for activation in ALL {
            let points: Vec<f64> = (-400..=400).map(|i| f64::from(i) * 0.25).collect();
            let (mut exact, mut exact_slope) = (points.clone(), vec![0.0; points.len()]);
            activation.apply_f64(&mut exact, &mut exact_slope);
            let mut found: Vec<f32> = points.iter().map(|&x| x as f32).collect();
            let mut found_slope = vec![0.0; points.len()];
            activation.apply_f32(&mut found, &mut found_slope);
            for i in 0..points.len() {
                for (found, exact) in [(found[i], exact[i]), (found_slope[i], exact_slope[i])] {
                    let difference = (f64::from(found) - exact).abs();
                    // 64 units of the last place of the value (e^(-x²/2) rounds its exponent); of the terms it is summed from where they
                    // cancel (gelu's and silu's slopes cross 0), of 1e-5 in the tails.
                    let floor = if points[i].abs() < 4.0 { 0.1 } else { 1e-5 };
                    let tolerance = 64.0 * 2_f64.powi(-24) * exact.abs().max(floor);
                    assert!(
                        difference <= tolerance,
                        "{} at {}: {found} against {exact}",
                        activation.name(),
                        points[i]
                    );
                }
            }
        }
    }
}
