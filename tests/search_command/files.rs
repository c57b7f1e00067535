//! What a file says: refused where it is wrong, constraints, enqueued trials, a target; how a search is shown.

use crate::peer::{Asked, Peer, SPACE, objective, place, search};
use serde_json::{Value, json};

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
