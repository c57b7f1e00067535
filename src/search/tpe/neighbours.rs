//! How far each of a growing set of points is from its k-th nearest neighbour. All distances are squared.

/// The nearest neighbours of each point.
#[derive(Clone, Default)]
pub struct Neighbours {
    /// (point) ascending distances to its nearest neighbours, at most `kept` of them.
    nearest: Vec<Vec<f64>>,
    kept: usize,
}

/// The k of a set of this many points: 4 + ⌈√n⌉. √n is the growth that Loftsgaarden and Quesenberry ("A
/// nonparametric estimate of a multivariate density function", 1965) propose; the 4 keeps few points apart.
pub fn rank(count: usize) -> usize {
    4 + (count as f64).sqrt().ceil() as usize
}

impl Neighbours {
    /// How many points.
    pub fn count(&self) -> usize {
        self.nearest.len()
    }

    /// Whether one more point asks for more neighbours than are kept: then the set must be built anew.
    pub fn is_full(&self) -> bool {
        rank(self.count() + 1) > self.kept
    }

    /// No points, with room for twice as many as there are to be.
    pub fn with_room_for(count: usize) -> Self {
        Self { nearest: Vec::new(), kept: rank(2 * count.max(8)) }
    }

    /// Takes in a point at these distances from those before it. Equal points, at distance 0, are no neighbours.
    ///
    /// Calls `changed` with the points before it whose k-th distance may be another one now.
    pub fn push(&mut self, distances: &[f64], mut changed: impl FnMut(usize)) {
        let (before, after) = (rank(self.count()), rank(self.count() + 1));
        let mut own: Vec<f64> = distances.iter().copied().filter(|distance| *distance > 0.0).collect();
        for (point, (nearest, distance)) in self.nearest.iter_mut().zip(distances).enumerate() {
            let position = match *distance > 0.0 {
                true => nearest.partition_point(|other| other <= distance),
                false => self.kept,
            };
            if position < self.kept {
                nearest.insert(position, *distance);
                nearest.truncate(self.kept);
            }
            if before != after || position < after {
                changed(point);
            }
        }
        if own.len() > self.kept {
            own.select_nth_unstable_by(self.kept, f64::total_cmp);
            own.truncate(self.kept);
        }
        own.sort_unstable_by(f64::total_cmp);
        self.nearest.push(own);
    }

    /// The distance of a point to its k-th nearest neighbour, or to the farthest there is; `None` where it has
    /// none.
    pub fn distance(&self, point: usize) -> Option<f64> {
        kth(&self.nearest[point], self.count())
    }
}

/// The k-th of ascending distances within a set of this many points, or the last.
fn kth(ascending: &[f64], count: usize) -> Option<f64> {
    ascending.get(rank(count) - 1).or(ascending.last()).copied()
}

/// The same of distances in any order, those of 0 left out.
pub fn kth_of(mut distances: Vec<f64>, count: usize) -> Option<f64> {
    distances.retain(|distance| *distance > 0.0);
    let position = rank(count).min(distances.len()).checked_sub(1)?;
    Some(*distances.select_nth_unstable_by(position, f64::total_cmp).1)
}
