//! Importance of hyperparameters: Optuna's own numbers, functions whose variance is divided by hand, and trials that
//! have no value.

mod cli;

use cli::Place;
use manytune::model::metric::Direction;
use manytune::random::{Purpose, Stream};
use manytune::report::importance::{ALL, FEWEST, Importance, Measured};
use manytune::space::{Configuration, Dimension, Domain, Space, Value};
use manytune::trial::{FoldEpoch, Order, Score, State, Trial};
use serde_json::{Value as Json, json};

/// A finished trial of one fold.
fn trial(number: u64, configuration: Configuration, value: f64, state: State) -> Trial {
    let order = Order { objective: Direction::Minimize, tie_break: Direction::Minimize };
    let mut trial = Trial::new(number, configuration, order, 1);
    trial.history.push(&[FoldEpoch { train_loss: value, score: Score { value, tie_break: value } }]);
    trial.state = state;
    trial
}

fn measured<'a>(importance: &'a Importance, name: &str) -> &'a Measured {
    importance.measures.iter().find(|measured| measured.name == name).unwrap()
}

fn of(measured: &Measured, name: &str) -> f64 {
    measured.hyperparameters.iter().find(|effect| effect.name == name).unwrap().importance
}

fn domain(json: &Json) -> Domain {
    if let Some(names) = json.as_array() {
        return Domain::Choice(names.iter().map(|name| Value::Text(name.as_str().unwrap().into())).collect());
    }
    let log = json["log"] == true;
    match (json["uniform"].as_array(), json["log_uniform"].as_array(), json["int"].as_array()) {
        (Some(ends), _, _) | (_, Some(ends), _) => Domain::Float {
            low: ends[0].as_f64().unwrap(),
            high: ends[1].as_f64().unwrap(),
            log: json["log_uniform"].is_array(),
            step: json["step"].as_f64(),
        },
        (_, _, Some(ends)) => {
            Domain::Int { low: ends[0].as_i64().unwrap(), high: ends[1].as_i64().unwrap(), log, step: 1 }
        }
        _ => panic!("{json}"),
    }
}

fn space(json: &Json) -> Space {
    let dimension = |(name, found): (&String, &Json)| {
        let dimension = Dimension::new(name.clone(), domain(&found["domain"]));
        match found["when"].as_array() {
            Some(when) => {
                dimension.when(when[0].as_str().unwrap(), [Value::Text(when[1].as_str().unwrap().to_owned())])
            }
            None => dimension,
        }
    };
    Space::new(json.as_object().unwrap().iter().map(dimension).collect()).unwrap()
}

fn trials(json: &Json) -> Vec<Trial> {
    let one = |(number, found): (usize, &Json)| {
        let configuration = serde_json::from_value(found["hyperparameters"].clone()).unwrap();
        match found["value"].as_f64() {
            Some(value) => trial(number as u64, configuration, value, State::Complete),
            None => trial(number as u64, configuration, f64::NAN, State::Diverged),
        }
    };
    json.as_array().unwrap().iter().enumerate().map(one).collect()
}

/// (name, the case, what is found of it)
fn cases() -> Vec<(String, Json, Importance)> {
    let stored: Json = serde_json::from_str(include_str!("reference/importance.json")).unwrap();
    let cases = stored["cases"].as_array().unwrap().iter().map(|case| {
        let direction =
            if case["direction"] == "maximize" { Direction::Maximize } else { Direction::Minimize };
        let found = Importance::of_trials(&space(&case["space"]), direction, &trials(&case["trials"]));
        (case["name"].as_str().unwrap().to_owned(), case.clone(), found)
    });
    cases.collect()
}

#[test]
fn ped_anova_is_that_of_optuna() {
    for (name, case, found) in cases() {
        for (hyperparameter, expected) in case["ped_anova"].as_object().unwrap() {
            let (own, expected) =
                (of(measured(&found, "ped_anova"), hyperparameter), expected.as_f64().unwrap());
            // The normal distribution's tails there are another approximation, of 1e-12.
            let difference = (own - expected).abs();
            assert!(difference <= 1e-9, "{name}, {hyperparameter}: {own}, Optuna has {expected}");
        }
    }
}

#[test]
fn fanova_is_that_of_optuna_within_what_forests_differ_by() {
    let mut compared = 0;
    for (name, case, found) in cases() {
        let Some(fanova) = case["fanova"].as_object() else { continue };
        // Ten forests of Optuna's differ by less than half of this; whole numbers are cells here, points there.
        let tolerance = if case["trials"].as_array().unwrap().len() < 50 { 0.12 } else { 0.06 };
        for (hyperparameter, expected) in fanova {
            let (own, expected) =
                (of(measured(&found, "fanova"), hyperparameter), expected.as_f64().unwrap());
            let difference = (own - expected).abs();
            assert!(difference <= tolerance, "{name}, {hyperparameter}: {own}, Optuna has {expected}");
            compared += 1;
        }
    }
    assert_eq!(compared, 16);
}

fn choice(values: &[i64]) -> Domain {
    Domain::Choice(values.iter().copied().map(Value::Int).collect())
}

fn configuration(pairs: &[(&str, i64)]) -> Configuration {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::Int(*value))).collect()
}

/// a + 2b + 3ab for a and b of 0 and 1: mean 2.25, single effects ±1.25 and ±1.75, together ±0.75; the variances
/// 1.5625, 3.0625 and 0.5625 are 25/83, 49/83 and 9/83 of the whole.
#[test]
fn a_function_of_choices_is_divided_as_by_hand() {
    let space = Space::new(vec![
        Dimension::new("a", choice(&[0, 1])),
        Dimension::new("b", choice(&[0, 1])),
        Dimension::new("idle", choice(&[3, 1, 2])),
    ])
    .unwrap();
    let (mut all, shares) = (Vec::new(), [25.0 / 83.0, 49.0 / 83.0, 9.0 / 83.0]);
    for number in 0..96_i64 {
        let (a, b, idle) = (number % 2, number / 2 % 2, [3, 1, 2][number as usize / 4 % 3]);
        let held = configuration(&[("a", a), ("b", b), ("idle", idle)]);
        all.push(trial(number as u64, held, (a + 2 * b + 3 * a * b) as f64, State::Complete));
    }
    let found = Importance::of_trials(&space, Direction::Minimize, &all);
    let fanova = measured(&found, "fanova");
    // Every tree has seen all four cells, so the forest is the function itself.
    let near = |own: f64, share: f64| assert!((own - share).abs() <= 1e-12, "{own} is not {share}");
    near(of(fanova, "a"), shares[0]);
    near(of(fanova, "b"), shares[1]);
    near(of(fanova, "idle"), 0.0);
    assert_eq!(fanova.hyperparameters.iter().map(|e| &*e.name).collect::<Vec<_>>(), ["b", "a", "idle"]);
    assert_eq!(fanova.pairs[0].names, ["a", "b"]);
    near(fanova.pairs[0].importance, shares[2]);
    near(fanova.pairs[1].importance, 0.0);
    near(fanova.fit.unwrap(), 1.0);
    assert_eq!(fanova.hyperparameters[0].deviation.map(|deviation| deviation < 1e-12), Some(true));
}

/// 4 where kind is 0; where it is 1, 8 for rates above the middle of their logarithms, else 0. Over the cube with the
/// rate anywhere: kind explains nothing, the rate alone ±2, which is 4 of 8, and both together the other 4.
#[test]
fn what_is_inactive_does_nothing() {
    let rate = Domain::Float { low: 1e-4, high: 1.0, log: true, step: None };
    let space = Space::new(vec![
        Dimension::new("kind", choice(&[0, 1])),
        Dimension::new("rate", rate.clone()).when("kind", [Value::Int(1)]),
    ])
    .unwrap();
    let all: Vec<Trial> = (0..400)
        .map(|number| {
            let mut held = configuration(&[("kind", number % 2)]);
            let place = (number as f64 + 0.5) / 400.0;
            let value = match number % 2 {
                0 => 4.0,
                _ => {
                    held.insert("rate".into(), rate.decode(place));
                    if place > 0.5 { 8.0 } else { 0.0 }
                }
            };
            trial(number as u64, held, value, State::Complete)
        })
        .collect();
    let found = Importance::of_trials(&space, Direction::Minimize, &all);
    let fanova = measured(&found, "fanova");
    // The cut stands between two of 200 rates, and a bootstrap sample may lack both.
    let near =
        |own: f64, share: f64| assert!((own - share).abs() <= 0.03, "{own} is not {share}: {fanova:?}");
    near(of(fanova, "kind"), 0.0);
    near(of(fanova, "rate"), 0.5);
    near(fanova.pairs[0].importance, 0.5);
}

#[test]
fn lists_failures_and_values_out_of_reach_are_counted_or_left_out() {
    let lists = Domain::Choice(vec![Value::List(vec![8]), Value::List(vec![16, 8]), Value::List(vec![64])]);
    let space = Space::new(vec![
        Dimension::new("hidden", lists.clone()),
        Dimension::new("rate", Domain::Float { low: 1.0, high: 2.0, log: false, step: None }),
        Dimension::new("fixed", Domain::Fixed(Value::Int(1))),
    ])
    .unwrap();
    let stream = Stream::new(5, Purpose::Verify, 0, 0, 0);
    let all: Vec<Trial> = (0..60_u32)
        .map(|number| {
            let word = stream.word(number);
            let mut held = configuration(&[("fixed", 1)]);
            held.insert("hidden".into(), lists.at(u128::from(word % 3)));
            // A refined grid leaves its range.
            held.insert("rate".into(), Value::Float(0.5 + f64::from(word >> 20) / 2048.0));
            let value = if number == 7 { f64::INFINITY } else { 1e300 * f64::from(word % 3) };
            let state = match number {
                0 => State::Failed,
                1 => State::Running,
                2 => State::Interrupted,
                3 | 4 => State::Diverged,
                5 | 6 => State::Pruned,
                _ => State::Complete,
            };
            trial(u64::from(number), held, value, state)
        })
        .collect();
    let found = Importance::of_trials(&space, Direction::Minimize, &all);
    let counted = json!({"complete": 52, "pruned": 2, "diverged": 3, "left_out": 3});
    assert_eq!(json!(found)["trials"], counted);
    for measured in &found.measures {
        let names: Vec<&str> = measured.hyperparameters.iter().map(|effect| &*effect.name).collect();
        assert_eq!(names, ["hidden", "rate"], "{}", measured.name);
        // The rate does nothing; with 57 trials its densities differ by chance.
        assert!(of(measured, "hidden") > 0.8, "{measured:?}");
    }
    // In any order of trials, the same to the bit.
    let turned: Vec<Trial> = all.iter().rev().cloned().collect();
    assert_eq!(Importance::of_trials(&space, Direction::Minimize, &turned), found);
}

/// 100 trials of a loss that is one hyperparameter, `far` of which came to `worst` wherever they stood; the other
/// hyperparameter does nothing.
fn with_outliers(direction: Direction, far: u64, worst: f64) -> Importance {
    let unit = Domain::Float { low: 0.0, high: 1.0, log: false, step: None };
    let space =
        Space::new(vec![Dimension::new("drives", unit.clone()), Dimension::new("idle", unit)]).unwrap();
    let stream = Stream::new(9, Purpose::Verify, 0, 0, 0);
    let sign = if direction == Direction::Minimize { 1.0 } else { -1.0 };
    let all: Vec<Trial> = (0..100)
        .map(|number| {
            let place = |at: u64| f64::from(stream.word((2 * number + at) as u32)) / 2_f64.powi(32);
            let names = ["drives", "idle"].into_iter().zip([place(0), place(1)]);
            let held = names.map(|(name, place)| (name.to_owned(), Value::Float(place))).collect();
            let loss = if number % (100 / far.max(1)) == 0 && far > 0 { worst } else { 0.3 + place(0) };
            trial(number, held, sign * loss, State::Complete)
        })
        .collect();
    Importance::of_trials(&space, direction, &all)
}

/// Four trials of 100 that all but diverged would have all of the variance, and it would be that of where they stood.
#[test]
fn a_few_terrible_trials_do_not_take_all_of_the_variance() {
    for direction in [Direction::Minimize, Direction::Maximize] {
        let clean = with_outliers(direction, 0, 0.0);
        let clean = measured(&clean, "fanova");
        assert!(of(clean, "drives") > 0.95 && clean.notes.is_empty(), "{clean:?}");
        let mut before = None;
        for worst in [10.0, 1e6, 1e300] {
            let found = with_outliers(direction, 4, worst);
            let fanova = measured(&found, "fanova").clone();
            assert!(of(&fanova, "drives") > 0.7, "{worst}: {fanova:?}");
            let is_said =
                |note: &String| note.contains("4 trials far worse") && note.contains("count as the worst");
            assert!(fanova.notes.iter().any(is_said), "{worst}: {fanova:?}");
            // How far they are makes no difference any more.
            assert_eq!(before.get_or_insert(fanova.clone()), &fanova);
        }
        // Far better is what was looked for, and stays as it is.
        let found = with_outliers(direction, 4, -1e6);
        assert!(measured(&found, "fanova").notes.iter().all(|note| !note.contains("far worse")));
    }
}

#[test]
fn nothing_is_said_where_nothing_can_be() {
    let space = Space::new(vec![Dimension::new("a", choice(&[0, 1, 2]))]).unwrap();
    let some = |count: i64, value: fn(i64) -> f64, state: State| -> Importance {
        let one = |n: i64| trial(n as u64, configuration(&[("a", n % 3)]), value(n), state);
        Importance::of_trials(&space, Direction::Maximize, &(0..count).map(one).collect::<Vec<_>>())
    };
    let few = some(FEWEST as i64 - 1, |n| n as f64, State::Complete);
    assert!(few.measures.is_empty() && few.note.unwrap().contains("9 trials"));
    assert!(some(0, |n| n as f64, State::Complete).note.is_some());
    assert!(some(50, |_| 3.0, State::Complete).note.unwrap().contains("same value"));
    assert!(some(50, |n| n as f64, State::Diverged).measures.is_empty());
    let fixed = Space::new(vec![Dimension::new("a", Domain::Fixed(Value::Int(1)))]).unwrap();
    let trials: Vec<Trial> =
        (0..20).map(|n| trial(n, configuration(&[]), n as f64, State::Complete)).collect();
    let found = Importance::of_trials(&fixed, Direction::Maximize, &trials);
    assert!(found.note.unwrap().contains("no hyperparameter is free"));
    // One value among those that have any, and diverged ones: PED-ANOVA tells them apart, fANOVA has nothing to divide.
    let mut trials: Vec<Trial> =
        (0..40).map(|n| trial(n, configuration(&[("a", n as i64 % 2)]), 1.0, State::Complete)).collect();
    trials.extend((40..60).map(|n| trial(n, configuration(&[("a", 2)]), f64::NAN, State::Diverged)));
    let found = Importance::of_trials(&space, Direction::Maximize, &trials);
    assert_eq!((of(measured(&found, "ped_anova"), "a"), of(measured(&found, "fanova"), "a")), (1.0, 0.0));
}

#[test]
fn show_has_a_table_and_json() {
    let place = Place::new();
    place.write("many.toml", &cli::STUDY.replace("trials = 6", "trials = 12"));
    place.run("tune many.toml --quiet");
    let (text, _) = place.run("show runs/many --importance");
    for part in ["12 complete trials", "hyperparameter  ped_anova", "learning_rate", "hidden", "dropout"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(!text.contains("batch_size"), "{text}");
    let (text, _) = place.run("show runs/many --importance --format json");
    let found: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(found["measures"].as_array().unwrap().len(), ALL.len());
    let shares = found["measures"][0]["hyperparameters"].as_array().unwrap();
    let sum: f64 = shares.iter().map(|share| share["importance"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() <= 1e-12, "{found}");
    place.fail("show runs/many --importance --format csv", 2);
    place.fail("show runs/many --importance --top 3", 2);
    place.run("tune study.toml --quiet");
    assert!(place.run("show runs/study --importance").0.contains("6 trials have a value"));
}
