//! Searches within constraints and behind enqueued trials.

use manytune::error::Error;
use manytune::model::metric::Direction;
use manytune::search::{self, Distinct, Next, Options, Settings, Told, Trials, Window};
use manytune::space::{Configuration, Constraint, Dimension, Domain, Space, Value, value_text};
use proptest::prelude::*;
use std::collections::BTreeSet;

const SETTINGS: Settings = Settings::new(5, Direction::Minimize);

fn int(low: i64, high: i64) -> Domain {
    Domain::Int { low, high, log: false, step: 1 }
}

fn float(low: f64, high: f64) -> Domain {
    Domain::Float { low, high, log: false, step: None }
}

fn within(dimensions: Vec<Dimension>, constraints: &[&str]) -> Space {
    let read = constraints.iter().map(|text| Constraint::parse("constraints", text).unwrap());
    Space::new(dimensions).unwrap().with_constraints(read.collect()).unwrap()
}

fn key(configuration: &Configuration) -> String {
    configuration.iter().map(|(name, value)| format!("{name}={} ", value_text(value))).collect()
}

fn of(values: &[(&str, Value)]) -> Configuration {
    values.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
}

/// The first `most` proposals behind the enqueued trials of some settings.
fn proposed(strategy: &str, space: &Space, settings: &Settings, most: usize) -> Vec<Configuration> {
    let first = settings.enqueued.len() as u64;
    let mut strategy = search::create(strategy, settings).unwrap();
    let told = (0..).zip(&settings.enqueued).map(|(number, c)| Told {
        number,
        configuration: c.clone(),
        value: Some(1.0),
        is_pruned: false,
    });
    let told: Vec<Told> = told.collect();
    strategy.ask(space, Trials { told: &told, pending: &[] }, first, most).unwrap()
}

/// A grid and a random search have exactly what is left of the cells, the grid in their order.
fn assert_left(space: &Space, all: &[Configuration]) -> Result<(), TestCaseError> {
    let expected: Vec<&Configuration> =
        all.iter().filter(|configuration| space.allows(configuration)).collect();
    let grid = proposed("grid", space, &SETTINGS, 10_000);
    prop_assert_eq!(grid.iter().collect::<Vec<_>>(), expected.clone());
    let grid = search::find("grid").unwrap();
    prop_assert_eq!(grid.size(space, &SETTINGS), Some(expected.len() as u128));
    prop_assert_eq!(refuse_impossible(space).is_ok(), !expected.is_empty());
    prop_assert_eq!(search::refuse_empty(grid, space, &SETTINGS).is_ok(), !expected.is_empty());
    for (index, enqueued) in expected.iter().enumerate().step_by(1 + expected.len() / 5) {
        let settings = Settings { enqueued: vec![(*enqueued).clone()], ..SETTINGS };
        let rest = proposed("grid", space, &settings, 10_000);
        let others =
            expected.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| *other);
        prop_assert_eq!(rest.iter().collect::<Vec<_>>(), others.collect::<Vec<_>>());
    }
    let keys: BTreeSet<String> = expected.iter().map(|configuration| key(configuration)).collect();
    let random = proposed("random", space, &SETTINGS, 10_000);
    prop_assert_eq!(random.len(), expected.len());
    prop_assert_eq!(random.iter().map(key).collect::<BTreeSet<_>>(), keys);
    prop_assert_eq!(search::find("random").unwrap().size(space, &SETTINGS), Some(expected.len() as u128));
    Ok(())
}

proptest! {
    #[test]
    fn what_constraints_leave_of_a_finite_space_is_proposed_once(
        sizes in prop::collection::vec(1..5_i64, 4),
        parent in 0..4_usize,
        limits in prop::collection::vec(0..8_i64, 3),
        parts in prop::collection::vec(0..6_usize, 0..3),
    ) {
        let mut dimensions: Vec<Dimension> =
            (0..4).map(|i| Dimension::new(format!("d{i}"), int(0, sizes[i]))).collect();
        let child = (parent + 1 + limits[0] as usize % 3) % 4;
        dimensions[child] = dimensions[child].clone().when(format!("d{parent}"), [Value::Int(0), Value::Int(1)]);
        let (a, b, c) = (limits[0], limits[1], limits[2]);
        let all = [
            format!("d0 + d1 <= {a}"),
            format!("d2 * d3 != {b}"),
            format!("d0 <= {c} or d3 > d1"),
            format!("max(d1, d2) >= {a} / 3"),
            format!("d3 < {b}"),
            format!("d0 + d1 + d2 + d3 == {c}"),
        ];
        let constraints: Vec<&str> = parts.iter().map(|&part| all[part].as_str()).collect();
        let free = within(dimensions.clone(), &[]);
        let cells = proposed("grid", &free, &SETTINGS, 10_000);
        assert_left(&within(dimensions, &constraints), &cells)?;
    }
}

/// Where more has to be looked at than one walk of the cells does, the grid goes on with the next.
#[test]
fn a_grid_too_large_to_be_counted_is_walked_in_parts() {
    let dimensions = vec![Dimension::new("a", int(1, 1500)), Dimension::new("b", int(1, 1500))];
    // Half of them at the start, half at the end.
    let space = within(dimensions, &["abs(a - b) > 1493"]);
    let grid = search::find("grid").unwrap();
    assert_eq!(grid.size(&space, &SETTINGS), Some(1500 * 1500), "an upper bound");
    assert!(grid.notes(&space, &SETTINGS)[0].contains("too many to be counted"));
    let found = proposed("grid", &space, &SETTINGS, 100);
    assert_eq!(found.len(), 42);
    assert!(found.iter().all(|configuration| space.contains(configuration)));
    assert_eq!(found.iter().map(key).collect::<BTreeSet<_>>().len(), 42);
    let mut strategy = search::create("grid", &SETTINGS).unwrap();
    let mut ask = |first, count| strategy.ask(&space, Trials::default(), first, count).unwrap();
    assert_eq!(ask(30, 100), found[30..]);
    assert_eq!(ask(3, 4), found[3..7]);
    assert_eq!(ask(42, 1), []);
    // Random search finds some of them; that there are no more it cannot know.
    let random = proposed("random", &space, &SETTINGS, 3);
    assert_eq!(random.iter().filter(|configuration| space.contains(configuration)).count(), 3);
}

/// What no constraint names is counted, not walked.
#[test]
fn a_constraint_on_the_first_dimensions_is_counted_in_a_huge_space() {
    let mut dimensions: Vec<Dimension> =
        (0..10).map(|i| Dimension::new(format!("d{i}"), int(1, 1000))).collect();
    dimensions[1] = dimensions[1].clone().when("d0", [Value::Int(7)]);
    let space = within(dimensions, &["d0 <= 10", "d1 < 3"]);
    let grid = search::find("grid").unwrap();
    assert_eq!(grid.size(&space, &SETTINGS), Some((9 + 2) * 1000_u128.pow(8)));
    let mut strategy = search::create("grid", &SETTINGS).unwrap();
    let last = strategy.ask(&space, Trials::default(), u64::MAX, 1).unwrap();
    assert!(space.contains(&last[0]));
}

/// For a strategy that draws.
fn refuse_impossible(space: &Space) -> Result<(), Error> {
    search::refuse_impossible(space, search::find("random").unwrap())
}

fn impossible(dimensions: Vec<Dimension>, constraints: &[&str]) -> Error {
    refuse_impossible(&within(dimensions, constraints)).unwrap_err()
}

#[test]
fn constraints_that_nothing_meets_are_refused_with_the_worst_of_them() {
    let finite = || vec![Dimension::new("a", int(0, 9)), Dimension::new("b", int(0, 9))];
    let error = impossible(finite(), &["a < 9", "a + b > 17", "b < 5"]);
    assert_eq!((error.exit_code(), error.place.as_str()), (2, "search.constraints[1]"));
    assert!(error.found.starts_with("no configuration of the space meets"), "{error}");
    assert!(error.advice.contains("\"a + b > 17\", which alone forbids 9"), "{error}");
    let reals = || vec![Dimension::new("x", float(0.0, 1.0)), Dimension::new("y", float(0.0, 1.0))];
    let error = impossible(reals(), &["x == 2 * y"]);
    assert!(error.found.starts_with("none of 10000 random configurations"), "{error}");
    assert!(error.advice.starts_with("loosen or leave out \"x == 2 * y\"; or"), "{error}");
    // Rare, but there.
    let one = within(finite(), &["a == 9", "b == 9"]);
    refuse_impossible(&one).unwrap();
    assert_eq!(proposed("random", &one, &SETTINGS, 5).len(), 1);
    refuse_impossible(&within(reals(), &["x + y < 0.05"])).unwrap();
    refuse_impossible(&within(reals(), &[])).unwrap();
    // A grid may miss what a space has.
    let between = within(reals(), &["0.3 < x < 0.4"]);
    refuse_impossible(&between).unwrap();
    let grid = search::find("grid").unwrap();
    let error = search::refuse_empty(grid, &between, &SETTINGS).unwrap_err();
    assert!(error.to_string().contains("grid has no configuration"), "{error}");
    search::refuse_empty(search::find("random").unwrap(), &between, &SETTINGS).unwrap();
    // And has what no draw meets.
    let at_the_end = within(reals(), &["x == 1"]);
    assert!(refuse_impossible(&at_the_end).is_err());
    search::refuse_impossible(&at_the_end, grid).unwrap();
    assert!(proposed("grid", &at_the_end, &SETTINGS, 100).len() > 1);
    assert!(search::refuse_impossible(&between, grid).is_ok(), "what is missing are points of its own");
    assert!(search::refuse_impossible(&within(reals(), &["x > 1"]), grid).is_err());
}

/// A thin part of a continuous space: every draw lies in it, and no draw depends on how many were asked for.
#[test]
fn random_search_stays_within_constraints() {
    let dimensions = vec![Dimension::new("x", float(0.0, 1.0)), Dimension::new("y", float(0.0, 1.0))];
    let space = within(dimensions, &["abs(x - y) < 0.001"]);
    let all = proposed("random", &space, &SETTINGS, 200);
    assert_eq!(all.len(), 200);
    assert!(all.iter().all(|configuration| space.contains(configuration)));
    let mut strategy = search::create("random", &SETTINGS).unwrap();
    assert_eq!(strategy.ask(&space, Trials::default(), 150, 50).unwrap(), all[150..]);
}

#[test]
fn a_forbidden_proposal_is_replaced_by_one_near_it() {
    let dimensions = vec![
        Dimension::new("x", float(0.0, 1.0)),
        Dimension::new("y", float(0.0, 1.0)),
        Dimension::new("kind", Domain::Choice(vec![Value::Int(0), Value::Int(1)])),
    ];
    let space = within(dimensions, &["x + y <= 1"]);
    let at = |x: f64, y: f64| of(&[("x", Value::Float(x)), ("y", Value::Float(y)), ("kind", Value::Int(1))]);
    let mut distinct = Distinct::new(&space, 3);
    distinct.learn(Trials::default(), 0);
    assert_eq!(distinct.admit(at(0.2, 0.3)), Some(at(0.2, 0.3)));
    let distance = |a: &Configuration, b: &Configuration| {
        let part = |name: &str| match (&a[name], &b[name]) {
            (Value::Float(a), Value::Float(b)) => (a - b).abs(),
            _ => panic!("{name} is no number"),
        };
        part("x").max(part("y"))
    };
    let mut changed = 0;
    for i in 0..50 {
        let wanted = at(0.5 + f64::from(i) * 0.002, 0.52);
        let found = distinct.admit(wanted.clone()).unwrap();
        assert!(space.contains(&found));
        let (beyond, moved) = (0.02 + f64::from(i) * 0.002, distance(&wanted, &found));
        assert!(moved <= 4.0 * beyond + 0.02, "moved by {moved}, where {beyond} lay beyond");
        changed += usize::from(found["kind"] != Value::Int(1));
    }
    assert!(changed <= 10, "a choice changes last, not {changed} times in 50");
    // Several, the best first.
    let found = distinct.admit_first_of([at(0.9, 0.9), at(0.2, 0.3), at(0.1, 0.1), at(0.1, 0.2)]);
    assert_eq!(found, Some(at(0.1, 0.1)));
    assert_eq!(distinct.next_number(), 52);
}

#[test]
fn enqueued_configurations_are_completed_at_random() {
    let space = enqueueable();
    let given = [
        of(&[("rate", Value::Int(1)), ("kind", Value::Text("a".into()))]),
        of(&[("momentum", Value::Float(0.25))]),
        of(&[("width", Value::Int(3))]),
    ];
    let full = search::complete(&space, &given, 7).unwrap();
    assert!(full.iter().all(|configuration| space.contains(configuration)), "{full:?}");
    assert_eq!((&full[0]["rate"], &full[0]["kind"]), (&Value::Float(1.0), &Value::Text("a".into())));
    // A value of a conditional hyperparameter chooses what makes it active.
    assert_eq!((&full[1]["kind"], &full[1]["momentum"]), (&Value::Text("b".into()), &Value::Float(0.25)));
    assert_eq!(full[2]["width"], Value::Int(3));
    assert_eq!(search::complete(&space, &given, 7).unwrap(), full);
    assert_eq!(search::complete(&space, &full, 8).unwrap(), full, "complete ones stay");
    assert_ne!(search::complete(&space, &given, 8).unwrap(), full);
    assert_eq!(search::complete(&space, &given[..2], 7).unwrap(), full[..2]);
    assert_eq!(search::complete(&space, &[], 7).unwrap(), []);
}

fn enqueueable() -> Space {
    let kinds = Domain::Choice(vec![Value::Text("a".into()), Value::Text("b".into())]);
    within(
        vec![
            Dimension::new("momentum", float(0.0, 1.0)).when("kind", [Value::Text("b".into())]),
            Dimension::new("kind", kinds),
            Dimension::new("rate", float(0.0, 2.0)),
            Dimension::new("width", int(1, 4)),
        ],
        &["rate < 1.5 or width < 3"],
    )
}

#[test]
fn enqueued_configurations_that_the_space_does_not_have_are_refused() {
    let text = |text: &str| Value::Text(text.into());
    let good = of(&[("width", Value::Int(1))]);
    let cases = [
        (of(&[("widht", Value::Int(1))]), "search.enqueue[1].widht: unknown", "did you mean \"width\"?"),
        (of(&[("width", Value::Int(9))]), "search.enqueue[1].width: width cannot be 9", "int = [1, 4]"),
        (of(&[("width", Value::Float(1.5))]), "enqueue[1].width: width cannot be 1.5", "int"),
        (of(&[("rate", text("1"))]), "enqueue[1].rate: rate cannot be \"1\"", "uniform = [0.0, 2.0]"),
        (of(&[("kind", text("c"))]), "enqueue[1].kind: kind cannot be \"c\"", "[\"a\", \"b\"]"),
        (of(&[]), "search.enqueue[1]: no value", "one or more"),
        (
            of(&[("momentum", Value::Float(0.5)), ("kind", text("a"))]),
            "search.enqueue[1]: momentum is inactive",
            "momentum where kind = \"b\"",
        ),
        (
            of(&[("rate", Value::Float(1.5)), ("width", Value::Int(4))]),
            "forbidden by the constraint \"rate < 1.5 or width < 3\"",
            "search.constraints",
        ),
    ];
    for (given, found, help) in cases {
        let error = search::complete(&enqueueable(), &[good.clone(), given], 7).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let error = error.to_string();
        assert!(error.contains(found), "{found:?} is not in: {error}");
        assert!(error.contains(help), "{help:?} is not in: {error}");
    }
    let full = search::complete(&enqueueable(), &[good], 7).unwrap();
    let error = search::complete(&enqueueable(), &[full[0].clone(), full[0].clone()], 7).unwrap_err();
    assert!(error.to_string().starts_with("search.enqueue[1]: the same as search.enqueue[0]"), "{error}");
}

/// Of a finite space with enqueued trials, every strategy has the rest.
#[test]
fn no_strategy_repeats_an_enqueued_trial() {
    let space = within(vec![Dimension::new("a", int(0, 3)), Dimension::new("b", int(0, 4))], &["a != b"]);
    let given = [of(&[("a", Value::Int(0))]), of(&[("a", Value::Int(2)), ("b", Value::Int(4))])];
    let enqueued = search::complete(&space, &given, 1).unwrap();
    for kind in search::ALL {
        let settings = Settings { enqueued: enqueued.clone(), ..SETTINGS };
        let options = Options {
            space: &space,
            learns: kind.learns(&settings.chosen),
            batch: 4,
            limit: None,
            enqueued: &enqueued,
        };
        let mut window = Window::new(kind.create(&settings), options);
        let mut found: Vec<Configuration> = Vec::new();
        while let Next::Trial(number, configuration) = window.next(|number| number).unwrap() {
            found.push(configuration.clone());
            window.tell(Told { number, configuration, value: Some(number as f64), is_pruned: false });
        }
        assert_eq!(found[..2], enqueued, "{}", kind.name());
        let distinct: BTreeSet<String> = found.iter().map(key).collect();
        assert_eq!((found.len(), distinct.len()), (16, 16), "{}", kind.name());
        assert_eq!(kind.size(&space, &settings), Some(16), "{}", kind.name());
    }
}

/// Where no proposal of a space without an end is remembered, the enqueued ones still are.
#[test]
fn random_search_does_not_repeat_an_enqueued_trial_of_a_space_without_an_end() {
    let space = Space::new(vec![
        Dimension::new("kind", Domain::Choice((0..8).map(Value::Int).collect())),
        Dimension::new("rate", float(0.0, 1.0)).when("kind", [Value::Int(0)]),
    ])
    .unwrap();
    let enqueued: Vec<Configuration> = (1..7).map(|kind| of(&[("kind", Value::Int(kind))])).collect();
    let settings = Settings { enqueued: search::complete(&space, &enqueued, 1).unwrap(), ..SETTINGS };
    let found = proposed("random", &space, &settings, 100);
    assert_eq!(found.len(), 100);
    assert!(found.iter().all(|configuration| !enqueued.contains(configuration)));
}
