//! The logarithm of the expected improvement, which keeps its slope where the improvement itself vanishes.
//!
//! Larger is better: EI = σ h(z), h(z) = φ(z) + z Φ(z), z = (μ − best)/σ. With t = |z|, Mills' ratio
//! m(t) = (1 − Φ(t))/φ(t) = √(π/2) erfcx(t/√2) and its rest q(t) = 1 − t m(t), nothing cancels:
//!
//! | | z < 0 | z ≥ 0 |
//! |---|---|---|
//! | h(z) | φ(t) q(t) | z + φ(t) q(t) |
//! | Φ(z) | φ(t) m(t) | 1 − φ(t) m(t) |
//!
//! and log EI is known however far the mean lies below the best.
//!
//! Source: Ament et al., "Unexpected improvements to expected improvement for Bayesian optimization", 2023.

use super::lanes::{Eight, Lanes, Wide, dot_and_square};
use crate::search::vectors::exp_of_negative;
use pulp::Simd;

/// 1/√(2π).
const DENSITY: f64 = 0.398_942_280_401_432_7;

/// (1 + t) m(t) as a polynomial in u = (t − 5)/(t + 5), from its highest power down: the transformation of Shepherd
/// and Laframboise, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x", 1981, refitted; to 4e-16.
const MILLS: [f64; 23] = [
    -7.073_898_575_471_433e-10,
    5.532_292_214_118_444_4e-9,
    9.092_476_133_971_114e-9,
    -6.383_575_502_423_363e-8,
    -6.588_974_491_097_933e-8,
    4.724_032_706_831_762_5e-7,
    3.205_431_665_257_533e-7,
    -3.259_757_087_845_763_7e-6,
    -1.763_323_926_572_535e-7,
    2.269_938_655_777_588e-5,
    -2.480_583_845_192_324_8e-5,
    -1.343_703_685_580_251_7e-4,
    4.570_439_235_795_366e-4,
    1.952_967_832_637_177_6e-5,
    -4.201_290_329_187_307e-3,
    1.634_823_142_503_604_2e-2,
    -3.802_659_218_584_139e-2,
    6.150_504_582_818_594_5e-2,
    -6.617_760_077_909_63e-2,
    2.507_217_930_210_036e-2,
    7.778_159_886_873_769e-2,
    -2.294_875_382_521_184e-1,
    1.156_848_628_291_894_6,
];

/// (1 + t)² q(t), likewise; to 4e-15.
const REST: [f64; 23] = [
    4.919_802_117_646_006e-8,
    7.287_796_779_609_053e-8,
    -5.443_162_443_011_996e-7,
    -7.895_757_835_191_566e-7,
    3.717_331_144_053_951e-6,
    4.690_916_037_614_648e-6,
    -2.313_515_445_509_603e-5,
    -1.696_190_041_077_217_3e-5,
    1.467_886_575_005_322_3e-4,
    -3.595_580_083_881_981_7e-5,
    -8.526_681_588_747_459e-4,
    1.576_827_269_855_702_5e-3,
    2.328_297_457_325_982_6e-3,
    -1.613_171_839_947_514_7e-2,
    3.474_622_989_675_399e-2,
    -3.186_187_085_333_893e-2,
    -2.931_098_278_004_534_7e-2,
    1.540_216_621_580_632_3e-1,
    -2.735_482_037_464_209e-1,
    2.611_670_078_530_098e-1,
    -2.803_069_962_786_779e-2,
    -3.687_229_645_450_842_4e-1,
    1.294_541_151_243_163_5,
];

/// Mean improvements over fantasies at eight points, in logarithms, and the slopes of those.
#[derive(Clone, Debug)]
pub(super) struct Improvement {
    /// log(1/F Σ EI).
    pub value: Lanes,
    /// Its slope by the mean in each fantasy; empty where it was not asked for.
    pub by_mean: Vec<Lanes>,
    /// Its slope by the deviation.
    pub by_deviation: Lanes,
}

/// The logarithm of the mean expected improvement over fantasies, at eight points.
///
/// `means[f]` holds the means in fantasy f, whose best value is `best[f]`; `deviation` holds the points'
/// deviations, the same in all fantasies.
pub(super) fn improvement(means: &[Lanes], best: &[f64], deviation: Lanes, with_slopes: bool) -> Improvement {
    Improve { means, best, deviation, with_slopes }.compute()
}

struct Improve<'a> {
    means: &'a [Lanes],
    best: &'a [f64],
    deviation: Lanes,
    with_slopes: bool,
}

impl Wide for Improve<'_> {
    type Output = Improvement;

    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) -> Improvement {
        let Self { means, best, deviation, with_slopes } = self;
        let (scores, exponents, least) = scores::<S, N>(simd, means, best, deviation);
        let terms = all_terms(&scores, &exponents, with_slopes);
        let ones = vec![1.0; means.len()];
        let sums = dot_and_square(&terms.gains, &ones).0;
        let factor = Lanes(std::array::from_fn(|r| 1.0 / (deviation.0[r] * sums.0[r])));
        let times_factor = |lanes: &Lanes| Lanes(std::array::from_fn(|r| lanes.0[r] * factor.0[r]));
        let count = means.len() as f64;
        let value = |r: usize| libm::log(deviation.0[r] * sums.0[r] / count) - least.0[r];
        Improvement {
            value: Lanes(std::array::from_fn(value)),
            by_mean: terms.cumulatives.iter().map(times_factor).collect(),
            by_deviation: times_factor(&dot_and_square(&terms.densities, &ones).0),
        }
    }
}

/// z of every fantasy; how much higher z²/2 is than the least exponent; and that: the least z²/2 of a point where
/// all z are below 0, else 0. φ is divided by e^(−least), so that one term at least is not lost to underflow.
#[inline(always)]
fn scores<S: Simd, const N: usize>(
    simd: S,
    means: &[Lanes],
    best: &[f64],
    deviation: Lanes,
) -> (Vec<Lanes>, Vec<Lanes>, Lanes) {
    let (mut scores, mut exponents) = (means.to_vec(), means.to_vec());
    let (zero, half) = (Eight::<S, N>::splat(simd, 0.0), Eight::splat(simd, 0.5));
    let deviation = Eight::load(&deviation);
    let mut least = Eight::splat(simd, f64::INFINITY);
    for ((score, best), exponent) in scores.iter_mut().zip(best).zip(&mut exponents) {
        let z = Eight::load(score).minus(simd, Eight::splat(simd, *best)).over(simd, deviation);
        z.store(score);
        z.times(simd, z).times(simd, half).store(exponent);
        let below = z.min(simd, zero);
        least = least.min(simd, below.times(simd, below).times(simd, half));
    }
    for exponent in &mut exponents {
        Eight::load(exponent).minus(simd, least).store(exponent);
    }
    let mut stored = Lanes::default();
    least.store(&mut stored);
    (scores, exponents, stored)
}

/// h, Φ and φ of every fantasy at eight points; only h where slopes are not asked for.
#[derive(Default)]
struct AllTerms {
    gains: Vec<Lanes>,
    cumulatives: Vec<Lanes>,
    densities: Vec<Lanes>,
}

/// Plain loops over slices, which the compiler turns into vectors of the width in use.
#[inline(always)]
fn all_terms(scores: &[Lanes], exponents: &[Lanes], with_slopes: bool) -> AllTerms {
    let mut all = AllTerms { gains: vec![Lanes::default(); scores.len()], ..AllTerms::default() };
    let scores: &[f64] = bytemuck::cast_slice(scores);
    let exponents: &[f64] = &bytemuck::cast_slice(exponents)[..scores.len()];
    if !with_slopes {
        let gains: &mut [f64] = &mut bytemuck::cast_slice_mut(&mut all.gains)[..scores.len()];
        for i in 0..scores.len() {
            gains[i] = Terms::at(scores[i], exponents[i]).gain;
        }
        return all;
    }
    (all.cumulatives, all.densities) = (all.gains.clone(), all.gains.clone());
    let gains: &mut [f64] = &mut bytemuck::cast_slice_mut(&mut all.gains)[..scores.len()];
    let cumulatives: &mut [f64] = &mut bytemuck::cast_slice_mut(&mut all.cumulatives)[..scores.len()];
    let densities: &mut [f64] = &mut bytemuck::cast_slice_mut(&mut all.densities)[..scores.len()];
    for i in 0..scores.len() {
        let terms = Terms::at(scores[i], exponents[i]);
        (gains[i], cumulatives[i], densities[i]) = (terms.gain, terms.cumulative, terms.density);
    }
    all
}

/// h, Φ and φ at a score, all times the same factor.
struct Terms {
    gain: f64,
    cumulative: f64,
    density: f64,
}

impl Terms {
    /// `exponent` is z²/2, less what the logarithm of the factor is; for z ≥ 0 there is no factor.
    #[inline(always)]
    fn at(z: f64, exponent: f64) -> Self {
        let t = z.abs();
        let u = (t - 5.0) / (t + 5.0);
        let scale = 1.0 / (1.0 + t);
        let density = DENSITY * exp_of_negative(exponent);
        let below = density * polynomial(&MILLS, u) * scale;
        let gain = density * polynomial(&REST, u) * scale * scale;
        Self {
            gain: gain + if z < 0.0 { 0.0 } else { z },
            cumulative: if z < 0.0 { below } else { 1.0 - below },
            density,
        }
    }
}

#[inline(always)]
fn polynomial(terms: &[f64; 23], u: f64) -> f64 {
    let mut sum = 0.0;
    for term in terms {
        sum = sum * u + term;
    }
    sum
}
