//! uniform with variance 1/inputs (LeCun et al., 1998)

use super::{Initializer, fill_uniform};
use crate::random::Stream;

/// uniform with variance 1/inputs (LeCun et al., 1998)
pub struct LecunUniform;

impl Initializer for LecunUniform {
    fn name(&self) -> &'static str {
        "lecun_uniform"
    }
    fn summary(&self) -> &'static str {
        "uniform with variance 1/inputs (LeCun et al., 1998)"
    }
    fn fill(&self, stream: Stream, inputs: usize, _outputs: usize, weights: &mut [f32]) {
        fill_uniform(stream, 1.0 / inputs as f64, weights);
    }
}
