//! Initializers: one file each. Drawn on the host in f64 from the study's streams, so that both engines
//! and both precisions start from the same numbers. Biases start at 0.

mod glorot_normal;
mod glorot_uniform;
mod he_normal;
mod he_uniform;
mod lecun_normal;
mod lecun_uniform;
mod orthogonal;

use crate::random::{Stream, uniform};

/// Every initializer.
pub static ALL: &[&dyn Initializer] = &[
    &glorot_uniform::GlorotUniform,
    &glorot_normal::GlorotNormal,
    &he_uniform::HeUniform,
    &he_normal::HeNormal,
    &lecun_uniform::LecunUniform,
    &lecun_normal::LecunNormal,
    &orthogonal::Orthogonal,
];

/// How the weights of a layer start.
pub trait Initializer: Sync {
    /// The name in a study file.
    fn name(&self) -> &'static str;
    /// The formula and its source, on one line.
    fn summary(&self) -> &'static str;
    /// Fills the weights (input, output) of a layer from its stream.
    fn fill(&self, stream: Stream, inputs: usize, outputs: usize, weights: &mut [f32]);
}

/// Uniform in ±√(3·variance).
fn fill_uniform(stream: Stream, variance: f64, weights: &mut [f32]) {
    let limit = (3.0 * variance).sqrt();
    fill_with(stream, weights, |word| limit * (2.0 * f64::from(uniform(word)) - 1.0));
}

/// Normal with the given variance.
fn fill_normal(stream: Stream, variance: f64, weights: &mut [f32]) {
    let deviation = variance.sqrt();
    fill_with(stream, weights, |word| deviation * normal_quantile(word));
}

fn fill_with(stream: Stream, weights: &mut [f32], value: impl Fn(u32) -> f64) {
    for (block, chunk) in weights.chunks_mut(4).enumerate() {
        for (weight, word) in chunk.iter_mut().zip(stream.block(block as u32)) {
            *weight = value(word) as f32;
        }
    }
}

/// The normal quantile at (word + ½)·2⁻³²: one word gives one normal number, with bounded error.
///
/// Source: P. J. Acklam's rational approximation (relative error 1.15e-9).
fn normal_quantile(word: u32) -> f64 {
    let p = (f64::from(word) + 0.5) / 4_294_967_296.0;
    let horner = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * p.ln()).sqrt();
        horner(&TAIL_TOP, q) / horner(&TAIL_BOTTOM, q)
    };
    const LOW: f64 = 0.02425;
    if p < LOW {
        tail(p)
    } else if p > 1.0 - LOW {
        -tail(1.0 - p)
    } else {
        let q = p - 0.5;
        let r = q * q;
        horner(&CENTRE_TOP, r) * q / horner(&CENTRE_BOTTOM, r)
    }
}

const CENTRE_TOP: [f64; 6] = [
    -3.969_683_028_665_376e1,
    2.209_460_984_245_205e2,
    -2.759_285_104_469_687e2,
    1.383_577_518_672_69e2,
    -3.066_479_806_614_716e1,
    2.506_628_277_459_239,
];
const CENTRE_BOTTOM: [f64; 6] = [
    -5.447_609_879_822_406e1,
    1.615_858_368_580_409e2,
    -1.556_989_798_598_866e2,
    6.680_131_188_771_972e1,
    -1.328_068_155_288_572e1,
    1.0,
];
const TAIL_TOP: [f64; 6] = [
    -7.784_894_002_430_293e-3,
    -3.223_964_580_411_365e-1,
    -2.400_758_277_161_838,
    -2.549_732_539_343_734,
    4.374_664_141_464_968,
    2.938_163_982_698_783,
];
const TAIL_BOTTOM: [f64; 5] =
    [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416, 1.0];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn draw(initializer: &dyn Initializer, inputs: usize, outputs: usize) -> Vec<f32> {
        let mut weights = vec![0.0; inputs * outputs];
        let stream = Stream::new(3, Purpose::Initialize, 0, 0, 0);
        initializer.fill(stream, inputs, outputs, &mut weights);
        weights
    }

    #[test]
    fn every_initializer_has_the_variance_of_its_formula() {
        let (inputs, outputs) = (200, 100);
        for initializer in ALL {
            let weights = draw(*initializer, inputs, outputs);
            let n = weights.len() as f64;
            let mean = weights.iter().map(|&w| f64::from(w)).sum::<f64>() / n;
            let variance = weights.iter().map(|&w| (f64::from(w) - mean).powi(2)).sum::<f64>() / n;
            let expected = match initializer.name().split('_').next() {
                Some("glorot") => 2.0 / 300.0,
                Some("he") => 2.0 / 200.0,
                // An orthogonal 200 × 100 matrix has unit columns: Σw² = 100.
                _ => 1.0 / 200.0,
            };
            assert!(mean.abs() < 3e-3, "{}: mean {mean}", initializer.name());
            assert!((variance / expected - 1.0).abs() < 0.04, "{}: variance {variance}", initializer.name());
        }
    }

    #[test]
    fn orthogonal_weights_are_orthonormal_along_the_shorter_side() {
        let orthogonal = ALL.iter().find(|i| i.name() == "orthogonal").unwrap();
        for (inputs, outputs) in [(7, 3), (3, 7), (5, 5), (1, 4), (4, 1)] {
            let w = draw(*orthogonal, inputs, outputs);
            let (long, short) = (inputs.max(outputs), inputs.min(outputs));
            let at = |along: usize, across: usize| {
                let index =
                    if inputs >= outputs { along * outputs + across } else { across * outputs + along };
                f64::from(w[index])
            };
            for a in 0..short {
                for b in 0..short {
                    let product: f64 = (0..long).map(|k| at(k, a) * at(k, b)).sum();
                    let expected = f64::from(u8::from(a == b));
                    assert!((product - expected).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn the_normal_quantile_inverts_the_normal_distribution_function() {
        for word in [0, 1, 1000, 1 << 20, 1 << 28, 1 << 30, 1 << 31, u32::MAX - 5, u32::MAX] {
            let p = (f64::from(word) + 0.5) / 4_294_967_296.0;
            let back = 0.5 * libm::erfc(-normal_quantile(word) / std::f64::consts::SQRT_2);
            assert!((back / p - 1.0).abs() < 1e-7, "word {word}");
        }
    }
}
