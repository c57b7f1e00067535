//! How busy the device was, for `--explain`.

use std::time::{Duration, Instant};

/// What was submitted and landed so far.
#[derive(Default)]
pub struct Usage {
    first: Option<Instant>,
    last: Option<Instant>,
    /// Seconds that the device worked, by its own time stamps where it has them.
    busy: f64,
    is_stamped: bool,
    submissions: u64,
    /// Sums over submissions: members that trained, and members that were there.
    trained: u64,
    held: u64,
}

impl Usage {
    /// Notes a submission that trains some of the members that are there.
    pub fn submitted(&mut self, at: Instant, trained: usize, held: usize) {
        self.first.get_or_insert(at);
        self.submissions += 1;
        self.trained += trained as u64;
        self.held += held as u64;
    }

    /// Notes that a submission came back, and says how many seconds it took: by its stamps, else since the
    /// one in front of it was done.
    pub fn landed(&mut self, submitted: Instant, stamped: Option<f64>) -> f64 {
        let now = Instant::now();
        let since = self.last.map_or(submitted, |last| last.max(submitted));
        let seconds = stamped.unwrap_or_else(|| (now - since).as_secs_f64());
        self.is_stamped |= stamped.is_some();
        self.busy += seconds;
        self.last = Some(now);
        seconds
    }

    /// One line; `None` before anything was submitted.
    pub fn line(&self) -> Option<String> {
        let elapsed: Duration = self.last? - self.first?;
        let share = (self.busy / elapsed.as_secs_f64().max(1e-9)).min(1.0);
        let how = if self.is_stamped { "by its time stamps" } else { "by the host's clock, waits included" };
        let mean = self.trained as f64 / self.submissions as f64;
        Some(format!(
            "device busy {:.0} % of {:.2} s ({how}) in {} submissions of {:.1} ms; {mean:.1} members trained in each, {:.0} % of those on the device",
            100.0 * share,
            elapsed.as_secs_f64(),
            self.submissions,
            1e3 * self.busy / self.submissions as f64,
            100.0 * self.trained as f64 / (self.held as f64).max(1.0),
        ))
    }
}
