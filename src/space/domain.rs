//! The values that one hyperparameter can take, their distribution, and their place in [0, 1].
//!
//! Logarithms and exponentials are libm's, so that a seed proposes the same bits on every platform.

use super::{Value, value_text};
use crate::error::{Error, Result};

/// The values that one hyperparameter can take.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// One value.
    Fixed(Value),
    /// Real numbers of a range, both ends included.
    Float {
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
        /// Uniform in the logarithm, else uniform.
        log: bool,
        /// Only low + k·step, all equally likely. Not with `log`.
        step: Option<f64>,
    },
    /// Whole numbers low + k·step of a range, both ends included.
    Int {
        /// The smallest.
        low: i64,
        /// The largest, where the step meets it.
        high: i64,
        /// v with probability proportional to ln(v + step) − ln(v), else all equally likely.
        log: bool,
        /// At least 1.
        step: i64,
    },
    /// One of a list, all equally likely.
    Choice(Vec<Value>),
}

impl Domain {
    /// Refuses a domain without values, without a distribution, or with values that are not finite.
    pub fn check(&self, place: &str) -> Result<()> {
        match self {
            Self::Fixed(value) => check_value(value, place),
            Self::Float { low, high, log, step } => check_float(place, *low, *high, *log, *step),
            Self::Int { low, high, log, step } => check_int(place, *low, *high, *log, *step),
            Self::Choice(values) => check_choice(place, values),
        }
    }

    /// How many values; `None` for a continuous range.
    pub fn size(&self) -> Option<u128> {
        match self {
            Self::Fixed(_) => Some(1),
            Self::Float { step: None, .. } => None,
            Self::Float { low, high, step: Some(step), .. } => Some(step_count(*low, *high, *step)),
            Self::Int { low, high, step, .. } => Some(int_count(*low, *high, *step)),
            Self::Choice(values) => Some(values.len() as u128),
        }
    }

    /// The value at an index below [`size`](Self::size), in ascending order or that of the list; of a
    /// continuous range the smallest.
    pub fn at(&self, index: u128) -> Value {
        match self {
            Self::Fixed(value) => value.clone(),
            Self::Float { low, step: None, .. } => Value::Float(*low),
            Self::Float { low, high, step: Some(step), .. } => {
                Value::Float(tidy(low + index as f64 * step).clamp(*low, *high))
            }
            Self::Int { low, step, .. } => {
                Value::Int((i128::from(*low) + index as i128 * i128::from(*step)) as i64)
            }
            Self::Choice(values) => values[index as usize].clone(),
        }
    }

    /// The index of a value of a finite domain.
    pub fn index(&self, value: &Value) -> Option<u128> {
        match self {
            Self::Fixed(own) => own.same(value).then_some(0),
            Self::Float { step: None, .. } => None,
            Self::Float { low, high, step: Some(step), .. } => {
                let value = real(value)?;
                let nearest = ((value - low) / step).round();
                let inside =
                    (*low..=*high).contains(&value) && (low + nearest * step - value).abs() <= 1e-9 * step;
                inside.then_some(nearest as u128)
            }
            Self::Int { low, high, step, .. } => {
                let Value::Int(value) = value else { return None };
                let above = i128::from(*value) - i128::from(*low);
                let inside = (*low..=*high).contains(value) && above % i128::from(*step) == 0;
                inside.then(|| (above / i128::from(*step)) as u128)
            }
            Self::Choice(values) => values.iter().position(|own| own.same(value)).map(|index| index as u128),
        }
    }

    /// Whether the value lies inside.
    pub fn contains(&self, value: &Value) -> bool {
        match self {
            Self::Float { low, high, step: None, .. } => {
                real(value).is_some_and(|value| (*low..=*high).contains(&value))
            }
            _ => self.index(value).is_some(),
        }
    }

    /// A value of a finite domain as the domain itself has it: 1 becomes 1.0 among real numbers.
    pub fn own(&self, value: &Value) -> Option<Value> {
        self.index(value).map(|index| self.at(index))
    }

    /// The value at a place in [0, 1]; a uniform place gives the domain's distribution.
    pub fn decode(&self, unit: f64) -> Value {
        let unit = unit.clamp(0.0, 1.0);
        match self {
            Self::Float { low, high, log, step: None } => Value::Float(between(*low, *high, *log, unit)),
            Self::Int { low, log: true, step, .. } => {
                let (bottom, top) = self.log_ends();
                let above = libm::exp(bottom + unit * (top - bottom)) - *low as f64;
                self.at(self.within((above / *step as f64).floor()))
            }
            _ => self.at(self.within((unit * self.size().unwrap_or(1) as f64).floor())),
        }
    }

    /// The middle of the places that decode to this value; `None` where it lies outside.
    pub fn encode(&self, value: &Value) -> Option<f64> {
        if !self.contains(value) {
            return None;
        }
        let unit = match self {
            Self::Float { low, high, log: true, step: None } => {
                let (bottom, top) = (libm::log(*low), libm::log(*high));
                (libm::log(real(value)?) - bottom) / (top - bottom)
            }
            // Halved first: the width of the whole range of f64 is not finite.
            Self::Float { low, high, log: false, step: None } => {
                (real(value)? / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)
            }
            Self::Int { log: true, step, .. } => {
                let (bottom, top) = self.log_ends();
                let value = real(value)?;
                (0.5 * (libm::log(value) + libm::log(value + *step as f64)) - bottom) / (top - bottom)
            }
            _ => (self.index(value)? as f64 + 0.5) / self.size()? as f64,
        };
        Some(unit.clamp(0.0, 1.0))
    }

    /// The ends of the places that decode to this value, equal in a continuous range; `None` where it lies
    /// outside.
    pub fn cell(&self, value: &Value) -> Option<(f64, f64)> {
        match self {
            Self::Float { step: None, .. } => self.encode(value).map(|place| (place, place)),
            Self::Int { log: true, step, .. } if self.contains(value) => {
                let (bottom, top) = self.log_ends();
                let place = |end: f64| ((libm::log(end) - bottom) / (top - bottom)).clamp(0.0, 1.0);
                let value = real(value)?;
                Some((place(value), place(value + *step as f64)))
            }
            _ => {
                let (index, size) = (self.index(value)? as f64, self.size()? as f64);
                Some((index / size, ((index + 1.0) / size).min(1.0)))
            }
        }
    }

    /// ln low and ln(largest + step) of a logarithmic range of whole numbers.
    fn log_ends(&self) -> (f64, f64) {
        let Self::Int { low, step, .. } = self else { return (0.0, 1.0) };
        let end = i128::from(*low) + self.size().unwrap_or(1) as i128 * i128::from(*step);
        (libm::log(*low as f64), libm::log(end as f64))
    }

    /// A computed index, kept inside whatever its rounding.
    fn within(&self, index: f64) -> u128 {
        (index.max(0.0) as u128).min(self.size().unwrap_or(1) - 1)
    }
}

/// The number at a share of the way from `low` to `high`, or of the way between their logarithms; the
/// ends are exact.
pub(crate) fn between(low: f64, high: f64, log: bool, share: f64) -> f64 {
    let value = match share {
        0.0 => low,
        1.0 => high,
        _ if log => libm::exp(libm::log(low) * (1.0 - share) + libm::log(high) * share),
        _ => low * (1.0 - share) + high * share,
    };
    value.clamp(low, high)
}

/// Rounds to 15 significant digits, so that 0.1 + 2·0.1 is 0.3.
pub(crate) fn tidy(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn int_count(low: i64, high: i64, step: i64) -> u128 {
    ((i128::from(high) - i128::from(low)) / i128::from(step)) as u128 + 1
}

/// A step that meets the upper end but for rounding reaches it.
fn step_count(low: f64, high: f64, step: f64) -> u128 {
    ((high - low) / step + 1e-9).floor() as u128 + 1
}

fn check_value(value: &Value, place: &str) -> Result<()> {
    match value {
        Value::Float(value) if !value.is_finite() => {
            Err(Error::usage(place, format!("{value}")).allowed("a finite number"))
        }
        _ => Ok(()),
    }
}

fn check_ends<T: PartialOrd + std::fmt::Debug>(place: &str, low: T, high: T) -> Result<()> {
    if low > high {
        return Err(Error::usage(place, format!("an inverted range, from {low:?} down to {high:?}"))
            .allowed("[smallest, largest]")
            .advice(format!("[{high:?}, {low:?}]")));
    }
    if low == high {
        return Err(Error::usage(place, format!("an empty range, from {low:?} to itself"))
            .allowed("[smallest, largest]")
            .advice(format!("a single value is written without a range: {low:?}")));
    }
    Ok(())
}

fn check_float(place: &str, low: f64, high: f64, log: bool, step: Option<f64>) -> Result<()> {
    for end in [low, high] {
        check_value(&Value::Float(end), place)?;
    }
    check_ends(place, low, high)?;
    if log && low <= 0.0 {
        return Err(Error::usage(place, format!("a logarithmic range that starts at {low:?}"))
            .allowed("a range above 0")
            .advice("a small positive start such as 1e-6, or uniform"));
    }
    match step {
        Some(_) if log => Err(Error::usage(place, "a step in a logarithmic range of real numbers")
            .allowed("step beside uniform or int")),
        // Written so that NaN fails.
        Some(step) if !(step > 0.0 && step <= high - low && (high - low) / step < 1e15) => Err(Error::usage(
            place,
            format!("a step of {step:?}"),
        )
        .allowed(format!("above 0, at most the range's width {:?}, at least 1e-15 of it", high - low))),
        _ => Ok(()),
    }
}

fn check_int(place: &str, low: i64, high: i64, log: bool, step: i64) -> Result<()> {
    check_ends(place, low, high)?;
    if log && low < 1 {
        return Err(Error::usage(place, format!("a logarithmic range that starts at {low}"))
            .allowed("a range of whole numbers from 1 on")
            .advice("a start of 1, or leave log = true out"));
    }
    if step < 1 || i128::from(step) > i128::from(high) - i128::from(low) {
        return Err(Error::usage(place, format!("a step of {step}"))
            .allowed(format!("1 to {}", i128::from(high) - i128::from(low))));
    }
    Ok(())
}

fn check_choice(place: &str, values: &[Value]) -> Result<()> {
    if values.is_empty() {
        return Err(Error::usage(place, "an empty list of choices")
            .allowed("at least one value")
            .advice("leave the hyperparameter out for its default"));
    }
    for (index, value) in values.iter().enumerate() {
        check_value(value, place)?;
        if values[..index].iter().any(|earlier| earlier.same(value)) {
            return Err(Error::usage(place, format!("{} is listed twice", value_text(value)))
                .allowed("each choice once"));
        }
    }
    Ok(())
}
