//! The functions that all kernels are made of, each with the exact one beside it and how far a device
//! may stray: what the verifier sweeps to know what the arithmetic of a device is worth.
//!
//! Numbers travel as their bits, four lanes at a time, so that NaN and infinity arrive as they are.

use super::real::Real;
use crate::random::{self, Permutation};

/// Four lanes of 32 bits.
pub type Words = [u32; 4];

/// Every primitive, in the order of their codes on the device.
pub static ALL: &[Primitive] = &[
    number("exp", "exp4(x)", |x, _| Real::exp(x), |x, _| x.exp(), &[linear(-87.0, 88.0, 4.0), at(-1e3, 0.0)]),
    number(
        "exp_m1",
        "exp_m1_4(x)",
        |x, _| Real::exp_m1(x),
        |x, _| x.exp_m1(),
        &[linear(-20.0, 20.0, 4.0), near_zero(1e-7, 4.0)],
    ),
    number(
        "ln",
        "ln4(x)",
        |x, _| Real::ln(x),
        |x, _| x.ln(),
        &[logarithmic(1e-37, 1e38, 4.0), linear(0.5, 2.0, 4.0), at(1.0, 0.0)],
    ),
    number(
        "ln_1p_unit",
        "ln_1p_unit4(x)",
        |x, _| Real::ln_1p_unit(x),
        |x, _| x.ln_1p(),
        &[linear(0.0, 1.0, 6.0), logarithmic(1e-30, 1.0, 6.0)],
    ),
    number(
        "tanh",
        "tanh4(x)",
        |x, _| Real::tanh(x),
        |x, _| x.tanh(),
        // One driver's own tanh gives 0 near 44 and NaN beyond.
        &[linear(-12.0, 12.0, 4.0), near_zero(1e-30, 4.0), at(44.5, 1.0), at(-1e30, 1.0)],
    ),
    number(
        "erfc",
        "erfc4(x)",
        |x, _| Real::erfc(x),
        |x, _| libm::erfc(x),
        // The exponent -z^2 is rounded at its own size: in the tail the relative error grows with it.
        &[linear(-5.0, 1.0, 8.0), linear(1.0, 3.0, 24.0), linear(3.0, 9.0, 160.0)],
    ),
    // WGSL: the error of 1/inverseSqrt(x), which are 2.5 and 2 ULP.
    number(
        "sqrt",
        "sqrt(x)",
        |x, _| x.sqrt(),
        |x, _| x.sqrt(),
        &[logarithmic(1e-37, 1e38, 4.5), at(0.0, 0.0)],
    ),
    // WGSL: 2.5 ULP.
    number("divide", "x / y", |x, y| x / y, |x, y| x / y, &[logarithmic(1e-18, 1e18, 2.5)]),
    words(
        "is_finite",
        "vec4<u32>(vec4<bool>(is_finite(x.x), is_finite(x.y), is_finite(x.z), is_finite(x.w)))",
        |a, _| a.map(|bits| u32::from(f32::from_bits(bits).is_finite())),
        || BITS.chunks(4).map(|four| [std::array::from_fn(|lane| four[lane]), [0; 4]]).collect(),
    ),
    words("philox4x32", "philox4x32(a, b.xy)", |a, b| random::philox4x32(a, [b[0], b[1]]), counters),
    words(
        "uniform",
        "bitcast<vec4<u32>>(uniform4(a))",
        |a, _| a.map(|word| random::uniform(word).to_bits()),
        counters,
    ),
    words(
        "permute",
        "vec4<u32>(permute(a.x, a.y, a.z, shuffle_keys(a.w, b.z, b.xy)))",
        |[position, count, _, epoch], [low, high, stream, _]| {
            let seed = u64::from(low) | u64::from(high) << 32;
            [Permutation::new(seed, epoch, stream, count).at(position); 4]
        },
        positions,
    ),
    // Sums and products with what their rounding leaves out, exact as pairs: what kernel machines are solved with.
    words(
        "two_sum",
        "bitcast<vec4<u32>>(vec4<f32>(two_sum4(x, y).high.xy, two_sum4(x, y).low.xy))",
        |a, b| with_rest(a, b, |x, y| x + y, |x, y| x + y),
        || pairs_of_numbers(40),
    ),
    words(
        "two_product",
        "bitcast<vec4<u32>>(vec4<f32>(two_product4(x, y).high.xy, two_product4(x, y).low.xy))",
        |a, b| with_rest(a, b, |x, y| x * y, |x, y| x * y),
        || pairs_of_numbers(80),
    ),
];

/// One of the functions.
pub struct Primitive {
    /// Its name.
    pub name: &'static str,
    /// WGSL of it, over `x` and `y` (four numbers each) or `a` and `b` (their bits).
    pub shader: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What a primitive is made of.
pub enum Kind {
    /// A function of one number, or of two, lane by lane.
    Number {
        /// As the engine on the processor computes it.
        host: fn(f32, f32) -> f32,
        /// At f64.
        exact: fn(f64, f64) -> f64,
        /// Where it is swept.
        sweeps: &'static [Sweep],
    },
    /// Integer arithmetic, equal to the bit everywhere.
    Words {
        /// What it gives.
        host: fn(Words, Words) -> Words,
        /// What it is tried on.
        operands: fn() -> Vec<[Words; 2]>,
    },
}

/// A range of arguments, or a single one.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// How points lie in it.
    pub spacing: Spacing,
    /// The largest error allowed, in units in the last place of the exact value.
    pub units: f64,
}

/// How the points of a sweep are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// Evenly.
    Linear,
    /// Evenly in the logarithm.
    Logarithmic,
    /// Evenly in the logarithm of the magnitude, of both signs.
    NearZero,
}

impl Sweep {
    /// The argument at a share, in [0, 1], of the range.
    pub fn at(&self, share: f64) -> f32 {
        let log = |share: f64| (self.low.ln() + share * (self.high.ln() - self.low.ln())).exp();
        let x = match self.spacing {
            Spacing::Linear => self.low + share * (self.high - self.low),
            Spacing::Logarithmic => log(share),
            Spacing::NearZero if share < 0.5 => -log(1.0 - 2.0 * share),
            Spacing::NearZero => log(2.0 * share - 1.0),
        };
        x as f32
    }
}

impl Primitive {
    /// What the engine on the processor gives.
    pub fn compute(&self, [a, b]: [Words; 2]) -> Words {
        match self.kind {
            Kind::Number { host, .. } => {
                std::array::from_fn(|lane| host(f32::from_bits(a[lane]), f32::from_bits(b[lane])).to_bits())
            }
            Kind::Words { host, .. } => host(a, b),
        }
    }
}

const fn number(
    name: &'static str,
    shader: &'static str,
    host: fn(f32, f32) -> f32,
    exact: fn(f64, f64) -> f64,
    sweeps: &'static [Sweep],
) -> Primitive {
    Primitive { name, shader, kind: Kind::Number { host, exact, sweeps } }
}

const fn words(
    name: &'static str,
    shader: &'static str,
    host: fn(Words, Words) -> Words,
    operands: fn() -> Vec<[Words; 2]>,
) -> Primitive {
    Primitive { name, shader, kind: Kind::Words { host, operands } }
}

const fn linear(low: f64, high: f64, units: f64) -> Sweep {
    Sweep { low, high, spacing: Spacing::Linear, units }
}

const fn logarithmic(low: f64, high: f64, units: f64) -> Sweep {
    Sweep { low, high, spacing: Spacing::Logarithmic, units }
}

const fn near_zero(low: f64, units: f64) -> Sweep {
    Sweep { low, high: 1.0, spacing: Spacing::NearZero, units }
}

const fn at(x: f64, units: f64) -> Sweep {
    linear(x, x, units)
}

/// Zeros, ones, the ends of the range, infinities and NaN of several payloads, of both signs.
const BITS: [u32; 16] = [
    0,
    0x8000_0000,
    1,
    0x007f_ffff,
    0x0080_0000,
    0x3f80_0000,
    0xbf80_0000,
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000,
    0x7f80_0001,
    0x7fc0_0000,
    0xffc0_0000,
    0x7fff_ffff,
    0xffff_ffff,
];

/// Counters and keys: those of Random123's known answers, and others.
fn counters() -> Vec<[Words; 2]> {
    let known = [
        [[0; 4], [0; 4]],
        [[u32::MAX; 4], [u32::MAX; 4]],
        [[0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0, 0, 0]],
    ];
    let more = (0..64_u32).map(|i| {
        let word = |salt: u32| (i + 1).wrapping_mul(salt);
        [
            [i, word(0x9e37_79b9), word(0x85eb_ca6b), word(0xc2b2_ae35)],
            [word(0x27d4_eb2f), word(0x1656_67b1), 0, 0],
        ]
    });
    known.into_iter().chain(more).collect()
}

/// Of two lanes: the rounded result, then what rounding left out, which f64 gives exactly.
fn with_rest(a: Words, b: Words, rounded: fn(f32, f32) -> f32, exact: fn(f64, f64) -> f64) -> Words {
    let lane = |lane: usize| {
        let (x, y) = (f32::from_bits(a[lane]), f32::from_bits(b[lane]));
        let high = rounded(x, y);
        [high, (exact(x.into(), y.into()) - f64::from(high)) as f32].map(f32::to_bits)
    };
    let ([first, first_rest], [second, second_rest]) = (lane(0), lane(1));
    [first, second, first_rest, second_rest]
}

/// Numbers of all mantissas and both signs, and of magnitudes within this ratio in powers of 2, so that f64 holds
/// what f32 cannot. No product of them is exact: the sign of a rest that is 0 is anybody's.
fn pairs_of_numbers(spread: u32) -> Vec<[Words; 2]> {
    let number = |i: u32, salt: u32| {
        let word = random::philox4x32([i, salt, 0, 0], [7, 11]);
        let exponent = 127 - spread / 4 + word[1] % (spread / 2);
        (word[0] & 0x8000_0000) | exponent << 23 | (word[0] & 0x007f_fffe) | 1
    };
    (0..4096)
        .map(|i| [0, 1].map(|operand| std::array::from_fn(|lane| number(i, operand * 4 + lane as u32))))
        .collect()
}

/// Positions among row counts small and large, with epochs, streams and keys.
fn positions() -> Vec<[Words; 2]> {
    let counts = [1, 2, 3, 5, 16, 17, 344, 4097, 1_000_003, 1 << 30];
    let each = |count: u32| {
        [0, count / 3, count / 2, count - 1].into_iter().zip(0_u32..).map(move |(position, i)| {
            let key = [0x1234_5678_u32.wrapping_mul(i + 1), count ^ i, i, 0];
            [[position, count, Permutation::half_bits(count), 7 * i], key]
        })
    };
    counts.into_iter().flat_map(each).collect()
}
