//! Importance as a table for people: a row for each hyperparameter, a column for each measure.

use super::{ALL, Counted, Effect, Importance};
use crate::report::columns::grid;

/// Most pairs that are listed, and the least importance of one that is.
const MOST_PAIRS: usize = 5;
const LEAST: f64 = 0.01;

/// The table, with a line break at its end.
pub fn render(importance: &Importance) -> String {
    let mut text = format!("importance of hyperparameters, by {}\n", counted(&importance.trials));
    if let Some(note) = &importance.note {
        return format!("{text}\n{note}\n");
    }
    let Some(first) = importance.measures.first() else { return text };
    let head = ["hyperparameter"].into_iter().chain(importance.measures.iter().map(|measure| measure.name));
    let row = |effect: &Effect| {
        let of = |measure: &super::Measured| {
            let found = measure.hyperparameters.iter().find(|other| other.name == effect.name);
            found.map_or("-".to_owned(), |effect| share(effect.importance, effect.deviation))
        };
        std::iter::once(effect.name.clone()).chain(importance.measures.iter().map(of)).collect()
    };
    let rows = first.hyperparameters.iter().map(row).collect();
    text += &format!("\n{}", grid(head.map(str::to_owned).collect(), rows));
    for measure in &importance.measures {
        let pairs = measure.pairs.iter().filter(|pair| pair.importance >= LEAST).take(MOST_PAIRS);
        let lines = pairs.map(|pair| vec![pair.names.join(" × "), share(pair.importance, pair.deviation)]);
        let lines: Vec<Vec<String>> = lines.collect();
        if !lines.is_empty() {
            text += &format!("\n{}", grid(vec!["together".to_owned(), measure.name.to_owned()], lines));
        }
    }
    text += "\n";
    for (measure, kind) in importance.measures.iter().zip(ALL) {
        let fit = measure.fit.map_or(String::new(), |fit| format!("; R² on trials not seen {fit:.2}"));
        text += &format!("{}: {}{fit}\n", measure.name, kind.summary());
        measure.notes.iter().for_each(|note| text += &format!("  {note}\n"));
    }
    text
}

fn share(importance: f64, deviation: Option<f64>) -> String {
    match deviation {
        Some(deviation) => format!("{importance:.3} ± {deviation:.3}"),
        None => format!("{importance:.3}"),
    }
}

fn counted(trials: &Counted) -> String {
    let mut parts = vec![format!("{} complete trials", trials.complete)];
    let others = [
        (trials.pruned, "pruned, by what they had come to"),
        (trials.diverged, "diverged or undefined, as the worst"),
        (trials.left_out, "failed or not ended, left out"),
    ];
    parts
        .extend(others.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
    parts.join("; ")
}
