//! Studies that nothing is wrong with.

use super::{Study, names, scattered, share_of, table};
use manytune::diagnosis;
use serde_json::Value;
use std::path::Path;

/// What is true of many a good study: the folds cannot tell its best trials, and labels have noise.
const TRUE_NOTES: [&str; 2] = ["ranking", "noise_limited"];

#[test]
fn healthy_studies_name_nothing() {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data"));
    let smooth = |row: usize, x: &[f64]| {
        let wave = (0.6 * x[0]).sin() * 3.0 + x[1] * 0.5 - 0.05 * x[2] * x[2];
        format!("{:.4}", wave + 0.3 * scattered(row, 9))
    };
    let regression = table(200, 3, &smooth);
    let studies = [
        ("penguins", format!("path = {:?}\ntarget = \"species\"", data.join("penguins.csv")), "trials = 20"),
        (
            "titanic",
            format!("path = {:?}\ntarget = \"survived\"\nignore = [\"alive\"]", data.join("titanic.csv")),
            "trials = 12",
        ),
        ("heart_scale", format!("path = {:?}", data.join("heart_scale")), ""),
        ("regression", "path = \"t.csv\"\ntarget = \"y\"".to_owned(), "trials = 20"),
    ];
    for (name, of, search) in studies {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.csv"), &regression).unwrap();
        let kind = if name == "heart_scale" { "svm" } else { "mlp" };
        let toml = format!("[data]\n{of}\n[model]\nkind = \"{kind}\"\n[search]\n{search}\n");
        std::fs::write(folder.path().join("s.toml"), toml).unwrap();
        let study = Study::of(folder, Path::new("s.toml"), &[]);
        let (json, code) = study.doctor(&[]);
        assert_eq!(code, Some(0), "{name}");
        let of_study: Vec<&str> = diagnosis::study::ALL.iter().map(|diagnosis| diagnosis.name()).collect();
        let mut found = names(&json, "note");
        found.retain(|found| of_study.contains(&found.as_str()) && !TRUE_NOTES.contains(&found.as_str()));
        assert_eq!(found, [""; 0], "{name}: {json:#}");
        let count = |verdict: &str| share_of(&study, verdict).0;
        let is_well =
            |trial: &&Value| ["well_fitted", "noise_limited"].map(Value::from).contains(&trial["verdict"]);
        let trials = json["trials"].as_array().unwrap();
        let well = trials.iter().take_while(is_well).count();
        assert!(kind == "svm" || 3 * well >= trials.len(), "{name}: the first {well} of {}", trials.len());
        assert_eq!(count("mismatch") + count("undecided"), 0, "{name}");
    }
}
