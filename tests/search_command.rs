//! `manytune search` as another program meets it: lines in and out, a store that loses nothing, clear errors.

mod cli;

use cli::Place;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

const SPACE: &str = r#"
[search]
direction = "minimize"
trials = 10
batch = 4
seed = 3

[space]
x = { uniform = [-2.0, 3.0] }
depth = { int = [1, 4] }
kind = ["flat", "steep"]
slope = { log_uniform = [0.1, 10.0], when = { kind = "steep" } }
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("space.toml", SPACE);
    place
}

/// What a trial comes to: a bowl around x = 1, deeper for depth 3; the steep ones fail far out.
fn objective(hyperparameters: &Value) -> Option<f64> {
    let number = |name: &str| hyperparameters[name].as_f64().unwrap();
    let slope = hyperparameters["slope"].as_f64();
    assert_eq!(slope.is_some(), hyperparameters["kind"] == "steep", "{hyperparameters}");
    let value = (number("x") - 1.0).powi(2) * slope.unwrap_or(1.0) + (number("depth") - 3.0).abs();
    (slope.is_none() || value < 8.0).then_some(value)
}

/// The program that talks to a search.
struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// A trial that was asked for.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    number: u64,
    hyperparameters: Value,
}

impl Peer {
    fn start(place: &Place, arguments: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_manytune"));
        command.current_dir(place.path("")).arg("search").args(arguments.split_whitespace());
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { input: child.stdin.take(), output, child }
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{line:?} is no whole line");
        serde_json::from_str(&line).unwrap()
    }

    /// The next batch; the best trial where there is none.
    fn batch(&mut self) -> Result<Vec<Asked>, Value> {
        let line = self.line();
        assert_eq!(line.as_object().unwrap().len(), 1, "{line}");
        let Some(asked) = line.get("ask") else { return Err(line["best"].clone()) };
        let read = |trial: &Value| Asked {
            number: trial["number"].as_u64().unwrap(),
            hyperparameters: trial["hyperparameters"].clone(),
        };
        Ok(asked.as_array().unwrap().iter().map(read).collect())
    }

    fn send(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn tell(&mut self, asked: &Asked) {
        let number = asked.number;
        self.send(&match objective(&asked.hyperparameters) {
            Some(value) => json!({ "tell": { "number": number, "value": value } }).to_string(),
            None => json!({ "tell": { "number": number, "state": "failed" } }).to_string(),
        });
    }

    /// Tells every batch to the end: all that was asked for, and the best.
    fn finish(mut self) -> (Vec<Asked>, Value) {
        let mut all = Vec::new();
        loop {
            match self.batch() {
                Ok(batch) => {
                    batch.iter().for_each(|asked| self.tell(asked));
                    all.extend(batch);
                }
                Err(best) => {
                    let (code, error) = self.end();
                    assert_eq!(code, Some(0), "{error}");
                    return (all, best);
                }
            }
        }
    }

    /// The exit code and what was said, once the program has read to the end of its input.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        let output = self.child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!error.contains("panicked"), "{error}");
        (output.status.code(), error)
    }
}

fn search(place: &Place, arguments: &str) -> (Vec<Asked>, Value) {
    Peer::start(place, arguments).finish()
}

fn numbers(asked: &[Asked]) -> Vec<u64> {
    asked.iter().map(|asked| asked.number).collect()
}

fn best_of(asked: &[Asked]) -> Value {
    let best = asked
        .iter()
        .filter_map(|asked| Some((objective(&asked.hyperparameters)?, asked)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(Value::Null, |(value, asked)| {
        json!({ "number": asked.number, "value": value, "hyperparameters": asked.hyperparameters })
    })
}

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
fn a_search_whose_program_goes_away_is_gone_on_with() {
    let place = place();
    let (expected, best) = search(&place, "space.toml --out whole");
    let mut peer = Peer::start(&place, "space.toml");
    let first = peer.batch().unwrap();
    first.iter().for_each(|asked| peer.tell(asked));
    let second = peer.batch().unwrap();
    peer.tell(&second[1]);
    let (code, error) = peer.end();
    assert_eq!(code, Some(130));
    assert!(error.contains("standard input has ended: 5 of 10 trials are told (runs/space)"), "{error}");
    assert!(error.contains("search space.toml   # to go on"), "{error}");
    assert_eq!(place.show("runs/space")["trials"].as_array().unwrap().len(), 8);

    let mut peer = Peer::start(&place, "space.toml");
    let open = peer.batch().unwrap();
    assert_eq!(open, [&second[0..1], &second[2..]].concat(), "those that were not told, once more");
    open.iter().for_each(|asked| peer.tell(asked));
    let last = peer.batch().unwrap();
    assert_eq!([first, second, last.clone()].concat(), expected);
    last.iter().for_each(|asked| peer.tell(asked));
    assert_eq!(peer.batch().unwrap_err(), best);
    let (code, error) = peer.end();
    assert_eq!(code, Some(0));
    assert!(error.contains("5 of 10 trials are told; 3 that were asked for are asked for again"), "{error}");
}

#[test]
fn a_finished_search_shows_its_best_and_is_extended() {
    let place = place();
    let (expected, best) = search(&place, "space.toml --out long --trials 25");
    let (first, shorter) = search(&place, "space.toml");
    assert_eq!(search(&place, "space.toml"), (vec![], shorter), "nothing is left to ask");
    let (more, longer) = search(&place, "space.toml --trials 25");
    assert_eq!([first, more].concat(), expected);
    assert_eq!(longer, best);
    assert_eq!(search(&place, "space.toml --trials 5"), (vec![], best), "fewer trials take nothing away");
}

/// Killed at any instant; what was told before the last line is not asked for again.
#[test]
fn a_killed_search_loses_nothing_that_was_told() {
    let place = place();
    let arguments = "space.toml --trials 60 --quiet";
    let (expected, best) = search(&place, &format!("{arguments} --out whole"));
    let (mut kills, mut told) = (0_u64, 0);
    let found = 'sessions: loop {
        let mut peer = Peer::start(&place, arguments);
        // One to three batches, the last of which is told in part or whole, and perhaps read.
        for last in (0..=kills % 3).rev() {
            let batch = match peer.batch() {
                Ok(batch) => batch,
                Err(best) => break 'sessions best,
            };
            assert!(batch.iter().all(|asked| *asked == expected[asked.number as usize]));
            assert!(batch[0].number >= told, "trial {} is asked for again", batch[0].number);
            told = batch[0].number;
            let count = if last > 0 { batch.len() } else { kills as usize * 3 % (batch.len() + 1) };
            batch[..count].iter().for_each(|asked| peer.tell(asked));
        }
        std::thread::sleep(Duration::from_millis(kills * 11 % 40));
        peer.child.kill().unwrap();
        peer.child.wait().unwrap();
        kills += 1;
    };
    assert!(kills > 5, "killed only {kills} times");
    assert_eq!(found, best);
    let trials = place.show("runs/space")["trials"].clone();
    let whole = place.show("whole")["trials"].clone();
    let values = |trials: &Value| -> Vec<(Value, Value)> {
        trials
            .as_array()
            .unwrap()
            .iter()
            .map(|trial| (trial["number"].clone(), trial["value"].clone()))
            .collect()
    };
    assert_eq!(values(&trials), values(&whole));
}

/// A value is on the disk soon after it is told, though the batch is not.
#[test]
fn what_is_told_is_kept_while_the_batch_is_open() {
    let place = place();
    let mut peer = Peer::start(&place, "space.toml --quiet");
    let batch = peer.batch().unwrap();
    peer.tell(&batch[2]);
    std::thread::sleep(Duration::from_millis(500));
    peer.child.kill().unwrap();
    peer.child.wait().unwrap();
    let mut peer = Peer::start(&place, "space.toml --quiet");
    assert_eq!(numbers(&peer.batch().unwrap()), [0, 1, 3]);
    peer.end();
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
fn a_search_by_another_plan_is_refused_with_what_differs() {
    let place = place();
    search(&place, "space.toml --batch 5");
    let refuse = |arguments: &str, part: &str| {
        let error = place.fail(&format!("search {arguments} --out runs/space"), 5);
        for part in [part, "holds another search", "more --trials", "--out with another folder"] {
            assert!(error.contains(part), "{arguments}: {part:?} is not in {error}");
        }
    };
    refuse("space.toml --batch 5 --seed 8", "search.seed was 3, is 8 now");
    refuse("space.toml --batch 5 --strategy grid", "search.strategy was \"auto\", is \"grid\" now");
    refuse("space.toml --batch 6", "search.batch was 5, is 6 now");
    place.write("other.toml", &SPACE.replace("minimize", "maximize").replace("batch = 4", "batch = 5"));
    refuse("other.toml", "search.direction was \"minimize\", is \"maximize\" now");
    place.write("other.toml", &SPACE.replace("3.0]", "4.0]").replace("batch = 4", "batch = 5"));
    refuse("other.toml", "space.x was { uniform = [-2.0, 3.0] }, is { uniform = [-2.0, 4.0] } now");
    // Without a word of the batch, it is what it was.
    place.write("other.toml", &SPACE.replace("batch = 4", ""));
    place.run("search other.toml --out runs/space");
}

#[test]
fn searches_and_studies_keep_out_of_each_others_folders() {
    let place = place();
    place.run("tune study.toml --trials 1 --quiet");
    let error = place.fail("search space.toml --out runs/study", 5);
    assert!(error.contains("holds a study (`manytune tune`), no search"), "{error}");
    search(&place, "space.toml");
    for command in ["tune study.toml --out runs/space", "predict runs/space penguins.csv"] {
        let error = place.fail(command, 5);
        assert!(error.contains("holds a search (`manytune search`), no study"), "{command}: {error}");
    }
    // Neither was harmed.
    place.run("search space.toml");
    place.run("tune study.toml --trials 1 --quiet");
}

#[test]
fn one_process_works_on_a_search() {
    let place = place();
    let mut peer = Peer::start(&place, "space.toml");
    peer.batch().unwrap();
    let error = place.fail("search space.toml", 5);
    assert!(error.contains("another process is working on this search"), "{error}");
    assert_eq!(place.show("runs/space")["trials"][0]["state"], "running");
    peer.end();
    assert_eq!(place.show("runs/space")["trials"][0]["state"], "interrupted");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_told() {
    let place = place();
    let mut peer = Peer::start(&place, "space.toml");
    let batch = peer.batch().unwrap();
    peer.tell(&batch[3]);
    std::thread::sleep(Duration::from_millis(200));
    let id = peer.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let status = peer.child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let (code, error) = peer.end();
    assert_eq!(code, Some(130));
    assert!(error.contains("interrupted: 1 of 10 trials are told"), "{error}");
    let mut peer = Peer::start(&place, "space.toml");
    assert_eq!(numbers(&peer.batch().unwrap()), [0, 1, 2]);
    peer.end();
}

#[test]
fn a_file_or_flag_that_is_wrong_is_2_and_says_where() {
    let place = place();
    let refuse = |text: &str, flags: &str, parts: &[&str]| {
        place.write("bad.toml", text);
        let error = place.fail(&format!("search bad.toml {flags}"), 2);
        for part in parts {
            assert!(error.contains(part), "{text}: {part:?} is not in {error}");
        }
    };
    let space = "[space]\nx = [1, 2]\n";
    refuse("[search]\ntrials = 3\n", "", &["bad.toml: [space] is missing", "x = { uniform = [0.0, 1.0] }"]);
    refuse("[space]\n", "", &["bad.toml:1:2: space: an empty space", "at least one hyperparameter"]);
    refuse("[space]\nx = 1\ny = [\"a\"]\n", "", &["bad.toml:1:2: space: no free hyperparameter", "range"]);
    refuse("[space]\nx = { uniform = [2.0, 1.0] }\n", "", &["bad.toml:2:1: space.x: an inverted range"]);
    refuse("[space]\nx = [1, 2]\nx = 3\n", "", &["bad.toml:3:1"]);
    refuse(
        &format!("[data]\npath = \"a.csv\"\n{space}"),
        "",
        &["unknown table \"data\"", "search, schedule, space"],
    );
    refuse(&format!("[search]\ndirektion = \"minimize\"\n{space}"), "", &["did you mean \"direction\"?"]);
    refuse(&format!("[search]\ndirection = \"down\"\n{space}"), "", &["bad.toml:2:13", "minimize, maximize"]);
    refuse(
        &format!("[search]\nobjective = \"accuracy\"\n{space}"),
        "",
        &["unknown key of [search] \"objective\""],
    );
    refuse(&format!("[search]\ntrials = 0\n{space}"), "", &["search.trials", "at least 1"]);
    refuse(space, "--trials 0", &["--trials: 0", "at least 1"]);
    refuse(space, "--batch 0", &["--batch: 0", "1 to 1000000"]);
    refuse(space, "--batch -3", &["-3"]);
    refuse(space, "--strategy gird", &["did you mean \"grid\"?"]);
    refuse("x = [1, 2", "", &["bad.toml:1", "TOML"]);
    assert!(place.fail("search missing.toml", 2).contains("missing.toml: no such file"));
    assert!(place.fail("search", 2).contains("<SPACE>"));
    assert!(!place.path("runs").exists(), "nothing is left behind");
    place.write("file", "");
    assert!(place.fail("search space.toml --out file", 5).contains("cannot be made"));
}

#[test]
fn a_search_is_shown_in_every_format() {
    let place = place();
    let (all, best) = search(&place, "space.toml --strategy random");
    let shown = place.show("runs/space");
    let expected = [
        ("study", json!("space")),
        ("objective", json!("value")),
        ("direction", json!("minimize")),
        ("engine", json!("external")),
        ("device", Value::Null),
        ("seed", json!(3)),
    ];
    for (key, value) in expected {
        assert_eq!(shown[key], value, "{key}");
    }
    assert_eq!(shown["best"]["number"], best["number"]);
    let trials = shown["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 10);
    assert_eq!(trials[0], shown["best"]);
    for trial in trials {
        let asked = &all[trial["number"].as_u64().unwrap() as usize];
        assert_eq!(trial["hyperparameters"], asked.hyperparameters);
        let value = objective(&asked.hyperparameters);
        assert_eq!(trial["value"].as_f64(), value);
        assert_eq!(trial["state"], if value.is_some() { "complete" } else { "failed" });
        assert!(trial["epochs"].is_null() && trial["fold_values"].is_null(), "{trial}");
        assert!(trial["seconds"].as_f64().unwrap() > 0.0);
    }
    let values: Vec<f64> = trials.iter().filter_map(|trial| trial["value"].as_f64()).collect();
    assert!(values.is_sorted(), "{values:?}");
    assert!(values.len() < 10, "some have failed");

    let (table, _) = place.run("show runs/space --top 3");
    assert!(table.starts_with("space: minimize value, engine external, seed 3\n"), "{table}");
    assert!(table.contains("rank  trial   value") && !table.contains("epochs"), "{table}");
    let (csv, _) = place.run("show runs/space --format csv");
    let head = csv.lines().next().unwrap();
    assert_eq!(head, "number,state,value,epochs,seconds,diverged_at_step,depth,kind,slope,x");
    assert_eq!(csv.lines().count(), 11);
}

#[test]
fn constraints_enqueued_trials_and_a_target_hold_for_searches_too() {
    let place = place();
    let search_keys =
        "constraints = [\"x * depth <= 2\"]\nenqueue = [{ x = 0.5, kind = \"flat\" }, { depth = 4 }]\n";
    let text = SPACE.replace("[space]", &format!("{search_keys}[space]"));
    place.write("space.toml", &text);
    let (all, _) = search(&place, "space.toml --trials 40");
    assert!(all.iter().all(|asked| {
        asked.hyperparameters["x"].as_f64().unwrap() * asked.hyperparameters["depth"].as_f64().unwrap() <= 2.0
    }));
    assert_eq!(all[0].hyperparameters["x"], 0.5);
    assert_eq!(all[0].hyperparameters["kind"], "flat");
    assert!(all[0].hyperparameters["depth"].is_u64(), "the rest is drawn: {:?}", all[0]);
    assert_eq!(all[1].hyperparameters["depth"], 4);
    place.write("other.toml", &text.replace("<= 2", "<= 3"));
    let error = place.fail("search other.toml --trials 40 --out runs/space", 5);
    assert!(
        error.contains("search.constraints was [\"x * depth <= 2\"], is [\"x * depth <= 3\"] now"),
        "{error}"
    );

    let refuse = |keys: &str, part: &str| {
        place.write("bad.toml", &SPACE.replace("[space]", &format!("{keys}\n[space]")));
        let error = place.fail("search bad.toml", 2);
        assert!(error.contains(part), "{part:?} is not in {error}");
    };
    refuse("constraints = [\"x > 3\"]", "bad.toml:8:16: search.constraints[0]: none of 10000 random");
    refuse("constraints = [\"y > 3\"]", "bad.toml:8:16: search.constraints[0]");
    refuse("enqueue = [{ x = 7.0 }]", "search.enqueue[0].x: x cannot be 7.0");

    // Met within a later batch: the search ends behind that.
    let least = |all: &[Asked]| {
        all.iter().filter_map(|asked| objective(&asked.hyperparameters)).fold(f64::INFINITY, f64::min)
    };
    let met = (4..40).step_by(4).find(|&first| least(&all[first..first + 4]) < least(&all[..first])).unwrap();
    let target = least(&all[..met + 4]);
    place.write("space.toml", &text.replace("trials = 10", &format!("trials = 40\ntarget_value = {target}")));
    let mut peer = Peer::start(&place, "space.toml --out target");
    for _ in 0..met / 4 + 1 {
        peer.batch().unwrap().iter().for_each(|asked| peer.tell(asked));
    }
    assert_eq!(peer.batch().unwrap_err()["value"], target);
    let (code, error) = peer.end();
    assert!(code == Some(0) && error.contains("the target value is met"), "{error}");
    // Without the target it goes on.
    place.write("space.toml", &text);
    assert_eq!(search(&place, "space.toml --trials 40 --out target").0, all[met + 4..]);
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

/// Halving brackets of nine: after one step three go on, after three steps one.
const HALVED: &str = r#"
[search]
trials = 9
batch = 9
[schedule]
kind = "successive_halving"
max_epochs = 9
[space]
x = { uniform = [0.0, 1.0] }
"#;

impl Peer {
    /// Tells what a trial has come to on its way; the trials that should stop.
    fn report(&mut self, number: u64, step: u64, value: f64) -> Vec<u64> {
        let news = json!({ "number": number, "intermediate": { "step": step, "value": value } });
        self.send(&json!({ "tell": news }).to_string());
        let answer = self.line();
        let stopped = answer["stop"].as_array().unwrap_or_else(|| panic!("{answer} is no answer"));
        stopped.iter().map(|number| number.as_u64().unwrap()).collect()
    }

    fn value(&mut self, number: u64, value: f64) {
        self.send(&json!({ "tell": { "number": number, "value": value } }).to_string());
    }
}

#[test]
fn a_schedule_says_which_trials_should_stop() {
    let place = place();
    place.write("halved.toml", HALVED);
    let mut peer = Peer::start(&place, "halved.toml");
    peer.batch().unwrap();
    let after_one = |number: u64| ((number * 4) % 9) as f64;
    for number in 0..8 {
        assert_eq!(peer.report(number, 1, after_one(number)), [0; 0], "the last is not here yet");
    }
    let stopped = peer.report(8, 1, after_one(8));
    assert_eq!(stopped, (0..9).filter(|number| after_one(*number) > 2.0).collect::<Vec<_>>());
    for number in &stopped {
        peer.value(*number, after_one(*number));
    }
    let left: Vec<u64> = (0..9).filter(|number| !stopped.contains(number)).collect();
    assert_eq!(left, [0, 5, 7]);
    assert_eq!(peer.report(0, 3, 0.5), [0; 0]);
    assert_eq!(peer.report(5, 3, 0.25), [0; 0]);
    // Interrupted: the three are asked for again, and begin again; two of them came to the second rung before.
    let (code, _) = peer.end();
    assert_eq!(code, Some(130));
    let mut peer = Peer::start(&place, "halved.toml");
    assert_eq!(numbers(&peer.batch().unwrap()), left);
    for number in [7, 0, 5] {
        assert_eq!(peer.report(number, 1, after_one(number)), [0; 0], "they stay passed");
    }
    let best = after_one(0);
    assert_eq!(best, 0.0, "so the best so far of trial 0 is what it began with");
    assert_eq!(peer.report(7, 3, 0.75), [5, 7]);
    peer.value(5, 0.25);
    peer.value(7, 0.75);
    peer.value(0, 0.125);
    let best = peer.batch().unwrap_err();
    assert_eq!((&best["number"], &best["value"]), (&json!(0), &json!(0.125)));
    let (code, error) = peer.end();
    assert_eq!(code, Some(0));
    assert!(error.contains("successive_halving: trials of 9 steps may be told to stop"), "{error}");
    assert!(!error.contains("try --batch"), "{error}");

    let shown = place.show("runs/halved");
    let states = shown["trials"].as_array().unwrap().iter().map(|trial| trial["state"].as_str().unwrap());
    assert_eq!(states.filter(|state| *state == "pruned").count(), 8);
    assert_eq!(shown["best"]["number"], 0);
    // Another schedule would have stopped others.
    place.write("halved.toml", &HALVED.replace("successive_halving", "hyperband"));
    let error = place.fail("search halved.toml", 5);
    assert!(error.contains("schedule.kind was \"successive_halving\", is \"hyperband\" now"), "{error}");
}

#[test]
fn a_schedule_that_cannot_do_anything_says_so() {
    let place = place();
    let note = |text: &str, part: &str| {
        place.write("halved.toml", text);
        let error = Peer::start(&place, "halved.toml --out other").end().1;
        assert!(error.contains(part), "{part:?} is not in {error}");
        std::fs::remove_dir_all(place.path("other")).unwrap();
    };
    note(
        &HALVED.replace("batch = 9", "batch = 4"),
        "compares 9 trials at a time: in batches of 4 it stops none, or few; try --batch 9",
    );
    note(&HALVED.replace("successive_halving", "racing"), "racing stops no trial here");
    place.write("halved.toml", &HALVED.replace("max_epochs", "max_steps"));
    let error = place.fail("search halved.toml", 2);
    assert!(error.contains("unknown key of [schedule] \"max_steps\""), "{error}");
    place.write(
        "halved.toml",
        &HALVED.replace("kind = \"successive_halving\"", "kind = \"asha\"\nwarmup_trials = 3"),
    );
    let error = place.fail("search halved.toml", 2);
    assert!(error.contains("schedule.warmup_trials: a setting that asha does not have"), "{error}");
}
