//! What a search proposes, what it refuses, how it goes on.

use crate::bowl::{SETTINGS, batches, past, refused, search, space, tell};
use manytune::model::metric::Direction;
use manytune::search::{self, Asked, Best, Outcome, Past, Search, Settings};
use manytune::setting::Chosen;
use manytune::space::{Configuration, Dimension, Domain, Space, Value};
use proptest::prelude::*;

#[test]
fn every_strategy_is_told_in_the_order_of_numbers() {
    for kind in search::ALL {
        let expected = batches(&mut search(*kind), 4, false);
        assert!((0..32).eq(expected.iter().map(|asked| asked.number)), "{}", kind.name());
        assert_eq!(batches(&mut search(*kind), 4, true), expected, "{}", kind.name());
    }
}

#[test]
fn a_search_that_goes_on_proposes_what_it_would_have() {
    for kind in search::ALL {
        let mut whole = search(*kind);
        let expected = batches(&mut whole, 4, false);
        let mut resumed = search(*kind);
        resumed.resume(past(&expected[..16])).unwrap();
        assert_eq!((resumed.asked_count(), resumed.told_count()), (16, 16));
        assert_eq!(batches(&mut resumed, 2, true), expected[16..], "{}", kind.name());
        assert_eq!(resumed.best(), whole.best());
    }
}

/// What is pending is seen as pending, in a resumed search too.
#[test]
fn a_search_that_goes_on_with_open_trials_proposes_what_it_would_have() {
    for kind in search::ALL {
        let mut whole = search(*kind);
        let first = whole.ask(12).unwrap();
        for asked in first.iter().filter(|asked| asked.number % 3 != 1) {
            tell(&mut whole, asked);
        }
        let mut known = past(&first);
        (0..12).filter(|number| number % 3 == 1).for_each(|number| known[number].outcome = Outcome::Pending);
        let mut resumed = search(*kind);
        resumed.resume(known).unwrap();
        assert_eq!(resumed.pending().map(|(number, _)| number).collect::<Vec<_>>(), [1, 4, 7, 10]);
        let next = whole.ask(6).unwrap();
        assert_eq!(resumed.ask(6).unwrap(), next, "{}", kind.name());
        // The gaps close, each result behind those that are known already.
        for asked in first.iter().filter(|asked| asked.number % 3 == 1).chain(&next) {
            tell(&mut whole, asked);
        }
        let mut fresh = search(*kind);
        fresh.resume(past(&[&first[..], &next].concat())).unwrap();
        assert_eq!(whole.ask(6).unwrap(), fresh.ask(6).unwrap(), "{}", kind.name());
    }
}

#[test]
fn a_batch_that_a_limit_cut_goes_on_as_if_it_had_not() {
    for kind in search::ALL {
        let mut whole = search(*kind);
        let mut cut = search(*kind);
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        whole.set_limit(40);
        while expected.len() < 40 {
            let batch = whole.ask_batch(16).unwrap();
            batch.iter().for_each(|asked| tell(&mut whole, asked));
            expected.extend(batch);
        }
        for limit in [5, 16, 21, 22, 40] {
            cut.set_limit(limit);
            while cut.asked_count() < limit {
                let batch = cut.ask_batch(16).unwrap();
                batch.iter().for_each(|asked| tell(&mut cut, asked));
                found.extend(batch);
            }
            assert_eq!(cut.ask_batch(16).unwrap(), []);
        }
        assert_eq!(found, expected, "{}", kind.name());
        assert!(!whole.is_exhausted());
    }
}

fn refined_grid() -> Search {
    let axis = |name| Dimension {
        grid_count: Some(3),
        ..Dimension::new(name, Domain::Float { low: -1.0, high: 1.0, log: false, step: None })
    };
    let settings = Settings { chosen: Chosen::none().with("refine", 2.0), ..SETTINGS };
    Search::new(Space::new(vec![axis("x"), axis("y")]).unwrap(), "grid", settings).unwrap()
}

fn tell_bowl(search: &mut Search, asked: &Asked) {
    let squares = asked.configuration.values().map(|value| match value {
        Value::Float(value) => (value - 0.3).powi(2),
        other => panic!("{other:?}"),
    });
    search.tell(asked.number, squares.sum()).unwrap();
}

/// A refined grid proposes pass by pass: each waits for all results of the one before.
#[test]
fn a_strategy_that_goes_in_passes_waits_without_being_exhausted() {
    let mut search = refined_grid();
    let first = search.ask(100).unwrap();
    assert_eq!(first.len(), 9);
    for open in [8, 0] {
        assert!(!search.is_exhausted());
        assert_eq!(search.ask(100).unwrap(), [], "trial {open} is open");
        // All but the first, the others backwards; then the first.
        let end = if open == 8 { 1..9 } else { 0..1 };
        end.rev().for_each(|number| tell_bowl(&mut search, &first[number]));
    }
    let second = search.ask(100).unwrap();
    assert!(!second.is_empty() && !search.is_exhausted());
    assert_eq!(search.remarks().first().map(|line| line.starts_with("grid, pass 2 of 3")), Some(true));
    second.iter().for_each(|asked| tell_bowl(&mut search, asked));
    let third = search.ask(100).unwrap();
    third.iter().for_each(|asked| tell_bowl(&mut search, asked));
    assert_eq!(search.ask(100).unwrap(), []);
    assert!(!third.is_empty() && search.is_exhausted());
    assert!(search.best().is_some_and(|best| best.value < 0.02), "{:?}", search.best());

    // In batches, however short, the passes are the same, and each ends a batch.
    let expected = [first, second, third].concat();
    for (size, cut) in [(1, false), (4, false), (4, true), (100, false)] {
        let mut search = refined_grid();
        let mut found = Vec::new();
        loop {
            let limit = if cut { found.len() as u64 + 3 } else { u64::MAX };
            search.set_limit(limit);
            let batch = search.ask_batch(size).unwrap();
            assert!(batch.len() as u64 <= size);
            batch.iter().for_each(|asked| tell_bowl(&mut search, asked));
            match batch.is_empty() {
                true => break,
                false => found.extend(batch),
            }
        }
        assert!(search.is_exhausted());
        assert_eq!(found, expected, "batches of {size}");
    }
}

#[test]
fn a_batch_waits_for_those_before_it() {
    let mut search = Search::new(space(), "random", SETTINGS).unwrap();
    let first = search.ask_batch(2).unwrap();
    let error = search.ask_batch(2).unwrap_err().to_string();
    assert!(error.starts_with("trial 0: is pending"), "{error}");
    first.iter().for_each(|asked| tell(&mut search, asked));
    assert_eq!(search.ask_batch(2).unwrap().len(), 2);
}

#[test]
fn a_finite_space_ends() {
    let space = Space::new(vec![Dimension::new("x", Domain::Int { low: 1, high: 5, log: false, step: 1 })]);
    let space = space.unwrap();
    for kind in search::ALL {
        let mut search = Search::new(space.clone(), kind.name(), SETTINGS).unwrap();
        assert_eq!(search.ask_batch(4).unwrap().len(), 4, "{}", kind.name());
        assert!(!search.is_exhausted());
        (0..4).for_each(|number| search.tell(number, 1.0).unwrap());
        assert_eq!(search.ask_batch(4).unwrap().len(), 1, "{}", kind.name());
        assert!(search.is_exhausted());
        assert_eq!(search.ask(3).unwrap(), []);
    }
}

#[test]
fn enqueued_trials_come_first_and_once() {
    let enqueued: Vec<Configuration> = vec![
        Configuration::from([("x".into(), Value::Int(4))]),
        Configuration::from([("x".into(), Value::Int(2))]),
    ];
    let space = Space::new(vec![Dimension::new("x", Domain::Int { low: 1, high: 5, log: false, step: 1 })]);
    let settings = Settings { enqueued: enqueued.clone(), ..SETTINGS };
    let mut search = Search::new(space.clone().unwrap(), "random", settings.clone()).unwrap();
    let mut found = search.ask(1).unwrap();
    found.extend(search.ask(10).unwrap());
    assert_eq!([&found[0].configuration, &found[1].configuration], [&enqueued[0], &enqueued[1]]);
    let mut values: Vec<i64> = found
        .iter()
        .map(|asked| match asked.configuration["x"] {
            Value::Int(value) => value,
            _ => panic!("{asked:?}"),
        })
        .collect();
    values.sort_unstable();
    assert_eq!(values, [1, 2, 3, 4, 5]);

    let foreign = vec![enqueued[0].clone(), Configuration::from([("x".into(), Value::Int(9))])];
    let error = Search::new(space.unwrap(), "random", Settings { enqueued: foreign, ..settings });
    refused(error.map(drop), &["search.enqueue[1].x: x cannot be 9"]);
}

#[test]
fn the_best_is_the_first_of_the_best_complete_trials() {
    for (direction, expected) in [(Direction::Minimize, 1), (Direction::Maximize, 3)] {
        let mut search = Search::new(space(), "random", Settings::new(5, direction)).unwrap();
        assert_eq!(search.best(), None);
        let asked = search.ask(7).unwrap();
        search.fail(0).unwrap();
        assert_eq!(search.best(), None);
        // Told backwards: the lower number wins all the same.
        for (number, value) in [(6, -2.0), (5, 0.0), (4, 7.5), (3, 7.5), (2, -2.0), (1, -2.0)] {
            search.tell(number, value).unwrap();
        }
        let configuration = asked[expected].configuration.clone();
        let value = if expected == 1 { -2.0 } else { 7.5 };
        assert_eq!(search.best(), Some(&Best { number: expected as u64, configuration, value }));
    }
}

#[test]
fn a_pruned_trial_is_never_the_best() {
    let mut search = Search::new(space(), "random", SETTINGS).unwrap();
    let configuration =
        Search::new(space(), "random", SETTINGS).unwrap().ask(1).unwrap()[0].configuration.clone();
    let known = [Outcome::Pruned(-9.0), Outcome::Complete(1.0), Outcome::Failed];
    search.resume(known.map(|outcome| Past::new(configuration.clone(), outcome))).unwrap();
    assert_eq!(search.best().map(|best| (best.number, best.value)), Some((1, 1.0)));
    assert_eq!(search.told_count(), 3);
}

#[test]
fn what_cannot_be_told_is_refused_and_changes_nothing() {
    let mut search = Search::new(space(), "random", SETTINGS).unwrap();
    refused(search.tell(0, 1.0), &["trial 0: was never asked for", "nothing before"]);
    let asked = search.ask(12).unwrap();
    refused(
        search.tell(12, 1.0),
        &["trial 12: was never asked for", "trials 0 to 11", "not told yet: 0, 1, 2, 3, 4, 5, 6, 7, …"],
    );
    refused(search.fail(u64::MAX), &["was never asked for"]);
    search.tell(1, 0.5).unwrap();
    search.fail(2).unwrap();
    for number in [1, 2] {
        refused(search.tell(number, -1.0), &["was told before", "each trial once"]);
        refused(search.fail(number), &["was told before"]);
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        refused(search.tell(0, value), &["trial 0: a value of", "a finite number", "failed"]);
    }
    assert_eq!((search.told_count(), search.asked_count()), (2, 12));
    assert_eq!(search.best().map(|best| best.number), Some(1));
    // The session goes on.
    search.tell(0, f64::MIN_POSITIVE).unwrap();
    assert_eq!(search.best().map(|best| best.number), Some(0));
    asked[3..].iter().for_each(|asked| tell(&mut search, asked));
    refused(search.tell(4, 1.0), &["none is open"]);
    refused(search.resume([]), &["12 trials were asked for already"]);
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let new = |dimensions, strategy, settings| {
        Search::new(Space::new(dimensions).unwrap(), strategy, settings).map(drop)
    };
    let fixed = || Dimension::new("x", Domain::Fixed(Value::Float(0.5)));
    refused(new(vec![], "random", SETTINGS), &["space: no hyperparameter"]);
    refused(new(vec![fixed()], "random", SETTINGS), &["space: no free hyperparameter", "range"]);
    let one = Dimension::new("y", Domain::Choice(vec![Value::Int(3)]));
    refused(new(vec![fixed(), one], "auto", SETTINGS), &["no free hyperparameter"]);
    let free = || Dimension::new("z", Domain::Choice(vec![Value::Int(3), Value::Int(4)]));
    new(vec![fixed(), free()], "auto", SETTINGS).unwrap();
    refused(new(vec![free()], "randm", SETTINGS), &["search.strategy", "did you mean \"random\"?"]);
    let settings = Settings { chosen: Chosen::none().with("batchh", 3.0), ..SETTINGS };
    refused(new(vec![free()], "random", settings), &["search.batchh: a setting that random does not have"]);
}

proptest! {
    /// Whatever is told, in whatever order: counts hold, and the best is the best of what was taken.
    #[test]
    fn whatever_is_told_the_counts_hold(calls in prop::collection::vec((0..14_u64, prop::num::f64::ANY, any::<bool>()), 0..40)) {
        let mut search = Search::new(space(), "random", SETTINGS).unwrap();
        search.ask(12).unwrap();
        let mut taken: Vec<(u64, Option<f64>)> = Vec::new();
        for (number, value, is_failure) in calls {
            let is_new = number < 12 && taken.iter().all(|(other, _)| *other != number);
            let result = if is_failure { search.fail(number) } else { search.tell(number, value) };
            prop_assert_eq!(result.is_ok(), is_new && (is_failure || value.is_finite()));
            if result.is_ok() {
                taken.push((number, (!is_failure).then_some(value)));
            }
        }
        prop_assert_eq!(search.told_count(), taken.len() as u64);
        prop_assert_eq!(search.pending().count(), 12 - taken.len());
        let least = taken.iter().filter_map(|(_, value)| *value).min_by(f64::total_cmp);
        prop_assert_eq!(search.best().map(|best| best.value + 0.0), least.map(|value| value + 0.0));
    }
}
