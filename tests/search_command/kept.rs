//! A store that loses nothing: interrupted, killed, gone on with, extended; and whose it is.

use crate::peer::{Peer, SPACE, numbers, place, search};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

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
