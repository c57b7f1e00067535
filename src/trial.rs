//! One trial: its configuration, its history epoch by epoch, and the state it is in.

use crate::error::{Error, ErrorKind};
use crate::model::metric::Direction;
use crate::sample::Sample;
use crate::space::Configuration;
use std::cmp::Ordering;

/// Where a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Trained to its end: all epochs, or none better for as long as the patience lasts.
    Complete,
    /// Stopped early by the schedule.
    Pruned,
    /// The loss of a fold became infinite or not a number.
    Diverged,
    /// Could not be trained, or its objective is undefined.
    Failed,
    /// Checkpointed when the run was stopped; the same command goes on with it.
    Interrupted,
    /// Training now.
    Running,
}

impl State {
    /// Every state, in the order of the leaderboard.
    pub const ALL: [Self; 6] =
        [Self::Complete, Self::Pruned, Self::Running, Self::Interrupted, Self::Diverged, Self::Failed];

    /// The name in the store and in every output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Pruned => "pruned",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Running => "running",
        }
    }

    /// The state of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the trial will train no further.
    pub fn is_finished(self) -> bool {
        !matches!(self, Self::Interrupted | Self::Running)
    }

    /// Whether the trial's value counts for what it is.
    fn has_value(self) -> bool {
        !matches!(self, Self::Diverged | Self::Failed)
    }
}

/// What is better: the objective's direction, then the tie-breaker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Of the objective.
    pub objective: Direction,
    /// Of the tie-breaker.
    pub tie_break: Direction,
}

impl Order {
    fn compare(self, a: Score, b: Score) -> Ordering {
        self.objective
            .compare(a.value, b.value)
            .then_with(|| self.tie_break.compare(a.tie_break, b.tie_break))
    }
}

/// What the place of a trial among others depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankKey {
    /// The trial's number.
    pub number: u64,
    /// Where it stands.
    pub state: State,
    /// Mean scores at the best epoch; `None` for a trial that diverged, failed, or has not trained.
    pub score: Option<Score>,
}

impl RankKey {
    /// The mean objective at the best epoch, where it is a finite number, under the same conditions.
    pub fn value(&self) -> Option<f64> {
        self.score.map(|score| score.value).filter(|value| value.is_finite())
    }
}

/// The scores of one fold, or their mean over folds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The objective, in its own unit and sign.
    pub value: f64,
    /// What breaks ties.
    pub tie_break: f64,
}

/// One epoch of one fold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoldEpoch {
    /// Mean of the minibatch losses.
    pub train_loss: f64,
    /// On the fold's validation rows.
    pub score: Score,
}

/// The best epoch of the mean curve so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// From 1.
    pub epoch: u32,
    /// Means over folds at that epoch.
    pub score: Score,
}

/// A trial took over the state of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Succession {
    /// After so many epochs.
    pub epoch: u32,
    /// From which trial.
    pub donor: u64,
    /// What it had come to by itself: its best mean over folds since it last took over.
    pub value: f64,
    /// What it had trained with until then.
    pub before: Configuration,
}

/// The curves of a trial, all folds in step, and what follows from them.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    order: Order,
    fold_count: usize,
    /// (epoch, fold)
    epochs: Vec<FoldEpoch>,
    best: Option<Best>,
    /// The epoch at which the objective alone was last improved.
    improved_at: u32,
    /// Epochs trained of a history whose curve is forgotten: `epochs` is then the best one alone.
    forgotten: Option<u32>,
}

impl History {
    /// A trial of `fold_count` folds (at least 1) that has not trained yet.
    pub fn new(order: Order, fold_count: usize) -> Self {
        let (best, forgotten) = (None, None);
        Self { order, fold_count: fold_count.max(1), epochs: Vec::new(), best, improved_at: 0, forgotten }
    }

    /// Adds one epoch of every fold, in the order of folds. Returns whether it is the best so far.
    ///
    /// Among epochs of equal value the one with the better tie-breaker is best, then the earlier one;
    /// only a better value renews the patience.
    pub fn push(&mut self, folds: &[FoldEpoch]) -> bool {
        assert_eq!(folds.len(), self.fold_count, "an epoch has one entry per fold");
        assert!(self.forgotten.is_none(), "a history without its curve does not go on");
        self.epochs.extend_from_slice(folds);
        let mean = |part: fn(&FoldEpoch) -> f64| folds.iter().map(part).sum::<f64>() / folds.len() as f64;
        let score =
            Score { value: mean(|fold| fold.score.value), tie_break: mean(|fold| fold.score.tie_break) };
        let best = self.best.map(|best| best.score);
        if best.is_none_or(|best| self.order.objective.better(score.value, best.value)) {
            self.improved_at = self.epoch_count();
        }
        let improves = best.is_none_or(|best| self.order.compare(score, best).is_lt());
        if improves {
            self.best = Some(Best { epoch: self.epoch_count(), score });
        }
        improves
    }

    /// From here on the curve goes on from another trial's: what is best is of the epochs still to come.
    pub fn take_over(&mut self) {
        self.best = None;
        self.improved_at = self.epoch_count();
    }

    /// Epochs trained.
    pub fn epoch_count(&self) -> u32 {
        self.forgotten.unwrap_or((self.epochs.len() / self.fold_count) as u32)
    }

    /// Forgets every epoch but the best: what ranks a trial and says how good it is stays, and its curve is empty.
    pub fn forget_curve(&mut self) {
        let best = self.best.map_or(Vec::new(), |best| self.at(best.epoch).to_vec());
        self.forgotten = Some(self.epoch_count());
        self.epochs = best;
    }

    /// Number of folds.
    pub fn fold_count(&self) -> usize {
        self.fold_count
    }

    /// The best epoch of the mean curve; `None` before the first epoch.
    pub fn best(&self) -> Option<Best> {
        self.best
    }

    /// Epochs since the objective was last improved.
    pub fn epochs_without_improvement(&self) -> u32 {
        self.epoch_count() - self.improved_at
    }

    /// Whether so many epochs are trained, or none was better for as long as the patience lasts.
    pub fn has_ended(&self, max_epochs: u32, patience: u32) -> bool {
        self.epoch_count() >= max_epochs || self.epochs_without_improvement() >= patience
    }

    /// (epoch) the objective, the mean over folds.
    pub fn mean_values(&self) -> Vec<f64> {
        let mean =
            |folds: &[FoldEpoch]| folds.iter().map(|fold| fold.score.value).sum::<f64>() / folds.len() as f64;
        self.epochs().chunks_exact(self.fold_count).map(mean).collect()
    }

    /// (epoch, fold) every epoch of every fold.
    pub fn epochs(&self) -> &[FoldEpoch] {
        if self.forgotten.is_some() { &[] } else { &self.epochs }
    }

    /// (fold) the epoch numbered `epoch`, from 1; the best one, where the curve is forgotten.
    pub fn at(&self, epoch: u32) -> &[FoldEpoch] {
        if self.forgotten.is_some() {
            return &self.epochs;
        }
        let end = epoch as usize * self.fold_count;
        &self.epochs[end - self.fold_count..end]
    }
}

/// Begins the reason of a trial that the device, or the memory allowed, was too small for.
const UNFIT: &str = "does not fit";

/// One configuration, evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// From 0, in the order the strategy proposed them.
    pub number: u64,
    /// What it trains with.
    pub configuration: Configuration,
    /// Where it stands.
    pub state: State,
    /// From which trials it took over its weights, the first of them first; empty where it trained by itself.
    pub lineage: Vec<Succession>,
    /// Its curves: up to its last succession those of the trial that it took over from.
    pub history: History,
    /// Wall time from its admission to its end, without the time between two runs. Trials share the
    /// device, so these do not add up to the time of the study.
    pub seconds: f64,
    /// For a diverged trial, the step (from 0) at which the first of its folds did.
    pub diverged_at_step: Option<u64>,
    /// For a failed trial, why.
    pub failure: Option<String>,
}

impl Trial {
    /// A trial that has not trained yet.
    pub fn new(number: u64, configuration: Configuration, order: Order, fold_count: usize) -> Self {
        let history = History::new(order, fold_count);
        let state = State::Running;
        Self {
            number,
            configuration,
            state,
            lineage: Vec::new(),
            history,
            seconds: 0.0,
            diverged_at_step: None,
            failure: None,
        }
    }

    /// The configuration that the strategy proposed.
    pub fn proposed(&self) -> &Configuration {
        self.lineage.first().map_or(&self.configuration, |first| &first.before)
    }

    /// Ends it as one that could not be trained, and keeps why on one line.
    pub fn fail(&mut self, error: &Error) {
        let reason = error.to_string().replace("\n  ", "; ");
        self.state = State::Failed;
        self.failure = Some(match error.kind {
            ErrorKind::Device => format!("{UNFIT}: {reason}"),
            _ => reason,
        });
    }

    /// Whether it failed for want of room: with more memory, or on another device, it may well train.
    pub fn is_unfit(&self) -> bool {
        self.state == State::Failed && self.failure.as_ref().is_some_and(|reason| reason.starts_with(UNFIT))
    }

    /// Whether it is to be trained when its study is run again.
    pub fn is_open(&self) -> bool {
        !self.state.is_finished() || self.is_unfit()
    }

    /// What its place among others depends on.
    pub fn rank_key(&self) -> RankKey {
        RankKey { number: self.number, state: self.state, score: self.score() }
    }

    /// Mean scores at the best epoch; `None` for a trial that diverged, failed, or has not trained.
    pub fn score(&self) -> Option<Score> {
        self.best().map(|best| best.score)
    }

    /// The mean objective at the best epoch, where it is a finite number, under the same conditions.
    pub fn value(&self) -> Option<f64> {
        self.rank_key().value()
    }

    /// The best epoch, under the same conditions.
    pub fn best(&self) -> Option<Best> {
        self.history.best().filter(|_| self.state.has_value())
    }

    /// (fold) the objective at the best epoch, under the same conditions.
    pub fn fold_values(&self) -> Option<Vec<f64>> {
        let best = self.best()?;
        Some(self.history.at(best.epoch).iter().map(|fold| fold.score.value).collect())
    }

    /// The mean over folds of the training loss at the best epoch, under the same conditions.
    pub fn train_loss(&self) -> Option<f64> {
        let folds = self.history.at(self.best()?.epoch);
        Some(folds.iter().map(|fold| fold.train_loss).sum::<f64>() / folds.len() as f64)
    }

    /// The sample standard deviation of the fold values; `None` where there is one fold.
    pub fn spread(&self) -> Option<f64> {
        let values = self.fold_values().filter(|values| values.len() > 1)?;
        Some(Sample::of(&values).deviation())
    }
}

/// The order of the leaderboard: complete trials by score, then pruned ones, then those that have not
/// ended; diverged and failed ones last. The lower number wins what is still equal.
pub fn compare(order: Order, a: &Trial, b: &Trial) -> Ordering {
    compare_keys(order, &a.rank_key(), &b.rank_key())
}

/// The same order, of what it goes by.
pub fn compare_keys(order: Order, a: &RankKey, b: &RankKey) -> Ordering {
    let group = |key: &RankKey| match key.state {
        State::Complete => 0,
        State::Pruned => 1,
        State::Running | State::Interrupted => 2,
        State::Diverged => 3,
        State::Failed => 4,
    };
    let by_score = || match (a.score, b.score) {
        (Some(a), Some(b)) => order.compare(a, b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    };
    group(a).cmp(&group(b)).then_with(by_score).then_with(|| a.number.cmp(&b.number))
}

/// The best complete trial.
pub fn best<'a>(order: Order, trials: impl IntoIterator<Item = &'a Trial>) -> Option<&'a Trial> {
    let complete = trials.into_iter().filter(|trial| trial.state == State::Complete);
    complete.min_by(|a, b| compare(order, a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Order = Order { objective: Direction::Maximize, tie_break: Direction::Minimize };

    fn epoch(value: f64, tie_break: f64) -> FoldEpoch {
        FoldEpoch { train_loss: 0.0, score: Score { value, tie_break } }
    }

    fn trial(number: u64, state: State, value: f64, tie_break: f64) -> Trial {
        let mut trial = Trial::new(number, Configuration::new(), ORDER, 1);
        trial.history.push(&[epoch(value, tie_break)]);
        trial.state = state;
        trial
    }

    #[test]
    fn the_value_is_the_best_of_the_mean_curve_not_the_mean_of_bests() {
        let mut history = History::new(ORDER, 2);
        assert!(history.push(&[epoch(0.9, 1.0), epoch(0.1, 1.0)]));
        assert!(history.push(&[epoch(0.6, 1.0), epoch(0.6, 1.0)]));
        assert!(!history.push(&[epoch(0.1, 1.0), epoch(0.9, 1.0)]));
        let best = history.best().unwrap();
        assert_eq!((best.epoch, best.score.value), (2, 0.6));
        assert_eq!(history.epochs_without_improvement(), 1);
    }

    #[test]
    fn a_tie_moves_the_best_epoch_but_not_the_patience() {
        let mut history = History::new(ORDER, 1);
        history.push(&[epoch(0.8, 0.5)]);
        assert!(history.push(&[epoch(0.8, 0.4)]));
        assert!(!history.push(&[epoch(0.8, 0.4)]));
        assert_eq!(history.best().unwrap().epoch, 2);
        assert_eq!(history.epochs_without_improvement(), 2);
    }

    #[test]
    fn an_undefined_first_epoch_is_replaced_by_any_other() {
        let mut history = History::new(ORDER, 1);
        assert!(history.push(&[epoch(f64::NAN, f64::NAN)]));
        assert!(history.push(&[epoch(0.1, 1.0)]));
        assert_eq!(history.best().unwrap().epoch, 2);
    }

    #[test]
    fn the_leaderboard_goes_by_value_then_tie_break_then_number_and_ends_with_what_went_wrong() {
        let mut trials = [
            trial(0, State::Failed, 0.99, 0.1),
            trial(1, State::Diverged, 0.99, 0.1),
            trial(2, State::Complete, 0.8, 0.5),
            trial(3, State::Complete, 0.8, 0.4),
            trial(4, State::Complete, f64::NAN, 0.1),
            trial(5, State::Complete, 0.8, 0.4),
            trial(6, State::Pruned, 0.95, 0.1),
        ];
        trials.sort_by(|a, b| compare(ORDER, a, b));
        assert_eq!(trials.each_ref().map(|trial| trial.number), [3, 5, 2, 4, 6, 1, 0]);
        assert_eq!(best(ORDER, &trials).unwrap().number, 3);
        assert_eq!(trials[5].score(), None);
    }
}
