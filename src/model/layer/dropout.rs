//! y = x·mask/(1 − p), mask 1 with probability 1 − p; the same factor on the way back.

use super::Layer;
use crate::model::real::Real;
use crate::random::{Purpose, Stream, uniform};
use std::cell::RefCell;

/// Inverted dropout (Srivastava et al., 2014): nothing changes when a model is used.
pub struct Dropout;

impl Layer for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }
    fn summary(&self) -> &'static str {
        "y = x mask/(1 - p), mask 1 with probability 1 - p; dx = dy mask/(1 - p)"
    }
    fn probe(&self) -> (Vec<usize>, f64, f64) {
        (vec![8], 0.2, 0.5)
    }
}

/// Which units of which layer are dropped at one step of one member.
#[derive(Clone, Copy, Debug)]
pub struct Mask {
    /// Probability of dropping, in (0, 1).
    pub probability: f64,
    stream: Stream,
}

impl Mask {
    /// The mask of the activations that enter layer `layer` (0 is the input) at a step.
    pub fn new(seed: u64, layer: usize, step: u64, member_stream: u32, probability: f64) -> Self {
        let stream = Stream::new(seed, Purpose::Dropout, layer, step as u32, member_stream);
        Self { probability, stream }
    }

    /// The factors of row `row` of the minibatch, for `units` units: 0, or 1/(1 − p).
    ///
    /// Element (row, unit) is word unit mod 4 of block row·⌈units/4⌉ + unit/4, so that a vector of four
    /// units takes one block.
    pub fn factors(&self, row: usize, units: usize) -> impl Iterator<Item = f32> + '_ {
        let first = (row * units.div_ceil(4)) as u32;
        (0..units.div_ceil(4) as u32)
            .flat_map(move |block| self.stream.block(first + block))
            .take(units)
            .map(|word| self.factor(word))
    }

    /// The factor of what is kept.
    pub fn kept(&self) -> f32 {
        1.0 / (1.0 - self.probability as f32)
    }

    #[inline(always)]
    fn factor(&self, word: u32) -> f32 {
        if uniform(word) < self.probability as f32 { 0.0 } else { self.kept() }
    }
}

thread_local! {
    /// The words of a minibatch, (row, block of four units).
    static WORDS: RefCell<Vec<[u32; 4]>> = RefCell::default();
}

/// Multiplies values (row, unit), and where given their derivatives, by the mask.
pub fn apply<R: Real>(mask: &Mask, units: usize, values: &mut [R], derivatives: Option<&mut [R]>) {
    let blocks_per_row = units.div_ceil(4);
    WORDS.with_borrow_mut(|words| {
        words.resize(values.len() / units * blocks_per_row, [0; 4]);
        mask.stream.fill(words);
        multiply(mask, units, words, values);
        if let Some(derivatives) = derivatives {
            multiply(mask, units, words, derivatives);
        }
    });
}

fn multiply<R: Real>(mask: &Mask, units: usize, words: &[[u32; 4]], values: &mut [R]) {
    R::vectorized(
        #[inline(always)]
        || {
            for (words, values) in words.chunks_exact(units.div_ceil(4)).zip(values.chunks_exact_mut(units)) {
                for (value, &word) in values.iter_mut().zip(words.as_flattened()) {
                    *value *= R::of(f64::from(mask.factor(word)));
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_derivatives_take_the_factors_of_their_rows() {
        for units in [1, 3, 4, 7, 32] {
            let mask = Mask::new(1, 2, 3, 4, 0.4);
            let (mut values, mut derivatives) = (vec![2.0_f32; 5 * units], vec![3.0_f32; 5 * units]);
            apply(&mask, units, &mut values, Some(&mut derivatives));
            for row in 0..5 {
                for (unit, factor) in mask.factors(row, units).enumerate() {
                    assert_eq!(values[row * units + unit], 2.0 * factor);
                    assert_eq!(derivatives[row * units + unit], 3.0 * factor);
                }
            }
        }
    }
}
