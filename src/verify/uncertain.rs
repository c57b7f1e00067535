//! Numbers with the standard deviation of their rounding error, and sums of products of them.

/// Unit roundoff of f32, 2⁻²⁴.
pub const UNIT: f64 = 1.0 / 16_777_216.0;

/// Standard deviations that a comparison allows. The worst of about 10⁷ comparisons (100 seeds) of the
/// CPU engine lies at 1.8; the rest is for devices whose `exp`, division and root round worse (WGSL
/// allows 3 + 2|x| and 2.5 ULP). A gradient that is wrong by 2·10⁻⁵ of itself is still caught.
pub const WIDTH: f64 = 8.0;

/// Below this, numbers may be flushed to 0 anywhere on the way: 64·2⁻¹²⁶.
pub const SUBNORMAL: f64 = 64.0 * f32::MIN_POSITIVE as f64;

/// Numbers, and beside each the standard deviation of the rounding error that f32 arithmetic gives it.
#[derive(Clone, Debug, Default)]
pub struct Uncertain {
    /// The numbers.
    pub value: Vec<f64>,
    /// (same shape) their standard deviations.
    pub spread: Vec<f64>,
}

impl Uncertain {
    /// Numbers known exactly.
    pub fn exact(value: Vec<f64>) -> Self {
        let spread = vec![0.0; value.len()];
        Self { value, spread }
    }

    /// So many zeros.
    pub fn zeros(count: usize) -> Self {
        Self::exact(vec![0.0; count])
    }

    /// A number and its standard deviation.
    pub fn at(&self, index: usize) -> (f64, f64) {
        (self.value[index], self.spread[index])
    }
}

/// Adds up products with their uncertainties.
#[derive(Default)]
pub struct Sum {
    value: f64,
    magnitude: f64,
    variance: f64,
    /// Sum of |partial sums|: each addition rounds at the size of its result.
    partial: f64,
    count: f64,
}

impl Sum {
    /// Adds a·b.
    pub fn add(&mut self, (a, a_spread): (f64, f64), (b, b_spread): (f64, f64)) {
        self.value += a * b;
        self.magnitude += (a * b).abs();
        self.partial += self.value.abs();
        self.variance += (a_spread * b).powi(2) + (a * b_spread).powi(2);
        self.count += 1.0;
    }

    /// The sum, and its standard deviation with that of the summation itself.
    pub fn finish(&self) -> (f64, f64) {
        // In a row of equal terms all additions may round the same way: a comparison allows for it.
        let alike = UNIT * self.partial / WIDTH;
        let summation = (1.0 + 0.25 * self.count.sqrt()) * UNIT * self.magnitude + alike;
        let underflow = f64::from(f32::MIN_POSITIVE);
        (self.value, (self.variance + summation * summation).sqrt().hypot(underflow))
    }
}

/// Collects numbers with their uncertainties.
pub fn collect(pairs: impl Iterator<Item = (f64, f64)>) -> Uncertain {
    let (value, spread) = pairs.unzip();
    Uncertain { value, spread }
}
