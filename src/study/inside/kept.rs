//! Which of the trials that have ended keep their histograms.

use super::Histograms;
use crate::trial::{self, Order, Trial};

/// The trials that keep them, the best first.
pub struct Kept {
    /// How many; `None`: all.
    most: Option<usize>,
    order: Order,
    best: Vec<Trial>,
}

impl Kept {
    /// None yet.
    pub fn new(asked: Histograms, order: Order) -> Self {
        let most = match asked {
            Histograms::Best(count) => Some(count as usize),
            Histograms::All | Histograms::None => None,
        };
        Self { most, order, best: Vec::new() }
    }

    /// Takes in that a trial has ended. Returns the one that loses its histograms by it, which nothing that ends
    /// later gives them back to: who keeps them does not depend on the order in which trials end.
    pub fn end(&mut self, trial: &Trial) -> Option<u64> {
        let most = self.most?;
        let place = self.best.partition_point(|other| trial::compare(self.order, other, trial).is_lt());
        if place >= most {
            return Some(trial.number);
        }
        self.best.insert(place, trial.clone());
        (self.best.len() > most).then(|| self.best.pop()).flatten().map(|last| last.number)
    }
}
