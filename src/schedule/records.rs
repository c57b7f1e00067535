//! What schedules see of trials: how good each was at each rung, and how it ended.

use crate::model::metric::Direction;

/// How good a trial is after some epochs.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The best mean over its folds so far, in the objective's own unit and sign.
    pub value: f64,
    /// (fold) The objective at that epoch.
    pub folds: Vec<f64>,
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// By itself, with what it came to.
    Complete(Standing),
    /// Stopped at a rung.
    Pruned,
    /// It diverged or failed.
    Lost,
}

/// Where a trial stands at a rung. Losses are values turned so that smaller is better; NaN is the worst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// It has neither come to the rung nor ended.
    Ahead,
    /// It came to the rung with this loss.
    At(f64),
    /// It ended by itself before the rung, with this loss.
    Complete(f64),
    /// It was stopped at an earlier rung, with this loss.
    Pruned(f64),
    /// It diverged or failed on its way to this rung.
    Lost,
    /// It diverged or failed before it came to the rung before this one.
    LostBefore,
}

impl Place {
    /// Its loss where it takes part in the ranking of a rung: those that ended by themselves with what they
    /// came to, those that diverged or failed on their way to it last.
    pub fn ranked(self) -> Option<f64> {
        match self {
            Self::At(loss) | Self::Complete(loss) => Some(loss),
            Self::Lost => Some(f64::INFINITY),
            Self::Ahead | Self::Pruned(_) | Self::LostBefore => None,
        }
    }
}

/// How a trial ended, in losses.
#[derive(Clone, Debug)]
struct Ended {
    /// Rungs it had come to.
    rungs: usize,
    kind: EndedAs,
}

#[derive(Clone, Debug)]
enum EndedAs {
    Complete { loss: f64, folds: Box<[f64]> },
    Pruned,
    Lost,
}

/// One rung.
struct Column {
    /// (trial, from the first remembered) its loss; NaN where it has not come here.
    losses: Vec<f64>,
    /// (trial, fold) where they are kept.
    folds: Vec<f64>,
    /// Every trial of a lower number has come here or has ended.
    settled_before: u64,
}

/// What is known of all trials at all rungs.
pub struct Records {
    direction: Direction,
    /// Kept folds of a trial; 0 where schedules do not look at them.
    fold_count: usize,
    /// The first trial that is remembered.
    first: u64,
    /// (rung)
    columns: Vec<Column>,
    /// (trial, from the first remembered)
    ended: Vec<Option<Ended>>,
    end: Option<u64>,
}

impl Records {
    /// Of no trial yet, with so many folds kept of each.
    pub fn new(direction: Direction, fold_count: usize) -> Self {
        Self { direction, fold_count, first: 0, columns: Vec::new(), ended: Vec::new(), end: None }
    }

    /// The number that no trial has for as long as those before it have not ended; `None` while that is not
    /// known.
    pub fn end(&self) -> Option<u64> {
        self.end
    }

    /// Sets that number.
    pub fn set_end(&mut self, end: Option<u64>) {
        self.end = end;
    }

    /// A trial has come to a rung, from 0, after all rungs before it.
    pub fn reach(&mut self, number: u64, rung: usize, standing: &Standing) {
        let Some(index) = self.index(number) else { return };
        while self.columns.len() <= rung {
            self.columns.push(Column::new(self.first));
        }
        let (loss, sign) = (self.loss(standing.value), self.sign());
        let column = &mut self.columns[rung];
        if column.losses.len() <= index {
            column.losses.resize(index + 1, f64::NAN);
            column.folds.resize((index + 1) * self.fold_count, f64::NAN);
        }
        column.losses[index] = loss;
        let kept = &mut column.folds[index * self.fold_count..][..self.fold_count];
        kept.iter_mut().zip(&standing.folds).for_each(|(kept, value)| *kept = sign * value);
        self.settle(rung);
    }

    /// A trial has ended.
    pub fn finish(&mut self, number: u64, end: &End) {
        let Some(index) = self.index(number) else { return };
        let kind = match end {
            End::Complete(standing) => {
                let folds = standing.folds.iter().take(self.fold_count).map(|value| self.sign() * value);
                EndedAs::Complete { loss: self.loss(standing.value), folds: folds.collect() }
            }
            End::Pruned => EndedAs::Pruned,
            End::Lost => EndedAs::Lost,
        };
        let rungs = self.columns.iter().take_while(|column| column.at(index).is_some()).count();
        if self.ended.len() <= index {
            self.ended.resize(index + 1, None);
        }
        self.ended[index] = Some(Ended { rungs, kind });
        (0..self.columns.len()).for_each(|rung| self.settle(rung));
    }

    /// Where a trial stands at a rung.
    pub fn place(&self, number: u64, rung: usize) -> Place {
        let Some(index) = self.index(number) else { return Place::LostBefore };
        if let Some(loss) = self.columns.get(rung).and_then(|column| column.at(index)) {
            return Place::At(loss);
        }
        let Some(Some(Ended { rungs, kind })) = self.ended.get(index) else { return Place::Ahead };
        match kind {
            EndedAs::Complete { loss, .. } => Place::Complete(*loss),
            EndedAs::Pruned => {
                let last = rungs.checked_sub(1).and_then(|rung| self.columns[rung].at(index));
                Place::Pruned(last.unwrap_or(f64::INFINITY))
            }
            EndedAs::Lost if *rungs == rung => Place::Lost,
            EndedAs::Lost => Place::LostBefore,
        }
    }

    /// (fold) The losses that make up the loss of a trial at a rung; empty where it has none, or where folds
    /// are not kept.
    pub fn folds(&self, number: u64, rung: usize) -> &[f64] {
        let Some(index) = self.index(number) else { return &[] };
        match self.columns.get(rung).filter(|column| column.at(index).is_some()) {
            Some(column) => &column.folds[index * self.fold_count..][..self.fold_count],
            None => match self.ended.get(index) {
                Some(Some(Ended { kind: EndedAs::Complete { folds, .. }, .. })) => folds,
                _ => &[],
            },
        }
    }

    /// Whether a trial has ended.
    pub fn has_ended(&self, number: u64) -> bool {
        self.index(number).is_none_or(|index| self.ended.get(index).is_some_and(Option::is_some))
    }

    /// Whether every trial of a lower number has come to a rung or has ended.
    pub fn is_settled_before(&self, number: u64, rung: usize) -> bool {
        self.columns.get(rung).is_some_and(|column| column.settled_before >= number)
    }

    /// Forgets trials below a number, now or later, where no decision looks at them any more.
    pub fn forget_before(&mut self, number: u64) {
        let count = number.saturating_sub(self.first) as usize;
        // By halves, so that the cost of moving the others stays small.
        if count * 2 <= self.ended.len() || count == 0 {
            return;
        }
        self.first = number;
        self.ended.drain(..count.min(self.ended.len()));
        for rung in 0..self.columns.len() {
            let column = &mut self.columns[rung];
            let gone = count.min(column.losses.len());
            column.losses.drain(..gone);
            column.folds.drain(..gone * self.fold_count);
            column.settled_before = column.settled_before.max(number);
            self.settle(rung);
        }
    }

    /// Moves on the number below which all trials are settled at a rung.
    fn settle(&mut self, rung: usize) {
        let mut number = self.columns[rung].settled_before;
        while self.place(number, rung) != Place::Ahead {
            number += 1;
        }
        self.columns[rung].settled_before = number;
    }

    fn index(&self, number: u64) -> Option<usize> {
        number.checked_sub(self.first).map(|index| index as usize)
    }

    fn sign(&self) -> f64 {
        if self.direction == Direction::Maximize { -1.0 } else { 1.0 }
    }

    fn loss(&self, value: f64) -> f64 {
        if value.is_nan() { f64::INFINITY } else { self.sign() * value }
    }
}

impl Column {
    fn new(first: u64) -> Self {
        Self { losses: Vec::new(), folds: Vec::new(), settled_before: first }
    }

    fn at(&self, index: usize) -> Option<f64> {
        self.losses.get(index).copied().filter(|loss| !loss.is_nan())
    }
}
