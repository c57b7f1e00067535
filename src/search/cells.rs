//! The configurations of a finite space, numbered: what a grid walks, and what a random search without
//! repetition has left.
//!
//! Cells are in row-major order, the last dimension fastest; a dimension that another one's condition
//! names comes before it, else they are in the order of the file. An inactive dimension adds no cells.

mod remaining;

pub use remaining::Remaining;

use crate::space::{Configuration, Dimension, Domain, Space, Value};
use std::collections::{BTreeSet, HashMap};

/// The values that one dimension takes, by index.
pub trait Axis: Send {
    /// How many; at least 1.
    fn len(&self) -> u128;
    /// The value at an index below the length.
    fn at(&self, index: u128) -> Value;
    /// The index of a value.
    fn index(&self, value: &Value) -> Option<u128>;
}

/// Every value of a finite domain.
pub(super) struct Whole(pub Domain);

impl Axis for Whole {
    fn len(&self) -> u128 {
        self.0.size().unwrap_or(1)
    }
    fn at(&self, index: u128) -> Value {
        self.0.at(index)
    }
    fn index(&self, value: &Value) -> Option<u128> {
        self.0.index(value)
    }
}

/// A run of values of one dimension that make the same other dimensions inactive.
struct Segment {
    start: u128,
    len: u128,
    /// Positions of the dimensions that it makes inactive.
    kills: Vec<usize>,
}

/// The numbered cells of a space. All positions are in the order of the cells, not of the file.
pub struct Cells {
    names: Vec<String>,
    axes: Vec<Box<dyn Axis>>,
    segments: Vec<Vec<Segment>>,
    /// Positions of the dimensions whose conditions name this one.
    children: Vec<Vec<usize>>,
    /// Cells of the dimensions from a position on, given which of them are inactive.
    counts: HashMap<(usize, Vec<bool>), u128>,
    len: Option<u128>,
}

/// Sets of inactive dimensions that are counted before the space is called uncountable.
const MOST_COUNTS: usize = 1_000_000;

impl Cells {
    /// All configurations of a space; `None` where a continuous range makes them endless.
    pub fn all(space: &Space) -> Option<Self> {
        let finite = space.dimensions.iter().all(|dimension| dimension.domain.size().is_some());
        finite.then(|| Self::new(space, |dimension| Box::new(Whole(dimension.domain.clone()))))
    }

    /// The cells of a space whose dimensions take the values of these axes.
    pub fn new(space: &Space, axis: impl Fn(&Dimension) -> Box<dyn Axis>) -> Self {
        let ordered: Vec<&Dimension> =
            space.order().into_iter().map(|index| &space.dimensions[index]).collect();
        let axes: Vec<Box<dyn Axis>> = ordered.iter().map(|dimension| axis(dimension)).collect();
        let children: Vec<Vec<usize>> = ordered.iter().map(|parent| children(&ordered, parent)).collect();
        let segments = (0..ordered.len())
            .map(|position| segments(&ordered, position, &children[position], &*axes[position]))
            .collect();
        let names = ordered.iter().map(|dimension| dimension.name.clone()).collect();
        let mut cells = Self { names, axes, segments, children, counts: HashMap::new(), len: None };
        cells.len = cells.count(0, &vec![false; ordered.len()]);
        cells
    }

    /// How many; `None` where they are 2¹²⁸ or more.
    pub fn len(&self) -> Option<u128> {
        self.len
    }

    /// Never: a space without dimensions has one cell.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The configuration of a cell; `None` beyond the last, and where there are too many to number.
    pub fn at(&self, mut cell: u128) -> Option<Configuration> {
        if cell >= self.len? {
            return None;
        }
        let mut configuration = Configuration::new();
        let mut dead = vec![false; self.names.len()];
        for position in 0..self.names.len() {
            if dead[position] {
                dead = with(&dead, &self.children[position]);
                continue;
            }
            for segment in &self.segments[position] {
                let after = with(&dead, &segment.kills);
                let each = self.counted(position + 1, &after);
                if cell < segment.len * each {
                    let value = self.axes[position].at(segment.start + cell / each);
                    configuration.insert(self.names[position].clone(), value);
                    cell %= each;
                    dead = after;
                    break;
                }
                cell -= segment.len * each;
            }
        }
        Some(configuration)
    }

    /// The cell of a configuration; `None` where it is none.
    pub fn index(&self, configuration: &Configuration) -> Option<u128> {
        self.len?;
        let mut cell = 0;
        let mut dead = vec![false; self.names.len()];
        for position in 0..self.names.len() {
            let value = configuration.get(&self.names[position]);
            if dead[position] {
                dead = with(&dead, &self.children[position]);
                match value {
                    None => continue,
                    Some(_) => return None,
                }
            }
            let index = self.axes[position].index(value?)?;
            let segments = &self.segments[position];
            let after = |segment: &Segment| with(&dead, &segment.kills);
            let cells_of = |segment: &Segment| self.counted(position + 1, &after(segment));
            let place = segments.iter().rposition(|segment| segment.start <= index)?;
            cell += segments[..place].iter().map(|segment| segment.len * cells_of(segment)).sum::<u128>();
            cell += (index - segments[place].start) * cells_of(&segments[place]);
            dead = after(&segments[place]);
        }
        configuration.keys().all(|name| self.names.contains(name)).then_some(cell)
    }

    /// What [`count`](Self::count) has counted.
    fn counted(&self, position: usize, dead: &[bool]) -> u128 {
        self.counts.get(&(position, dead[position..].to_vec())).copied().unwrap_or(0)
    }

    /// Cells of the dimensions from `position` on, `dead` ones being inactive.
    fn count(&mut self, position: usize, dead: &[bool]) -> Option<u128> {
        let key = (position, dead[position..].to_vec());
        if let Some(count) = self.counts.get(&key) {
            return Some(*count);
        }
        if self.counts.len() >= MOST_COUNTS {
            return None;
        }
        let count = if position == self.names.len() {
            1
        } else if dead[position] {
            self.count(position + 1, &with(dead, &self.children[position]))?
        } else {
            let runs: Vec<(u128, Vec<bool>)> =
                self.segments[position].iter().map(|run| (run.len, with(dead, &run.kills))).collect();
            runs.into_iter().try_fold(0_u128, |sum, (len, dead)| {
                sum.checked_add(len.checked_mul(self.count(position + 1, &dead)?)?)
            })?
        };
        self.counts.insert(key, count);
        Some(count)
    }
}

fn children(ordered: &[&Dimension], parent: &Dimension) -> Vec<usize> {
    let names_it = |child: &&Dimension| child.when.iter().any(|condition| condition.name == parent.name);
    ordered.iter().enumerate().filter(|(_, child)| names_it(child)).map(|(position, _)| position).collect()
}

/// Cuts the values of a dimension where a condition tells them apart.
fn segments(ordered: &[&Dimension], position: usize, children: &[usize], axis: &dyn Axis) -> Vec<Segment> {
    let name = &ordered[position].name;
    let conditions: Vec<(usize, Vec<u128>)> = children
        .iter()
        .flat_map(|&child| ordered[child].when.iter().map(move |condition| (child, condition)))
        .filter(|(_, condition)| condition.name == *name)
        .map(|(child, condition)| (child, condition.values.iter().filter_map(|v| axis.index(v)).collect()))
        .collect();
    let named: BTreeSet<u128> = conditions.iter().flat_map(|(_, indices)| indices).copied().collect();
    let cuts: BTreeSet<u128> =
        named.iter().flat_map(|&index| [index, index + 1]).chain([0, axis.len()]).collect();
    let cuts: Vec<u128> = cuts.into_iter().collect();
    cuts.windows(2)
        .map(|ends| Segment {
            start: ends[0],
            len: ends[1] - ends[0],
            kills: conditions
                .iter()
                .filter(|(_, indices)| !indices.contains(&ends[0]))
                .map(|(child, _)| *child)
                .collect(),
        })
        .collect()
}

fn with(dead: &[bool], kills: &[usize]) -> Vec<bool> {
    let mut dead = dead.to_vec();
    kills.iter().for_each(|&position| dead[position] = true);
    dead
}
