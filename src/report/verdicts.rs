//! What the curves of each trial say of its fit, for people and scripts.

use super::columns::grid;
use super::number::{Scores, short};
use super::sparkline::Sparklines;
use super::table::outcome;
use crate::diagnosis::study::verdict::{Judged, UNKNOWN, counts};
use crate::diagnosis::study::{Losses, Record};
use crate::trial::Trial;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the losses are beside.
const SCALE: &str = "losses: 1 is that of always saying the same, 0 is all known";

/// A table of the first so many trials, by rank, and how many have each verdict.
pub fn table(record: &Record<'_>, judged: &[Judged<'_>], top: usize) -> String {
    let scores = scores(judged);
    let head = ["rank", "trial", &record.header.objective, "training", "validation", "best epoch", "verdict"];
    let row = |one: &Judged<'_>| {
        let loss =
            |of: fn(&Losses) -> f64| one.losses.map_or("-".to_owned(), |losses| Losses::text(of(losses)));
        vec![
            one.rank.to_string(),
            one.trial.number.to_string(),
            outcome(one.trial, scores),
            loss(Losses::train_at_best),
            loss(Losses::least),
            one.losses.map_or("-".to_owned(), |losses| {
                format!("{} of {}", losses.best + 1, losses.validation.len())
            }),
            one.verdict.to_owned(),
        ]
    };
    let mut text = grid(head.map(str::to_owned).to_vec(), judged.iter().take(top).map(row).collect());
    text += &format!("\n{SCALE}\n");
    for (seen, one, others) in unknown(judged) {
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        text += &format!("trial {}{others} {UNKNOWN}: {seen}\n", one.number);
    }
    text += &format!("{}\n", summary(judged));
    match judged.len().saturating_sub(top) {
        0 => text,
        _ => {
            text + &format!(
                "shown are the first {top}: --top {} shows all, --trial N says more of one\n",
                judged.len()
            )
        }
    }
}

/// How many trials have each verdict, on one line.
pub fn summary(judged: &[Judged<'_>]) -> String {
    let counts = counts(judged.iter().map(|one| one.verdict));
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    match judged.len() {
        0 => "no trial has begun".to_owned(),
        1 => format!("1 trial: {}", counts.join(", ")),
        all => format!("{all} trials: {}", counts.join(", ")),
    }
}

/// Why trials are unknown: each reason, the first trial of it, and how many more there are.
fn unknown<'a>(judged: &'a [Judged<'_>]) -> Vec<(&'a str, &'a Trial, usize)> {
    const SHOWN: usize = 3;
    let mut reasons: BTreeMap<&str, Vec<&Trial>> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.verdict == UNKNOWN) {
        reasons.entry(&one.opinion.seen).or_default().push(one.trial);
    }
    reasons.into_iter().take(SHOWN).map(|(seen, trials)| (seen, trials[0], trials.len() - 1)).collect()
}

/// One trial: its hyperparameters, its curves, why its verdict, and what to try.
pub fn one(record: &Record<'_>, judged: &[Judged<'_>], one: &Judged<'_>) -> String {
    let values: Vec<String> =
        one.trial.configuration.iter().map(|(name, value)| format!("{name} = {}", short(value))).collect();
    let mut text = format!(
        "trial {}, rank {} of {}: {} {}\n{}\n",
        one.trial.number,
        one.rank,
        judged.len(),
        record.header.objective,
        outcome(one.trial, scores(judged)),
        values.join("  ")
    );
    if let Some(losses) = one.losses {
        text += &curves(losses);
    }
    let opinion = &one.opinion;
    text + &format!(
        "\n{}: {}\n  why: {}\n  try: {}\n",
        one.verdict, opinion.seen, opinion.cause, opinion.advice
    )
}

/// Both curves on one scale, and where they stand.
fn curves(losses: &Losses) -> String {
    let drawn = Sparklines::of_curves(&[losses.train.clone(), losses.validation.clone()]);
    let bars =
        |curve: &[f64]| drawn.as_ref().map_or(String::new(), |drawn| format!("{}  ", drawn.curve(curve)));
    let line = |name: &str, curve: &[f64], least: usize| {
        let at = |epoch: usize| format!("{} after epoch {}", Losses::text(curve[epoch]), epoch + 1);
        let last = curve.len() - 1;
        let end = if last > least { format!(", {}", at(last)) } else { String::new() };
        let falls = if Losses::is_improving(curve) { ", falling still" } else { "" };
        format!("  {name:10}  {}{}{end}{falls}\n", bars(curve), at(least))
    };
    format!(
        "\n{}{}{SCALE}\n",
        line("training", &losses.train, losses.best),
        line("validation", &losses.validation, losses.best)
    )
}

/// One trial as JSON; its curves too where they are asked for. What is not known is `null`.
pub fn json(one: &Judged<'_>, has_curves: bool) -> Value {
    let losses = one.losses;
    let mut object = json!({
        "number": one.trial.number,
        "rank": one.rank,
        "state": one.trial.state.name(),
        "value": one.trial.score().map(|score| score.value),
        "verdict": one.verdict,
        "seen": one.opinion.seen,
        "cause": one.opinion.cause,
        "try": one.opinion.advice,
        "training_loss": losses.map(Losses::train_at_best),
        "validation_loss": losses.map(Losses::least),
        "best_epoch": losses.map(|losses| losses.best + 1),
        "training_loss_at_end": losses.map(Losses::train_at_end),
        "validation_loss_at_end": losses.map(Losses::at_end),
        "epochs": one.trial.history.epoch_count(),
        "training_falls": losses.map(|losses| Losses::is_improving(&losses.train)),
        "validation_falls": losses.map(|losses| Losses::is_improving(&losses.validation)),
    });
    if has_curves {
        object["hyperparameters"] = json!(one.trial.configuration);
        object["curves"] = json!(
            losses.map(|losses| { json!({ "training": losses.train, "validation": losses.validation }) })
        );
    }
    object
}

fn scores(judged: &[Judged<'_>]) -> Scores {
    Scores::like(judged.iter().find_map(|one| one.trial.score()).map_or(0.0, |score| score.value))
}
