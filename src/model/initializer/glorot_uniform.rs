//! uniform with variance 2/(inputs + outputs) (Glorot and Bengio, 2010)

use super::{Initializer, fill_uniform};
use crate::random::Stream;

/// uniform with variance 2/(inputs + outputs) (Glorot and Bengio, 2010)
pub struct GlorotUniform;

impl Initializer for GlorotUniform {
    fn name(&self) -> &'static str {
        "glorot_uniform"
    }
    fn summary(&self) -> &'static str {
        "uniform with variance 2/(inputs + outputs) (Glorot and Bengio, 2010)"
    }
    fn fill(&self, stream: Stream, inputs: usize, outputs: usize, weights: &mut [f32]) {
        fill_uniform(stream, 2.0 / (inputs + outputs) as f64, weights);
    }
}
