//! Predictions where the model on the disk is not what was written.

mod cli;

use cli::{Place, STUDY};
use std::fs;

const MODEL: &str = "runs/study/best.safetensors";

/// Flips one bit of a file, a part of the way through it.
fn flip(place: &Place, name: &str, share: f64) {
    let path = place.path(name);
    let mut bytes = fs::read(&path).unwrap();
    let at = (share * bytes.len() as f64) as usize;
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

/// A model with flipped bits predicted nonsense without a word.
#[test]
fn a_damaged_model_is_noticed_and_the_database_is_used() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let (expected, notes) = place.run("predict runs/study penguins.csv");
    assert_eq!(notes, "");
    let whole = fs::read(place.path(MODEL)).unwrap();
    for share in [0.02, 0.1, 0.6, 0.99] {
        flip(&place, MODEL, share);
        let (predicted, notes) = place.run("predict runs/study penguins.csv");
        assert_eq!(predicted, expected, "bit at {share}");
        assert!(notes.contains(MODEL) && notes.contains("the database is used"), "{notes}");
        assert_eq!(notes.lines().count(), 1, "{notes}");
        fs::write(place.path(MODEL), &whole).unwrap();
    }
    fs::remove_file(place.path(MODEL)).unwrap();
    assert_eq!(place.run("predict runs/study penguins.csv").0, expected);
    // The study's own command mends it.
    flip(&place, "runs/study/best.json", 0.5);
    assert!(place.fail("predict runs/study penguins.csv", 5).contains("best.json"));
    place.run("tune study.toml --quiet");
    assert_eq!(place.run("predict runs/study penguins.csv"), (expected, String::new()));
    assert_eq!(fs::read(place.path(MODEL)).unwrap(), whole);
}

/// Also where it would fit by its sizes.
#[test]
fn preprocessing_of_another_study_is_noticed() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    place.run("tune study.toml --quiet --folds 4 --out four");
    place.write("island.csv", &place.read("penguins.csv").replace("Biscoe", "Elsewhere"));
    place.write("island.toml", &STUDY.replace("penguins.csv", "island.csv"));
    place.run("tune island.toml --quiet --out island");
    let own = fs::read(place.path("runs/study/best.json")).unwrap();
    for other in ["four", "island"] {
        fs::copy(place.path(other).join("best.json"), place.path("runs/study/best.json")).unwrap();
        for command in ["predict runs/study penguins.csv", "show runs/study --mistakes 3"] {
            let error = place.fail(command, 5);
            assert!(
                error.contains("belongs to another study") && error.contains("try: "),
                "{command}: {error}"
            );
        }
    }
    // What does not need the model is there.
    assert!(place.run("plot runs/study").0.contains("parallel"));
    place.run("tune study.toml --quiet");
    assert_eq!(fs::read(place.path("runs/study/best.json")).unwrap(), own);
    place.run("predict runs/study penguins.csv");

    let (expected, _) = place.run("predict runs/study penguins.csv --refit");
    place.run("predict island island.csv --refit");
    fs::copy(place.path("island/refit.json"), place.path("runs/study/refit.json")).unwrap();
    let (again, notes) = place.run("predict runs/study penguins.csv --refit");
    assert_eq!(again, expected);
    assert!(notes.contains("belongs to another study; it is trained again"), "{notes}");
}

#[test]
fn a_damaged_model_without_its_database_is_5_with_advice() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let (expected, _) = place.run("predict runs/study penguins.csv");
    fs::create_dir(place.path("alone")).unwrap();
    for file in ["best.safetensors", "best.json"] {
        fs::copy(place.path("runs/study").join(file), place.path("alone").join(file)).unwrap();
    }
    assert_eq!(place.run("predict alone penguins.csv").0, expected);
    flip(&place, "alone/best.safetensors", 0.7);
    let error = place.fail("predict alone penguins.csv", 5);
    assert!(error.contains("damaged") && error.contains("try: "), "{error}");
}

#[test]
fn a_damaged_refitted_model_is_trained_again() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let (expected, notes) = place.run("predict runs/study penguins.csv --refit");
    assert_eq!(notes, "");
    flip(&place, "runs/study/refit.safetensors", 0.8);
    let (predicted, notes) = place.run("predict runs/study penguins.csv --refit");
    assert_eq!(predicted, expected);
    assert!(notes.contains("refit.safetensors") && notes.contains("trained again"), "{notes}");
    assert_eq!(place.run("predict runs/study penguins.csv --refit"), (expected, String::new()));
}

/// Predictions replaced the rows they were made from, or the study itself.
#[test]
fn predictions_are_not_written_over_what_they_are_made_from() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    fs::copy(place.path("penguins.csv"), place.path("new.csv")).unwrap();
    let mut needed = vec!["new.csv".to_owned(), "./runs/../new.csv".to_owned(), "penguins.csv".to_owned()];
    for entry in fs::read_dir(place.path("runs/study")).unwrap() {
        needed.push(format!("runs/study/{}", entry.unwrap().file_name().to_string_lossy()));
    }
    needed.extend(["runs/study/refit.json".to_owned(), "runs/../runs/study/study.db-wal".to_owned()]);
    for out in needed {
        let before = fs::read(place.path(&out)).ok();
        let error = place.fail(&format!("predict runs/study new.csv --out {out}"), 2);
        assert!(error.contains("--out") && error.contains("would be lost"), "{out}: {error}");
        assert_eq!(fs::read(place.path(&out)).ok(), before, "{out}");
    }
    place.run("predict runs/study new.csv --out runs/study/predictions.csv");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("new.csv", place.path("link.csv")).unwrap();
        place.fail("predict runs/study new.csv --out link.csv", 2);
    }
}
