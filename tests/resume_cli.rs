//! Interrupting the program, killing it, and running the same command again.
#![cfg(unix)]

mod cli;

use cli::{Place, STUDY};
use manytune::study::store::Store;
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Long enough to be caught in the middle, however busy the machine is: no trial stops early.
fn place() -> Place {
    let place = Place::new();
    let study = STUDY.replace("trials = 6", "trials = 12").replace("max_epochs = 8", "max_epochs = 40");
    place.write("study.toml", &study.replace("batch_size = 64", "batch_size = 8"));
    place
}

fn start(place: &Place, arguments: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_manytune"))
        .args(arguments.split_whitespace())
        .current_dir(place.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the study in `run` has a trial that is complete or pruned.
fn wait_for_a_trial(place: &Place, run: &str, child: &mut Child) {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(60), "no trial ends");
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be interrupted");
        let output = place.command(&format!("show {run} --format json")).output().unwrap();
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let trials = shown["trials"].as_array().cloned().unwrap_or_default();
        if trials.iter().any(|trial| trial["state"] == "complete" || trial["state"] == "pruned") {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn states(shown: &Value) -> Vec<&str> {
    shown["trials"].as_array().unwrap().iter().map(|trial| trial["state"].as_str().unwrap()).collect()
}

#[test]
fn an_interrupted_study_goes_on_and_ends_as_one_that_was_not() {
    let place = place();
    // Of two trials under way both may end at once, and then nothing is interrupted.
    place.write("study.toml", &place.read("study.toml").replace("trials = 12", "trials = 12\nbatch = 6"));
    place.run("tune study.toml --quiet --out whole");
    let mut child = start(&place, "tune study.toml --out parts");
    wait_for_a_trial(&place, "parts", &mut child);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{error}");
    assert!(error.contains("of 12 trials are done"), "{error}");
    assert!(error.contains("tune study.toml --out parts"), "the command that goes on: {error}");
    let shown = place.show("parts");
    assert!(states(&shown).contains(&"interrupted"), "{:?}", states(&shown));
    assert!(place.run("predict parts penguins.csv").0.starts_with("prediction"));

    let (_, notes) = place.run("tune study.toml --out parts");
    assert!(notes.contains("going on from"), "{notes}");
    assert_eq!(place.timeless("parts"), place.timeless("whole"));
    let weights = |run: &str| std::fs::read(place.path(run).join("best.safetensors")).unwrap();
    assert_eq!(weights("parts"), weights("whole"));
}

#[test]
fn a_killed_study_goes_on_and_ends_as_one_that_was_not() {
    let place = place();
    place.run("tune study.toml --quiet --out whole");
    let mut child = start(&place, "tune study.toml --quiet --out parts");
    wait_for_a_trial(&place, "parts", &mut child);
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(!states(&place.show("parts")).contains(&"running"), "nothing runs any more");
    place.run("tune study.toml --quiet --out parts");
    assert_eq!(place.timeless("parts"), place.timeless("whole"));
}

/// With trials that wait at rungs, that were stopped there, and that took over from others.
#[test]
fn a_killed_study_decides_as_one_that_was_not() {
    for kind in ["hyperband", "asha", "population"] {
        let place = place();
        let study = place.read("study.toml").replace("trials = 12", "trials = 60");
        place.write("study.toml", &study.replace("[schedule]", &format!("[schedule]\nkind = \"{kind}\"")));
        place.run("tune study.toml --quiet --out whole");
        let mut child = start(&place, "tune study.toml --quiet --out parts");
        wait_for_a_trial(&place, "parts", &mut child);
        signal(&child, "-KILL");
        child.wait().unwrap();
        place.run("tune study.toml --quiet --out parts --time-limit 0.2s");
        place.run("tune study.toml --quiet --out parts");
        let shown = place.timeless("parts");
        assert_eq!(shown, place.timeless("whole"), "{kind}");
        let trials = shown["trials"].as_array().unwrap();
        let is_scheduled = |trial: &Value| trial["state"] == "pruned" || trial["lineage"].is_array();
        assert!(trials.iter().any(is_scheduled), "{kind} decided nothing");
    }
}

/// The best of a study that ended early was never scored on the final test rows. A short trial meets the target long
/// before a long one beside it ends: trials of one length may all end between two looks at the target.
#[test]
fn a_study_that_meets_its_target_ends_as_a_finished_one() {
    let place = Place::new();
    let study = STUDY.replace("folds = 3", "folds = 3\ntest = 0.2").replace("trials = 6", "trials = 50");
    let study = study.replace("hidden = [[8], [12, 6]]", "hidden = [[8], [256, 256]]");
    let study =
        study.replace("batch_size = 64", "batch_size = [1, 32]").replace("{ uniform = [0.0, 0.3] }", "0.0");
    let short = "[[search.enqueue]]\nlearning_rate = 0.02\nhidden = [8]\nbatch_size = 32\n";
    let long = "[[search.enqueue]]\nlearning_rate = 0.001\nhidden = [256, 256]\nbatch_size = 1\n";
    let study = study.replace("[schedule]", &format!("{short}{long}[schedule]"));
    place.write("study.toml", &study.replace("[search]", "[search]\ntarget_value = 0.7"));
    let (_, notes) = place.run("tune study.toml");
    assert!(notes.contains("the target is met"), "{notes}");
    let shown = place.show("runs/study");
    assert!(shown["best"]["value"].as_f64().unwrap() >= 0.7);
    assert!(shown["best"]["test_value"].as_f64().is_some(), "{}", shown["best"]);
    let trials = shown["trials"].as_array().unwrap();
    let long = trials.iter().find(|trial| trial["number"] == 1).unwrap();
    assert_eq!(long["state"], "interrupted", "all ran");
    let (_, notes) = place.run("tune study.toml");
    assert!(notes.contains("the target is met"), "{notes}");
    assert_eq!(place.show("runs/study"), shown);
}

#[test]
fn two_runs_of_one_study_do_not_meet() {
    let place = place();
    let mut child = start(&place, "tune study.toml --quiet");
    wait_for_a_trial(&place, "runs/study", &mut child);
    signal(&child, "-STOP");
    let error = place.fail("tune study.toml", 5);
    assert!(error.contains("another process"), "{error}");
    assert!(states(&place.show("runs/study")).contains(&"complete"));
    signal(&child, "-KILL");
    child.wait().unwrap();
}

#[test]
fn a_time_limit_stops_and_the_same_command_goes_on() {
    let place = place();
    place.run("tune study.toml --quiet --out whole");
    let (_, notes) = place.run("tune study.toml --out parts --time-limit 0.05s");
    assert!(notes.contains("time limit") && notes.contains("--out parts"), "{notes}");
    place.run("tune study.toml --out parts --quiet");
    assert_eq!(place.timeless("parts"), place.timeless("whole"));
}

/// The limit passes while the data are read: the leaderboard of a study that was never made was an error.
#[test]
fn a_time_limit_that_passes_before_training_begins_leaves_nothing() {
    let place = place();
    let (_, notes) = place.run("tune study.toml --out parts --time-limit 0.000001s");
    assert!(notes.contains("nothing is saved; to begin:"), "{notes}");
    assert!(!place.path("parts").exists());
    place.run("tune study.toml --out parts --quiet");
}

/// Epochs of many seconds: nothing waits for their end, and nothing that was trained is lost.
#[test]
fn a_time_limit_does_not_wait_for_an_epoch() {
    let place = Place::new();
    let penguins = place.read("penguins.csv");
    let (header, rows) = penguins.split_once('\n').unwrap();
    place.write("penguins.csv", &format!("{header}\n{}", rows.repeat(40)));
    let study = STUDY.replace("trials = 6", "trials = 2").replace("batch_size = 64", "batch_size = 1");
    place.write("study.toml", &study.replace("[[8], [12, 6]]", "[[400, 400]]"));
    let steps = || {
        let states = Store::read(&place.path("runs/study")).unwrap().checkpoint(0).unwrap();
        let snapshots: Vec<_> = states.into_iter().filter_map(|state| state.snapshot).collect();
        assert!(snapshots.iter().all(|snapshot| snapshot.epoch == 0), "an epoch is not long");
        snapshots.iter().map(|snapshot| snapshot.step).sum::<u64>()
    };
    let mut before = 0;
    for _ in 0..2 {
        let began = Instant::now();
        let (_, notes) = place.run("tune study.toml --time-limit 1s");
        let seconds = began.elapsed().as_secs_f64();
        assert!(seconds < 8.0, "stopped after {seconds} s");
        assert!(notes.contains("time limit"), "{notes}");
        assert!(steps() > before, "the run began again");
        before = steps();
    }
}

#[test]
fn more_trials_extend_a_finished_study_to_what_a_longer_one_is() {
    let place = Place::new();
    place.run("tune study.toml --quiet --trials 9 --out longer");
    place.run("tune study.toml --quiet --out extended");
    let (table, notes) = place.run("tune study.toml --out extended");
    assert!(notes.contains("is finished"), "{notes}");
    assert!(table.contains("6 trials (6 complete)"), "{table}");
    place.run("tune study.toml --quiet --trials 9 --out extended");
    assert_eq!(place.timeless("extended"), place.timeless("longer"));
}

#[test]
fn a_reader_that_closes_the_pipe_early_is_no_error() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let mut child = start(&place, "show runs/study --format csv");
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
