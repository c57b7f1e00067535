//! What a device can do at most, measured: how many multiply-adds a second, and how many bytes it copies.
//!
//! Both are found by doing just that and nothing else, with outcomes that are checked: a compiler that
//! left the work out would otherwise be the fastest device of all.

use crate::error::Result;
use std::time::{Duration, Instant};

/// A run shorter than this says more of the clock and of the submission than of the work.
const SHORTEST: Duration = Duration::from_millis(20);

/// Before any run is timed, the device works for so long: clocks rise from idle only then.
const WARM_UP: Duration = Duration::from_millis(100);

/// Runs that are timed, after those that find how much work a run is.
const RUNS: usize = 7;

/// The middle one of several measurements, and the ends of their range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of measurements; `None` where there is none.
    pub fn of(mut measured: Vec<f64>) -> Option<Self> {
        measured.sort_by(f64::total_cmp);
        let (min, max) = (*measured.first()?, *measured.last()?);
        let middle = measured.len() / 2;
        let median = match measured.len() % 2 {
            0 => 0.5 * (measured[middle - 1] + measured[middle]),
            _ => measured[middle],
        };
        Some(Self { median, min, max })
    }

    /// The spread of `f` of each measurement, for an `f` that is monotone.
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let (low, high) = (f(self.min), f(self.max));
        Self { median: f(self.median), min: low.min(high), max: low.max(high) }
    }
}

/// A device's own limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ceilings {
    /// Floating-point operations a second, in single precision: a fused multiply-add is two.
    pub peak: Spread,
    /// Bytes a second of a copy in memory, those read and those written.
    pub copy: Spread,
    /// Bytes of the fast memory that one member's state can stay in: a workgroup's on a graphics device,
    /// a core's second cache on a processor.
    pub on_chip: u64,
}

/// How much of `work` is done a second. `work` does so much of it as it is told to, at least `least` and at
/// most `most`; it is told to do more until it takes long enough to be timed.
pub fn rate(least: u64, most: u64, mut work: impl FnMut(u64) -> Result<()>) -> Result<Spread> {
    let mut time = |amount: u64| -> Result<Duration> {
        let start = Instant::now();
        work(amount)?;
        Ok(start.elapsed())
    };
    let (mut amount, start) = (least, Instant::now());
    loop {
        let elapsed = time(amount)?;
        if elapsed >= SHORTEST || amount == most {
            match start.elapsed() >= WARM_UP {
                true => break,
                false => continue,
            }
        }
        // The first runs also wake the device: more than tenfold would be a guess.
        let factor = 1.3 * SHORTEST.as_secs_f64() / elapsed.as_secs_f64().max(1e-6);
        amount = ((amount as f64 * factor.clamp(1.3, 10.0)).ceil() as u64).min(most);
    }
    let rates = (0..RUNS).map(|_| Ok(amount as f64 / time(amount)?.as_secs_f64()));
    let rates: Vec<f64> = rates.collect::<Result<_>>()?;
    Ok(Spread::of(rates).expect("there were runs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_and_the_range() {
        let spread = |median, min, max| Some(Spread { median, min, max });
        assert_eq!(Spread::of(vec![]), None);
        assert_eq!(Spread::of(vec![3.0]), spread(3.0, 3.0, 3.0));
        assert_eq!(Spread::of(vec![5.0, 1.0, 2.0]), spread(2.0, 1.0, 5.0));
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 3.0]), spread(2.5, 1.0, 4.0));
        assert_eq!(Spread::of(vec![4.0, 1.0]).map(|s| s.map(|x| 1.0 / x)), spread(0.4, 0.25, 1.0));
    }

    #[test]
    fn a_rate_is_amount_by_time_of_runs_that_are_long_enough() {
        let mut longest = Duration::ZERO;
        let measured = rate(1, 1 << 20, |amount| {
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(100 * amount) {}
            longest = longest.max(start.elapsed());
            Ok(())
        });
        let measured = measured.unwrap();
        assert!(longest >= SHORTEST);
        assert!(measured.max <= 10_000.0 && measured.max > 5_000.0, "{measured:?}");
    }
}
