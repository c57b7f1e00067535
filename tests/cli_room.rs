//! Networks that do not fit, as a user meets them: refused, not tried to death; tried again with more room.

mod cli;

use cli::{Place, STUDY};
use std::fs;

/// Some trials need tens of megabytes, the others kilobytes.
fn mixed() -> String {
    STUDY.replace("[[8], [12, 6]]", "[[8], [600, 600]]").replace("max_epochs = 8", "max_epochs = 2")
}

fn states(place: &Place, run: &str) -> Vec<(String, String)> {
    let shown = place.show(run);
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let trials = shown["trials"].as_array().unwrap();
    trials
        .iter()
        .map(|trial| (text(&trial["state"]), trial["hyperparameters"]["hidden"].to_string()))
        .collect()
}

/// Such a network took all memory of the machine.
#[test]
fn a_network_that_no_machine_holds_is_4_and_leaves_nothing_behind() {
    let place = Place::new();
    let widths = vec!["65536"; 64].join(", ");
    place.write("study.toml", &STUDY.replace("[[8], [12, 6]]", &format!("[[{widths}]]")));
    for command in ["tune study.toml", "tune study.toml --out a/b/c", "tune study.toml --gradcheck"] {
        let error = place.fail(command, 4);
        for part in ["parameters", "bytes", "allowed: ", "try: ", "--memory"] {
            assert!(error.contains(part), "{part:?} is not in {error}");
        }
    }
    let mut left: Vec<_> =
        fs::read_dir(place.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["penguins.csv", "study.toml"]);
}

#[test]
fn a_study_that_comes_to_nothing_leaves_a_folder_that_was_there_as_it_was() {
    let place = Place::new();
    fs::create_dir(place.path("mine")).unwrap();
    place.write("mine/notes.txt", "keep");
    place.write("study.toml", &mixed());
    place.fail("tune study.toml --memory 1KiB --out mine", 4);
    place.fail("tune study.toml --memory 1KiB --out mine/deeper", 4);
    let left = fs::read_dir(place.path("mine")).unwrap().count();
    assert_eq!((left, place.read("mine/notes.txt").as_str()), (1, "keep"));
}

/// A trial that found no room was failed for ever.
#[test]
fn trials_that_did_not_fit_are_tried_again_with_more_memory() {
    let place = Place::new();
    place.write("study.toml", &mixed());
    place.run("tune study.toml --quiet --out whole");
    assert!(states(&place, "whole").iter().all(|(state, _)| state == "complete"));

    let (table, _) = place.run("tune study.toml --quiet --memory 16MiB --out parts");
    assert!(table.contains("does not fit") || table.contains("failed"), "{table}");
    for (state, hidden) in states(&place, "parts") {
        assert_eq!(state, if hidden == "[8]" { "complete" } else { "failed" });
    }
    // Nothing has changed: it is finished, and stays as it is.
    let before = place.timeless("parts");
    let (_, notes) = place.run("tune study.toml --memory 16MiB --out parts");
    assert!(notes.contains("is finished"), "{notes}");
    assert_eq!(place.timeless("parts"), before);

    let (_, notes) = place.run("tune study.toml --out parts");
    assert!(!notes.contains("is finished"), "{notes}");
    assert_eq!(place.timeless("parts"), place.timeless("whole"));
    assert!(place.run("tune study.toml --out parts").1.contains("is finished"));
}
