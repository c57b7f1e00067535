//! What a sweep of the learning rate alone says: the best one, the largest that is stable, and a range to search.

use super::number::{Scores, significant};
use crate::model::hyperparameter;
use crate::space::Value;
use crate::trial::{self, FoldEpoch, Order, State, Trial};
use serde_json::{Value as Json, json};

/// The hyperparameter.
pub const LEARNING_RATE: &str = "learning_rate";
/// Characters of the longest bar.
const BAR: usize = 24;
/// Times the training loss that the least learning rate begins with, beyond which a loss has gone up.
const UP: f64 = 1.5;
/// Factor beyond the good rates on both sides that is worth a search.
const BESIDE: f64 = 3.0;

/// The rates of a sweep: quarters of decades between these powers of ten.
pub fn rates() -> Vec<f64> {
    const POWERS: (i32, i32) = (-5, 1);
    const PARTS: i32 = 4;
    let allowed =
        hyperparameter::find(hyperparameter::MODELS[0], LEARNING_RATE).map(|known| known.kind.limits());
    let rate = |step: i32| 10.0_f64.powf(f64::from(step) / f64::from(PARTS));
    let all = (POWERS.0 * PARTS..=POWERS.1 * PARTS).map(rate);
    all.filter(|rate| allowed.is_none_or(|limits| limits.contains(*rate))).collect()
}

/// A sweep: trials that differ in their learning rate alone, ascending.
pub struct LrSweep {
    /// By learning rate.
    pub trials: Vec<Trial>,
    /// What is better.
    pub order: Order,
    /// The name of what is scored.
    pub objective: &'static str,
}

impl LrSweep {
    /// The trial with the best score of those that are stable: beyond, a good score is luck.
    pub fn best(&self) -> Option<&Trial> {
        trial::best(self.order, self.trials.iter().filter(|trial| self.is_stable(trial)))
    }

    /// Whether a trial came to its end, and its training loss was never much above what the least rate begins with,
    /// about that of knowing nothing.
    fn is_stable(&self, trial: &Trial) -> bool {
        let loss =
            |epoch: &[FoldEpoch]| epoch.iter().map(|fold| fold.train_loss).sum::<f64>() / epoch.len() as f64;
        let of = |trial: &Trial| -> Vec<f64> {
            trial.history.epochs().chunks_exact(trial.history.fold_count()).map(loss).collect()
        };
        let begins = self.trials.first().and_then(|least| of(least).first().copied()).unwrap_or(f64::NAN);
        trial.state == State::Complete && of(trial).iter().all(|loss| *loss <= UP * begins)
    }

    /// The largest rate up to which every one trains without a loss that goes up or is lost.
    pub fn largest_stable(&self) -> Option<f64> {
        self.trials.iter().take_while(|trial| self.is_stable(trial)).filter_map(rate).last()
    }

    /// Ends of a range that is worth a search: from a third of the least to three times the largest rate whose score is
    /// within a standard error of the best, around the best; nothing beyond the largest stable one.
    pub fn suggested(&self) -> Option<(f64, f64)> {
        let best = self.best()?;
        let (value, fold_count) = (best.score()?.value, best.history.fold_count() as f64);
        let error = best.spread().map_or(0.0, |spread| spread / fold_count.sqrt());
        let is_near = |trial: &&Trial| {
            trial.state == State::Complete
                && trial.score().is_some_and(|score| (score.value - value).abs() <= error)
        };
        let at = self.trials.iter().position(|trial| trial.number == best.number)?;
        let (below, above) = self.trials.split_at(at);
        let low = below.iter().rev().take_while(is_near).last().unwrap_or(best);
        let high = above.iter().take_while(is_near).last().unwrap_or(best);
        let stable = self.largest_stable().unwrap_or(f64::INFINITY).max(rate(best)?);
        Some((rate(low)? / BESIDE, (rate(high)? * BESIDE).min(stable)))
    }

    /// A line a rate, with a bar, and what follows.
    pub fn table(&self) -> String {
        let values = self.trials.iter().filter_map(Trial::score).map(|score| score.value);
        let finite: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        let worst =
            finite.iter().copied().max_by(|a, b| self.order.objective.compare(*a, *b)).unwrap_or(f64::NAN);
        let best = self.best().and_then(Trial::score).map_or(f64::NAN, |score| score.value);
        let scores = Scores::like(best);
        let mut text =
            format!("{:>14}  {:>10}  {:>18}  {:>6}\n", LEARNING_RATE, "train loss", self.objective, "epochs");
        for trial in &self.trials {
            let rate = rate(trial).map_or(String::new(), |rate| significant(rate, 3));
            let line = match (trial.state, trial.score()) {
                (State::Complete, Some(score)) => {
                    let share = (score.value - worst) / (best - worst);
                    let length = if share.is_finite() { (share * BAR as f64).round() as usize } else { 0 };
                    let spread =
                        trial.spread().map_or(String::new(), |spread| format!(" ± {}", scores.text(spread)));
                    format!(
                        "{rate:>14}  {:>10}  {:>18}  {:>6}  {}{}",
                        significant(trial.train_loss().unwrap_or(f64::NAN), 4),
                        format!("{}{spread}", scores.text(score.value)),
                        trial.history.epoch_count(),
                        "█".repeat(length.min(BAR)),
                        if self.is_stable(trial) { "" } else { " unstable" }
                    )
                }
                _ => format!("{rate:>14}  {:>10}  {:>18}", "", ended(trial)),
            };
            text += &format!("{}\n", line.trim_end());
        }
        text + &self.conclusion()
    }

    fn conclusion(&self) -> String {
        let text = |rate: Option<f64>| rate.map_or("none".to_owned(), |rate| significant(rate, 3));
        let mut said = format!(
            "\nbest {}; largest stable {}",
            text(self.best().and_then(rate)),
            text(self.largest_stable())
        );
        if let Some((low, high)) = self.suggested() {
            let (low, high) = (significant(low, 2), significant(high, 2));
            said += &format!("; to search: learning_rate = {{ log_uniform = [{low}, {high}] }}");
        }
        said + "\n"
    }

    /// The same for scripts.
    pub fn json(&self) -> Json {
        let one = |trial: &Trial| {
            json!({
                "learning_rate": rate(trial),
                "state": trial.state.name(),
                "stable": self.is_stable(trial),
                "train_loss": trial.train_loss(),
                "value": trial.score().map(|score| score.value),
                "fold_values": trial.fold_values(),
                "epochs": trial.history.epoch_count(),
                "diverged_at_step": trial.diverged_at_step,
            })
        };
        json!({
            "objective": self.objective,
            "direction": self.order.objective.name(),
            "rates": self.trials.iter().map(one).collect::<Vec<_>>(),
            "best": self.best().and_then(rate),
            "largest_stable": self.largest_stable(),
            "suggested": self.suggested().map(|(low, high)| [low, high]),
        })
    }
}

fn rate(trial: &Trial) -> Option<f64> {
    trial.configuration.get(LEARNING_RATE).and_then(Value::number)
}

fn ended(trial: &Trial) -> String {
    match trial.diverged_at_step {
        Some(step) => format!("diverged at step {step}"),
        None => trial.state.name().to_owned(),
    }
}
