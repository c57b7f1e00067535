//! normal with variance 2/inputs (He et al., 2015)

use super::{Initializer, fill_normal};
use crate::random::Stream;

/// normal with variance 2/inputs (He et al., 2015)
pub struct HeNormal;

impl Initializer for HeNormal {
    fn name(&self) -> &'static str {
        "he_normal"
    }
    fn summary(&self) -> &'static str {
        "normal with variance 2/inputs (He et al., 2015)"
    }
    fn fill(&self, stream: Stream, inputs: usize, _outputs: usize, weights: &mut [f32]) {
        fill_normal(stream, 2.0 / inputs as f64, weights);
    }
}
