//! How much the best of many trials flatters: its score was chosen for being high.
//!
//! Trial and epoch are chosen once more by all folds but one, and judged by that one, fold by fold: what is chosen has
//! then not been seen by what judges it. Nothing is trained again: the curves of all folds are stored (Tibshirani and
//! Tibshirani, "A bias correction for the minimum error rate in cross-validation", 2009; Cawley and Talbot, "On
//! over-fitting in model selection", 2010; Tsamardinos et al., "Bootstrapping the out-of-sample predictions", 2018).
//!
//! What stays: where curves ended was decided by all folds, and choosing by one fold less chooses a little worse.

use crate::sample::Sample;
use crate::trial::{self, FoldEpoch, Order, State, Trial};
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
    /// Of a study whose folds are divided anew after every `per_repeat` of them: what judges must not have had its rows
    /// in what chooses, so that only folds of one repeat choose for each other. `None` where there are fewer than three
    /// folds, or two complete trials, or a score is undefined.
    pub fn of(order: Order, trials: &[Trial], per_repeat: usize) -> Option<Self> {
        let complete: Vec<&Trial> =
            trials.iter().filter(|trial| trial.state == State::Complete && trial.best().is_some()).collect();
        let best = trial::best(order, trials)?.score()?.value;
        let fold_count = complete.first()?.history.fold_count();
        let is_even = per_repeat >= FEWEST_FOLDS && fold_count.is_multiple_of(per_repeat);
        if !is_even || complete.len() < FEWEST_TRIALS {
            return None;
        }
        let judged = |fold: usize| {
            let first = fold - fold % per_repeat;
            let others: Vec<usize> = (first..first + per_repeat).filter(|&other| other != fold).collect();
            let candidates =
                complete.iter().flat_map(|trial| epochs(trial)).map(|epoch| (mean(epoch, &others), epoch));
            // Of equals the first: the trial of the lower number at the earlier epoch, as in the study.
            let chosen = candidates.reduce(|best, found| match compare(order, found.0, best.0) {
                Ordering::Less => found,
                _ => best,
            });
            chosen.map(|(_, epoch)| epoch[fold].score.value)
        };
        let values: Vec<f64> = (0..fold_count).filter_map(judged).collect();
        let judged = Sample::of(&values);
        let value = judged.mean;
        let flattery = if order.objective.better(1.0, 0.0) { best - value } else { value - best };
        value.is_finite().then(|| Self {
            value,
            standard_error: judged.standard_error(),
            flattery,
            trial_count: complete.len(),
        })
    }
}

/// (epoch) (fold) the epochs of a trial that are its own.
fn epochs(trial: &Trial) -> impl Iterator<Item = &[FoldEpoch]> {
    let taken_over = trial.lineage.last().map_or(0, |last| last.epoch as usize);
    trial.history.epochs().chunks_exact(trial.history.fold_count()).skip(taken_over)
}

/// Mean objective and tie-breaker over some folds.
fn mean(epoch: &[FoldEpoch], folds: &[usize]) -> (f64, f64) {
    let mean = |part: fn(&FoldEpoch) -> f64| {
        folds.iter().map(|&fold| part(&epoch[fold])).sum::<f64>() / folds.len() as f64
    };
    (mean(|fold| fold.score.value), mean(|fold| fold.score.tie_break))
}

fn compare(order: Order, a: (f64, f64), b: (f64, f64)) -> Ordering {
    order.objective.compare(a.0, b.0).then_with(|| order.tie_break.compare(a.1, b.1))
}
