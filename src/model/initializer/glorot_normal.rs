//! normal with variance 2/(inputs + outputs) (Glorot and Bengio, 2010)

use super::{Initializer, fill_normal};
use crate::random::Stream;

/// normal with variance 2/(inputs + outputs) (Glorot and Bengio, 2010)
pub struct GlorotNormal;

impl Initializer for GlorotNormal {
    fn name(&self) -> &'static str {
        "glorot_normal"
    }
    fn summary(&self) -> &'static str {
        "normal with variance 2/(inputs + outputs) (Glorot and Bengio, 2010)"
    }
    fn fill(&self, stream: Stream, inputs: usize, outputs: usize, weights: &mut [f32]) {
        fill_normal(stream, 2.0 / (inputs + outputs) as f64, weights);
    }
}
