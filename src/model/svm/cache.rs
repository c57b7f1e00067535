//! Rows of a kernel matrix that does not fit: computed from the features when they are asked for, and those used last
//! are kept.
//!
//! What LIBSVM's cache does (Chang and Lin, ACM TIST 2, 2011, section 5.2). A row's bits are those of the whole
//! matrix ([`base`](super::base)), so a solution does not depend on how many rows fit.

use super::base::Columns;
use super::kernel::KernelNumber;
use super::rows::{KernelChoice, Rows};
use std::ops::Deref;

/// Fewest rows that are kept: a step needs two at a time, and its first was the last one's more often than not.
pub const FEWEST_ROWS: usize = 16;

/// Kernel rows within so many bytes. `C` owns or lends the features.
pub struct Cached<R, C> {
    choice: KernelChoice,
    columns: C,
    recent: Recent,
    /// (place, padded row); a place is allocated when it is first used.
    rows: Vec<Vec<R>>,
    features: Vec<R>,
}

impl<R: KernelNumber, C: Deref<Target = Columns<R>>> Cached<R, C> {
    /// The kernel matrix of all rows of `columns` with each other. At least [`FEWEST_ROWS`] are kept.
    pub fn new(choice: KernelChoice, columns: C, bytes: u64) -> Self {
        let row = (columns.stride() * size_of::<R>()).max(1) as u64;
        let fitting = usize::try_from(bytes / row).unwrap_or(usize::MAX);
        let places = fitting.max(FEWEST_ROWS).min(columns.count);
        let recent = Recent::new(columns.count, places);
        Self { choice, columns, recent, rows: Vec::new(), features: Vec::new() }
    }

    /// The place of a row, which is computed where it is not kept.
    fn place(&mut self, row: usize) -> usize {
        let (place, is_kept) = self.recent.touch(row);
        if !is_kept {
            if place == self.rows.len() {
                self.rows.push(vec![R::ZERO; self.columns.stride()]);
            }
            let (columns, out) = (&*self.columns, &mut self.rows[place]);
            columns.read(row, &mut self.features);
            columns.bases(self.choice.kernel.base(), &self.features, out);
            self.choice.apply(&mut out[..columns.count]);
        }
        place
    }
}

impl<R: KernelNumber, C: Deref<Target = Columns<R>>> Rows<R> for Cached<R, C> {
    fn diagonal(&self, row: usize) -> R {
        let mut value = [self.columns.own(self.choice.kernel.base(), row)];
        self.choice.apply(&mut value);
        value[0]
    }
    fn row(&mut self, row: usize) -> &[R] {
        let place = self.place(row);
        &self.rows[place]
    }
    fn pair(&mut self, first: usize, second: usize) -> (&[R], &[R]) {
        // What was used last is what the second one replaces last.
        let (first, second) = (self.place(first), self.place(second));
        (&self.rows[first], &self.rows[second])
    }
}

/// No place, no row.
const NONE: u32 = u32::MAX;

/// Which rows have one of a few places, and in what order they were used.
struct Recent {
    /// (row) Its place.
    place_of: Vec<u32>,
    /// (place) Its row, and the places used just before and just after it.
    entries: Vec<Entry>,
    most_places: usize,
    /// The place used last, and the one used longest ago.
    newest: u32,
    oldest: u32,
}

struct Entry {
    row: u32,
    older: u32,
    newer: u32,
}

impl Recent {
    fn new(row_count: usize, most_places: usize) -> Self {
        let entries = Vec::new();
        Self { place_of: vec![NONE; row_count], entries, most_places, newest: NONE, oldest: NONE }
    }

    /// Uses a row: its place, and whether it had it already. Else it takes a free one, or the one used longest ago.
    fn touch(&mut self, row: usize) -> (usize, bool) {
        let known = self.place_of[row];
        let place = match known {
            NONE if self.entries.len() < self.most_places => {
                self.entries.push(Entry { row: NONE, older: NONE, newer: NONE });
                self.entries.len() as u32 - 1
            }
            NONE => {
                let place = self.oldest;
                self.place_of[self.entries[place as usize].row as usize] = NONE;
                self.unlink(place);
                place
            }
            place => {
                self.unlink(place);
                place
            }
        };
        self.place_of[row] = place;
        self.entries[place as usize].row = row as u32;
        self.link(place);
        (place as usize, known != NONE)
    }

    fn unlink(&mut self, place: u32) {
        let Entry { older, newer, .. } = self.entries[place as usize];
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.entries[newer as usize].older = older,
        }
    }

    /// As the place used last.
    fn link(&mut self, place: u32) {
        let entry = &mut self.entries[place as usize];
        (entry.older, entry.newer) = (self.newest, NONE);
        match self.newest {
            NONE => self.oldest = place,
            newest => self.entries[newest as usize].newer = place,
        }
        self.newest = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_used_longest_ago_is_the_first_to_go() {
        let mut recent = Recent::new(10, 3);
        let mut touch = |row: usize| recent.touch(row);
        assert_eq!([touch(4), touch(7), touch(1)], [(0, false), (1, false), (2, false)]);
        assert_eq!([touch(4), touch(4)], [(0, true); 2]);
        // 7 was used before 1, and 4 last.
        assert_eq!([touch(9), touch(8)], [(1, false), (2, false)]);
        assert_eq!([touch(4), touch(9), touch(7)], [(0, true), (1, true), (2, false)]);
    }

    #[test]
    fn places_are_those_of_a_list_that_is_searched() {
        let mut recent = Recent::new(40, 7);
        let mut list: Vec<usize> = Vec::new();
        let mut state = 1_usize;
        for _ in 0..5000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let row = (state >> 33) % 40 % (1 + (state >> 50) % 40);
            let is_kept = list.contains(&row);
            assert_eq!(recent.touch(row).1, is_kept);
            list.retain(|&other| other != row);
            list.truncate(6);
            list.insert(0, row);
        }
    }
}
