//! How a run of CMA-ES begins, from restart to restart.

/// The population and the first step of a run, by BIPOP: runs with ever larger populations alternate with small
/// ones of random size and step, whichever kind has had fewer trials (Hansen, "Benchmarking a BI-population
/// CMA-ES on the BBOB-2009 function testbed", GECCO 2009).
#[derive(Clone, Debug)]
pub struct Regime {
    /// Members of a generation, before it is rounded up to whole batches.
    pub members: u64,
    /// The first step, as a share of each range.
    pub step: f64,
    /// Runs before this one.
    pub restarts: u64,
    /// Members and step of the first run.
    first: (u64, f64),
    /// The largest population of a run so far.
    largest: u64,
    /// Whether it is one of the larger populations, or the first run.
    pub is_large: bool,
    /// The trial that this run began with.
    begun: u64,
    /// Trials of large and of small runs before this one.
    spent: (u64, u64),
}

impl Regime {
    /// The first run.
    pub fn first(members: u64, step: f64) -> Self {
        Self {
            members,
            step,
            restarts: 0,
            first: (members, step),
            largest: members,
            is_large: true,
            begun: 0,
            spent: (0, 0),
        }
    }

    /// The run that begins with a trial, given two uniform numbers.
    ///
    /// A large run has twice the members of the last large one; a small run ⌊λ·(½·largest/λ)^(u²)⌋, and the step
    /// 10^(−2u′) of the first one's.
    pub fn next(&self, begin: u64, (first, second): (f64, f64)) -> Self {
        /// So that the numbers stay meaningful: more members than any study has trials.
        const MOST: u64 = 1 << 40;
        let used = begin - self.begun;
        let spent = match self.is_large {
            true => (self.spent.0 + used, self.spent.1),
            false => (self.spent.0, self.spent.1 + used),
        };
        let is_large = spent.1 >= spent.0;
        let largest = if is_large { (2 * self.largest).min(MOST) } else { self.largest };
        let ratio = 0.5 * largest as f64 / self.first.0 as f64;
        let small = self.first.0 as f64 * libm::pow(ratio, first * first);
        let (members, step) = match is_large {
            true => (largest, self.first.1),
            false => ((small as u64).max(4), self.first.1 * libm::pow(10.0, -2.0 * second)),
        };
        Self { members, step, restarts: self.restarts + 1, largest, is_large, begun: begin, spent, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first run counts as a large one: a small one follows, then whichever kind has had fewer trials.
    #[test]
    fn large_and_small_runs_share_the_trials() {
        let first = Regime::first(6, 0.1);
        let small = first.next(300, (0.5, 0.25));
        // 6·(1/2)^(1/4) and 0.1·10^(−1/2).
        assert_eq!((small.members, small.is_large, small.restarts), (5, false, 1));
        assert!((small.step - 0.031_622_776_601_683_8).abs() <= 1e-15);
        let small = small.next(400, (0.0, 0.0));
        assert_eq!((small.members, small.step, small.is_large), (6, 0.1, false));
        let large = small.next(600, (0.5, 0.5));
        assert_eq!((large.members, large.step, large.is_large, large.spent), (12, 0.1, true, (300, 300)));
        let next = large.next(1000, (0.9, 0.0)).next(1001, (0.0, 0.0));
        assert_eq!((next.members, next.largest, next.spent), (6, 12, (700, 301)));
    }

    #[test]
    fn populations_stay_countable() {
        let mut regime = Regime::first(6, 0.1);
        for trial in 0..2000 {
            regime = regime.next(trial * 1000, (0.99, 0.5));
            assert!((4..=1 << 40).contains(&regime.members));
        }
    }
}
