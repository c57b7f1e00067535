//! Studies of kernel machines, as a user runs them.

mod cli;

use cli::Place;
use serde_json::Value;
use std::fmt::Write;

const STUDY: &str = r#"
[data]
path = "penguins.csv"
target = "species"
folds = 3
[model]
kind = "svm"
"#;

fn board(place: &Place, run: &str) -> Value {
    serde_json::from_str(&place.run(&format!("show {run} --format json")).0).unwrap()
}

#[test]
fn without_a_space_the_customary_grid_is_searched() {
    let place = Place::new();
    place.write("svm.toml", STUDY);
    place.run("tune svm.toml --quiet");
    let board = board(&place, "runs/svm");
    let trials = board["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 110);
    assert!(board["best"]["value"].as_f64().unwrap() > 0.98, "{}", board["best"]);
    for trial in trials {
        assert_eq!(trial["state"], "complete");
        let solver = &trial["solver"];
        // Three folds, three pairs of three classes.
        for name in [
            "dual_objective",
            "support_vector_count",
            "bounded_support_vector_count",
            "rho",
            "iterations",
            "gap",
        ] {
            let folds = solver[name].as_array().unwrap();
            assert!(
                folds.len() == 3 && folds.iter().all(|fold| fold.as_array().unwrap().len() == 3),
                "{name}"
            );
        }
        let gaps = solver["gap"].as_array().unwrap().iter().flat_map(|fold| fold.as_array().unwrap());
        assert!(gaps.into_iter().all(|gap| gap.as_f64().unwrap() <= 1e-3));
    }
    // Votes are no probabilities: classes alone.
    let (predictions, _) = place.run("predict runs/svm penguins.csv");
    assert_eq!(predictions.lines().next(), Some("prediction"));
    let species = place.read("penguins.csv");
    let right = predictions.lines().zip(species.lines()).filter(|(p, row)| row.contains(*p)).count();
    assert!(right > 335, "{right}");
    assert!(
        place.run("predict runs/svm penguins.csv --refit").0.lines().count() == predictions.lines().count()
    );
}

#[test]
fn a_trial_does_not_depend_on_which_others_there_are() {
    let place = Place::new();
    let study = |c: &str| format!("{STUDY}[search]\nstrategy = \"grid\"\n[space]\nc = {c}\ngamma = 0.1\n");
    place.write("many.toml", &study("[0.5, 2.0, 8.0, 100.0]"));
    place.write("one.toml", &study("[8.0]"));
    place.run("tune many.toml --quiet");
    place.run("tune one.toml --quiet");
    let (many, one) = (board(&place, "runs/many"), board(&place, "runs/one"));
    let of = |board: &Value| {
        let trials = board["trials"].as_array().unwrap();
        let trial = trials.iter().find(|trial| trial["hyperparameters"]["c"] == 8.0).unwrap();
        (trial["fold_values"].clone(), trial["solver"].clone())
    };
    assert_eq!(of(&many), of(&one));
}

#[test]
fn log_loss_fits_probabilities_and_predictions_have_them() {
    let place = Place::new();
    let text = format!(
        "{STUDY}[search]\ntrials = 6\nobjective = \"log_loss\"\n[space]\nc = {{ log_uniform = [0.1, 100.0] }}\ngamma = [0.05, \"scale\"]\n"
    );
    place.write("svm.toml", &text);
    place.run("tune svm.toml --quiet");
    let best = board(&place, "runs/svm")["best"]["value"].as_f64().unwrap();
    assert!(best < 0.1, "{best}");
    let (predictions, _) = place.run("predict runs/svm penguins.csv");
    let mut lines = predictions.lines();
    assert_eq!(lines.next().unwrap().matches("probability_").count(), 3);
    for line in lines {
        let sum: f64 = line.split(',').skip(1).map(|p| p.parse::<f64>().unwrap()).sum();
        assert!((sum - 1.0).abs() <= 1e-5, "{line}");
    }
}

#[test]
fn values_are_predicted_in_their_own_unit() {
    let place = Place::new();
    let text = STUDY.replace("species", "body_mass_g")
        + "[search]\ntrials = 8\n[space]\nc = { log_uniform = [0.1, 100.0] }\nepsilon = { uniform = [0.0, 0.3] }\nkernel = [\"rbf\", \"linear\"]\ngamma = { log_uniform = [0.01, 1.0], when = { kernel = \"rbf\" } }\n";
    place.write("svm.toml", &text);
    place.run("tune svm.toml --quiet");
    let best = board(&place, "runs/svm")["best"]["value"].as_f64().unwrap();
    // Grams; the target's deviation is 802.
    assert!(best > 150.0 && best < 330.0, "{best}");
    let (predictions, _) = place.run("predict runs/svm penguins.csv");
    let second: f64 = predictions.lines().nth(1).unwrap().parse().unwrap();
    assert!((2500.0..6500.0).contains(&second), "{second}");
}

#[test]
fn a_model_is_exported_to_libsvm() {
    let place = Place::new();
    place.write("svm.toml", &format!("{STUDY}[space]\nc = 4.0\ngamma = 0.1\n[search]\ntrials = 1\n"));
    place.run("tune svm.toml --quiet");
    let (model, notes) = place.run("export runs/svm --fold 1");
    let lines: Vec<&str> = model.lines().collect();
    assert_eq!(lines[..4], ["svm_type c_svc", "kernel_type rbf", "gamma 0.1", "nr_class 3"]);
    let total: usize = lines[4].strip_prefix("total_sv ").unwrap().parse().unwrap();
    assert_eq!(lines.len(), total + 9, "{model}");
    assert!(lines[8] == "SV" && notes.contains("labels of the file: 0 = "), "{notes}");
    let table = place.read("penguins.csv");
    for (out, part) in [("penguins.csv", "trained on"), ("runs/svm/study.db", "of the study itself")] {
        let refused = place.fail(&format!("export runs/svm --out {out}"), 2);
        assert!(refused.contains(part) && refused.contains("would be lost"), "{refused}");
    }
    assert_eq!(place.read("penguins.csv"), table);
    let refused = place.fail("export runs/svm --fold 3", 2);
    assert!(refused.contains("0 to 2"), "{refused}");
}

/// The trials of a board, but for how long they took.
fn timeless(board: &Value) -> Vec<Value> {
    let mut trials = board["trials"].as_array().unwrap().clone();
    trials.iter_mut().for_each(|trial| trial["seconds"] = Value::Null);
    trials
}

#[test]
fn kernel_rows_on_demand_change_no_bit() {
    let place = Place::new();
    let space = "[space]\nc = { log_uniform = [0.1, 100.0] }\ngamma = [0.05, \"scale\"]\n";
    place.write("svm.toml", &format!("{STUDY}[search]\ntrials = 6\nobjective = \"log_loss\"\n{space}"));
    let (_, whole) = place.run("tune svm.toml --out whole --explain");
    assert!(whole.contains("kernel matrices whole"), "{whole}");
    let (_, cached) = place.run("tune svm.toml --out cached --memory 700KiB --explain");
    assert!(cached.contains("kernel rows on demand"), "{cached}");
    assert_eq!(timeless(&board(&place, "whole")), timeless(&board(&place, "cached")));
}

#[test]
fn a_table_whose_matrices_do_not_fit_is_trained() {
    let place = Place::new();
    // Two classes, 20,000 rows: the matrices would take 3 GiB.
    let mut table = "x,y,class\n".to_owned();
    for row in 0..20_000 {
        let (x, y) = ((f64::from(row) * 0.618).fract() - 0.5, (f64::from(row) * 0.7548).fract() - 0.5);
        writeln!(table, "{x},{y},{}", if x + 0.3 * (6.0 * y).sin() > 0.0 { "a" } else { "b" }).unwrap();
    }
    place.write("large.csv", &table);
    place.write(
        "large.toml",
        "[data]\npath = \"large.csv\"\ntarget = \"class\"\nvalidation = 0.2\n[model]\nkind = \"svm\"\n\
         [space]\nc = 0.5\ngamma = 1.0\n",
    );
    let (_, notes) = place.run("tune large.toml --memory 256MiB --explain --out run");
    assert!(notes.contains("kernel rows on demand: whole matrices would take 3."), "{notes}");
    let best = board(&place, "run")["best"]["value"].as_f64().unwrap();
    assert!(best > 0.97, "{best}");
    let refused = place.fail("tune large.toml --memory 8MiB --out none", 4);
    for part in ["16 of 16000 kernel rows", "bytes", "allowed: 8 MiB", "try: fewer rows", "--memory"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
}

#[test]
fn the_graphics_device_finds_the_winner_of_the_processor() {
    let devices = manytune::engine::devices();
    let Some(device) = devices.iter().min_by_key(|device| (device.software, device.index)) else {
        assert!(
            std::env::var("MANYTUNE_REQUIRE_GPU").is_err(),
            "MANYTUNE_REQUIRE_GPU is 1, and there is no adapter"
        );
        return;
    };
    let place = Place::new();
    let space = "[search]\nstrategy = \"grid\"\n[space]\nc = [0.03125, 2.0, 128.0]\ngamma = [0.0001, 0.05, \"scale\"]\n";
    place.write("svm.toml", &format!("{STUDY}{space}"));
    place.run("tune svm.toml --quiet --engine cpu --out runs/cpu");
    place.run(&format!("tune svm.toml --quiet --engine gpu --device {} --out runs/gpu", device.index));
    let (cpu, gpu) = (board(&place, "runs/cpu"), board(&place, "runs/gpu"));
    assert_eq!((gpu["engine"].as_str(), gpu["device"].as_str()), (Some("gpu"), Some(device.name.as_str())));
    assert_eq!(cpu["best"]["hyperparameters"], gpu["best"]["hyperparameters"]);
    let values = |board: &Value| -> Vec<f64> {
        board["trials"].as_array().unwrap().iter().map(|trial| trial["value"].as_f64().unwrap()).collect()
    };
    for (cpu, gpu) in values(&cpu).into_iter().zip(values(&gpu)) {
        // One row of 344 on the boundary itself may fall on either side of it.
        assert!((cpu - gpu).abs() <= 1.0 / 340.0, "{cpu} {gpu}");
    }
    let predictions = |run: &str| place.run(&format!("predict runs/{run} penguins.csv")).0;
    let differ = predictions("cpu").lines().zip(predictions("gpu").lines()).filter(|(a, b)| a != b).count();
    assert!(differ <= 1, "{differ}");
}

#[test]
fn what_means_nothing_for_kernel_machines_is_refused() {
    let place = Place::new();
    for (rest, said) in [
        ("[space]\nlearning_rate = 0.1\n", "model.kind = \"mlp\""),
        ("[space]\nc = -1.0\n", "above 0"),
        ("[space]\ngamma = \"auto\"\n", "\"scale\""),
        ("[space]\nkernel = \"rfb\"\n", "rbf"),
        ("[space]\nepsilon = 0.1\n", "classification"),
        ("[schedule]\nkind = \"hyperband\"\n", "[schedule]"),
        ("[search]\nobjective = \"log_loss\"\n[space]\nprobabilities = false\n", "space.probabilities"),
        (
            "[search]\nobjective = \"log_loss\"\n[space]\nkernel = [\"rbf\", \"linear\"]\n\
             probabilities = { choice = [true], when = { kernel = \"rbf\" } }\n",
            "space.probabilities",
        ),
        (
            "[search]\nobjective = \"log_loss\"\n[space]\nprobabilities = [true, false]\n",
            "leave probabilities out",
        ),
    ] {
        place.write("svm.toml", &format!("{STUDY}{rest}"));
        let error = place.fail("tune svm.toml --quiet", 2);
        assert!(error.contains(said), "{rest}: {error}");
    }
    place.write("mlp.toml", &STUDY.replace("[model]\nkind = \"svm\"", "[space]\ngamma = 0.1"));
    assert!(place.fail("tune mlp.toml --quiet", 2).contains("svm"));
}
