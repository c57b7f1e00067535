//! PED-ANOVA: how much the values of the best trials differ from those of all.
//!
//! The Pearson divergence Σ p(x)·(q(x)/p(x) − 1)² between the densities of a hyperparameter's values in all trials, p,
//! and in the best tenth, q (Watanabe, Bansal, Hutter, "PED-ANOVA: Efficiently quantifying hyperparameter importance in
//! arbitrary subspaces", IJCAI 2023), here divided by its sum over hyperparameters. Where a hyperparameter is active in
//! some of the trials only, p and q are of those, and the divergence counts α²/β times, with the shares α of the best
//! and β of all trials in which it is active ("Conditional PED-ANOVA", arXiv 2601.20800, as in Optuna 5).
//!
//! It knows ranks alone: a diverged trial is worse than all others, and no unit or outlier matters.

use super::parzen::Grid;
use super::{Effect, Evidence, Measure, Measured, Point, by_importance};
use crate::space::{Dimension, Value};

/// The share of the trials that are the best.
const BEST_SHARE: f64 = 0.1;
/// Fewer best trials than this say little (Optuna's documentation says so, too).
const FEWEST_BEST: usize = 5;
/// A hyperparameter that is active in fewer trials has no density.
const FEWEST_ACTIVE: usize = 2;
/// Keeps a density above 0, where a kernel leaves nothing that an f64 can hold.
const FLOOR: f64 = 1e-12;

/// The measure.
pub struct PedAnova;

impl Measure for PedAnova {
    fn name(&self) -> &'static str {
        "ped_anova"
    }
    fn summary(&self) -> &'static str {
        "how much its values in the best tenth of the trials differ from those in all"
    }

    fn measure(&self, evidence: &Evidence<'_>) -> Measured {
        let is_best = best(&evidence.points);
        let divergence = |dimension: &Dimension| divergence(dimension, &evidence.points, &is_best);
        let found: Vec<f64> = evidence.free().map(divergence).collect();
        let whole: f64 = found.iter().sum();
        let share = |divergence: f64| if whole > 0.0 { divergence / whole } else { 0.0 };
        let effect = |(dimension, &found): (&Dimension, &f64)| Effect {
            name: dimension.name.clone(),
            importance: share(found),
            deviation: None,
        };
        let mut hyperparameters: Vec<Effect> = evidence.free().zip(&found).map(effect).collect();
        by_importance(&mut hyperparameters, |effect| effect.importance);
        let best_count = is_best.iter().filter(|is_best| **is_best).count();
        let mut notes = Vec::new();
        if best_count < FEWEST_BEST {
            notes.push(format!("the best tenth is {best_count} trials: little to judge by"));
        }
        if best_count == is_best.len() {
            notes.push("all trials are as good as the best tenth: nothing tells them apart".to_owned());
        }
        Measured { name: self.name(), hyperparameters, pairs: Vec::new(), fit: None, notes }
    }
}

/// (point) Whether it is among the best tenth, ties included; what has no value never is.
fn best(points: &[Point<'_>]) -> Vec<bool> {
    let mut losses: Vec<f64> = points.iter().map(|point| point.loss).collect();
    losses.sort_by(f64::total_cmp);
    let count = (BEST_SHARE * losses.len() as f64).ceil() as usize;
    let worst = losses[count.clamp(1, losses.len()) - 1];
    points.iter().map(|point| point.loss <= worst && point.loss.is_finite()).collect()
}

fn divergence(dimension: &Dimension, points: &[Point<'_>], is_best: &[bool]) -> f64 {
    let active: Vec<(&Value, bool)> = points
        .iter()
        .zip(is_best)
        .filter_map(|(point, &is_best)| Some((point.configuration.get(&dimension.name)?, is_best)))
        .collect();
    let best: Vec<&Value> = active.iter().filter(|(_, is_best)| *is_best).map(|(value, _)| *value).collect();
    if active.len() < FEWEST_ACTIVE || best.is_empty() {
        return 0.0;
    }
    let best_count = is_best.iter().filter(|is_best| **is_best).count() as f64;
    let share_of_best = best.len() as f64 / best_count;
    let share_of_all = active.len() as f64 / points.len() as f64;
    let grid = Grid::new(&dimension.domain);
    let of_best = grid.density(best.into_iter());
    let of_all = grid.density(active.iter().map(|(value, _)| *value));
    let terms = of_best.iter().zip(&of_all).map(|(q, p)| {
        let (q, p) = (q + FLOOR, p + FLOOR);
        p * (q / p - 1.0).powi(2)
    });
    share_of_best.powi(2) / share_of_all * terms.sum::<f64>()
}
