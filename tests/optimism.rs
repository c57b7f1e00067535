//! How much the best of many trials flatters: by hand, of noise alone, and in what `show` prints.

mod cli;

use cli::Place;
use manytune::model::metric::Direction;
use manytune::space::Configuration;
use manytune::study::optimism::Optimism;
use manytune::trial::{FoldEpoch, Order, Score, State, Trial};
use serde_json::Value;

const ORDER: Order = Order { objective: Direction::Maximize, tie_break: Direction::Minimize };

/// A complete trial with these scores, (epoch, fold).
fn trial(number: u64, epochs: &[&[f64]]) -> Trial {
    let mut trial = Trial::new(number, Configuration::new(), ORDER, epochs[0].len());
    for epoch in epochs {
        let fold = |&value: &f64| FoldEpoch { train_loss: 0.0, score: Score { value, tie_break: 0.0 } };
        trial.history.push(&epoch.iter().map(fold).collect::<Vec<_>>());
    }
    trial.state = State::Complete;
    trial
}

#[test]
fn trial_and_epoch_are_chosen_by_the_other_folds() {
    // By folds 1 and 2 the means are .5, .8 and .55; by 0 and 2 .7, .4 and .55; by 0 and 1 .7, .4 and .6.
    let trials = [trial(0, &[&[0.9, 0.5, 0.5], &[0.0, 0.8, 0.8]]), trial(1, &[&[0.6, 0.6, 0.5]])];
    // Fold 0 is judged by the second epoch of trial 0 (0.0); the others choose the first (0.5 and 0.5).
    let found = Optimism::of(ORDER, &trials, 3).unwrap();
    assert!((found.value - (0.0 + 0.5 + 0.5) / 3.0).abs() < 1e-15, "{found:?}");
    // The best mean of three folds is that of the first epoch of trial 0, 1.9/3.
    assert!((found.flattery - (1.9 - 1.0) / 3.0).abs() < 1e-15, "{found:?}");
    assert!((found.standard_error - 1.0 / 6.0).abs() < 1e-15, "{found:?}");
    assert_eq!(found.trial_count, 2);
    // Of what is minimized the same, upside down.
    let order = Order { objective: Direction::Minimize, ..ORDER };
    let found = Optimism::of(order, &trials, 3);
    assert!(found.unwrap().flattery > 0.0, "the least is flattered too");
}

#[test]
fn where_folds_cannot_say_nothing_is_said() {
    let two = [trial(0, &[&[0.9, 0.5]]), trial(1, &[&[0.6, 0.6]])];
    assert_eq!(Optimism::of(ORDER, &two, 2), None);
    assert_eq!(Optimism::of(ORDER, &[trial(0, &[&[0.9, 0.5, 0.4]])], 3), None);
    assert_eq!(Optimism::of(ORDER, &[], 3), None);
    // Repeats of a hold-out set: the rows of one are in the training rows of another.
    let repeats = [trial(0, &[&[0.9, 0.5, 0.5]]), trial(1, &[&[0.6, 0.6, 0.5]])];
    assert_eq!(Optimism::of(ORDER, &repeats, 1), None);
}

/// Of 200 trials that are noise around 0.7, the best has far more than that, and what is judged by the fold that did not
/// choose has not: over 50 studies its mean misses 0.7 by less than 4 standard errors, 0.1/√(50·5).
#[test]
fn noise_is_not_taken_for_skill() {
    // SplitMix64 (Steele, Lea and Flood, 2014), then Box and Muller's normal numbers.
    let uniform = |i: u64| {
        let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let noise = |i: u64| {
        (-2.0 * (1.0 - uniform(2 * i)).ln()).sqrt() * (std::f64::consts::TAU * uniform(2 * i + 1)).cos()
    };
    let (mut sum, mut flattery) = (0.0, 0.0);
    for study in 0..50 {
        let value = |number: u64, fold: u64| 0.7 + 0.1 * noise(1 + (study * 200 + number) * 5 + fold);
        let scores = |number| (0..5).map(|fold| value(number, fold)).collect::<Vec<_>>();
        let trials: Vec<Trial> = (0..200).map(|number| trial(number, &[&scores(number)])).collect();
        let found = Optimism::of(ORDER, &trials, 5).unwrap();
        sum += found.value / 50.0;
        flattery += found.flattery / 50.0;
    }
    assert!((sum - 0.7).abs() < 4.0 * 0.1 / 250.0_f64.sqrt(), "{sum}");
    // The largest of 200 means of five: 2.75 deviations of 0.1/√5 above, as tables of the normal's extremes say.
    assert!((flattery - 2.75 * 0.1 / 5.0_f64.sqrt()).abs() < 0.03, "{flattery}");
}

#[test]
fn it_stands_beside_the_winner() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let text = place.run("show runs/study").0;
    assert!(text.contains("chosen by all folds but one and judged by that one: accuracy "), "{text}");
    let json = place.show("runs/study");
    let found = &json["optimism"];
    let number = |value: &Value| value.as_f64().unwrap();
    let difference = number(&json["best"]["value"]) - number(&found["value"]) - number(&found["flattery"]);
    assert!(difference.abs() < 1e-12 && found["trials"] == 6, "{found}");
    place.run("tune study.toml --folds 2 --quiet --out two");
    assert_eq!(place.show("two")["optimism"], Value::Null);
}
