//! Numbers for people: few digits, and as many after the point in every row of a column.

use crate::space::Value;

/// A number with so many significant digits, trailing zeros left out.
pub fn significant(number: f64, digits: usize) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    let exponent = number.abs().log10().floor() as i32;
    if !(-4..7).contains(&exponent) {
        let text = format!("{number:.*e}", digits.saturating_sub(1));
        return match text.split_once('e') {
            Some((mantissa, exponent)) => format!("{}e{exponent}", without_zeros(mantissa)),
            None => text,
        };
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    without_zeros(&format!("{number:.decimals$}")).to_owned()
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// How a column of scores is written, so that its numbers can be compared at a glance.
#[derive(Clone, Copy, Debug)]
pub struct Scores {
    /// Digits after the point; `None`: as powers of ten.
    decimals: Option<usize>,
}

impl Scores {
    /// Four significant digits of the best score.
    pub fn like(best: f64) -> Self {
        // A perfect 1 has as many decimals as what is just below it.
        let below = best.abs() * (1.0 - 1e-6);
        let exponent = if best == 0.0 || !best.is_finite() { 0.0 } else { below.log10().floor() };
        Self {
            decimals: (-7.0..15.0).contains(&exponent).then(|| (3.0 - exponent).clamp(0.0, 10.0) as usize),
        }
    }

    /// One score.
    pub fn text(self, score: f64) -> String {
        match self.decimals {
            Some(decimals) => format!("{score:.decimals$}"),
            None => format!("{score:.3e}"),
        }
    }
}

/// The value of a hyperparameter without quotes, every digit kept.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => crate::space::value_text(other),
    }
}

/// The value of a hyperparameter in few digits.
pub fn short(value: &Value) -> String {
    match value {
        Value::Float(number) => significant(*number, 3),
        other => plain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_significant_digits() {
        let cases = [
            (0.0, "0"),
            (1.0, "1"),
            (0.001234, "0.00123"),
            (0.1, "0.1"),
            (123456.0, "123456"),
            (1.5e-6, "1.5e-6"),
            (2e30, "2e30"),
            (-0.25, "-0.25"),
            (f64::NAN, "NaN"),
        ];
        for (number, expected) in cases {
            assert_eq!(significant(number, 3), expected);
        }
    }

    #[test]
    fn scores_of_a_column_have_equal_decimals() {
        assert_eq!(Scores::like(0.9941).text(0.5), "0.5000");
        assert_eq!(Scores::like(1.0).text(0.998), "0.9980");
        assert_eq!(Scores::like(532.17).text(1234.56), "1234.6");
        assert_eq!(Scores::like(0.0).text(0.5), "0.500");
        assert_eq!(Scores::like(1e20).text(1e20), "1.000e20");
    }
}
