//! The mean of some numbers, and how far it may be off.

/// What numbers come to that are drawn from one whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// How many.
    pub count: usize,
    /// Their mean; NaN of none.
    pub mean: f64,
    /// Σ (x − mean)²/(count − 1); NaN of fewer than two.
    pub variance: f64,
}

impl Sample {
    /// Of numbers in their order, which the rounding of the sums depends on.
    pub fn of(numbers: &[f64]) -> Self {
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count: numbers.len(), mean, variance }
    }

    /// The standard deviation.
    pub fn deviation(&self) -> f64 {
        self.variance.sqrt()
    }

    /// Of the mean: the deviation by √count.
    pub fn standard_error(&self) -> f64 {
        (self.variance / self.count as f64).sqrt()
    }
}
