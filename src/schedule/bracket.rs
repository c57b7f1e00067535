//! Brackets: trials that are compared at the same rungs, all of them at once.
//!
//! Of the n trials of a bracket, ⌊n/ηⁱ⌋ (at least 1) pass its first i rungs, the best of those that came to
//! the rung. One that ended by itself keeps its place with what it came to; one that diverged or failed has
//! none. The lower number wins a tie.
//!
//! Where a study ends within a bracket, n is the number of trials that there are. What was decided among them
//! stays when the study is extended: those that come later are ranked among all.

use super::{Decision, Place, Records};
use std::ops::Range;

/// The trials of a bracket, and one part in how many passes a rung.
pub struct Bracket {
    /// Their numbers.
    pub numbers: Range<u64>,
    /// η.
    pub factor: u64,
}

impl Bracket {
    /// What becomes of a trial that has come to a rung; `None` while others of the bracket have not.
    pub fn decide(&self, records: &Records, number: u64, rung: usize) -> Option<Decision> {
        let end = records.end().unwrap_or(u64::MAX).min(self.numbers.end);
        let numbers = self.numbers.start..end.max(number + 1);
        let is_settled = |other: u64| records.place(other, rung) != Place::Ahead;
        if !numbers.clone().all(is_settled) {
            return None;
        }
        let own = records.place(number, rung).ranked()?;
        let is_better = |other: &u64| {
            let loss = records.place(*other, rung).ranked();
            loss.is_some_and(|loss| loss < own || (loss == own && *other < number))
        };
        let rank = numbers.clone().filter(is_better).count() as u64;
        let places = self.places(numbers.end - numbers.start, rung);
        Some(if rank < places { Decision::Continue } else { Decision::Stop })
    }

    /// How many of so many trials pass a rung.
    fn places(&self, count: u64, rung: usize) -> u64 {
        (0..=rung).fold(count, |left, _| left / self.factor).max(1)
    }
}
