//! What a study file says about its space beyond ranges: constraints, enqueued trials, refined grids.

mod cli;

use cli::{Place, STUDY};
use serde_json::Value;

/// A grid of six cells, of which the constraint leaves five; two passes more.
const GRID: &str = r#"
[data]
path = "penguins.csv"
target = "species"
folds = 2

[search]
strategy = "grid"
refine = 2
constraints = ["optimizer == 'adam' or learning_rate < 0.05"]

[[search.enqueue]]
learning_rate = 0.02
optimizer = "adam"

[schedule]
max_epochs = 3

[engine]
kind = "cpu"

[space]
learning_rate = { log_uniform = [1e-3, 1e-1], count = 3 }
optimizer = ["sgd", "adam"]
hidden = [[8]]
batch_size = 64
"#;

fn hyperparameters(shown: &Value) -> Vec<(f64, String)> {
    let mut trials: Vec<&Value> = shown["trials"].as_array().unwrap().iter().collect();
    trials.sort_by_key(|trial| trial["number"].as_u64());
    let values = |trial: &Value| {
        let values = &trial["hyperparameters"];
        (values["learning_rate"].as_f64().unwrap(), values["optimizer"].as_str().unwrap().to_owned())
    };
    trials.into_iter().map(values).collect()
}

#[test]
fn a_study_runs_enqueued_trials_then_the_grid_then_its_passes() {
    let place = Place::new();
    place.write("grid.toml", GRID);
    let (_, notes) = place.run("tune grid.toml");
    assert!(notes.contains("the grid has 6 cells, of which 5 are left by the constraints"), "{notes}");
    assert!(notes.contains("the grid is refined in 2 passes"), "{notes}");
    assert!(notes.contains("grid, pass 2 of 3: "), "{notes}");
    assert!(notes.contains("grid, pass 3 of 3: "), "{notes}");
    assert!(notes.contains("  learning_rate "), "{notes}");
    let found = hyperparameters(&place.show("runs/grid"));
    assert_eq!(found[0], (0.02, "adam".to_owned()));
    assert!(found.len() > 6, "{found:?}");
    let all = format!("{0} of {0} trials, ", found.len());
    assert!(notes.contains(&all) && !notes.contains(" left\n"), "fewer than there might have been: {notes}");
    assert!(found.iter().all(|(rate, optimizer)| optimizer == "adam" || *rate < 0.05), "{found:?}");
    let (again, notes) = place.run("tune grid.toml");
    assert!(notes.contains("is finished"), "{notes}");
    assert!(again.starts_with("grid: "), "{again}");

    // In three parts the same study.
    for trials in ["3", "7", "1000"] {
        place.run(&format!("tune grid.toml --out runs/parts --trials {trials} --quiet"));
    }
    let (whole, parts) = (place.timeless("runs/grid"), place.timeless("runs/parts"));
    assert_eq!(whole["trials"], parts["trials"]);

    // Its source says all of it, and another study under it is refused.
    let source = place.read("runs/grid/study.toml");
    assert!(source.contains("constraints = [\"optimizer == 'adam' or learning_rate < 0.05\"]"), "{source}");
    assert!(source.contains("enqueue = [{ batch_size = 64, hidden = [8], learning_rate = 0.02"), "{source}");
    place.write("grid.toml", &GRID.replace("< 0.05", "< 0.5"));
    let error = place.fail("tune grid.toml", 5);
    assert!(
        error.contains("search.constraints was [\"optimizer == 'adam' or learning_rate < 0.05\"]"),
        "{error}"
    );
    place.write("grid.toml", &GRID.replace("= 0.02", "= 0.03"));
    let error = place.fail("tune grid.toml", 5);
    assert!(error.contains("search.enqueue was [{ batch_size = 64"), "{error}");
}

#[test]
fn what_leaves_nothing_to_search_is_refused_before_anything_is_written() {
    let place = Place::new();
    for (constraint, strategy, found) in [
        ("learning_rate > 0.2", "random", "none of 10000 random configurations meets the constraints"),
        ("0.002 < learning_rate < 0.003", "grid", "grid has no configuration that meets the constraints"),
        ("learning_rat > 0.2", "grid", "did you mean \"learning_rate\"?"),
    ] {
        let search = format!("[search]\nstrategy = \"{strategy}\"\nconstraints = [\"{constraint}\"]");
        place.write("bad.toml", &STUDY.replace("[search]", &search));
        let error = place.fail("tune bad.toml", 2);
        assert!(error.contains("bad.toml:9:") && error.contains("search.constraints"), "{error}");
        assert!(error.contains(found), "{error}");
        assert!(!place.path("runs").exists());
    }
    place.write("bad.toml", &GRID.replace("[schedule]", "[schedule]\nkind = \"hyperband\""));
    let error = place.fail("tune bad.toml", 2);
    assert!(error.contains("bad.toml:17:1: schedule.kind: hyperband beside a grid in passes"), "{error}");
    assert!(error.contains("one of none, median"), "{error}");
    assert!(!place.path("runs").exists());
}

#[test]
fn a_space_in_which_nothing_is_free_makes_one_trial() {
    let place = Place::new();
    let space = "[space]\nlearning_rate = 0.01\nhidden = [[8]]\nbatch_size = 64\n";
    let study = STUDY.split("[space]").next().unwrap();
    place.write("one.toml", &format!("{study}{space}"));
    let (table, notes) = place.run("tune one.toml");
    assert!(notes.contains("nothing to search: every hyperparameter has a single value"), "{notes}");
    assert!(table.contains("1 trial"), "{table}");
}

#[test]
fn a_target_value_is_taken_from_the_file_or_the_flag() {
    let place = Place::new();
    place.write("study.toml", &STUDY.replace("[search]", "[search]\ntarget_value = 2.0"));
    place.run("tune study.toml --quiet");
    assert!(place.read("runs/study/study.toml").contains("target_value = 2.0\n"));
    // It may change under a study that has results.
    place.run("tune study.toml --quiet --target-value 3");
    let (_, notes) = place.run("tune study.toml --target-value 0.1 --out runs/early");
    assert!(notes.contains("the target is met"), "{notes}");
    let error = place.fail("tune study.toml --target-value nan", 2);
    assert!(error.contains("--target-value: NaN"), "{error}");
}
