//! uniform with variance 2/inputs (He et al., 2015)

use super::{Initializer, fill_uniform};
use crate::random::Stream;

/// uniform with variance 2/inputs (He et al., 2015)
pub struct HeUniform;

impl Initializer for HeUniform {
    fn name(&self) -> &'static str {
        "he_uniform"
    }
    fn summary(&self) -> &'static str {
        "uniform with variance 2/inputs (He et al., 2015)"
    }
    fn fill(&self, stream: Stream, inputs: usize, _outputs: usize, weights: &mut [f32]) {
        fill_uniform(stream, 2.0 / inputs as f64, weights);
    }
}
