//! `noise`: what other seeds and permuted labels make of a configuration, and what of it a study keeps.

mod cli;

use cli::Place;
use manytune::model::metric::Direction;
use manytune::study::noise::{Lead, Permuted, Seeds};
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn the_best_is_trained_with_other_seeds_and_on_permuted_labels() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    assert_eq!(place.show("runs/study")["noise"], Value::Null);
    let before = place.timeless("runs/study");
    let ask = "noise runs/study --seeds 3 --permutations 4 --format json";
    let found: Value = serde_json::from_str(&place.run(ask).0).unwrap();
    let again: Value = serde_json::from_str(&place.run(ask).0).unwrap();
    assert_eq!(found, again, "the same seeds");
    let values: Vec<f64> = found["seeds"]["values"].as_array().unwrap().iter().map(number).collect();
    assert_eq!(values.len(), 3);
    assert!(values.iter().any(|value| *value != number(&found["value"])), "other seeds give other values");
    assert!((number(&found["seeds"]["mean"]) - values.iter().sum::<f64>() / 3.0).abs() < 1e-12);
    // Penguins are told by their measures: no permutation comes near.
    assert_eq!(number(&found["permuted"]["p"]), 0.2);
    assert_eq!(found["permuted"]["values"].as_array().unwrap().len(), 4);
    let shown = place.show("runs/study");
    let (best, next) = (&shown["trials"][0], &shown["trials"][1]);
    assert_eq!(found["seeds"]["trial"], best["number"]);
    assert_eq!(found["lead"]["next"]["trial"], next["number"]);
    let lead = number(&best["value"]) - number(&next["value"]);
    assert!((number(&found["lead"]["lead"]) - lead).abs() < 1e-12);
    // It is kept, and nothing else is changed.
    assert_eq!(shown["noise"]["seeds"], found["seeds"]);
    let mut after = place.timeless("runs/study");
    after.as_object_mut().unwrap().remove("noise");
    assert_eq!(after, before);
    let text = place.run("show runs/study").0;
    assert!(text.contains("with 3 other seeds: accuracy 0.9") && text.contains("(p 0.2)"), "{text}");
}

/// A study of labels without meaning: the best of many trials seems to have learned, and is no better than what the same
/// search finds when the labels are dealt anew.
#[test]
fn a_search_among_meaningless_labels_is_beside_its_like() {
    let place = Place::new();
    let rows: String = (0..60_u64)
        .map(|row| format!("{},{},{}\n", row * 37 % 61, row * 23 % 59, row * 7919 % 101 % 2))
        .collect();
    place.write("coins.csv", &format!("a,b,side\n{rows}"));
    let study = cli::STUDY.replace("penguins.csv", "coins.csv").replace("species", "side");
    place.write("coins.toml", &study.replace("trials = 6", "trials = 20"));
    place.run("tune coins.toml --quiet");
    let ask = |more: &str| -> Value {
        let command = format!("noise runs/coins --seeds 2 --permutations 9 --format json{more}");
        serde_json::from_str(&place.run(&command).0).unwrap()
    };
    let (one, all) = (ask("")["permuted"].clone(), ask(" --search")["permuted"].clone());
    assert_eq!((&one["configurations"], &all["configurations"]), (&1.into(), &20.into()));
    let values =
        |found: &Value| -> Vec<f64> { found["values"].as_array().unwrap().iter().map(number).collect() };
    let (one, best) = (values(&one), values(&all));
    assert_eq!((one.len(), best.len()), (9, 9));
    assert!(one.iter().zip(&best).all(|(one, best)| best >= one), "the best of 20 with it among them");
    let gain: f64 = best.iter().zip(&one).map(|(best, one)| best - one).sum::<f64>() / 9.0;
    assert!(gain > 0.03, "choosing among 20 flatters: {gain}");
    assert!(number(&all["p"]) > 0.1, "{all}");
    let text = place.run("show runs/coins").0;
    assert!(text.contains("as the best of 20 configurations (p "), "{text}");
    let error = place.fail("noise coins.toml --permutations 2 --search", 2);
    assert!(error.contains("the folder of a study that has run"), "{error}");
}

#[test]
fn what_is_not_of_the_best_is_not_kept() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    for arguments in
        ["runs/study --trial 1 --seeds 1", "runs/study --epochs 2 --seeds 1", "study.toml --seeds 2"]
    {
        let (text, _) = place.run(&format!("noise {arguments}"));
        assert!(text.contains(" other seeds: accuracy 0.") && !text.contains("its lead"), "{text}");
    }
    assert_eq!(place.show("runs/study")["noise"], Value::Null);
    for (arguments, part) in [("--seeds 0", "--seeds"), ("--permutations 2000", "--permutations")] {
        assert!(place.fail(&format!("noise runs/study {arguments}"), 2).contains(part));
    }
    place.fail("noise runs", 5);
}

#[test]
fn leads_and_chance_are_counted() {
    let seeds = |values: &[f64]| Seeds::of(None, values.to_vec()).unwrap();
    let best = seeds(&[0.8, 0.9]);
    assert!((best.standard_deviation - 0.05 * 2.0_f64.sqrt()).abs() < 1e-12);
    assert!((best.mean - 0.85).abs() < 1e-12);
    assert_eq!(Seeds::of(None, Vec::new()), None);
    // The deviation of a difference is that of both: 0.0707·√2 = 0.1; a lead of 0.15 is within twice that.
    assert!(Lead::of(&best, seeds(&[0.6, 0.7]), (0.95, 0.8)).is_within_noise);
    assert!(!Lead::of(&best, seeds(&[0.6, 0.7]), (0.95, 0.7)).is_within_noise);
    let p = |value, values: &[f64], direction| Permuted::of(value, values.to_vec(), (1, 9), direction).p;
    assert_eq!(
        p(0.8, &[0.5, 0.8, 0.9], Direction::Maximize),
        0.3,
        "as good counts, what has no value does not"
    );
    assert_eq!(p(0.8, &[0.5, 0.8, 0.9], Direction::Minimize), 0.3);
    assert_eq!(p(0.8, &[0.5, 0.6], Direction::Maximize), 0.1);
}
