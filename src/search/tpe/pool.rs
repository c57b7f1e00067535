//! All trials so far, each as a kernel: what the mixture of the rest is made of.

use super::kernels::Kernels;
use super::neighbours::Neighbours;
use super::places::Places;
use super::width;
use crate::search::Trials;
use crate::search::frame::{Frame, Member};
use crate::space::Configuration;

/// The deviation of these kernels, in distances to the k-th nearest neighbour.
const SCALE: f64 = 0.4;

/// The trials before some number, in the order of their numbers.
#[derive(Clone)]
pub struct Pool {
    configurations: Vec<Configuration>,
    members: Vec<Member>,
    places: Places,
    neighbours: Neighbours,
    kernels: Kernels,
}

impl Pool {
    /// No trials, of a space.
    pub fn new(frame: &Frame) -> Self {
        Self {
            configurations: Vec::new(),
            members: Vec::new(),
            places: Places::new(frame.number_count(), frame.value_counts().count()),
            neighbours: Neighbours::with_room_for(0),
            kernels: Kernels::new(frame),
        }
    }

    /// The pool of these trials, from one of some of them or of others.
    pub fn of(known: Option<Self>, frame: &Frame, trials: Trials<'_>) -> Self {
        let configurations = in_order(trials);
        let is_start = |pool: &Self| {
            pool.configurations.len() <= configurations.len()
                && pool.configurations.iter().zip(&configurations).all(|(known, told)| known == *told)
        };
        let mut pool = known.filter(is_start).unwrap_or_else(|| Self::new(frame));
        for configuration in &configurations[pool.configurations.len()..] {
            pool.push(frame, configuration);
        }
        pool
    }

    /// Takes in one trial more.
    pub fn push(&mut self, frame: &Frame, configuration: &Configuration) {
        let member = frame.member(configuration);
        self.places.push(&member);
        self.configurations.push(configuration.clone());
        self.members.push(member);
        if self.neighbours.is_full() {
            self.neighbours = Neighbours::with_room_for(self.members.len());
            (0..self.members.len() - 1).for_each(|index| self.neighbour(index, |_| {}));
        }
        let mut changed = Vec::new();
        let newest = self.members.len() - 1;
        self.neighbour(newest, |index| changed.push(index));
        for index in changed {
            let deviation = self.deviation(index);
            self.kernels.widen(index, &self.members[index], widths(&self.members[index], deviation));
        }
        let deviation = self.deviation(newest);
        self.kernels.push(&self.members[newest], widths(&self.members[newest], deviation));
    }

    fn neighbour(&mut self, index: usize, changed: impl FnMut(usize)) {
        // Alike in all directions: what is good decides over no trial's neighbours here, so that they are kept.
        self.neighbours.push(&self.places.squares(index, index, std::iter::repeat(1.0)), changed);
    }

    fn deviation(&self, index: usize) -> f64 {
        self.neighbours.distance(index).map_or(1.0, |square| SCALE * square.sqrt())
    }

    /// How many trials.
    pub fn count(&self) -> usize {
        self.members.len()
    }

    /// A kernel for each trial.
    pub fn kernels(&self) -> &Kernels {
        &self.kernels
    }

    /// A trial's configuration.
    pub fn member(&self, index: usize) -> &Member {
        &self.members[index]
    }

    /// All configurations as places.
    pub fn places(&self) -> &Places {
        &self.places
    }
}

/// The configurations of told and pending trials by number.
fn in_order(trials: Trials<'_>) -> Vec<&Configuration> {
    let mut told = trials.told.iter().map(|told| (told.number, &told.configuration)).peekable();
    let mut pending = trials.pending.iter().map(|trial| (trial.number, &trial.configuration)).peekable();
    let mut all = Vec::with_capacity(trials.told.len() + trials.pending.len());
    loop {
        let is_told = match (told.peek(), pending.peek()) {
            (Some(told), Some(pending)) => told.0 <= pending.0,
            (told, _) => told.is_some(),
        };
        let Some((_, configuration)) = (if is_told { told.next() } else { pending.next() }) else {
            return all;
        };
        all.push(configuration);
    }
}

fn widths(member: &Member, deviation: f64) -> impl Iterator<Item = f64> {
    member.cells.iter().map(move |cell| width(*cell, deviation))
}
