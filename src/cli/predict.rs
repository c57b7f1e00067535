//! `manytune predict`: the best model of a study on the rows of a file.

use super::guard::refuse_needed;
use super::output;
use crate::data;
use crate::error::Result;
use crate::study::files;
use crate::study::model::{Predictions, SavedModel};
use crate::study::refit::refit;
use std::path::PathBuf;

/// Predict the rows of a file with the best model of a study
///
/// Columns are matched by name, in any order; the target may be absent. Writes CSV, one row per row of
/// the file: `prediction`, and for classes `probability_<class>`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The study's folder, such as runs/penguins
    run: PathBuf,
    /// The file to predict, in the layout of the file that was trained on
    data: PathBuf,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Use one model trained on all rows but the final test set instead of the average of the fold models
    #[arg(long)]
    refit: bool,
}

/// Predicts, and writes the predictions.
pub fn run(arguments: &Arguments) -> Result<()> {
    let folder = &arguments.run;
    if let Some(out) = &arguments.out {
        refuse_needed(out, folder, Some(&arguments.data), "predictions.csv")?;
    }
    let mut say = |line: &str| output::note(line);
    let model =
        if arguments.refit { refit(folder, &mut say)? } else { SavedModel::of_best(folder, &mut say)? };
    let encoder = &model.preprocessing.encoder;
    let table = data::load_for_prediction(&arguments.data, encoder)?;
    let predictions = model.predict(&encoder.encode(&table)?);
    let text = render(&predictions, model.class_names());
    match &arguments.out {
        None => output::print(&text),
        Some(path) => {
            files::write(path, text.as_bytes())?;
            let (count, trial) = (table.row_count(), model.trial);
            let rows = if count == 1 { "row" } else { "rows" };
            output::note(&format!(
                "{count} {rows} predicted by trial {trial}, written to {}",
                path.display()
            ));
            Ok(())
        }
    }
}

/// Labels are quoted where CSV needs it; probabilities have the digits of f32, in which models compute.
fn render(predictions: &Predictions, classes: &[String]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory, records of one length: it cannot fail.
    let mut write = |record: Vec<String>| drop(writer.write_record(&record));
    let has_probabilities = matches!(predictions, Predictions::Probabilities(_));
    let probabilities = classes.iter().filter(|_| has_probabilities);
    let probabilities = probabilities.map(|class| format!("probability_{class}"));
    write(std::iter::once("prediction".to_owned()).chain(probabilities).collect());
    match predictions {
        Predictions::Values(values) => values.iter().for_each(|value| write(vec![value.to_string()])),
        Predictions::Votes(_) => {
            let best = predictions.classes(classes.len());
            best.into_iter().for_each(|class| write(vec![classes[class].clone()]));
        }
        Predictions::Probabilities(rows) => {
            let best = predictions.classes(classes.len());
            for (row, class) in rows.chunks_exact(classes.len()).zip(best) {
                let label = std::iter::once(classes[class].clone());
                write(label.chain(row.iter().map(|&p| (p as f32).to_string())).collect());
            }
        }
    }
    String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_back_verbatim() {
        let classes = ["a,b".to_owned(), "say \"no\"\nor yes".to_owned()];
        let text = render(&Predictions::Probabilities(vec![0.25, 0.75, 0.5, 0.5]), &classes);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        assert_eq!(&header[2], "probability_say \"no\"\nor yes");
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!((&rows[0][0], &rows[0][1]), (classes[1].as_str(), "0.25"));
        assert_eq!(&rows[1][0], "a,b");
    }

    #[test]
    fn values_keep_every_digit() {
        let text = render(&Predictions::Values(vec![1234567.000_000_1, -0.1]), &[]);
        assert_eq!(text, "prediction\n1234567.0000001\n-0.1\n");
    }
}
