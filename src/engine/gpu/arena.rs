//! Ranges of a buffer handed out and taken back: first fit over a list of free ranges.

use std::collections::BTreeMap;

/// The free ranges of a buffer, in whatever unit its user counts.
#[derive(Clone, Debug)]
pub struct Arena {
    /// Start → length, never adjacent.
    free: BTreeMap<u32, u32>,
}

impl Arena {
    /// An arena of `capacity` units, all free.
    pub fn new(capacity: u32) -> Self {
        Self { free: BTreeMap::from([(0, capacity)]) }
    }

    /// Takes `length` units, the lowest range that fits.
    pub fn take(&mut self, length: u32) -> Option<u32> {
        let (&start, &found) = self.free.iter().find(|(_, found)| **found >= length)?;
        self.free.remove(&start);
        if found > length {
            self.free.insert(start + length, found - length);
        }
        Some(start)
    }

    /// Gives a taken range back.
    pub fn give(&mut self, start: u32, length: u32) {
        let (mut start, mut length) = (start, length);
        if let Some(after) = self.free.remove(&(start + length)) {
            length += after;
        }
        if let Some((&before, &before_length)) = self.free.range(..start).next_back()
            && before + before_length == start
        {
            self.free.remove(&before);
            start = before;
            length += before_length;
        }
        self.free.insert(start, length);
    }

    /// How many ranges of `length` units could be taken.
    pub fn room(&self, length: u32) -> u32 {
        self.free.values().map(|found| found / length.max(1)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_never_overlap_and_come_back_whole() {
        let mut arena = Arena::new(100);
        let taken: Vec<u32> = (0..10).map(|_| arena.take(10).unwrap()).collect();
        assert_eq!(arena.take(1), None);
        for &start in taken.iter().step_by(2).chain(taken.iter().skip(1).step_by(2)) {
            arena.give(start, 10);
        }
        assert_eq!(arena.take(100), Some(0));
    }

    #[test]
    fn room_counts_what_fragmentation_leaves() {
        let mut arena = Arena::new(30);
        let first = arena.take(10).unwrap();
        arena.take(10).unwrap();
        arena.give(first, 10);
        assert_eq!(arena.room(10), 2);
        assert_eq!(arena.room(15), 0);
    }
}
