//! Predictions and the files around them.

mod cli;

use cli::Place;
use std::fs;

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
