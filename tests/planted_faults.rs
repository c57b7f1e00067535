//! What a study's own results say: each planted fault is named by its finding, and a healthy study names none.

use manytune::diagnosis;
use manytune::engine::EngineKind;
use manytune::study::store::{Header, Store};
use manytune::trial::{FoldEpoch, Score, State, Trial};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Numbers without a pattern, in [0, 1).
fn scattered(i: usize, salt: usize) -> f64 {
    (((i * 7919 + salt * 104_729 + 1) as f64 * 12.9898).sin() * 43_758.545_3).rem_euclid(1.0)
}

/// A table of three columns and what a row's target is, given its numbers.
fn table(rows: usize, columns: usize, target: &dyn Fn(usize, &[f64]) -> String) -> String {
    let mut text = (0..columns).map(|column| format!("x{column}")).collect::<Vec<_>>().join(",") + ",y\n";
    for row in 0..rows {
        let x: Vec<f64> = (0..columns).map(|salt| 10.0 * scattered(row, salt)).collect();
        let cells: Vec<String> = x.iter().map(|x| format!("{x:.5}")).collect();
        writeln!(text, "{},{}", cells.join(","), target(row, &x)).unwrap();
    }
    text
}

/// Two classes, inside and outside of a ring: no line tells them.
fn ring(_: usize, x: &[f64]) -> String {
    let distance = (x[0] - 5.0).hypot(x[1] - 5.0);
    if distance < 4.0 { "in" } else { "out" }.to_owned()
}

/// Two classes that a curved line tells, nearly.
fn curved(row: usize, x: &[f64]) -> String {
    let z = x[0] + 0.1 * x[1] * x[1] - x[2] + 2.0 * scattered(row, 9);
    if z > 4.0 { "yes" } else { "no" }.to_owned()
}

struct Study {
    folder: TempDir,
}

impl Study {
    /// Tunes what a study file says, behind its `[data]` of the table.
    fn new(csv: &str, rest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.csv"), csv).unwrap();
        let data = "[data]\npath = \"t.csv\"\ntarget = \"y\"\nfolds = 3\n";
        std::fs::write(folder.path().join("s.toml"), format!("{data}{rest}")).unwrap();
        Self::of(folder, Path::new("s.toml"), &[])
    }

    fn of(folder: TempDir, input: &Path, arguments: &[&str]) -> Self {
        let study = Self { folder };
        let mut command = study.command();
        command.arg("tune").arg(input).args(["--quiet", "--engine", "cpu", "--out", "run"]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        study
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manytune"));
        command.current_dir(self.folder.path());
        command
    }

    fn doctor(&self, arguments: &[&str]) -> (Value, Option<i32>) {
        let mut command = self.command();
        command.args(["doctor", "run", "--format", "json"]).args(arguments);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr));
        });
        (json, output.status.code())
    }
}

/// Names of findings that are at least as bad.
fn names(json: &Value, least: &str) -> Vec<String> {
    let severities = ["note", "warning", "error"];
    let rank = |name: &str| severities.iter().position(|severity| *severity == name).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    let bad = findings.filter(|finding| rank(finding["severity"].as_str().unwrap()) >= rank(least));
    bad.map(|finding| finding["name"].as_str().unwrap().to_owned()).collect()
}

/// The finding of this name; what was found, where there is none.
#[track_caller]
fn named(study: &Study, name: &str) -> Value {
    let (json, _) = study.doctor(&[]);
    let found = json["findings"].as_array().unwrap().iter().find(|finding| finding["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {json:#}")).clone()
}

#[track_caller]
fn assert_says(finding: &Value, key: &str, part: &str) {
    assert!(finding[key].as_str().unwrap().contains(part), "no \"{part}\" in {finding:#}");
}

#[test]
fn a_learning_rate_that_is_too_high_is_named_with_its_range() {
    let study = Study::new(
        &table(200, 3, &curved),
        "[search]\nstrategy = \"random\"\ntrials = 24\n[schedule]\nmax_epochs = 8\n\
         [space]\nlearning_rate = { log_uniform = [1e-3, 1e4] }\noptimizer = \"sgd\"\nhidden = [[8]]\n",
    );
    let finding = named(&study, "learning_rate_too_high");
    assert_eq!(finding["severity"], "warning");
    assert_says(&finding, "where", "learning_rate from ");
    assert_says(&finding, "seen", " diverged, ");
    assert_says(&finding, "try", "learning_rate below ");
}

#[test]
fn a_learning_rate_that_is_too_low_is_named() {
    let study = Study::new(
        &table(200, 3, &curved),
        "[search]\nstrategy = \"random\"\ntrials = 12\n[schedule]\nmax_epochs = 16\npatience = 16\n\
         [space]\nlearning_rate = { log_uniform = [1e-6, 1e-4] }\nhidden = [[8], [16]]\n",
    );
    let finding = named(&study, "learning_rate_too_low");
    assert_says(&finding, "where", "learning_rate 1");
    let (json, _) = study.doctor(&[]);
    let other = |name: &String| name == "under_fitting" || name == "budget_too_short";
    assert!(!names(&json, "note").iter().any(other), "what follows from it is not said beside it: {json:#}");
}

#[test]
fn too_few_epochs_are_named() {
    let study = Study::new(
        &table(200, 3, &curved),
        "[search]\nstrategy = \"random\"\ntrials = 8\n[schedule]\nmax_epochs = 10\n\
         [space]\nlearning_rate = 0.02\nhidden = [[8]]\nlabel_smoothing = { uniform = [0.0, 0.1] }\n",
    );
    assert_says(&named(&study, "budget_too_short"), "try", "max_epochs = 30");
}

#[test]
fn a_range_that_ends_too_soon_is_named_with_how_it_should_go_on() {
    let study = Study::new(
        &table(200, 3, &curved),
        "[search]\nstrategy = \"random\"\ntrials = 40\nobjective = \"log_loss\"\n[schedule]\nmax_epochs = 12\n\
         [space]\nlearning_rate = 0.05\nhidden = [[8]]\nl2_penalty = { log_uniform = [1e-1, 1e2] }\n",
    );
    let finding = named(&study, "edge_of_range");
    assert_says(&finding, "where", "l2_penalty, its lower end");
    assert_says(&finding, "try", "goes on to 0.01");
}

#[test]
fn over_fitting_is_named() {
    let noisy = |row: usize, x: &[f64]| {
        let is_right = scattered(row, 77) < 0.75;
        if (x[0] > x[1]) == is_right { "yes" } else { "no" }.to_owned()
    };
    let study = Study::new(
        &table(90, 8, &noisy),
        "[search]\nstrategy = \"random\"\ntrials = 4\n[schedule]\nmax_epochs = 60\npatience = 60\n\
         [space]\nlearning_rate = { log_uniform = [3e-3, 1e-2] }\nhidden = [[64, 64]]\nbatch_size = 16\n",
    );
    let finding = named(&study, "over_fitting");
    assert_says(&finding, "seen", "in 4 of 4 trials the validation loss turned up");
    assert_says(&finding, "try", "less hidden; more weight_decay");
}

#[test]
fn under_fitting_is_named() {
    let study = |model: &str, hidden: &str, trials: u32| {
        Study::new(
            &table(200, 2, &ring),
            &format!(
                "[model]\nkind = \"{model}\"\n[search]\nstrategy = \"random\"\ntrials = {trials}\n\
                 [schedule]\nmax_epochs = 120\n\
                 [space]\nlearning_rate = {{ log_uniform = [5e-2, 2e-1] }}\n{hidden}\n"
            ),
        )
    };
    let finding =
        named(&study("mlp", "hidden = [[1], [2], [3]]\nactivation = \"tanh\"", 30), "under_fitting");
    assert_eq!(finding["severity"], "warning");
    assert_says(&finding, "seen", "more hidden did better");
    assert_says(&finding, "try", "hidden beyond [3]");
    // Of one size nobody knows whether a larger one would do better.
    let finding = named(&study("linear", "", 4), "under_fitting");
    assert_eq!(finding["severity"], "note");
    assert_says(&finding, "cause", "or noise");
}

#[test]
fn shuffled_labels_are_named() {
    let shuffled = |row: usize, _: &[f64]| if scattered(row, 77) > 0.5 { "yes" } else { "no" }.to_owned();
    let study = Study::new(
        &table(120, 4, &shuffled),
        "[search]\nstrategy = \"random\"\ntrials = 4\n[schedule]\nmax_epochs = 60\npatience = 60\n\
         [space]\nlearning_rate = { log_uniform = [5e-3, 1e-2] }\nhidden = [[64, 64]]\nbatch_size = 16\n",
    );
    assert_says(&named(&study, "mismatch"), "cause", "shuffled");
}

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
        let (json, code) = Study::of(folder, Path::new("s.toml"), &[]).doctor(&[]);
        assert_eq!(code, Some(0), "{name}");
        let of_study: Vec<&str> = diagnosis::study::ALL.iter().map(|diagnosis| diagnosis.name()).collect();
        let mut found = names(&json, "note");
        found.retain(|found| of_study.contains(&found.as_str()) && !TRUE_NOTES.contains(&found.as_str()));
        assert_eq!(found, [""; 0], "{name}: {json:#}");
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

/// A stored study without data whose trials have these curves: configuration as JSON, state, (epoch, fold) accuracy.
fn stored(space: &str, schedule: &str, trials: Vec<(String, State, Vec<[f64; 3]>)>) -> Study {
    let folder = tempfile::tempdir().unwrap();
    let source = format!(
        "[data]\npath = \"none.csv\"\ntarget = \"y\"\n[schedule]\nkind = \"{schedule}\"\n[space]\n{space}\n"
    );
    let header = Header {
        name: "s".to_owned(),
        source,
        fingerprint: String::new(),
        objective: "accuracy".to_owned(),
        tie_break: "log_loss".to_owned(),
        seed: 0,
        fold_count: 3,
        engine: EngineKind::Cpu,
        device: String::new(),
        version: String::new(),
        test_value: None,
    };
    let mut store = Store::create(&folder.path().join("run"), &header).unwrap();
    let writer = store.begin().unwrap();
    for (number, (configuration, state, curve)) in trials.into_iter().enumerate() {
        let configuration = serde_json::from_str(&configuration).unwrap();
        let mut trial = Trial::new(number as u64, configuration, header.order().unwrap(), 3);
        for folds in curve {
            let fold = |value: f64| FoldEpoch { train_loss: 0.5, score: Score { value, tie_break: 0.5 } };
            trial.history.push(&folds.map(fold));
        }
        trial.state = state;
        writer.trial(&trial).unwrap();
    }
    writer.commit().unwrap();
    drop(store);
    Study { folder }
}

#[test]
fn a_schedule_that_decides_by_values_that_foretell_nothing_is_named() {
    let study = |foretells: bool| {
        let trial = |i: usize| {
            let (first, last) = (0.5 + 0.01 * i as f64, if foretells { 0.7 } else { 0.9 } + 0.01 * i as f64);
            let last = if foretells { last } else { 1.8 - last };
            let state = if i.is_multiple_of(3) { State::Pruned } else { State::Complete };
            let curve = if state == State::Pruned { vec![[first; 3]] } else { vec![[first; 3], [last; 3]] };
            (format!("{{\"learning_rate\":{}}}", 0.001 * (i + 1) as f64), state, curve)
        };
        stored("learning_rate = { uniform = [0.0005, 0.05] }", "asha", (0..30).map(trial).collect())
    };
    assert_says(&named(&study(false), "early_stops"), "seen", "10 trials were stopped");
    assert!(!names(&study(true).doctor(&[]).0, "note").contains(&"early_stops".to_owned()));
}

#[test]
fn an_order_that_the_folds_cannot_tell_is_named() {
    let study = |gap: f64| {
        let trial = |i: usize| {
            let folds = [0, 1, 2].map(|fold| 0.7 + gap * i as f64 + 0.1 * scattered(i, fold));
            (format!("{{\"learning_rate\":{}}}", 0.001 * (i + 1) as f64), State::Complete, vec![folds])
        };
        stored("learning_rate = { uniform = [0.0005, 0.05] }", "none", (0..12).map(trial).collect())
    };
    assert_says(&named(&study(0.0), "ranking"), "try", "manytune noise");
    assert!(!names(&study(0.2).doctor(&[]).0, "note").contains(&"ranking".to_owned()));
}

#[test]
fn a_floor_that_no_size_gets_below_is_named() {
    let noisy = |row: usize, x: &[f64]| {
        let is_right = scattered(row, 77) < 0.75;
        if (x[0] > x[1]) == is_right { "yes" } else { "no" }.to_owned()
    };
    let study = Study::new(
        &table(400, 2, &noisy),
        "[search]\nstrategy = \"random\"\ntrials = 14\n[schedule]\nmax_epochs = 40\npatience = 10\n\
         [space]\nlearning_rate = { log_uniform = [1e-2, 3e-2] }\nhidden = [[4], [8], [16]]\n",
    );
    assert_says(&named(&study, "noise_limited"), "seen", "with most hidden 0.8");
}
