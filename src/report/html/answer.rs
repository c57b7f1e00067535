//! The page of the answer: the best configuration, how good it is and beside what, and how to use it.

use super::{Page, Subject, baseline, interval, missing, random};
use crate::model::metric::Direction;
use crate::report::{Comparison, plain};
use crate::study::plan::Plan;
use crate::trial::Trial;
use serde_json::{Value, json};

/// What the study came to.
pub struct Answer;

impl Page for Answer {
    fn name(&self) -> &'static str {
        "answer"
    }
    fn title(&self) -> &'static str {
        "Answer"
    }
    fn script(&self) -> &'static str {
        include_str!("assets/pages/answer.js")
    }

    fn data(&self, subject: &Subject) -> Option<Value> {
        let board = &subject.board;
        let comparison = Comparison::of(board).map(|found| {
            json!({
                "random_count": found.random_count,
                "random_value": found.random_value,
                "strategy_count": found.strategy_count,
                "strategy_value": found.strategy_value,
                "strategy_value_at_same_budget": found.strategy_value_at_same_budget,
            })
        });
        Some(json!({
            "best": board.best().map(|best| best_of(subject, best)),
            "test_value": board.title.test_value,
            "baseline": baseline_of(subject),
            "random": random::expected(board),
            "comparison": comparison,
            "optimism": board.optimism.as_ref().map(|found| {
                json!({
                    "value": found.value,
                    "standard_error": found.standard_error,
                    "flattery": found.flattery,
                    "trial_count": found.trial_count,
                })
            }),
            "noise": board.noise.as_ref().map(|noise| crate::report::noise::line(noise, &board.title.objective)),
            "folder": subject.folder.display().to_string(),
            "has_model": subject.stored.is_some() && board.best().is_some(),
            "is_of_machines": subject.is_of_machines(),
        }))
    }
}

fn best_of(subject: &Subject, best: &Trial) -> Value {
    // Of a hold-out set there is one score, which is the value itself.
    let folds = subject.board.fold_values(best).filter(|values| values.len() > 1);
    let settings: Vec<(&String, String)> =
        best.configuration.iter().map(|(name, value)| (name, plain(value))).collect();
    json!({
        "number": best.number,
        "value": best.score().map(|score| score.value),
        "folds": folds,
        "interval": folds.as_deref().and_then(|folds| interval_of(subject, folds)),
        "best_epoch": best.best().filter(|_| subject.stored.is_some()).map(|best| best.epoch),
        "settings": settings,
    })
}

/// The 95 % interval; it ends at what a perfect model comes to.
fn interval_of(subject: &Subject, folds: &[f64]) -> Option<Value> {
    let half = interval(folds, test_to_train(subject.plan()?, folds.len())?)?;
    let mean = folds.iter().sum::<f64>() / folds.len() as f64;
    let (low, high) = match subject.board.title.direction {
        Direction::Maximize => (mean - half, (mean + half).min(1.0)),
        Direction::Minimize => ((mean - half).max(0.0), mean + half),
    };
    Some(json!({ "low": low, "high": high, "folds": folds.len() }))
}

/// n_test/n_train of a fold; `None` where it is not known that there is such a number.
fn test_to_train(plan: &Plan, fold_count: usize) -> Option<f64> {
    let split = &plan.data.split;
    if let Some(validation) = split.validation {
        return Some(validation / (1.0 - validation));
    }
    let parts = fold_count / split.repeats.max(1);
    (parts > 1).then(|| 1.0 / (parts - 1) as f64)
}

/// What no learning comes to on the same folds, or why that is not known; `None` for a search, which has no data.
fn baseline_of(subject: &Subject) -> Option<Value> {
    let stored = subject.stored.as_ref()?;
    let found = subject.data().and_then(|(_, prepared)| {
        let metric = stored.header.objective()?;
        Ok(baseline::baseline(&prepared.dataset, &prepared.encoder, metric))
    });
    Some(found.unwrap_or_else(|error| json!({ "missing": missing(&error) })))
}
