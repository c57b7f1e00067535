//! How a score grows with the training rows, by doubling steps, and whether more rows would help.

use super::number::{Scores, significant};
use super::sparkline;
use crate::model::metric::Direction;
use crate::sample::Sample;
use crate::trial::{State, Trial};
use serde_json::{Value, json};

/// Standard errors beyond which a gain is no chance.
const SURE: f64 = 2.0;

/// One configuration, trained on more and more rows.
pub struct LearningCurve {
    /// The trial of a study that its configuration is of.
    pub trial: Option<u64>,
    /// By size: the share of the training rows, how many they are (of the first fold), and what came of it.
    pub points: Vec<(f64, usize, Trial)>,
    /// Whether it is trained by epochs, on a loss.
    pub has_epochs: bool,
    /// Which way is better.
    pub direction: Direction,
    /// The name of what is scored.
    pub objective: &'static str,
}

/// What the last doubling of the rows gave, fold by fold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Doubling {
    /// The mean gain over folds, in the objective's unit; below 0 where it got worse.
    pub gain: f64,
    /// Of that mean; NaN of one fold.
    pub standard_error: f64,
}

impl Doubling {
    /// In words, what more rows would do.
    pub fn verdict(&self) -> &'static str {
        match (self.gain - SURE * self.standard_error, self.gain + SURE * self.standard_error) {
            (low, _) if low > 0.0 => "more rows would help",
            (_, high) if high < 0.0 => {
                "the larger half did worse: look at the order of the rows, or at the epochs"
            }
            (low, _) if low.is_nan() => "one fold cannot say whether that is chance",
            _ => "whether more rows would help cannot be told from chance",
        }
    }
}

impl LearningCurve {
    /// Of the two largest sizes; `None` where one has no score.
    pub fn last_doubling(&self) -> Option<Doubling> {
        let [.., (_, _, half), (_, _, all)] = self.points.as_slice() else { return None };
        let (half, all) = (half.fold_values()?, all.fold_values()?);
        let sign = if self.direction == Direction::Maximize { 1.0 } else { -1.0 };
        let gains: Vec<f64> = half.iter().zip(&all).map(|(half, all)| sign * (all - half)).collect();
        let gains = Sample::of(&gains);
        Some(Doubling { gain: gains.mean, standard_error: gains.standard_error() })
    }

    /// A line a size, the curve in one line, and what more rows would do.
    pub fn table(&self) -> String {
        let scores = Scores::like(self.values().last().copied().unwrap_or(f64::NAN));
        let columns = |share: &str, rows: &str, loss: &str, score: &str, epochs: &str| {
            let line = match self.has_epochs {
                true => format!("{share:>7}  {rows:>8}  {loss:>10}  {score:>18}  {epochs:>6}"),
                false => format!("{share:>7}  {rows:>8}  {score:>18}"),
            };
            format!("{}\n", line.trim_end())
        };
        let mut text = columns("share", "rows", "train loss", self.objective, "epochs");
        for (share, rows, trial) in &self.points {
            let share = if *share < 1.0 { format!("1/{}", (1.0 / share).round()) } else { "all".to_owned() };
            let line = match (trial.state, trial.score()) {
                (State::Complete, Some(score)) => {
                    let spread =
                        trial.spread().map_or(String::new(), |spread| format!(" ± {}", scores.text(spread)));
                    let loss = significant(trial.train_loss().unwrap_or(f64::NAN), 4);
                    let score = format!("{}{spread}", scores.text(score.value));
                    columns(
                        &share,
                        &rows.to_string(),
                        &loss,
                        &score,
                        &trial.history.epoch_count().to_string(),
                    )
                }
                _ => columns(&share, &rows.to_string(), "", trial.state.name(), ""),
            };
            text += &line;
        }
        text += &format!("\n{} {}\n", self.objective, curve(&self.values(), self.direction));
        if let Some(doubling) = self.last_doubling() {
            let Doubling { gain, standard_error } = doubling;
            let error = match standard_error.is_finite() {
                true => format!(" ± {} (standard error)", significant(standard_error, 2)),
                false => String::new(),
            };
            let gain = significant(gain, 3);
            text += &format!("the last doubling gained {gain}{error}: {}\n", doubling.verdict());
        }
        text
    }

    /// (size) the score; NaN where there is none.
    fn values(&self) -> Vec<f64> {
        self.points.iter().map(|(_, _, trial)| trial.score().map_or(f64::NAN, |score| score.value)).collect()
    }

    /// The same for scripts.
    pub fn json(&self) -> Value {
        let point = |(share, rows, trial): &(f64, usize, Trial)| {
            json!({
                "share": share,
                "rows": rows,
                "state": trial.state.name(),
                "train_loss": trial.train_loss().filter(|_| self.has_epochs),
                "value": trial.score().map(|score| score.value),
                "fold_values": trial.fold_values(),
                "epochs": trial.history.epoch_count(),
            })
        };
        let configuration = self.points.first().map(|(_, _, trial)| &trial.configuration);
        let doubling = self.last_doubling().map(|doubling| {
            json!({
                "gain": doubling.gain,
                "standard_error": doubling.standard_error,
                "verdict": doubling.verdict(),
            })
        });
        json!({
            "trial": self.trial,
            "hyperparameters": configuration,
            "points": self.points.iter().map(point).collect::<Vec<_>>(),
            "last_doubling": doubling,
        })
    }
}

/// Better is higher; a gap where there is no score.
fn curve(values: &[f64], direction: Direction) -> String {
    let ordered = |a: &f64, b: &f64| direction.compare(*a, *b);
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (Some(best), Some(worst)) = (finite().min_by(ordered), finite().max_by(ordered)) else {
        return String::new();
    };
    let level = |&value: &f64| {
        let share = (value - worst) / (best - worst);
        match (value.is_finite(), share.is_finite()) {
            (false, _) => sparkline::GAP,
            (true, false) => sparkline::bar(1.0),
            (true, true) => sparkline::bar(share),
        }
    };
    values.iter().map(level).collect()
}
