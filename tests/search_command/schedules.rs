//! Schedules that say which trials should stop.

use crate::peer::{Peer, numbers, place};
use serde_json::json;

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

const ASHA: &str = r#"
[search]
strategy = "sobol"
trials = 8
[schedule]
kind = "asha"
max_epochs = 9
[space]
x = { uniform = [0.0, 1.0] }
"#;

/// Whoever is told to stop may end without a value: the schedule remembers that it was stopped.
#[test]
fn a_trial_that_was_stopped_and_failed_counts_the_same_after_a_resume() {
    const VALUES: [f64; 8] = [0.66, 0.55, 0.89, 0.97, 0.31, 0.22, 0.23, 0.2];
    let place = place();
    place.write("asha.toml", ASHA);
    // Evaluates trials up to a number; after which step each was stopped.
    let session = |out: &str, end: u64| {
        let mut peer = Peer::start(&place, &format!("asha.toml --quiet --out {out}"));
        let mut stops = Vec::new();
        while let Ok(batch) = peer.batch() {
            let number = batch[0].number;
            if number == end {
                break;
            }
            let value = VALUES[number as usize];
            let stop = (1..=9).find(|step| peer.report(number, *step, value).contains(&number));
            match number {
                2 => peer.send(&json!({ "tell": { "number": 2, "state": "failed" } }).to_string()),
                _ => peer.value(number, value),
            }
            stops.push(stop);
        }
        peer.end();
        stops
    };
    let whole = session("whole", 8);
    assert_eq!(whole[2], Some(1));
    assert!(whole[3..].iter().any(Option::is_some), "{whole:?}");
    assert_eq!([session("parts", 3), session("parts", 8)].concat(), whole);
    let trials = |run: &str| place.show(run)["trials"].clone();
    let states = |run: &str| {
        trials(run).as_array().unwrap().iter().map(|trial| trial["state"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(states("parts"), states("whole"));
    assert!(states("whole").contains(&json!("failed")));
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
