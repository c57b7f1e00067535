//! How fast the device is, as far as it was seen: decides how much one submission does.

/// Floating-point operations: of all members, and of the one that takes longest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// Of all members.
    pub total: f64,
    /// Of the longest.
    pub longest: f64,
}

/// The rates of one kind of submission, in floating-point operations per second.
pub struct Pace {
    /// All members together.
    total: f64,
    /// The longest member, while the others train beside it.
    longest: f64,
}

impl Pace {
    /// A careful first guess.
    pub fn new(software: bool) -> Self {
        if software { Self { total: 1e9, longest: 5e8 } } else { Self { total: 2e11, longest: 1e9 } }
    }

    /// What fits in so many seconds.
    pub fn budget(&self, seconds: f64) -> Budget {
        Budget { total: seconds * self.total, longest: seconds * self.longest }
    }

    /// Learns from a submission; a running mean, so that one hiccup changes little.
    pub fn learn(&mut self, done: Budget, seconds: f64) {
        let seconds = seconds.max(1e-6);
        self.total += 0.5 * (done.total / seconds - self.total);
        self.longest += 0.5 * (done.longest / seconds - self.longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With one member the whole device's rate is that member's; a thousand then show what both are.
    #[test]
    fn a_budget_follows_what_was_seen() {
        let mut pace = Pace::new(false);
        let member = 1e10;
        for count in [1.0, 1000.0, 1.0] {
            for _ in 0..20 {
                pace.learn(Budget { total: count * member * 0.05, longest: member * 0.05 }, 0.05);
            }
            let budget = pace.budget(0.05);
            assert!((budget.total / (count * member * 0.05) - 1.0).abs() < 1e-3);
            assert!((budget.longest / (member * 0.05) - 1.0).abs() < 1e-3);
        }
    }
}
