//! Racing over folds, those of all repeats (Birattari et al., "A racing algorithm for configuring metaheuristics", 2002; the test as
//! in Optuna's Wilcoxon pruner): at a rung, a trial stops where the best trial before it is better fold by fold,
//! by a one-sided Wilcoxon signed-rank test of their differences.
//!
//! Folds, minibatches and initial weights are the same for both, so the differences are paired. The best is
//! that of the lower numbers which came to the same rung or ended by themselves before it; a trial waits for
//! them, and a study repeats. A trial whose mean is not worse than the best's is never stopped.

use super::ladder::{INTERVAL, Ladder, RUNG_STEPS, WARMUP_EPOCHS};
use super::wilcoxon::signed_rank;
use super::{Decision, Place, Records, Schedule, ScheduleKind, Settings};
use crate::setting::Setting;

const P_VALUE: Setting = Setting {
    name: "p_value",
    summary: "a trial stops if so small a share of chance outcomes speaks as clearly against it",
    default: 0.1,
    low: 0.0,
    high: 0.5,
    whole: false,
};

/// Racing over folds.
pub struct Racing;

impl ScheduleKind for Racing {
    fn name(&self) -> &'static str {
        "racing"
    }
    fn summary(&self) -> &'static str {
        "a trial stops at a rung if the best before it is better on its folds (Wilcoxon, p < p_value)"
    }
    fn settings(&self) -> &'static [Setting] {
        &[P_VALUE, WARMUP_EPOCHS, INTERVAL, RUNG_STEPS]
    }
    fn notes(&self, settings: &Settings) -> Vec<String> {
        let (folds, p_value) = (settings.fold_count, settings.chosen.value(&P_VALUE));
        let smallest = 0.5_f64.powi(folds.min(1000) as i32);
        if folds > 1 && smallest < p_value {
            return Vec::new();
        }
        vec![format!(
            "racing stops no trial here: with {folds} fold{} no outcome has a p below {smallest}, and p_value is \
             {p_value}; try more folds or repeats, or another schedule",
            if folds == 1 { "" } else { "s" }
        )]
    }
    fn create(&self, settings: &Settings) -> Box<dyn Schedule> {
        Box::new(Race { ladder: Ladder::even(settings), p_value: settings.chosen.value(&P_VALUE) })
    }
}

struct Race {
    ladder: Ladder,
    p_value: f64,
}

impl Schedule for Race {
    fn rungs(&self, _: u64, steps_per_epoch: u64) -> Vec<u32> {
        self.ladder.epochs(self.ladder.len(), steps_per_epoch)
    }
    fn needs_folds(&self) -> bool {
        true
    }
    fn decide(&self, records: &Records, number: u64, rung: usize) -> Option<Decision> {
        if !records.is_settled_before(number, rung) {
            return None;
        }
        let own = records.place(number, rung).ranked()?;
        let Some((best, loss)) = best_before(records, number, rung) else { return Some(Decision::Continue) };
        let (folds, others) = (records.folds(number, rung), records.folds(best, rung));
        if !(own > loss) || folds.len() < 2 {
            return Some(Decision::Continue);
        }
        let differences: Vec<f64> = folds.iter().zip(others).map(|(own, best)| own - best).collect();
        let is_worse = signed_rank(&differences) < self.p_value;
        Some(if is_worse { Decision::Stop } else { Decision::Continue })
    }
}

/// The best trial of a lower number at a rung, and its loss; the lower number wins a tie.
fn best_before(records: &Records, number: u64, rung: usize) -> Option<(u64, f64)> {
    let mut best: Option<(u64, f64)> = None;
    for other in 0..number {
        let (Place::At(loss) | Place::Complete(loss)) = records.place(other, rung) else { continue };
        if best.is_none_or(|(_, best)| loss < best) {
            best = Some((other, loss));
        }
    }
    best
}
