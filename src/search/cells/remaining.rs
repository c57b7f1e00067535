//! The cells that are left of a space: those that meet its constraints and were not taken already, numbered
//! without gaps in the order of the cells.
//!
//! They are found by walking the tree of the cells depth first. A constraint is judged as soon as all that it
//! names is assigned, so that what it forbids is left out in one piece, and what no constraint names is
//! counted, not walked.

use super::{Cells, with};
use crate::space::{Configuration, Constraint, Space};
use std::collections::BTreeSet;

/// Values assigned in one walk; what lies behind is looked at when it is asked for.
const MOST_STEPS: u64 = 1_000_000;

/// Cells in a row.
#[derive(Clone, Copy)]
struct Run {
    /// The first.
    start: u128,
    /// How many of the walk are before it.
    before: u128,
}

/// The cells that are left.
pub struct Remaining {
    cells: Cells,
    constraints: Vec<Constraint>,
    /// Cells that do not count.
    taken: BTreeSet<u128>,
    /// How many of those left were before the walk.
    before: u128,
    walk: Walk,
}

/// Part of the tree, from a cell on.
#[derive(Default)]
struct Walk {
    runs: Vec<Run>,
    /// How many cells are left in this part.
    len: u128,
    /// The cell at which it stopped; `None` where that is behind the last.
    next: Option<u128>,
    steps: u64,
}

impl Remaining {
    /// The cells that meet the constraints of the space, but for those taken.
    pub fn new(space: &Space, cells: Cells, taken: BTreeSet<u128>) -> Self {
        let constraints = space.constraints.clone();
        let mut remaining = Self { cells, constraints, taken, before: 0, walk: Walk::default() };
        remaining.walk_from(0);
        remaining
    }

    /// How many; `None` where they are too many to be looked at.
    pub fn len(&self) -> Option<u128> {
        (self.cells.len().is_some() && self.before == 0 && self.walk.next.is_none()).then_some(self.walk.len)
    }

    /// Whether one was found in the part that was looked at last.
    pub fn has_any(&self) -> bool {
        self.walk.len > 0
    }

    /// How many at most; `None` where they are 2¹²⁸ or more.
    pub fn most(&self) -> Option<u128> {
        self.len().or(self.cells.len())
    }

    /// How many, whatever it takes.
    pub fn count(&mut self) -> u128 {
        while let Some(next) = self.walk.next {
            self.before += self.walk.len;
            self.walk_from(next);
        }
        self.before + self.walk.len
    }

    /// The configuration of one that is left; `None` beyond the last, and where there are too many to number.
    pub fn at(&mut self, index: u128) -> Option<Configuration> {
        self.cells.len()?;
        if index < self.before {
            self.before = 0;
            self.walk_from(0);
        }
        while index >= self.before + self.walk.len {
            let next = self.walk.next?;
            self.before += self.walk.len;
            self.walk_from(next);
        }
        let index = index - self.before;
        let run = self.walk.runs[self.walk.runs.partition_point(|run| run.before <= index) - 1];
        self.cells.at(run.start + index - run.before)
    }

    fn walk_from(&mut self, from: u128) {
        let mut walk = Walk::default();
        let names = &self.cells.names;
        let due: Vec<usize> = self
            .constraints
            .iter()
            .filter_map(|constraint| names.iter().rposition(|name| constraint.names().contains(name)))
            .collect();
        let tree = Tree {
            cells: &self.cells,
            constraints: &self.constraints,
            taken: &self.taken,
            judged_at: due.iter().max().map_or(0, |position| position + 1),
            due,
            from,
        };
        if self.cells.len().is_some() {
            tree.walk(&mut walk, 0, &vec![false; names.len()], &mut Configuration::new(), 0);
        }
        self.walk = walk;
    }
}

/// What is walked.
struct Tree<'a> {
    cells: &'a Cells,
    constraints: &'a [Constraint],
    taken: &'a BTreeSet<u128>,
    /// (constraint) the position behind which all of its names are assigned.
    due: Vec<usize>,
    /// From this position on nothing is judged any more.
    judged_at: usize,
    /// Cells before this one are passed over.
    from: u128,
}

impl Tree<'_> {
    /// Walks the cells from `first` on that share what is assigned before `position`.
    fn walk(
        &self,
        walk: &mut Walk,
        position: usize,
        dead: &[bool],
        assigned: &mut Configuration,
        first: u128,
    ) {
        if position >= self.judged_at {
            let len = self.cells.counted(position, dead);
            return self.keep(walk, first, first + len);
        }
        if dead[position] {
            let dead = with(dead, &self.cells.children[position]);
            return self.walk(walk, position + 1, &dead, assigned, first);
        }
        let name = &self.cells.names[position];
        let mut base = first;
        for segment in &self.cells.segments[position] {
            let dead = with(dead, &segment.kills);
            let each = self.cells.counted(position + 1, &dead);
            let passed = self.from.saturating_sub(base).checked_div(each).unwrap_or(0);
            for index in passed..segment.len {
                let first = base + index * each;
                if walk.next.is_none() && walk.steps == MOST_STEPS {
                    walk.next = Some(first);
                }
                if walk.next.is_some() {
                    return;
                }
                walk.steps += 1;
                let value = self.cells.axes[position].at(segment.start + index);
                match assigned.get_mut(name) {
                    Some(slot) => *slot = value,
                    None => drop(assigned.insert(name.clone(), value)),
                }
                if !self.is_allowed(position, assigned) {
                    continue;
                }
                match position + 1 >= self.judged_at {
                    true => self.keep(walk, first, first + each),
                    false => self.walk(walk, position + 1, &dead, assigned, first),
                }
            }
            base += segment.len * each;
        }
        assigned.remove(name);
    }

    /// Whether the constraints hold whose names are assigned with this position.
    fn is_allowed(&self, position: usize, assigned: &Configuration) -> bool {
        let due = self.constraints.iter().zip(&self.due).filter(|(_, due)| **due == position);
        due.map(|(constraint, _)| constraint).all(|constraint| constraint.holds(assigned))
    }

    /// Takes in the cells of a range but for those taken.
    fn keep(&self, walk: &mut Walk, first: u128, end: u128) {
        let mut start = first;
        for &taken in self.taken.range(first.min(end)..end) {
            add(walk, start, taken);
            start = taken + 1;
        }
        add(walk, start, end);
    }
}

/// Adds cells to the last run where they follow it.
fn add(walk: &mut Walk, start: u128, end: u128) {
    if start >= end {
        return;
    }
    let follows = walk.runs.last().is_some_and(|run| run.start + (walk.len - run.before) == start);
    if !follows {
        walk.runs.push(Run { start, before: walk.len });
    }
    walk.len += end - start;
}
