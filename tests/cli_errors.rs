//! Every exit code, and that an error says where, what, and what to try.

mod cli;

use cli::{Place, STUDY};
use std::fs;

#[test]
fn a_command_line_that_cannot_be_understood_is_2() {
    let place = Place::new();
    assert!(place.fail("tune study.toml --trails 5", 2).contains("--trials"));
    assert!(place.fail("tune study.toml --trials many", 2).contains("many"));
    assert!(place.fail("tune study.toml --trials 0", 2).contains("at least 1"));
    assert!(place.fail("tune study.toml --time-limit 10", 2).contains("90s"));
    assert!(place.fail("tune study.toml --memory lots", 2).contains("512MiB"));
    for (flag, said) in [
        ("--trials -1", "'-1' for '--trials"),
        ("--folds -1", "'-1' for '--folds"),
        ("--seed -1", "'-1' for '--seed"),
        ("--time-limit -5s", "a time above 0"),
        ("--time-limit 0s", "a time above 0"),
        ("--memory -5MiB", "a size above 0"),
        ("--memory 0", "a size above 0"),
        ("--folds 1", "2 to 1000"),
        ("--folds 1001", "2 to 1000"),
    ] {
        let error = place.fail(&format!("tune study.toml {flag}"), 2);
        assert!(error.contains(said), "{flag}: {error}");
    }
    assert!(place.fail("tune study.toml --engine tpu", 2).contains("auto"));
    assert!(place.fail("tune study.toml --strategy gird", 2).contains("did you mean \"grid\""));
    assert!(place.fail("tune penguins.csv", 2).contains("species"));
    assert!(place.fail("show runs/study --format jsn", 2).contains("did you mean \"json\""));
    assert!(place.fail("tun study.toml", 2).contains("tune"));
    assert!(place.fail("", 2).contains("Usage"));
    assert!(!place.path("runs").exists(), "nothing is left behind");
}

#[test]
fn a_study_file_that_is_wrong_is_2_and_says_where() {
    let place = Place::new();
    place.write("study.toml", &STUDY.replace("dropout", "dropuot"));
    let error = place.fail("tune study.toml", 2);
    assert!(error.contains("study.toml:") && error.contains("\"dropout\""), "{error}");
    place.write("study.toml", &STUDY.replace("kind = \"cpu\"", "kind = \"cpu\"\nmemory = \"200%\""));
    let error = place.fail("tune study.toml", 2);
    assert!(error.contains("study.toml:16:") && error.contains("engine.memory"), "{error}");
    assert!(place.fail("tune missing.toml", 2).contains("missing.toml"));
    assert!(!place.path("runs").exists(), "nothing is left behind");
}

/// Each of these was taken in silence, and left out of account.
#[test]
fn what_would_be_ignored_is_2() {
    let place = Place::new();
    let check = |study: &str, arguments: &str, parts: &[&str]| {
        place.write("study.toml", study);
        let error = place.fail(arguments, 2);
        for part in parts.iter().chain(&["allowed: ", "try: "]) {
            assert!(error.contains(part), "{arguments}: {part:?} is not in {error}");
        }
        assert!(!place.path("runs").exists(), "{arguments} leaves something behind");
    };
    let labels = STUDY.replace("[search]", "labels = \"labels.csv\"\n[search]");
    check(&labels, "tune study.toml", &["study.toml:", "data.labels", "CSV"]);
    check(&labels, "tune study.toml --gradcheck", &["data.labels"]);
    let device = STUDY.replace("kind = \"cpu\"", "kind = \"cpu\"\ndevice = \"llvm\"");
    for command in ["tune study.toml", "tune study.toml --gradcheck", "gradcheck study.toml"] {
        check(&device, command, &["study.toml:", "engine.device", "\"llvm\""]);
        check(STUDY, &format!("{command} --device 0"), &["--device", "\"0\"", "cpu"]);
        check(STUDY, &format!("{command} --engine cpu --device 0"), &["--device", "\"0\"", "cpu"]);
    }
    check(STUDY, "gradcheck --engine cpu --device 0", &["--device"]);
    check(STUDY, "--gradcheck --engine cpu --device 0", &["--device"]);
}

/// The study as run took the place of the study file as written.
#[test]
fn a_study_is_not_made_over_the_file_that_describes_it() {
    let place = Place::new();
    let error = place.fail("tune study.toml --out .", 2);
    assert!(error.contains("--out") && error.contains("study.toml"), "{error}");
    assert_eq!(place.read("study.toml"), STUDY);
    place.run("tune study.toml --quiet --out run");
    place.run("tune run/study.toml --quiet --out run");
}

#[test]
fn wrong_data_are_3() {
    let place = Place::new();
    assert!(place.fail("tune missing.csv --target y", 3).contains("missing.csv"));
    place.write("ragged.csv", "a,b\n1,2\n3\n");
    assert!(place.fail("tune ragged.csv --target b", 3).contains("ragged.csv, line 3"));
    assert!(!place.path("runs").exists(), "nothing is left behind");
    place.run("tune study.toml --quiet");
    place.write("new.csv", "island,sex\nBiscoe,MALE\n");
    assert!(place.fail("predict runs/study new.csv", 3).contains("bill_length_mm"));
    assert!(place.fail("predict runs/study missing.csv --out p.csv", 3).contains("missing.csv"));
    assert!(!place.path("p.csv").exists());
}

#[test]
fn a_device_that_is_not_there_is_4() {
    let place = Place::new();
    let error = place.fail("tune study.toml --engine gpu --device no-such-device", 4);
    assert!(error.contains("no-such-device"), "{error}");
    assert!(!place.path("runs").exists(), "nothing is left behind");
}

#[test]
fn a_store_that_cannot_be_used_is_5() {
    let place = Place::new();
    assert!(place.fail("tune study.toml --quiet --out /dev/null/x", 5).contains("/dev/null/x"));
    assert!(place.fail("tune study.toml --quiet --out penguins.csv", 5).contains("penguins.csv"));
    assert!(place.fail("show runs/nothing", 5).contains("no study"));
    assert!(place.fail("predict runs/nothing penguins.csv", 5).contains("no study"));
    place.run("tune study.toml --quiet");
    assert!(place.fail("predict runs/study penguins.csv --out /dev/null/x", 5).contains("/dev/null/x"));

    let database = place.path("runs/study/study.db");
    fs::write(&database, "not a database, whatever its name says, and that is a fact").unwrap();
    assert!(place.fail("show runs/study", 5).contains("damaged"));
    assert!(place.fail("tune study.toml", 5).contains("damaged"));
}

/// A disk that takes no more bytes, by a limit on the size of files: what is there can be read all the same.
#[cfg(unix)]
#[test]
fn a_study_on_a_full_disk_can_be_read() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let expected = place.run("show runs/study").0;
    let limited = |command: &str| {
        let script = format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" {command}");
        let output = std::process::Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_manytune")])
            .current_dir(place.path(""))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), said)
    };
    let (code, [shown, error]) = limited("show runs/study");
    assert_eq!((code, shown), (Some(0), expected), "{error}");
    let (code, [_, error]) = limited("predict runs/study penguins.csv");
    assert_eq!(code, Some(0), "{error}");
    let (code, [_, error]) = limited("tune study.toml --quiet --trials 9");
    assert_eq!(code, Some(5), "{error}");
    assert!(!error.contains("panicked") && error.contains("try: "), "{error}");
    place.run("tune study.toml --quiet --trials 9");
}

/// The store belongs to another study: exit code 5, and the advice is another folder.
#[test]
fn another_study_in_the_same_folder_is_refused_and_what_differs_is_named() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let before = place.timeless("runs/study");
    let changes = [
        ("seed = 3", "seed = 4", "search.seed was 3, is 4 now"),
        ("[0.0, 0.3]", "[0.0, 0.4]", "space.dropout"),
        ("folds = 3", "folds = 4", "data.folds"),
        ("max_epochs = 8", "max_epochs = 9", "schedule.max_epochs"),
        ("trials = 6", "trials = 6\nobjective = \"f1\"", "search.objective"),
    ];
    for (from, to, named) in changes {
        place.write("study.toml", &STUDY.replace(from, to));
        let error = place.fail("tune study.toml", 5);
        assert!(error.contains(named) && error.contains("--out"), "{error}");
    }
    place.write("study.toml", STUDY);
    let data = place.read("penguins.csv").replacen("Torgersen", "Biscoe", 1);
    place.write("penguins.csv", &data);
    assert!(place.fail("tune study.toml", 5).contains("penguins.csv has changed"));
    assert!(place.fail("predict runs/study penguins.csv --refit", 5).contains("have changed"));
    assert_eq!(place.timeless("runs/study"), before);
}

#[test]
fn another_engine_is_refused_because_its_bits_differ() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let error = place.fail("tune study.toml --engine gpu --trials 9", 5);
    assert!(error.contains("other bits") && error.contains("--out"), "{error}");
}

#[test]
fn every_trial_diverged_is_an_error_with_a_leaderboard() {
    let place = Place::new();
    let study = STUDY.replace("{ log_uniform = [1e-3, 1e-1] }", "1e6").replace("trials = 6", "trials = 2");
    place.write("study.toml", &(study + "optimizer = \"sgd\"\nactivation = \"identity\"\n"));
    let output = place.command("tune study.toml --quiet").output().unwrap();
    let (table, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(table.contains("diverged at step") && error.contains("learning rates"), "{table}{error}");
    let shown = place.show("runs/study");
    assert!(shown["best"].is_null());
    let first = &shown["trials"][0];
    assert_eq!((&first["state"], &first["value"]), (&"diverged".into(), &serde_json::Value::Null));
    assert!(first["diverged_at_step"].is_u64(), "{first}");
    assert!(place.fail("predict runs/study penguins.csv", 5).contains("no trial"));
}
