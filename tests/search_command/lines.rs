//! Batches, results in any order, the end; lines that cannot be understood.

use crate::cli::Place;
use crate::peer::{Asked, Peer, SPACE, best_of, numbers, objective, place, search};
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::process::Command;

#[test]
fn batches_are_asked_and_told_until_the_best_ends_it() {
    let place = place();
    let mut peer = Peer::start(&place, "space.toml");
    let mut all = Vec::new();
    for expected in [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]] {
        let batch = peer.batch().unwrap();
        assert_eq!(numbers(&batch), expected);
        // In any order.
        batch.iter().rev().for_each(|asked| peer.tell(asked));
        all.extend(batch);
    }
    assert_eq!(peer.batch().unwrap_err(), best_of(&all));
    let (code, error) = peer.end();
    assert_eq!(code, Some(0));
    for part in
        ["auto: 10 trials, 4 at a time, seed 3, minimize", "finished: trial", "manytune show runs/space"]
    {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
    // The same again, told in another order, elsewhere; and another seed.
    assert_eq!(search(&place, "space.toml --out other").0, all);
    assert_ne!(search(&place, "space.toml --out third --seed 4").0, all);
    // Random search proposes the same whatever the batch.
    assert_eq!(search(&place, "space.toml --out fourth --batch 1").0, all);
}

#[test]
fn flags_go_over_the_file_and_defaults_are_said() {
    let place = place();
    place.write("bare.toml", "[space]\nx = { int = [1, 3] }\n\"odd name, and more\" = [true, false]\n");
    let mut peer = Peer::start(&place, "bare.toml");
    let batch = peer.batch().unwrap();
    assert_eq!(batch.len(), 1, "one at a time");
    assert!(batch[0].hyperparameters["odd name, and more"].is_boolean());
    let (code, error) = peer.end();
    assert_eq!(code, Some(130));
    assert!(
        error.contains("6 trials, 1 at a time, seed 0, minimize the value (the file does not say"),
        "{error}"
    );

    let (asked, _) = {
        let mut peer = Peer::start(&place, "bare.toml --strategy grid --batch 5 --out grid --quiet");
        let mut all = Vec::new();
        while let Ok(batch) = peer.batch() {
            let line = |asked: &Asked| format!("{{\"tell\":{{\"number\":{},\"value\":1}}}}", asked.number);
            batch.iter().for_each(|asked| peer.send(&line(asked)));
            all.extend(batch);
        }
        let (code, error) = peer.end();
        assert_eq!((code, error.as_str()), (Some(0), ""), "--quiet says nothing");
        (all, ())
    };
    assert_eq!(numbers(&asked), (0..6).collect::<Vec<_>>(), "all cells of the grid");
}

#[test]
fn the_largest_value_is_the_best_where_the_file_says_so() {
    let place = place();
    place.write("space.toml", &SPACE.replace("\"minimize\"", "\"maximize\""));
    let (all, best) = search(&place, "space.toml");
    let largest = all.iter().filter_map(|asked| objective(&asked.hyperparameters)).max_by(f64::total_cmp);
    assert_eq!(best["value"].as_f64(), largest);
    assert_eq!(place.show("runs/space")["direction"], "maximize");
}

#[test]
fn a_search_none_of_whose_trials_has_a_value_ends_with_null() {
    let place = place();
    let mut peer = Peer::start(&place, "space.toml --trials 3");
    for number in numbers(&peer.batch().unwrap()) {
        peer.send(&format!("{{\"tell\":{{\"number\":{number},\"state\":\"failed\"}}}}"));
    }
    assert_eq!(peer.batch().unwrap_err(), Value::Null);
    let (code, error) = peer.end();
    assert_eq!(code, Some(0));
    assert!(error.contains("none of 3 trials has a value"), "{error}");
    assert_eq!(place.show("runs/space")["best"], Value::Null);
}

#[test]
fn every_intermediate_value_is_answered() {
    let place = place();
    let mut peer = Peer::start(&place, "space.toml --trials 2 --batch 2");
    let batch = peer.batch().unwrap();
    for step in 0..3 {
        for number in [0, 1] {
            peer.send(&format!(
                "{{\"tell\":{{\"number\":{number},\"intermediate\":{{\"step\":{step},\"value\":0.5}}}}}}"
            ));
            assert_eq!(peer.line(), json!({ "stop": [] }));
        }
    }
    batch.iter().for_each(|asked| peer.tell(asked));
    assert_eq!(peer.batch().unwrap_err(), best_of(&batch));
    assert_eq!(peer.end().0, Some(0));
}

#[test]
fn a_line_that_cannot_be_understood_ends_the_session_and_nothing_else() {
    let place = place();
    let cases = [
        ("hello", "not JSON"),
        (r#"{"tell":{"number":99,"value":1}}"#, "trial 99: was never asked for"),
        (r#"{"tell":{"number":0,"value":1}}"#, "trial 0: was told before"),
        (r#"{"tell":{"number":1,"value":NaN}}"#, "JSON has no NaN"),
        (r#"{"tell":{"number":1,"value":1e999}}"#, "number out of range"),
        (r#"{"tell":{"number":1,"value":"low"}}"#, "the string \"low\""),
        (r#"{"tell":{"number":1,"valeu":1}}"#, "did you mean \"value\"?"),
        (r#"{"tell":{"number":0,"intermediate":{"step":1,"value":1}}}"#, "trial 0: was told before"),
    ];
    for (index, (line, part)) in cases.into_iter().enumerate() {
        let mut peer = Peer::start(&place, "space.toml");
        let batch = peer.batch().unwrap();
        match index {
            0 => peer.tell(&batch[0]),
            _ => assert_eq!(numbers(&batch), [1, 2, 3], "what was told is kept"),
        }
        peer.send("");
        peer.send(line);
        let number = if index == 0 { 3 } else { 2 };
        let mut rest = String::new();
        peer.output.read_line(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing is answered to {line}");
        let (code, error) = peer.end();
        assert_eq!(code, Some(2), "{error}");
        for part in [
            part,
            &format!("error: line {number} of standard input: "),
            "1 of 10 trials are told",
            "to go on: ",
        ] {
            assert!(error.contains(part), "{line}: {part:?} is not in {error}");
        }
    }
    // An input without line breaks is given up, not kept in memory.
    let mut peer = Peer::start(&place, "space.toml");
    peer.batch().unwrap();
    let _ = peer.input.as_mut().unwrap().write_all(&vec![b'x'; 3 << 20]);
    let (code, error) = peer.end();
    assert!(code == Some(2) && error.contains("more than 1 MiB"), "{error}");
    let (rest, _) = search(&place, "space.toml");
    assert_eq!(numbers(&rest), (1..10).collect::<Vec<_>>());
}

#[test]
fn the_help_has_the_protocol() {
    let place = Place::new();
    let (help, _) = place.run("search --help");
    for part in [
        "{\"ask\":[",
        "{\"tell\":{\"number\":0,\"value\":0.12}}",
        "\"failed\"",
        "{\"stop\":[]}",
        "{\"best\":{",
    ] {
        assert!(help.contains(part), "{part:?} is not in {help}");
    }
}

/// The worked example, as it stands in the repository.
#[test]
fn the_python_example_finds_a_minimum() {
    let place = Place::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ask_tell.py");
    let run = |arguments: &[&str]| {
        let mut command = Command::new("python3");
        command.current_dir(place.path("")).arg(script).args(arguments);
        command.env("MANYTUNE", env!("CARGO_BIN_EXE_manytune")).output().expect("python3 can be started")
    };
    let first = run(&["--trials", "8"]);
    let whole = run(&[]);
    for output in [&first, &whole] {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let printed = String::from_utf8(whole.stdout).unwrap();
    let best = place.show("runs/branin")["best"].clone();
    assert!(printed.starts_with(&format!(
        "trial {}: {:.4} at {{'x': ",
        best["number"],
        best["value"].as_f64().unwrap()
    )));
    // Random search of 64 trials: far below what most of the plane comes to.
    assert!(best["value"].as_f64().unwrap() < 3.0, "{best}");
    assert_eq!(place.show("runs/branin")["trials"].as_array().unwrap().len(), 64);
}
