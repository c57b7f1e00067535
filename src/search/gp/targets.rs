//! Results as targets of the Gaussian process: larger is better, of mean 0 and variance 1, no outliers below.

use crate::model::metric::Direction;
use crate::search::Told;

/// Targets of trials, in their order.
///
/// The better half keeps its distances. The worse half keeps its order alone: its values become those of the lower
/// half of a normal distribution that is as wide as the better half (the half-rank warping of Song et al., "The
/// Vizier Gaussian process bandit algorithm", 2024), so that neither a cliff nor a value without bounds flattens
/// what is near the best. A trial without a value counts as the worst seen.
pub(super) fn targets(told: &[Told], direction: Direction) -> Vec<f64> {
    let sign = if direction == Direction::Maximize { 1.0 } else { -1.0 };
    let known: Vec<f64> = told.iter().filter_map(|told| told.value).filter(|value| value.is_finite()).collect();
    // Halved so that no difference of two is infinite.
    let largest = known.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let unit = if largest > 1e150 { largest } else { 1.0 };
    let mut sorted: Vec<f64> = known.iter().map(|value| sign * value / unit).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(&worst) = sorted.first() else { return vec![0.0; told.len()] };
    let value = |told: &Told| told.value.filter(|value| value.is_finite()).map_or(worst, |value| sign * value / unit);
    let values: Vec<f64> = told.iter().map(value).collect();
    let mode = std::env::var("GP_WARP").ok().and_then(|m| m.parse::<u32>().ok()).unwrap_or(1);
    match mode {
        0 => standardised(values),
        1 => standardised(half_ranked(values, &sorted)),
        _ => standardised(logged(half_ranked(values, &sorted))),
    }
}

/// Log warp with scale c (in units of best - median): targets and the log of the jacobian
pub(super) fn warped(told: &[Told], direction: Direction, c: f64) -> (Vec<f64>, f64) {
    let sign = if direction == Direction::Maximize { 1.0 } else { -1.0 };
    let known: Vec<f64> = told.iter().filter_map(|told| told.value).filter(|value| value.is_finite()).collect();
    let largest = known.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let unit = if largest > 1e150 { largest } else { 1.0 };
    let mut sorted: Vec<f64> = known.iter().map(|value| sign * value / unit).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(&worst) = sorted.first() else { return (vec![0.0; told.len()], 0.0) };
    let best = sorted[sorted.len() - 1];
    let median = sorted[sorted.len() / 2];
    let r = if best > median { best - median } else if best > worst { best - worst } else { 1.0 };
    let value = |told: &Told| told.value.filter(|value| value.is_finite()).map_or(worst, |value| sign * value / unit);
    let mut jac = 0.0;
    let values: Vec<f64> = told.iter().map(|t| {
        let u = (best - value(t)) / r;
        if c.is_finite() { if t.value.is_some() { jac -= libm::log1p(u / c); } -c * libm::log1p(u / c) } else { -u }
    }).collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let sd = (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count).sqrt();
    if sd > 0.0 { jac -= known.len() as f64 * libm::log(sd); }
    (standardised(values), jac)
}

fn logged(values: Vec<f64>) -> Vec<f64> {
    let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let worst = values.iter().copied().fold(f64::INFINITY, f64::min);
    if best == worst { return values; }
    let s: f64 = std::env::var("GP_LOGS").ok().and_then(|m| m.parse().ok()).unwrap_or(1.5);
    values.iter().map(|y| 0.5 - libm::log1p((s - 1.0) * (best - y) / (best - worst)) / libm::log(s)).collect()
}

fn half_ranked(values: Vec<f64>, sorted: &[f64]) -> Vec<f64> {
    let median = sorted[sorted.len() / 2];
    let better = &sorted[sorted.len() / 2..];
    let width = (better.iter().map(|x| (x - median) * (x - median)).sum::<f64>() / better.len() as f64).sqrt();
    if !(width > 0.0) {
        return values;
    }
    let below = sorted.partition_point(|x| *x < median) as f64;
    let warp = |value: f64| {
        if value >= median {
            return value;
        }
        // The middle of its ranks among those below the median.
        let first = sorted.partition_point(|x| *x < value) as f64;
        let last = sorted.partition_point(|x| *x <= value) as f64;
        median + width * normal_quantile(0.5 * (0.5 * (first + last)) / below)
    };
    values.into_iter().map(warp).collect()
}

fn standardised(mut values: Vec<f64>) -> Vec<f64> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values.iter_mut().for_each(|value| *value -= mean);
    let deviation = (values.iter().map(|x| x * x).sum::<f64>() / count).sqrt();
    if deviation > 0.0 {
        values.iter_mut().for_each(|value| *value /= deviation);
    }
    values
}

/// The quantile of the standard normal distribution, to 1e-15 or so.
///
/// Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", 1988 (PPND16).
pub(super) fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ];
    let ratio = |above: &[f64; 8], below: &[f64; 8], x: f64| {
        let polynomial = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, term| sum * x + term);
        polynomial(above) / polynomial(below)
    };
    let center = p - 0.5;
    if center.abs() <= 0.425 {
        return center * ratio(&A, &B, 0.180_625 - center * center);
    }
    let tail = (-libm::log(p.min(1.0 - p).max(f64::MIN_POSITIVE))).sqrt();
    let size = if tail <= 5.0 { ratio(&C, &D, tail - 1.6) } else { ratio(&E, &F, tail - 5.0) };
    if center < 0.0 { -size } else { size }
}
