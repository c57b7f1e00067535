//! A random matrix with orthonormal columns (or rows, where it is wider than tall).

use super::{Initializer, normal_quantile};
use crate::random::Stream;

/// Orthogonal weights, uniform over all such matrices (Saxe et al., 2014): the Gram–Schmidt basis of
/// normal numbers, orthogonalised twice ("twice is enough", Giraud et al., 2005).
pub struct Orthogonal;

impl Initializer for Orthogonal {
    fn name(&self) -> &'static str {
        "orthogonal"
    }
    fn summary(&self) -> &'static str {
        "orthonormal along the shorter side, from normal numbers (Saxe et al., 2014)"
    }

    fn fill(&self, stream: Stream, inputs: usize, outputs: usize, weights: &mut [f32]) {
        let (long, short) = (inputs.max(outputs), inputs.min(outputs));
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(short);
        for i in 0..short {
            let mut vector: Vec<f64> =
                (0..long).map(|k| normal_quantile(stream.word((i * long + k) as u32))).collect();
            for _ in 0..2 {
                for earlier in &basis {
                    let product: f64 = vector.iter().zip(earlier).map(|(a, b)| a * b).sum();
                    vector.iter_mut().zip(earlier).for_each(|(a, b)| *a -= product * b);
                }
            }
            let norm = vector.iter().map(|a| a * a).sum::<f64>().sqrt();
            vector.iter_mut().for_each(|a| *a /= norm);
            basis.push(vector);
        }
        for (i, vector) in basis.iter().enumerate() {
            for (k, &value) in vector.iter().enumerate() {
                let index = if inputs >= outputs { k * outputs + i } else { i * outputs + k };
                weights[index] = value as f32;
            }
        }
    }
}
