//! The leaderboard as CSV, one row per trial, for spreadsheets and data frames.

use super::{Format, Leaderboard, Page, plain};
use crate::trial::Trial;

/// One row per trial and one column per fold and hyperparameter; what has no value is empty.
pub struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }
    fn summary(&self) -> &'static str {
        "one row per trial with every digit, for spreadsheets"
    }

    fn render(&self, board: &Leaderboard, page: Page) -> String {
        let names: Vec<&str> = board.hyperparameters.names().collect();
        let fold_count = board.title.fold_count.unwrap_or(0);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut head: Vec<String> =
            ["number", "state", "value", "epochs", "seconds", "diverged_at_step"].map(str::to_owned).into();
        head.extend((0..fold_count).map(|fold| format!("fold_{fold}")));
        head.extend(names.iter().map(|name| (*name).to_owned()));
        let rows = board.shown(page).iter().map(|trial| row(board, trial, &names));
        for record in std::iter::once(head).chain(rows) {
            // Writing to memory, records of one length: neither can fail.
            let _ = writer.write_record(&record);
        }
        let bytes = writer.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn row(board: &Leaderboard, trial: &Trial, names: &[&str]) -> Vec<String> {
    let fold_count = board.title.fold_count.unwrap_or(0);
    let mut row = vec![
        trial.number.to_string(),
        trial.state.name().to_owned(),
        trial.score().map_or(String::new(), |score| score.value.to_string()),
        board.epochs(trial).map_or(String::new(), |epochs| epochs.to_string()),
        trial.seconds.to_string(),
        trial.diverged_at_step.map_or(String::new(), |step| step.to_string()),
    ];
    match board.fold_values(trial) {
        Some(values) => row.extend(values.iter().map(f64::to_string)),
        None => row.extend(vec![String::new(); fold_count]),
    }
    let value = |name: &&str| trial.configuration.get(*name).map_or(String::new(), plain);
    row.extend(names.iter().map(value));
    row
}
