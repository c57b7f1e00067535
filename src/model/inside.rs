//! What goes on inside a network in one step: counts in fixed log₂ bins, and what follows from them.
//!
//! A *probe* looks at a member between two epochs. Values and activations are those of up to
//! [`LOOK_ROWS`] validation rows, without dropout: the same rows at every epoch and for every trial of a
//! fold, enough of them to tell a unit that is dead from one that is seldom needed. Gradients and updates
//! are those of the member's next step, on its next minibatch; the step is taken on a copy.

use super::activation::Activation;
use super::real::Real;

/// Rows that values and activations are counted over, at most.
pub const LOOK_ROWS: usize = 256;

/// Bins of a histogram: NaN, +∞, −∞, zero, then per sign one for each power of two.
pub const BINS: usize = 128;
/// The bins of what is no number, infinite, or zero. Numbers below 2⁻¹²⁶ count as zero, as they do in training.
pub const NAN: usize = 0;
/// +∞.
pub const POSITIVE_INFINITY: usize = 1;
/// −∞.
pub const NEGATIVE_INFINITY: usize = 2;
/// 0.
pub const ZERO: usize = 3;
/// The first bin of negative numbers, and of positive ones.
const NEGATIVE: usize = 4;
const POSITIVE: usize = 66;
/// The first bin of a sign holds [2^LOWEST, 2^(LOWEST + 1)) and all below, the last one 2^20 and all above.
pub const LOWEST: i32 = -41;
/// Bins of a sign.
const OF_SIGN: i32 = 62;

/// A unit counts as closed for a row where the slope of its activation is below this: nothing passes back.
const CLOSED: f64 = 1e-3;
/// The same where the activation saturates both ways, as a share of its steepest slope: |a| above 0.95 for
/// tanh.
const SATURATED: f64 = 0.1;

/// How many numbers lie in each bin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// (bin)
    pub counts: [u32; BINS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BINS] }
    }
}

/// The bin of a number.
#[inline(always)]
pub fn bin(x: f32) -> usize {
    let bits = x.to_bits();
    let exponent = (bits >> 23 & 0xff) as i32;
    let is_negative = bits >> 31 == 1;
    match exponent {
        0 => ZERO,
        0xff if bits & 0x007f_ffff != 0 => NAN,
        0xff if is_negative => NEGATIVE_INFINITY,
        0xff => POSITIVE_INFINITY,
        _ => {
            let place = (exponent - 127 - LOWEST).clamp(0, OF_SIGN - 1) as usize;
            place + if is_negative { NEGATIVE } else { POSITIVE }
        }
    }
}

/// The exponent of a bin and its sign: it holds ±[2^e, 2^(e + 1)). `None` for what has none.
pub fn exponent_of(bin: usize) -> Option<(i32, bool)> {
    match bin {
        0..NEGATIVE => None,
        NEGATIVE..POSITIVE => Some(((bin - NEGATIVE) as i32 + LOWEST, true)),
        _ => Some(((bin - POSITIVE) as i32 + LOWEST, false)),
    }
}

impl Histogram {
    /// Of these numbers.
    pub fn of<R: Real>(values: impl IntoIterator<Item = R>) -> Self {
        let mut histogram = Self::default();
        values.into_iter().for_each(|value| histogram.counts[bin(value.to_f64() as f32)] += 1);
        histogram
    }

    /// Numbers counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|&count| u64::from(count)).sum()
    }

    /// The share of the numbers that lie in these bins; 0 of none.
    pub fn share(&self, bins: impl IntoIterator<Item = usize>) -> f64 {
        let inside: u64 = bins.into_iter().map(|bin| u64::from(self.counts[bin])).sum();
        inside as f64 / self.total().max(1) as f64
    }

    /// The share that is no finite number.
    pub fn share_not_finite(&self) -> f64 {
        self.share([NAN, POSITIVE_INFINITY, NEGATIVE_INFINITY])
    }
}

/// What a probe saw of one layer, from the input on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerProbe {
    /// z = x·W + b: (row, unit).
    pub pre_activations: Histogram,
    /// f(z); of the output layer, which has no activation, none.
    pub activations: Histogram,
    /// dL/dz of the minibatch's mean loss: (row, unit).
    pub d_pre_activations: Histogram,
    /// dL/dw and dL/db, penalties added, before any clipping.
    pub gradients: Histogram,
    /// |Δw|/|w| of weights, without biases, which begin at 0.
    pub update_ratios: Histogram,
    /// Units.
    pub unit_count: u32,
    /// (row, unit) pairs whose activation is closed: flat, so that nothing passes back.
    pub closed_count: u64,
    /// Units that are closed in every row.
    pub dead_count: u32,
    /// Σ |f(z)|.
    pub activation_sum: f64,
    /// Σ (dL/dz)².
    pub d_square_sum: f64,
    /// Σ w², without biases.
    pub weight_square_sum: f64,
    /// Σ (Δw)², without biases.
    pub update_square_sum: f64,
}

/// What a probe saw of a member.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Steps it had taken.
    pub step: u64,
    /// The mean loss of the minibatch.
    pub loss: f64,
    /// From the input on.
    pub layers: Vec<LayerProbe>,
}

/// The slope below which an activation counts as closed.
pub fn closed_below(activation: &dyn Activation) -> f32 {
    activation.steepest().map_or(CLOSED, |steepest| SATURATED * steepest) as f32
}

impl LayerProbe {
    /// Counts the activations (row, unit) of a layer and their slopes.
    pub fn look<R: Real>(&mut self, units: usize, values: &[R], slopes: &[R], closed_below: f32) {
        self.activations = Histogram::of(values.iter().copied());
        self.activation_sum = values.iter().map(|value| value.abs().to_f64()).sum();
        let limit = R::of(f64::from(closed_below));
        let mut open = vec![false; units];
        for row in slopes.chunks_exact(units) {
            for (open, slope) in open.iter_mut().zip(row) {
                // A slope that is no number is not closed.
                let is_closed = slope.abs() < limit;
                self.closed_count += u64::from(is_closed);
                *open |= !is_closed;
            }
        }
        self.dead_count =
            if values.is_empty() { 0 } else { open.iter().filter(|open| !**open).count() as u32 };
    }

    /// Counts dL/dz (row, unit).
    pub fn look_back<R: Real>(&mut self, d_pre_activations: &[R]) {
        self.d_pre_activations = Histogram::of(d_pre_activations.iter().copied());
        self.d_square_sum = d_pre_activations.iter().map(|d| d.to_f64().powi(2)).sum();
    }

    /// Counts how a step changed the weights of the layer.
    pub fn look_at_update<R: Real>(&mut self, before: &[R], after: &[R]) {
        let pairs = || before.iter().zip(after).map(|(&before, &after)| (before, after - before));
        self.update_ratios = Histogram::of(pairs().map(|(weight, update)| ratio(weight, update)));
        self.weight_square_sum = before.iter().map(|weight| weight.to_f64().powi(2)).sum();
        self.update_square_sum = pairs().map(|(_, update)| update.to_f64().powi(2)).sum();
    }
}

/// |update|/|weight|; 0 where nothing was added to nothing.
fn ratio<R: Real>(weight: R, update: R) -> R {
    match update == R::ZERO {
        true => R::ZERO,
        false => update.abs() / weight.abs(),
    }
}
