//! Prints the folds of a study as JSON, so that a peer can be scored on the same rows.
//!
//! `cargo bench --bench export_folds -- STUDY.toml` prints `{"feature_count", "folds": [{"train",
//! "validation"}]}`: row numbers from 0 in the order of the file, of a table whose rows all have a
//! target.

use manytune::data;
use manytune::error::{Error, Result};
use manytune::study::plan::{Overrides, Plan};
use std::path::Path;

fn main() -> std::process::ExitCode {
    match print() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::from(error.exit_code())
        }
    }
}

fn print() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [study] = arguments.as_slice() else {
        return Err(
            Error::usage("export_folds", format!("{} arguments", arguments.len())).allowed("one study file")
        );
    };
    let plan = Plan::from_study_file(Path::new(study), &Overrides::default())?;
    let dataset = data::prepare(&data::load(&plan.data)?, &plan.data, plan.seed)?.dataset;
    let fold = |fold: &data::Fold| serde_json::json!({"train": fold.train, "validation": fold.validation});
    let folds: Vec<_> = dataset.folds.iter().map(fold).collect();
    println!("{}", serde_json::json!({"feature_count": dataset.feature_count, "folds": folds}));
    Ok(())
}
