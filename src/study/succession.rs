//! How hyperparameters change when a trial takes over from another (the *explore* of population-based training,
//! Jaderberg et al., 2017).
//!
//! Each numeric hyperparameter that is active is drawn anew from its distribution with the probability
//! `resample`, else multiplied by 1.2 or 0.8, each with probability ½, and kept within its range. Only those
//! change with which the weights and the optimizer's state still make sense: the shape of the network, its
//! activation, the optimizer, the minibatch and the other hyperparameters that are active stay as they are.

use super::run::Build;
use crate::model::recipe::{Network, Recipe};
use crate::random::{Purpose, Stream};
use crate::space::{Configuration, Dimension, Domain, Space, Value, tidy};

/// Keeps these draws apart from those of strategies and schedules.
const LAYER: usize = 2002;

/// What decides the changes.
#[derive(Clone, Copy, Debug)]
pub struct Explore {
    /// Of the study.
    pub seed: u64,
    /// The trial that takes over.
    pub number: u64,
    /// After so many epochs.
    pub epoch: u32,
    /// Probability that a hyperparameter is drawn anew.
    pub resample: f64,
}

/// The donor's configuration, changed. It differs from the donor's nowhere where no change is possible.
pub fn explore(space: &Space, donor: &Configuration, chance: Explore, build: &Build<'_>) -> Configuration {
    let mut configuration = donor.clone();
    let Ok(shape) = build(donor) else { return configuration };
    let stream = Stream::new(chance.seed, Purpose::Search, LAYER, chance.epoch, chance.number as u32);
    for (index, dimension) in (0..).zip(&space.dimensions) {
        let Some(value) = configuration.get(&dimension.name) else { continue };
        // Four words a hyperparameter, so that what one draws depends on no other.
        let Some(changed) = change(dimension, value, stream.block(index), chance.resample) else { continue };
        let mut other = configuration.clone();
        other.insert(dimension.name.clone(), changed);
        let keeps_the_rest = space.contains(&other) && space.allows(&other);
        if keeps_the_rest && build(&other).is_ok_and(|built| is_alike(&shape, &built)) {
            configuration = other;
        }
    }
    configuration
}

/// Another value of a numeric hyperparameter.
fn change(dimension: &Dimension, value: &Value, words: [u32; 4], resample: f64) -> Option<Value> {
    let unit = |word: u32| f64::from(word) * 2_f64.powi(-32);
    let domain = &dimension.domain;
    if !matches!(domain, Domain::Float { .. } | Domain::Int { .. }) {
        return None;
    }
    if unit(words[0]) < resample {
        return Some(domain.decode(unit(words[1])));
    }
    let factor = if words[2] & 1 == 0 { 1.2 } else { 0.8 };
    match (domain, value) {
        (Domain::Float { low, high, step, .. }, Value::Float(value)) => {
            let steps =
                |value: f64| step.map_or(value, |step| tidy(low + ((value - low) / step).round() * step));
            Some(Value::Float(steps(value * factor).clamp(*low, *high)))
        }
        (Domain::Int { low, high, step, .. }, Value::Int(value)) => {
            // Wide enough for the difference of any two; the cast saturates.
            let (low, high, step) = (i128::from(*low), i128::from(*high), i128::from(*step));
            let above = (*value as f64 * factor).round() as i128 - low;
            let steps = (above + step / 2).div_euclid(step).clamp(0, (high - low) / step);
            let value = low + steps * step;
            Some(Value::Int(value as i64))
        }
        _ => None,
    }
}

/// Whether the weights and the optimizer's state of one are such of the other.
fn is_alike((network, recipe): &(Network, Recipe), (other, of_other): &(Network, Recipe)) -> bool {
    let shape = |network: &Network| (network.input_count, network.hidden.clone(), network.output_count);
    shape(network) == shape(other)
        && network.activation.name() == other.activation.name()
        && recipe.optimizer.name() == of_other.optimizer.name()
        && recipe.batch_size == of_other.batch_size
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANCE: Explore = Explore { seed: 1, number: 2, epoch: 3, resample: 0.25 };

    fn dimension(low: f64, high: f64, step: Option<f64>) -> Dimension {
        Dimension::new("x", Domain::Float { low, high, log: false, step })
    }

    #[test]
    fn a_value_is_multiplied_and_stays_in_its_range_and_on_its_steps() {
        let words = |up: bool| [u32::MAX, 0, u32::from(!up), 0];
        let change =
            |dimension: &Dimension, value: Value, up: bool| change(dimension, &value, words(up), 0.25);
        let plain = dimension(0.0, 1.0, None);
        assert_eq!(change(&plain, Value::Float(0.5), true), Some(Value::Float(0.6)));
        assert_eq!(change(&plain, Value::Float(0.5), false), Some(Value::Float(0.4)));
        assert_eq!(change(&plain, Value::Float(0.9), true), Some(Value::Float(1.0)));
        let stepped = dimension(0.1, 0.7, Some(0.2));
        assert_eq!(change(&stepped, Value::Float(0.7), false), Some(Value::Float(0.5)));
        let whole = Dimension::new("n", Domain::Int { low: 1, high: 9, log: false, step: 4 });
        assert_eq!(change(&whole, Value::Int(9), true), Some(Value::Int(9)));
        assert_eq!(change(&whole, Value::Int(5), false), Some(Value::Int(5)), "4 is nearer to 5 than to 1");
        let wide = Dimension::new("n", Domain::Int { low: i64::MIN, high: i64::MAX, log: false, step: 1 });
        assert_eq!(change(&wide, Value::Int(i64::MAX), true), Some(Value::Int(i64::MAX)));
        assert_eq!(change(&wide, Value::Int(-100), true), Some(Value::Int(-120)));
        let choice = Dimension::new("c", Domain::Choice(vec![Value::Int(1), Value::Int(2)]));
        assert_eq!(change(&choice, Value::Int(1), true), None);
    }

    /// About a quarter of the values are drawn anew, and half of the others grow.
    #[test]
    fn changes_have_the_chances_that_were_asked_for() {
        let dimension = dimension(0.0, 100.0, None);
        let (mut anew, mut grown) = (0, 0);
        for number in 0..4000 {
            let stream = Stream::new(1, Purpose::Search, LAYER, 3, number);
            let changed = change(&dimension, &Value::Float(50.0), stream.block(0), CHANCE.resample);
            match changed {
                Some(Value::Float(60.0)) => grown += 1,
                Some(Value::Float(40.0)) => {}
                _ => anew += 1,
            }
        }
        // Within six standard deviations of 1,000 and 1,500.
        assert!((836..1164).contains(&anew) && (1316..1684).contains(&grown), "{anew}, {grown}");
    }
}
