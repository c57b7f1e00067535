//! How much the best of many trials flatters: its score was chosen for being high.
//!
//! Trial and epoch are chosen once more by all folds but one, and judged by that one, fold by fold: what is chosen has
//! then not been seen by what judges it. Nothing is trained again: the curves of all folds are stored (Tibshirani and
//! Tibshirani, "A bias correction for the minimum error rate in cross-validation", 2009; Cawley and Talbot, "On
//! over-fitting in model selection", 2010; Tsamardinos et al., "Bootstrapping the out-of-sample predictions", 2018).
//!
//! What stays: where curves ended was decided by all folds, and choosing by one fold less chooses a little worse.

use crate::sample::Sample;
use crate::trial::{FoldEpoch, Order, State, Trial};
use std::cmp::Ordering;

/// Fewer folds leave nothing to choose by.
const FEWEST_FOLDS: usize = 3;
/// Of a single trial only the epoch was chosen.
const FEWEST_TRIALS: usize = 2;

/// What the best trial's score is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimism {
    /// The objective, chosen by all folds but one and judged by that one; the mean over folds.
    pub value: f64,
    /// Of that mean: the deviation over folds by √folds. Folds share training rows, so it is a little too small.
    pub standard_error: f64,
    /// By how much the best trial's value is better than that, in the objective's unit; below 0 where it is worse.
    pub flattery: f64,
    /// Complete trials that were chosen among.
    pub trial_count: usize,
}

impl Optimism {
    /// Of all trials of a study, by number; see [`Chooser`].
    pub fn of(order: Order, trials: &[Trial], per_repeat: usize) -> Option<Self> {
        let mut chooser = Chooser::new(order, per_repeat);
        trials.iter().for_each(|trial| chooser.take(trial));
        chooser.optimism()
    }
}

/// Chooses trial and epoch once more, fold by fold, of one trial after the other.
pub struct Chooser {
    order: Order,
    /// Folds of one division of the rows.
    per_repeat: usize,
    trial_count: usize,
    /// The best value of a complete trial.
    best: f64,
    /// (fold) What the others choose by, and what that comes to on this one.
    chosen: Vec<((f64, f64), f64)>,
}

impl Chooser {
    /// Of a study whose folds are divided anew after every `per_repeat` of them: what judges must not have had its rows
    /// in what chooses, so that only folds of one repeat choose for each other.
    pub fn new(order: Order, per_repeat: usize) -> Self {
        Self { order, per_repeat, trial_count: 0, best: f64::NAN, chosen: Vec::new() }
    }

    /// The next trial, by number.
    pub fn take(&mut self, trial: &Trial) {
        let Some(score) = trial.score().filter(|_| trial.state == State::Complete) else { return };
        self.trial_count += 1;
        if self.order.objective.better(score.value, self.best) {
            self.best = score.value;
        }
        let fold_count = trial.history.fold_count();
        if self.per_repeat < FEWEST_FOLDS || !fold_count.is_multiple_of(self.per_repeat) {
            return;
        }
        for epoch in epochs(trial) {
            for fold in 0..fold_count {
                let first = fold - fold % self.per_repeat;
                let others = (first..first + self.per_repeat).filter(|&other| other != fold);
                let found = (mean(epoch, others), epoch[fold].score.value);
                match self.chosen.get_mut(fold) {
                    // Of equals the first: the trial of the lower number at the earlier epoch, as in the study.
                    Some(best) if compare(self.order, found.0, best.0) == Ordering::Less => *best = found,
                    Some(_) => {}
                    None => self.chosen.push(found),
                }
            }
        }
    }

    /// `None` where there are fewer than three folds, or two complete trials, or a score is undefined.
    pub fn optimism(self) -> Option<Optimism> {
        if self.chosen.is_empty() || self.trial_count < FEWEST_TRIALS {
            return None;
        }
        let values: Vec<f64> = self.chosen.iter().map(|(_, value)| *value).collect();
        let judged = Sample::of(&values);
        let value = judged.mean;
        let is_more_better = self.order.objective.better(1.0, 0.0);
        let flattery = if is_more_better { self.best - value } else { value - self.best };
        value.is_finite().then(|| Optimism {
            value,
            standard_error: judged.standard_error(),
            flattery,
            trial_count: self.trial_count,
        })
    }
}

/// (epoch) (fold) the epochs of a trial that are its own.
fn epochs(trial: &Trial) -> impl Iterator<Item = &[FoldEpoch]> {
    let taken_over = trial.lineage.last().map_or(0, |last| last.epoch as usize);
    trial.history.epochs().chunks_exact(trial.history.fold_count()).skip(taken_over)
}

/// Mean objective and tie-breaker over some folds.
fn mean(epoch: &[FoldEpoch], folds: impl Iterator<Item = usize> + Clone) -> (f64, f64) {
    let count = folds.clone().count() as f64;
    let mean =
        |part: fn(&FoldEpoch) -> f64| folds.clone().map(|fold| part(&epoch[fold])).sum::<f64>() / count;
    (mean(|fold| fold.score.value), mean(|fold| fold.score.tie_break))
}

fn compare(order: Order, a: (f64, f64), b: (f64, f64)) -> Ordering {
    order.objective.compare(a.0, b.0).then_with(|| order.tie_break.compare(a.1, b.1))
}
