//! normal with variance 1/inputs (LeCun et al., 1998)

use super::{Initializer, fill_normal};
use crate::random::Stream;

/// normal with variance 1/inputs (LeCun et al., 1998)
pub struct LecunNormal;

impl Initializer for LecunNormal {
    fn name(&self) -> &'static str {
        "lecun_normal"
    }
    fn summary(&self) -> &'static str {
        "normal with variance 1/inputs (LeCun et al., 1998)"
    }
    fn fill(&self, stream: Stream, inputs: usize, _outputs: usize, weights: &mut [f32]) {
        fill_normal(stream, 1.0 / inputs as f64, weights);
    }
}
