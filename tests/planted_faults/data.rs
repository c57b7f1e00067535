//! Faults of the data, asked about with a study or without one.

use super::{Study, assert_says, curved, named, names, scattered, table};
use serde_json::Value;
use std::fmt::Write;

/// A study of a few small trials, for what its data alone say.
fn quick(csv: &str) -> Study {
    Study::new(csv, "[search]\ntrials = 1\n[schedule]\nmax_epochs = 1\n[space]\nlearning_rate = 0.01\n")
}

#[test]
fn faults_of_the_data_are_named_of_a_study_too() {
    let csv = table(120, 3, &curved);
    let leaked: String = csv
        .lines()
        .map(|line| {
            format!("{},{line}\n", line.rsplit(',').next().unwrap().replace("yes", "1x").replace("no", "0x"))
        })
        .collect();
    let study = quick(&leaked.replacen("y,", "z,", 1));
    assert_says(&named(&study, "leaking_column"), "where", "column z");
    assert_eq!(study.doctor(&[]).1, Some(1), "it is an error");
    // Every row once more.
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    let study = quick(&format!("{csv}{}\n", rows.join("\n")));
    named(&study, "rows_in_two_folds");
    let (json, _) = study.doctor(&["--data-only"]);
    assert!(
        !json["examined"].as_array().unwrap().contains(&"mismatch".into()),
        "only the data were asked about"
    );
}

#[test]
fn a_scaling_fitted_on_all_rows_is_named() {
    let rows = 150;
    let raw = |row: usize, column: usize| 3.0 + (column + 1) as f64 * scattered(row, column).powi(2);
    let all = |column: usize| (0..rows).map(move |row| raw(row, column));
    let standard = |row: usize, column: usize| {
        let mean = all(column).sum::<f64>() / rows as f64;
        let variance = all(column).map(|x| (x - mean).powi(2)).sum::<f64>() / (rows - 1) as f64;
        (raw(row, column) - mean) / variance.sqrt()
    };
    let ends = |row: usize, column: usize| {
        let (low, high) = (all(column).fold(f64::INFINITY, f64::min), all(column).fold(0.0, f64::max));
        (raw(row, column) - low) / (high - low)
    };
    // Of training rows alone: what a careful person does.
    let of_some = |row: usize, column: usize| {
        let mean = all(column).take(100).sum::<f64>() / 100.0;
        let variance = all(column).take(100).map(|x| (x - mean).powi(2)).sum::<f64>() / 100.0;
        (raw(row, column) - mean) / variance.sqrt()
    };
    // Grey levels, most of them black; and shares, which come near both ends.
    let pixel = |row: usize, column: usize| {
        let level = (1.4 * scattered(row, column) - 0.4).max(0.0) * 255.0;
        level.round().min(255.0) / 255.0
    };
    let fraction = |row: usize, column: usize| scattered(row, column);
    let grade = |row: usize, column: usize| (20.0 * scattered(row, column)).round() / 20.0;
    type Cell<'a> = &'a dyn Fn(usize, usize) -> f64;
    let cases: [(&str, Cell<'_>, bool); 7] = [
        ("standard", &standard, true),
        ("minmax", &ends, true),
        ("raw", &raw, false),
        ("of training rows", &of_some, false),
        ("pixels", &pixel, false),
        ("fractions", &fraction, false),
        ("grades", &grade, false),
    ];
    for (what, cell, is_named) in cases {
        let mut csv = "a,b,c,d,y\n".to_owned();
        for row in 0..rows {
            let cells: Vec<String> = (0..4).map(|column| format!("{:.6}", cell(row, column))).collect();
            let class = if scattered(row, 0) + scattered(row, 1) > 1.0 { "yes" } else { "no" };
            writeln!(csv, "{},{class}", cells.join(",")).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.csv"), csv).unwrap();
        let study = Study { folder };
        let doctor = ["doctor", "t.csv", "--target", "y", "--data-only", "--format", "json"];
        let output = study.command().args(doctor).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let found = names(&json, "note").iter().any(|name| name == "scaled_on_all_rows");
        assert_eq!(found, is_named, "{what}: {json:#}");
    }
}

#[test]
fn a_study_whose_data_are_gone_is_examined_as_far_as_it_can_be() {
    let study = quick(&table(60, 3, &curved));
    std::fs::remove_file(study.folder.path().join("t.csv")).unwrap();
    let (json, code) = study.doctor(&[]);
    assert_eq!(code, Some(0));
    let examined = json["examined"].as_array().unwrap();
    assert!(
        examined.contains(&"edge_of_range".into()) && !examined.contains(&"over_fitting".into()),
        "{json}"
    );
    let text = |arguments: &[&str]| {
        let output = study.command().arg("doctor").args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = text(&["run"]);
    assert!(code == Some(0) && said.contains("the data are not examined"), "{said}");
    for flag in [["--target", "y"], ["--folds", "3"], ["--seed", "1"], ["--engine", "cpu"], ["--device", "0"]]
    {
        let (code, said) = text(&["run", flag[0], flag[1]]);
        assert!(code == Some(2) && said.contains(flag[0]) && said.contains("allowed:"), "{said}");
    }
    let (code, said) = text(&["."]);
    assert!(code == Some(5) && said.contains("holds no study"), "{said}");
}
