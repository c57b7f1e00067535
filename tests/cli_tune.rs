//! The main job as a user does it: tune, show, predict.

mod cli;

use cli::{Place, STUDY};
use serde_json::Value;
use std::fs;

#[test]
fn a_table_becomes_a_leaderboard_and_predictions() {
    let place = Place::new();
    let (table, notes) = place.run("tune study.toml");
    assert!(table.starts_with("study: maximize accuracy over 3 folds, engine cpu"), "{table}");
    assert!(table.contains("6 trials (6 complete)") && table.contains("±"), "{table}");
    assert!(table.contains("in every trial: batch_size=64"), "{table}");
    assert!(table.contains("manytune predict runs/study"), "{table}");
    assert!(notes.contains("engine cpu"), "{notes}");
    for file in ["study.db", "study.toml", "best.safetensors", "best.json"] {
        assert!(place.path("runs/study").join(file).is_file(), "{file}");
    }
    let left = fs::read_dir(place.path("runs/study")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<String> = left.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!left.iter().any(|name| name.starts_with('.') || name.ends_with("-wal")), "{left:?}");

    let (predicted, _) = place.run("predict runs/study penguins.csv");
    assert!(
        predicted.starts_with("prediction,probability_Adelie,probability_Chinstrap,probability_Gentoo\n")
    );
    let right = predictions(&predicted).iter().zip(species(&place)).filter(|(a, b)| **a == *b).count();
    assert!(right * 10 > predictions(&predicted).len() * 9, "{right} predictions are right");
}

fn predictions(text: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap()[0].to_owned()).collect()
}

fn species(place: &Place) -> Vec<String> {
    let mut reader = csv::Reader::from_path(place.path("penguins.csv")).unwrap();
    let column = reader.headers().unwrap().iter().position(|name| name == "species").unwrap();
    reader.records().map(|row| row.unwrap()[column].to_owned()).collect()
}

/// What random search found with its share stands beside what the strategy found with as many trials.
#[test]
fn the_random_share_of_a_study_is_compared_with_the_rest() {
    let place = Place::new();
    let search = "trials = 6\nstrategy = \"cma_es\"\nrandom_share = 0.4";
    place.write("shared.toml", &STUDY.replace("trials = 6", search));
    let (table, _) = place.run("tune shared.toml");
    assert!(table.contains("random search found ") && table.contains(" in its 2 trials; cma_es "), "{table}");
    let shown = place.show("runs/shared");
    let best = |numbers: &[u64]| {
        let trials = shown["trials"].as_array().unwrap().iter();
        let chosen = trials.filter(|trial| numbers.contains(&trial["number"].as_u64().unwrap()));
        chosen.map(|trial| trial["value"].as_f64().unwrap()).max_by(f64::total_cmp).unwrap()
    };
    let found = &shown["random_search"];
    // 0.4 of the first n trials passes a whole number with trials 2 and 4.
    assert_eq!((&found["trials"], &found["strategy_trials"]), (&2.into(), &4.into()));
    assert_eq!(found["value"], best(&[2, 4]));
    assert_eq!(found["strategy_value_at_same_budget"], best(&[0, 1]));
    assert_eq!(found["strategy_value"], best(&[0, 1, 3, 5]));
    assert_eq!(found["strategy"], "cma_es");
}

/// Trials are proposed three at a time: those up to trial 11 with the results of fewer than ten, by which `auto`
/// is led.
#[test]
fn what_trials_found_that_no_result_led_stands_beside_those_behind_them() {
    let place = Place::new();
    place.write("some.toml", &STUDY.replace("trials = 6", "trials = 30\nbatch = 3"));
    let (table, _) = place.run("tune some.toml");
    let shown = place.show("runs/some");
    let best = |numbers: std::ops::Range<u64>| {
        let trials = shown["trials"].as_array().unwrap().iter();
        let chosen = trials.filter(|trial| numbers.contains(&trial["number"].as_u64().unwrap()));
        chosen.map(|trial| trial["value"].as_f64().unwrap()).max_by(f64::total_cmp).unwrap()
    };
    let found = &shown["unguided"];
    assert_eq!((&found["how"], &found["strategy"]), (&"even".into(), &"auto".into()));
    assert_eq!((&found["trials"], &found["strategy_trials"]), (&12.into(), &18.into()));
    assert_eq!(found["value"], best(0..12));
    assert_eq!(found["strategy_value_at_same_budget"], best(12..24));
    assert_eq!(found["value_in_all"], best(0..30));
    // A bracket is proposed with the results before it alone: the third begins at trial 14.
    let brackets =
        STUDY.replace("trials = 6", "trials = 20\nbatch = 3").replace("max_epochs = 8", "max_epochs = 9");
    place.write("brackets.toml", &brackets.replace("[schedule]", "[schedule]\nkind = \"hyperband\""));
    place.run("tune brackets.toml --quiet");
    assert_eq!(place.show("runs/brackets")["unguided"]["trials"], 14);
    for part in [
        "auto's first 12 trials, spread evenly over the space and led by no result, found ",
        "; it found ",
        " in the 12 behind them, ",
        " in all 30",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

#[test]
fn json_is_the_object_of_the_contract() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let shown = place.show("runs/study");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let expected =
        ["study", "objective", "direction", "engine", "device", "seed", "trials", "best", "optimism"];
    assert_eq!(keys(&shown), expected, "of three folds with `optimism`");
    assert_eq!((&shown["study"], &shown["seed"]), (&"study".into(), &3.into()));
    assert_eq!((&shown["direction"], &shown["engine"]), (&"maximize".into(), &"cpu".into()));
    let trials = shown["trials"].as_array().unwrap();
    let expected = ["number", "state", "value", "fold_values", "epochs", "seconds", "hyperparameters"];
    assert!(trials.iter().all(|trial| keys(trial) == expected));
    assert_eq!(shown["best"], trials[0]);
    let values: Vec<f64> = trials.iter().map(|trial| trial["value"].as_f64().unwrap()).collect();
    assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
    for trial in trials {
        let folds = trial["fold_values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
        assert_eq!(folds.sum::<f64>() / 3.0, trial["value"].as_f64().unwrap());
    }

    let (csv, _) = place.run("show runs/study --format csv --top 4");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert!(reader.headers().unwrap().iter().any(|name| name == "learning_rate"));
    assert_eq!(reader.records().map(Result::unwrap).count(), 4);
    let (table, _) = place.run("show runs/study --top 2");
    assert!(table.contains("shown are the first 2"), "{table}");
}

#[test]
fn predict_finds_columns_by_name_and_needs_no_target() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let mut reader = csv::Reader::from_path(place.path("penguins.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let kept: Vec<usize> = (0..header.len()).rev().filter(|&column| &header[column] != "species").collect();
    let mut writer = csv::Writer::from_path(place.path("new.csv")).unwrap();
    for row in [header].into_iter().chain(reader.records().map(Result::unwrap)) {
        writer.write_record(kept.iter().map(|&column| &row[column])).unwrap();
    }
    writer.flush().unwrap();
    let (expected, _) = place.run("predict runs/study penguins.csv");
    assert_eq!(place.run("predict runs/study new.csv").0, expected);

    let (printed, note) = place.run("predict runs/study new.csv --out p.csv");
    assert!(printed.is_empty() && note.contains("344 rows"), "{note}");
    assert_eq!(place.read("p.csv"), expected);

    let (refitted, _) = place.run("predict runs/study new.csv --refit");
    assert_eq!(predictions(&refitted).len(), 344);
    assert_ne!(refitted, expected);
    let written = fs::metadata(place.path("runs/study/refit.safetensors")).unwrap().modified().unwrap();
    assert_eq!(place.run("predict runs/study new.csv --refit").0, refitted);
    let after = fs::metadata(place.path("runs/study/refit.safetensors")).unwrap().modified().unwrap();
    assert_eq!(written, after, "the second time the model is read, not trained");
}

#[test]
fn a_data_file_alone_is_a_study() {
    let place = Place::new();
    place.run("tune penguins.csv --target species --trials 1 --folds 2 --engine cpu --quiet --out a/b");
    let shown = place.show("a/b");
    assert_eq!((&shown["study"], shown["trials"].as_array().unwrap().len()), (&"penguins".into(), 1));
    assert_eq!(shown["best"]["fold_values"].as_array().unwrap().len(), 2);
}

/// After one epoch, so that no mean over other folds decides which epoch a fold's value is of.
#[test]
fn repeats_are_folds_behind_those_there_were() {
    let place = Place::new();
    let once =
        "tune penguins.csv --target species --trials 2 --folds 3 --strategy random --engine cpu --quiet";
    place.write(
        "study.toml",
        "[data]\npath = \"penguins.csv\"\ntarget = \"species\"\nfolds = 3\n[search]\nstrategy = \"random\"\ntrials = 2\n\
         [schedule]\nmax_epochs = 1\n[engine]\nkind = \"cpu\"\n",
    );
    place.run("tune study.toml --quiet --out once");
    place.run("tune study.toml --repeats 2 --quiet --out twice");
    let by_number = |run: &str| -> Vec<Vec<f64>> {
        let mut trials = place.show(run)["trials"].as_array().unwrap().clone();
        trials.sort_by_key(|trial| trial["number"].as_u64());
        let values = |trial: &Value| {
            trial["fold_values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
        };
        trials.iter().map(values).collect()
    };
    let (once_values, twice_values) = (by_number("once"), by_number("twice"));
    for (one, two) in once_values.iter().zip(&twice_values) {
        assert_eq!((one.len(), two.len()), (3, 6));
        assert_eq!(two[..3], one[..]);
        assert_ne!(two[3..], one[..], "the same rows from the same weights");
    }
    assert!(place.fail("tune study.toml --repeats 3 --quiet --out twice", 5).contains("repeats"));
    assert!(place.fail(&format!("{once} --repeats 0"), 2).contains("--repeats"));
    assert!(place.fail(&format!("{once} --repeats 400"), 2).contains("400 times 3 folds"));
}

#[test]
fn the_final_test_set_is_scored_at_the_end() {
    let place = Place::new();
    place.write("study.toml", &STUDY.replace("folds = 3", "validation = 0.25\ntest = 0.25"));
    let (table, _) = place.run("tune study.toml --quiet");
    assert!(table.contains("over a hold-out set"), "{table}");
    assert!(table.contains("on the final test set, trial"), "{table}");
    let best = &place.show("runs/study")["best"];
    assert_eq!(best["fold_values"].as_array().unwrap().len(), 1);
    assert!(best["test_value"].as_f64().unwrap() > 0.8, "{best}");
}

#[test]
fn regression_predicts_in_the_targets_own_unit() {
    let place = Place::new();
    let study = STUDY.replace("\"species\"", "\"body_mass_g\"").replace("[0.0, 0.3]", "[0.0, 0.1]");
    place.write("study.toml", &study);
    let (table, _) = place.run("tune study.toml --quiet");
    assert!(table.contains("minimize rmse"), "{table}");
    let value = place.show("runs/study")["best"]["value"].as_f64().unwrap();
    assert!((150.0..700.0).contains(&value), "an rmse of {value} g");
    let (predicted, _) = place.run("predict runs/study penguins.csv");
    let grams: Vec<f64> = predictions(&predicted).iter().map(|text| text.parse().unwrap()).collect();
    let mean = grams.iter().sum::<f64>() / grams.len() as f64;
    assert!((4000.0..4400.0).contains(&mean), "a mean of {mean} g");
}

#[test]
fn a_grid_runs_all_its_cells_and_a_huge_one_asks_first() {
    let place = Place::new();
    let grid = STUDY.replace("trials = 6", "strategy = \"grid\"").replace("dropout = { uniform", "#");
    let learning_rate = "{ log_uniform = [1e-3, 1e-1] }";
    place.write("study.toml", &grid.replace(learning_rate, "[0.01, 0.03]"));
    let (table, notes) = place.run("tune study.toml");
    assert!(
        table.contains("4 trials (4 complete)") && notes.contains("the grid has 4 cells"),
        "{table}{notes}"
    );

    place.write("huge.toml", &grid.replace(learning_rate, "{ log_uniform = [1e-3, 1e-1], count = 60000 }"));
    let error = place.fail("tune huge.toml", 2);
    assert!(error.contains("120000") && error.contains("--yes"), "{error}");
    assert!(!place.path("runs/huge").exists());
}

#[test]
fn quiet_says_nothing_and_explain_says_why() {
    let place = Place::new();
    assert_eq!(place.run("tune study.toml --quiet").1, "");
    let (_, explained) = place.run("tune study.toml --explain --out other");
    for word in ["344 rows", "3 folds", "learning_rate = ", "engine cpu", "threads"] {
        assert!(explained.contains(word), "{word} is not in {explained}");
    }
}

#[test]
fn devices_names_the_processor_and_what_auto_would_use() {
    let place = Place::new();
    let (text, _) = place.run("devices");
    assert!(text.contains("cpu: ") && text.contains("--engine auto would use"), "{text}");
}

#[test]
fn list_names_members_of_every_family() {
    let place = Place::new();
    let (text, _) = place.run("--list");
    for name in ["learning_rate", "gelu", "adamw", "huber", "orthogonal", "one_cycle", "roc_auc", "grid"] {
        assert!(text.contains(&format!("  {name} ")), "{name}");
    }
    // Own settings are listed once, with who has them.
    for (name, members) in
        [("startup_trials", "tpe, gp"), ("reduction_factor", "successive_halving, hyperband, asha")]
    {
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with(&format!("  {name} ")) && line.contains("(default "))
            .collect();
        assert!(lines.len() == 1 && lines[0].contains(members), "{name}: {lines:?}");
    }
}
