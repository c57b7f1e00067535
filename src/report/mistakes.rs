//! The rows that the best models are most wrong about, out of fold: where a model fails, and which labels may be wrong.

use super::columns;
use super::number::significant;
use crate::data::Targets;
use crate::model::metric::most_probable;
use crate::study::outside::{Mistake, Outside};
use serde_json::{Value, json};

/// Below this probability for its label a row may be labelled wrong.
pub const DOUBTFUL: f64 = 0.05;

/// A table of the worst rows.
pub fn table(outside: &Outside, count: usize) -> String {
    let names = outside.encoder().class_names();
    let is_of_classes = matches!(outside.dataset().targets, Targets::Classes(_));
    let worst = outside.worst();
    let mut rows = vec![match is_of_classes {
        true => ["row", "label", "prediction", "p(label)", "p(prediction)"].map(str::to_owned).to_vec(),
        false => ["row", "value", "prediction", "error"].map(str::to_owned).to_vec(),
    }];
    // A row of a class is a mistake only where another class is the more probable one.
    let is_mistake = |mistake: &&Mistake<'_>| !is_of_classes || mistake.badness > 0.0;
    let shown: Vec<&Mistake<'_>> = worst.iter().take(count).take_while(is_mistake).collect();
    for mistake in &shown {
        let own = outside.value(mistake.row);
        let numbers = &mistake.said.numbers;
        rows.push(match is_of_classes {
            true => {
                let said = most_probable(numbers);
                let p = |p: f64| format!("{p:.4}");
                let label = own as usize;
                vec![
                    place(outside, mistake),
                    names[label].clone(),
                    names[said].clone(),
                    p(numbers[label]),
                    p(numbers[said]),
                ]
            }
            false => {
                let error = numbers[0] - own;
                vec![
                    place(outside, mistake),
                    significant(own, 6),
                    significant(numbers[0], 6),
                    significant(error, 4),
                ]
            }
        });
    }
    let lines = columns::left(&rows);
    let mut text = format!(
        "worst mistakes of trial {}, of {} rows that it had not trained on\n\n{lines}",
        outside.trial,
        worst.iter().filter(|mistake| !mistake.said.is_trained_on).count()
    );
    if shown.len() < count.min(worst.len()) {
        text += "\nno other row is predicted wrong\n";
    }
    if shown.iter().any(|mistake| mistake.said.is_trained_on) {
        text += "\n* trained on: no fold holds it out\n";
    }
    let doubtful = worst.iter().filter(|mistake| is_doubtful(outside, mistake)).count();
    if doubtful > 0 {
        text += &format!(
            "\n{doubtful} rows have a probability below {DOUBTFUL} for their label: look at these labels first\n"
        );
    }
    text
}

/// The same as a JSON array.
pub fn json(outside: &Outside, count: usize) -> Value {
    let names = outside.encoder().class_names();
    let is_of_classes = matches!(outside.dataset().targets, Targets::Classes(_));
    let row = |mistake: &Mistake<'_>| {
        let (table_row, own) = (outside.prepared.rows[mistake.row as usize], outside.value(mistake.row));
        let mut object = json!({
            "row": table_row,
            "line": outside.table.line(table_row as usize),
            "trained_on": mistake.said.is_trained_on,
        });
        let numbers = &mistake.said.numbers;
        if is_of_classes {
            let said = most_probable(numbers);
            object["label"] = json!(names[own as usize]);
            object["prediction"] = json!(names[said]);
            object["probability_of_label"] = json!(numbers[own as usize]);
            object["probability_of_prediction"] = json!(numbers[said]);
        } else {
            object["value"] = json!(own);
            object["prediction"] = json!(numbers[0]);
            object["error"] = json!(numbers[0] - own);
        }
        object
    };
    outside.worst().iter().take(count).map(row).collect()
}

/// Whether a row's label may well be wrong: its models give it next to no probability.
pub fn is_doubtful(outside: &Outside, mistake: &Mistake<'_>) -> bool {
    let is_of_classes = matches!(outside.dataset().targets, Targets::Classes(_));
    is_of_classes && of_label(outside, mistake) < DOUBTFUL
}

/// The probability of a row's own class.
fn of_label(outside: &Outside, mistake: &Mistake<'_>) -> f64 {
    mistake.said.numbers[outside.value(mistake.row) as usize]
}

/// Where a row stands in the file; a star where it was trained on.
fn place(outside: &Outside, mistake: &Mistake<'_>) -> String {
    let row = outside.prepared.rows[mistake.row as usize];
    let star = if mistake.said.is_trained_on { "*" } else { "" };
    match outside.table.line(row as usize) {
        Some(line) => format!("line {line}{star}"),
        None => format!("row {}{star}", row + 1),
    }
}
