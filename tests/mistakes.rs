//! The worst mistakes of a study: labels that were shifted stand at their head.

mod cli;

use cli::Place;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::Read;

/// Rows whose labels are shifted: every 50th from the 7th.
fn is_shifted(row: usize) -> bool {
    row % 50 == 7
}

/// The digits, with the labels of some rows one too large.
fn digits() -> String {
    let mut text = String::new();
    GzDecoder::new(&include_bytes!("reference/digits.csv.gz")[..]).read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let mut shifted = format!("{}\n", lines.next().unwrap());
    for (row, line) in lines.enumerate() {
        let (digit, rest) = line.split_once(',').unwrap();
        let digit: u32 = digit.parse().unwrap();
        let digit = if is_shifted(row) { (digit + 1) % 10 } else { digit };
        writeln!(shifted, "{digit},{rest}").unwrap();
    }
    shifted
}

#[test]
fn shifted_labels_are_the_worst_mistakes() {
    let place = Place::new();
    place.write("digits.csv", &digits());
    place.run("tune digits.csv --target digit --trials 25 --engine cpu --quiet");
    let worst: Value =
        serde_json::from_str(&place.run("show runs/digits --mistakes 72 --format json").0).unwrap();
    let rows: Vec<usize> =
        worst.as_array().unwrap().iter().map(|row| row["row"].as_u64().unwrap() as usize).collect();
    let shifted: BTreeSet<usize> = (0..1797).filter(|&row| is_shifted(row)).collect();
    assert_eq!(shifted.len(), 36);
    let found = |most: usize| rows.iter().take(most).filter(|row| shifted.contains(row)).count();
    assert!(found(36) >= 32, "{} of 36 among the worst 36", found(36));
    assert_eq!(found(72), 36, "all of 36 among the worst 72");
    for row in worst.as_array().unwrap() {
        assert_eq!(row["line"], row["row"].as_u64().unwrap() + 2);
        assert_eq!(row["trained_on"], false);
        let [own, said] =
            ["probability_of_label", "probability_of_prediction"].map(|key| row[key].as_f64().unwrap());
        assert!((0.0..=said).contains(&own) && said <= 1.0, "{row}");
    }
    let (text, _) = place.run("show runs/digits --mistakes 3");
    assert!(text.contains("of 1797 rows that it had not trained on") && text.contains("p(label)"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("line ")).count(), 3, "{text}");
}

#[test]
fn values_are_as_far_off_as_they_are_said_to_be() {
    let place = Place::new();
    place.write("t.toml", "[data]\npath = \"penguins.csv\"\ntarget = \"body_mass_g\"\nvalidation = 0.25\n[search]\ntrials = 2\n");
    place.run("tune t.toml --engine cpu --quiet");
    let (text, _) = place.run("show runs/t --mistakes 400 --format json");
    let worst: Value = serde_json::from_str(&text).unwrap();
    let worst = worst.as_array().unwrap();
    // Two penguins have no mass. Of the others a quarter is held out.
    assert_eq!(worst.len(), 342);
    let held = worst.iter().filter(|row| row["trained_on"] == false).count();
    assert!((84..=87).contains(&held), "{held}");
    let errors: Vec<f64> = worst.iter().map(|row| row["error"].as_f64().unwrap().abs()).collect();
    assert!(errors.is_sorted_by(|a, b| a >= b));
    let file = place.read("penguins.csv");
    for row in worst {
        let [value, said, error] = ["value", "prediction", "error"].map(|key| row[key].as_f64().unwrap());
        assert!((said - value - error).abs() <= 1e-9 * value);
        let line = file.lines().nth(row["line"].as_u64().unwrap() as usize - 1).unwrap();
        let mass: f64 = line.split(',').nth(5).unwrap().parse().unwrap();
        assert!((mass - value).abs() <= 1e-3, "{line}: {value}");
    }
    let (text, _) = place.run("show runs/t --mistakes 400");
    assert!(text.contains("* trained on"), "{text}");
}

#[test]
fn mistakes_end_where_rows_are_right_and_with_changed_data() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    // A table ends where rows are predicted right; scripts have all that they ask for.
    let all: Value =
        serde_json::from_str(&place.run("show runs/study --mistakes 400 --format json").0).unwrap();
    let wrong = |row: &&Value| row["label"] != row["prediction"];
    let wrong = all.as_array().unwrap().iter().filter(wrong).count();
    assert!((1..100).contains(&wrong), "{wrong}");
    let (table, _) = place.run("show runs/study --mistakes 400");
    assert_eq!(table.lines().filter(|line| line.starts_with("line ")).count(), wrong, "{table}");
    assert!(table.contains("no other row is predicted wrong"), "{table}");
    let (table, _) = place.run("show runs/study --mistakes 1");
    assert!(!table.contains("no other row"), "{table}");
    assert!(place.fail("show runs/study --mistakes 3 --format csv", 2).contains("json"));
    place.fail("show runs/study --mistakes 3 --top 3", 2);
    let data = place.read("penguins.csv");
    place.write("penguins.csv", &data.replacen("39.1", "39.2", 1));
    assert!(place.fail("show runs/study --mistakes 3", 5).contains("changed"));
}
