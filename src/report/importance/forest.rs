//! A random forest over the unit cube of a space, as regions with a value each.
//!
//! Regression trees on bootstrap samples (Breiman, "Random forests", 2001), all coordinates looked at in every split:
//! the one with the least sum of squares on both sides. The choices of a list are divided in two by the order of their
//! means, which finds the best of all divisions (Breiman et al., *Classification and Regression Trees*, 1984, section 9.4).

use crate::random::{Purpose, Stream};

/// A tree ends here where values still differ.
const MOST_DEPTH: u32 = 64;

/// What a coordinate of a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// A number in [0, 1].
    Number,
    /// The index of one of so many choices.
    Choice(usize),
}

/// Which part of an axis a region covers.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// From the first number up to the second.
    Between(f64, f64),
    /// (choice) whether it belongs.
    Choices(Vec<bool>),
}

impl Part {
    /// The whole axis.
    fn whole(axis: Axis) -> Self {
        match axis {
            Axis::Number => Self::Between(0.0, 1.0),
            Axis::Choice(count) => Self::Choices(vec![true; count]),
        }
    }

    /// Its share of the axis.
    pub fn size(&self) -> f64 {
        match self {
            Self::Between(low, high) => high - low,
            Self::Choices(belongs) => share(belongs.iter().copied()),
        }
    }

    /// The share of the axis that belongs to both of two parts of it.
    pub fn overlap(&self, other: &Self) -> f64 {
        match (self, other) {
            (Self::Between(a, b), Self::Between(c, d)) => (b.min(*d) - a.max(*c)).max(0.0),
            (Self::Choices(a), Self::Choices(b)) => share(a.iter().zip(b).map(|(a, b)| *a && *b)),
            _ => 0.0,
        }
    }

    fn contains(&self, place: f64) -> bool {
        match self {
            // The upper end belongs, as to the left side of a split.
            Self::Between(low, high) => (*low < place || *low == 0.0) && place <= *high,
            Self::Choices(belongs) => belongs[place as usize],
        }
    }
}

fn share(belongs: impl ExactSizeIterator<Item = bool>) -> f64 {
    let count = belongs.len();
    belongs.filter(|belongs| *belongs).count() as f64 / count as f64
}

/// A leaf of a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// (axis)
    pub parts: Vec<Part>,
    /// The mean of the values of its points.
    pub value: f64,
}

/// What trees are grown on.
pub struct Points<'a> {
    /// What the coordinates are.
    pub axes: &'a [Axis],
    /// (point, axis)
    pub places: &'a [Vec<f64>],
    /// (point) What is predicted.
    pub values: &'a [f64],
    /// A leaf has at least so many points.
    pub leaf_count: usize,
}

/// A tree.
pub struct Tree {
    /// Its leaves, which cover the cube.
    pub regions: Vec<Region>,
    /// (point) Whether it is in the tree's bootstrap sample.
    pub is_drawn: Vec<bool>,
}

impl Tree {
    /// The tree of this number, on a bootstrap sample of its own.
    pub fn grow(points: &Points<'_>, number: u32) -> Self {
        let count = points.values.len();
        let stream = Stream::new(0, Purpose::Report, 0, number, 0);
        let draw = |draw: usize| ((u64::from(stream.word(draw as u32)) * count as u64) >> 32) as usize;
        let drawn: Vec<usize> = (0..count).map(draw).collect();
        let mut is_drawn = vec![false; count];
        drawn.iter().for_each(|&point| is_drawn[point] = true);
        let whole: Vec<Part> = points.axes.iter().map(|axis| Part::whole(*axis)).collect();
        let mut tree = Self { regions: Vec::new(), is_drawn };
        tree.divide(points, drawn, whole, MOST_DEPTH);
        tree
    }

    fn divide(&mut self, points: &Points<'_>, drawn: Vec<usize>, parts: Vec<Part>, depth: u32) {
        let Some(split) = Split::best(points, &drawn).filter(|_| depth > 0) else {
            let value = drawn.iter().map(|&point| points.values[point]).sum::<f64>() / drawn.len() as f64;
            self.regions.push(Region { parts, value });
            return;
        };
        let (mut left_parts, mut right_parts) = (parts.clone(), parts);
        let axis = split.axis;
        (left_parts[axis], right_parts[axis]) = split.halves(&left_parts[axis]);
        let is_left = |point: &usize| left_parts[axis].contains(points.places[*point][axis]);
        let (left, right): (Vec<usize>, Vec<usize>) = drawn.into_iter().partition(is_left);
        self.divide(points, left, left_parts, depth - 1);
        self.divide(points, right, right_parts, depth - 1);
    }

    /// What the tree says of a point.
    pub fn predict(&self, places: &[f64]) -> f64 {
        let covers = |region: &&Region| region.parts.iter().zip(places).all(|(part, &x)| part.contains(x));
        self.regions.iter().find(covers).map_or(f64::NAN, |region| region.value)
    }
}

/// How a region is divided in two.
struct Split {
    axis: usize,
    side: Side,
}

/// What belongs to the left.
enum Side {
    /// Places up to this.
    UpTo(f64),
    /// These choices; those that no point has go where most points are.
    Choices { left: Vec<usize>, seen: Vec<usize>, is_left_larger: bool },
}

/// Points of a region with the same place on an axis: the place, how many, the sum of their values.
type Level = (f64, usize, f64);

impl Split {
    /// The best split of some points; `None` where all are equal in value or in place.
    fn best(points: &Points<'_>, drawn: &[usize]) -> Option<Self> {
        let first = points.values[drawn[0]];
        if drawn.iter().all(|&point| points.values[point] == first) {
            return None;
        }
        let mut best: Option<(f64, usize, usize)> = None;
        for axis in 0..points.axes.len() {
            let levels = levels(points, drawn, axis);
            if let Some((gain, left)) = best_cut(&levels, drawn.len(), points.leaf_count)
                && best.is_none_or(|(most, _, _)| gain > most)
            {
                best = Some((gain, axis, left));
            }
        }
        let (_, axis, left) = best?;
        let levels = levels(points, drawn, axis);
        let side = match points.axes[axis] {
            // Between two places of a grid (see fanova.rs) there is room for a third.
            Axis::Number => Side::UpTo(0.5 * (levels[left - 1].0 + levels[left].0)),
            Axis::Choice(_) => {
                let left_count: usize = levels[..left].iter().map(|level| level.1).sum();
                let choices = |levels: &[Level]| levels.iter().map(|level| level.0 as usize).collect();
                Side::Choices {
                    left: choices(&levels[..left]),
                    seen: choices(&levels),
                    is_left_larger: 2 * left_count >= drawn.len(),
                }
            }
        };
        Some(Self { axis, side })
    }

    fn halves(&self, part: &Part) -> (Part, Part) {
        match (&self.side, part) {
            (Side::Choices { left, seen, is_left_larger }, Part::Choices(belongs)) => {
                let is_left = |choice: usize| match seen.contains(&choice) {
                    true => left.contains(&choice),
                    false => *is_left_larger,
                };
                let half = |side: bool| {
                    let belongs = belongs.iter().enumerate();
                    Part::Choices(belongs.map(|(choice, b)| *b && is_left(choice) == side).collect())
                };
                (half(true), half(false))
            }
            (Side::UpTo(at), Part::Between(low, high)) => {
                (Part::Between(*low, *at), Part::Between(*at, *high))
            }
            _ => unreachable!("a split is made of the kind of its axis"),
        }
    }
}

/// The points by their place on an axis: numbers ascending, choices by the mean of their values.
fn levels(points: &Points<'_>, drawn: &[usize], axis: usize) -> Vec<Level> {
    let mut all: Vec<(f64, f64)> =
        drawn.iter().map(|&point| (points.places[point][axis], points.values[point])).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut levels: Vec<Level> = Vec::new();
    for (place, value) in all {
        match levels.last_mut() {
            Some(level) if level.0 == place => {
                level.1 += 1;
                level.2 += value;
            }
            _ => levels.push((place, 1, value)),
        }
    }
    if let Axis::Choice(_) = points.axes[axis] {
        let mean = |level: &Level| level.2 / level.1 as f64;
        levels.sort_by(|a, b| mean(a).total_cmp(&mean(b)).then(a.0.total_cmp(&b.0)));
    }
    levels
}

/// Where ordered levels are best cut: what Σ(Σv)²/n over both sides comes to, and how many levels are on the left.
fn best_cut(levels: &[Level], count: usize, fewest: usize) -> Option<(f64, usize)> {
    let whole: f64 = levels.iter().map(|level| level.2).sum();
    let (mut left_count, mut left_sum, mut best) = (0, 0.0, None);
    for (index, level) in levels.iter().enumerate() {
        left_count += level.1;
        left_sum += level.2;
        let right_count = count - left_count;
        if right_count < fewest.max(1) {
            break;
        }
        let right_sum: f64 = whole - left_sum;
        let gain = left_sum * left_sum / left_count as f64 + right_sum * right_sum / right_count as f64;
        if left_count >= fewest && best.is_none_or(|(most, _)| gain > most) {
            best = Some((gain, index + 1));
        }
    }
    best
}
