//! y = x·mask/(1 − p), mask 1 with probability 1 − p; the same factor on the way back.

use super::Layer;
use crate::model::real::Real;
use crate::random::{Purpose, Stream, uniform};

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
        let (threshold, kept) = (self.probability as f32, 1.0 / (1.0 - self.probability as f32));
        let first = (row * units.div_ceil(4)) as u32;
        (0..units.div_ceil(4) as u32)
            .flat_map(move |block| self.stream.block(first + block))
            .take(units)
            .map(move |word| if uniform(word) < threshold { 0.0 } else { kept })
    }
}

/// Multiplies values (row, unit), and where given their derivatives, by the mask.
pub fn apply<R: Real>(mask: &Mask, units: usize, values: &mut [R], mut derivatives: Option<&mut [R]>) {
    for (row, values) in values.chunks_exact_mut(units).enumerate() {
        for (unit, factor) in mask.factors(row, units).enumerate() {
            let factor = R::of(f64::from(factor));
            values[unit] *= factor;
            if let Some(derivatives) = derivatives.as_deref_mut() {
                derivatives[row * units + unit] *= factor;
            }
        }
    }
}
