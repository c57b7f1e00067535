//! The page of training: the curves of all trials, the rungs, and what was stopped when.

use super::{Page, Subject, rungs};
use crate::trial::Trial;
use serde_json::{Value, json};

/// Learning curves.
pub struct Training;

/// Points of a curve at most: more than a plot has room for would only make the file large.
const MOST_POINTS: usize = 200;

impl Page for Training {
    fn name(&self) -> &'static str {
        "training"
    }
    fn title(&self) -> &'static str {
        "Training"
    }
    fn script(&self) -> &'static str {
        include_str!("assets/pages/training.js")
    }

    fn data(&self, subject: &Subject) -> Option<Value> {
        if subject.is_of_machines() {
            return None;
        }
        match subject.stored.is_some() {
            true => of_study(subject),
            false => of_search(subject),
        }
    }
}

/// By epochs.
fn of_study(subject: &Subject) -> Option<Value> {
    let board = &subject.board;
    let curves: Vec<Value> = board.trials.iter().filter_map(curve).collect();
    if curves.is_empty() {
        return None;
    }
    let (rungs, step_rungs) = rungs::rungs(subject);
    Some(json!({
        "unit": "epoch",
        "curves": curves,
        "best": board.best().map(best),
        "rungs": rungs,
        "step_rungs": step_rungs,
        "max_epochs": subject.plan().map(|plan| plan.max_epochs),
        "patience": subject.plan().map(|plan| plan.patience),
    }))
}

/// By the steps of which intermediate values were told.
fn of_search(subject: &Subject) -> Option<Value> {
    let curve = |(number, points): (&u64, &Vec<(u64, f64)>)| {
        let kept: Vec<&(u64, f64)> = places(points.len()).map(|place| &points[place]).collect();
        json!({
            "trial": number,
            "at": kept.iter().map(|(step, _)| step).collect::<Vec<_>>(),
            "values": kept.iter().map(|(_, value)| rounded(*value)).collect::<Vec<_>>(),
        })
    };
    let curves: Vec<Value> = subject.intermediates.iter().map(curve).collect();
    (!curves.is_empty()).then(|| json!({ "unit": "step", "curves": curves, "rungs": null, "best": null }))
}

/// The mean over folds, epoch by epoch.
fn curve(trial: &Trial) -> Option<Value> {
    let values = trial.history.mean_values();
    (!values.is_empty()).then(|| {
        let places: Vec<usize> = places(values.len()).collect();
        json!({
            "trial": trial.number,
            "at": places.iter().map(|place| place + 1).collect::<Vec<_>>(),
            "values": places.iter().map(|&place| rounded(values[place])).collect::<Vec<_>>(),
        })
    })
}

/// The best trial fold by fold: what it trained to, and what it scored.
fn best(trial: &Trial) -> Value {
    let fold_count = trial.history.fold_count();
    let epochs = trial.history.epochs();
    let places: Vec<usize> = places(epochs.len() / fold_count).collect();
    let of_fold = |fold: usize| {
        let at = |place: &usize| &epochs[place * fold_count + fold];
        json!({
            "values": places.iter().map(|place| rounded(at(place).score.value)).collect::<Vec<_>>(),
            "losses": places.iter().map(|place| rounded(at(place).train_loss)).collect::<Vec<_>>(),
        })
    };
    json!({
        "trial": trial.number,
        "epoch": trial.best().map(|best| best.epoch),
        "at": places.iter().map(|place| place + 1).collect::<Vec<_>>(),
        "folds": (0..fold_count).map(of_fold).collect::<Vec<_>>(),
    })
}

/// The places of a curve that are drawn, its two ends among them.
fn places(count: usize) -> impl Iterator<Item = usize> {
    let drawn = count.min(MOST_POINTS);
    (0..drawn).map(move |place| if drawn < 2 { 0 } else { place * (count - 1) / (drawn - 1) })
}

/// Five digits: finer than any screen, and half as long.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powi(4 - value.abs().log10().floor() as i32);
    let short = (value * scale).round() / scale;
    if short.is_finite() { short } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_keeps_its_ends() {
        let long: Vec<usize> = places(1000).collect();
        assert_eq!((long.len(), long[0], long[MOST_POINTS - 1]), (MOST_POINTS, 0, 999));
        assert_eq!(places(3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(places(1).collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn numbers_keep_five_digits() {
        for (value, expected) in
            [(0.123456789, 0.12346), (-98765.4321, -98765.0), (1e-300, 1e-300), (1e300, 1e300)]
        {
            assert_eq!(rounded(value), expected);
        }
        assert!(rounded(f64::NAN).is_nan());
    }
}
