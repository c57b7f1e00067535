//! Strategies: one contract for all of them, exact grids, and random search without repetition.

use manytune::model::metric::Direction;
use manytune::search::{self, Next, Options, Pending, Settings, StrategyKind, Told, Trials, Window};
use manytune::setting::Chosen;
use manytune::space::{Configuration, Constraint, Dimension, Domain, Space, Value, value_text};
use proptest::prelude::*;
use std::collections::BTreeSet;

const SETTINGS: Settings = Settings::new(11, Direction::Maximize);

fn int(low: i64, high: i64) -> Domain {
    Domain::Int { low, high, log: false, step: 1 }
}

fn float(low: f64, high: f64, log: bool) -> Domain {
    Domain::Float { low, high, log, step: None }
}

fn choice(values: impl IntoIterator<Item = i64>) -> Domain {
    Domain::Choice(values.into_iter().map(Value::Int).collect())
}

fn key(configuration: &Configuration) -> String {
    configuration.iter().map(|(name, value)| format!("{name}={} ", value_text(value))).collect()
}

/// All that a strategy proposes, at most `most`, asked for in pieces of `piece`.
fn all(name: &str, space: &Space, piece: usize, most: usize) -> Vec<Configuration> {
    let mut strategy = search::create(name, &SETTINGS).unwrap();
    let mut found: Vec<Configuration> = Vec::new();
    while found.len() < most {
        let told: Vec<Told> = (0..).zip(&found).map(|(number, c)| told(number, c)).collect();
        let asked = piece.min(most - found.len());
        let more =
            strategy.ask(space, Trials { told: &told, pending: &[] }, found.len() as u64, asked).unwrap();
        assert!(more.len() <= asked);
        found.extend(more.iter().cloned());
        if more.len() < asked {
            break;
        }
    }
    found
}

fn mixed() -> Space {
    Space::new(vec![
        Dimension::new("rate", float(1e-4, 1e-1, true)),
        Dimension::new("kind", choice([0, 1, 2])),
        Dimension::new("momentum", float(0.0, 0.9, false)).when("kind", [Value::Int(1)]),
        Dimension::new("width", int(8, 11)),
    ])
    .unwrap()
}

fn finite() -> Space {
    Space::new(vec![Dimension::new("a", choice(0..7)), Dimension::new("b", int(1, 9))]).unwrap()
}

fn within(space: Space, constraints: &[&str]) -> Space {
    let constraints = constraints.iter().map(|text| Constraint::parse("constraints", text).unwrap());
    space.with_constraints(constraints.collect()).unwrap()
}

/// The spaces of the contract: without an end and with one, without constraints and with some.
fn spaces() -> [Space; 4] {
    let rates = ["rate * width <= 0.4", "kind != 1 or momentum > 0.3", "kind == 0 or width > 8"];
    [mixed(), finite(), within(mixed(), &rates), within(finite(), &["a + b <= 12"])]
}

/// A smooth objective of what `mixed` and `finite` propose; some trials come to nothing.
fn objective(configuration: &Configuration) -> Option<f64> {
    let number = |name: &str| match configuration.get(name) {
        Some(Value::Int(value)) => *value as f64,
        Some(Value::Float(value)) => *value,
        _ => 0.5,
    };
    let rate = number("rate").ln();
    let value = -(rate + 5.0).powi(2) - (number("width") - 9.0).powi(2) - (number("a") - 4.0).abs();
    (number("kind") < 2.0 || number("momentum") < 0.1).then_some(value + number("momentum"))
}

fn told(number: u64, configuration: &Configuration) -> Told {
    let value = objective(configuration);
    Told { number, configuration: configuration.clone(), value, is_pruned: number % 5 == 2 }
}

/// What a study of `limit` trials proposes when, of those under way, the one at `pick` ends next, and a new
/// process goes on after every `lifetime` results.
fn study(
    kind: &dyn StrategyKind,
    space: &Space,
    limit: u64,
    lifetime: usize,
    pick: &mut dyn FnMut(usize) -> usize,
) -> Vec<Configuration> {
    study_with(kind, &SETTINGS, space, limit, lifetime, pick)
}

fn study_with(
    kind: &dyn StrategyKind,
    settings: &Settings,
    space: &Space,
    limit: u64,
    lifetime: usize,
    pick: &mut dyn FnMut(usize) -> usize,
) -> Vec<Configuration> {
    let mut proposed: Vec<Configuration> = Vec::new();
    let mut results: Vec<Told> = Vec::new();
    loop {
        let options = Options {
            space,
            learns: kind.learns(&settings.chosen),
            batch: 8,
            limit: Some(limit),
            enqueued: &[],
        };
        let mut window = Window::new(search::start(kind, settings), options);
        window.resume(proposed.iter().cloned());
        results.iter().for_each(|told| window.tell(told.clone()));
        let is_open = |number: &usize| !results.iter().any(|told| told.number == *number as u64);
        let mut under_way: Vec<usize> = (0..proposed.len()).filter(is_open).collect();
        for _ in 0..lifetime {
            loop {
                match window.next(|number| number).unwrap() {
                    Next::Trial(number, configuration) => {
                        assert_eq!(number, proposed.len() as u64, "numbers have no gaps");
                        under_way.push(proposed.len());
                        proposed.push(configuration);
                    }
                    Next::Wait => break,
                    Next::Exhausted if under_way.is_empty() => return proposed,
                    Next::Exhausted => break,
                }
            }
            assert!(
                !kind.learns(&SETTINGS.chosen) || under_way.len() <= 8,
                "{} are under way",
                under_way.len()
            );
            let number = under_way.remove(pick(under_way.len()));
            results.push(told(number as u64, &proposed[number]));
            window.tell(results[results.len() - 1].clone());
        }
    }
}

/// A study proposes the same whichever trial ends first, and wherever it is interrupted.
#[test]
fn every_strategy_proposes_the_same_whatever_ends_first() {
    for kind in search::ALL {
        for space in &spaces() {
            let expected = study(*kind, space, 40, 1000, &mut |_| 0);
            assert_eq!(expected.len(), 40, "{}", kind.name());
            assert!(expected.iter().all(|configuration| space.contains(configuration)), "{}", kind.name());
            let distinct: BTreeSet<String> = expected.iter().map(key).collect();
            assert_eq!(distinct.len(), 40, "{}", kind.name());
            assert_eq!(study(*kind, space, 40, 1000, &mut |count| count - 1), expected, "{}", kind.name());
            let mut turn = 0;
            let mut spread = |count: usize| {
                turn += 1;
                turn * 7 % count
            };
            assert_eq!(study(*kind, space, 40, 3, &mut spread), expected, "{} interrupted", kind.name());
            assert_eq!(study(*kind, space, 23, 1000, &mut |_| 0), expected[..23], "{}", kind.name());
        }
    }
}

/// The random share of a study is what random search draws for those numbers, whichever trial ends first, and
/// what the strategy adds is nothing that was tried already.
#[test]
fn every_strategy_that_learns_leaves_its_share_to_random_search() {
    let settings = Settings { random_share: 0.3, ..SETTINGS };
    let random = all("random", &mixed(), 40, 40);
    for kind in search::ALL.iter().filter(|kind| kind.learns(&SETTINGS.chosen)) {
        let mixed_in = study_with(*kind, &settings, &mixed(), 40, 1000, &mut |_| 0);
        let own = study(*kind, &mixed(), 40, 1000, &mut |_| 0);
        let drawn: Vec<usize> = (0..40).filter(|&number| mixed_in[number] == random[number]).collect();
        let expected: Vec<usize> = (0..40).filter(|&number| search::is_random(0.3, number as u64)).collect();
        assert_eq!(drawn, expected, "{}", kind.name());
        assert_eq!(mixed_in[..3], own[..3], "{}", kind.name());
        let other = study_with(*kind, &settings, &mixed(), 40, 5, &mut |count| count - 1);
        assert_eq!(other, mixed_in, "{} interrupted", kind.name());
        let whole = study_with(*kind, &settings, &finite(), 63, 1000, &mut |count| count / 2);
        let distinct: BTreeSet<String> = whole.iter().map(key).collect();
        assert_eq!((whole.len(), distinct.len()), (63, 63), "{}", kind.name());
    }
    assert_eq!((0..100).filter(|&number| search::is_random(0.1, number)).count(), 10);
    assert_eq!((0..100).filter(|&number| search::is_random(0.0, number)).count(), 0);
}

/// Of more trials that are asked for at once, the first are the same; and a strategy that has gone on can be
/// asked about earlier ones.
#[test]
fn every_strategy_proposes_the_first_of_many_alike() {
    for kind in search::ALL {
        for space in &spaces() {
            let before: Vec<Configuration> = study(*kind, space, 30, 1000, &mut |_| 0);
            let told: Vec<Told> = (0..).zip(&before).take(20).map(|(n, c)| told(n, c)).collect();
            let pending = (0..).zip(before.iter().cloned()).skip(20);
            let pending: Vec<Pending> =
                pending.map(|(number, configuration)| Pending { number, configuration }).collect();
            let trials = Trials { told: &told, pending: &pending };
            let mut strategy = kind.create(&SETTINGS);
            let many = strategy.ask(space, trials, 30, 12).unwrap();
            assert_eq!(many.len(), 12, "{}", kind.name());
            for count in [0, 1, 5] {
                let few = kind.create(&SETTINGS).ask(space, trials, 30, count).unwrap();
                assert_eq!(few, many[..count], "{}", kind.name());
            }
            let earlier = Trials { told: &told[..10], pending: &[] };
            let expected = kind.create(&SETTINGS).ask(space, earlier, 10, 5).unwrap();
            assert_eq!(strategy.ask(space, earlier, 10, 5).unwrap(), expected, "{} going back", kind.name());
        }
    }
}

/// Trials that came to nothing, all of one value, or of values without bounds: no strategy breaks.
#[test]
fn every_strategy_bears_whatever_it_is_told() {
    let values: [&dyn Fn(u64) -> Option<f64>; 5] = [
        &|_| None,
        &|_| Some(1.0),
        &|number| Some(f64::MAX * if number % 2 == 0 { 1.0 } else { -1.0 }),
        &|number| (number == 7).then_some(0.25),
        &|number| Some(if number % 3 == 0 { 1e300 } else { number as f64 * 1e-300 }),
    ];
    for kind in search::ALL {
        for space in &spaces() {
            for value in values {
                let configurations = study(*kind, space, 40, 1000, &mut |_| 0);
                let told: Vec<Told> = (0..)
                    .zip(&configurations)
                    .map(|(number, c)| Told { value: value(number), ..told(number, c) })
                    .collect();
                let trials = Trials { told: &told, pending: &[] };
                let next = kind.create(&SETTINGS).ask(space, trials, 40, 10).unwrap();
                assert_eq!(next.len(), 10, "{}", kind.name());
                assert!(next.iter().all(|configuration| space.contains(configuration)), "{}", kind.name());
            }
        }
    }
}

/// Every dimension fixed but one, or all of them inactive in some configurations.
#[test]
fn every_strategy_takes_spaces_of_odd_shapes() {
    let one = Space::new(vec![
        Dimension::new("fixed", Domain::Fixed(Value::Float(0.5))),
        Dimension::new("rate", float(0.0, 1.0, false)),
    ]);
    let nested = Space::new(vec![
        Dimension::new("kind", choice([0, 1])),
        Dimension::new("inner", choice([0, 1])).when("kind", [Value::Int(1)]),
        Dimension::new("rate", float(1e-3, 1.0, true)).when("inner", [Value::Int(1)]),
        Dimension::new("width", Domain::Int { low: 1, high: 1 << 40, log: true, step: 1 }),
        Dimension::new("share", Domain::Float { low: 0.0, high: 1.0, log: false, step: Some(0.125) }),
    ]);
    for space in [one.unwrap(), nested.unwrap()] {
        for kind in search::ALL {
            let asked = match kind.size(&space, &SETTINGS) {
                Some(size) => size.min(60) as u64,
                None => 60,
            };
            let found = study(*kind, &space, asked, 11, &mut |count| count / 2);
            assert_eq!(found.len() as u64, asked, "{}", kind.name());
            assert!(found.iter().all(|configuration| space.contains(configuration)), "{}", kind.name());
        }
    }
}

#[test]
fn every_strategy_ends_when_a_finite_space_is_exhausted() {
    let space = Space::new(vec![
        Dimension::new("a", choice([0, 1, 2])),
        Dimension::new("b", int(1, 4)).when("a", [Value::Int(1), Value::Int(2)]),
        // Rare under its own distribution: the last ones are found by their cells.
        Dimension::new("c", Domain::Int { low: 1, high: 40, log: true, step: 1 }),
    ])
    .unwrap();
    for kind in search::ALL {
        if let Some(size) = kind.size(&space, &SETTINGS) {
            assert_eq!(size, 9 * 40, "{}", kind.name());
        }
        for piece in [1, 64, 1000] {
            let found = all(kind.name(), &space, piece, 1000);
            let distinct: BTreeSet<String> = found.iter().map(key).collect();
            assert_eq!((found.len(), distinct.len()), (360, 360), "{}", kind.name());
            assert!(found.iter().all(|configuration| space.contains(configuration)));
        }
        let found = all(kind.name(), &space, 1000, 1000);
        let told: Vec<Told> = (0..).zip(&found).map(|(number, c)| told(number, c)).collect();
        let trials = Trials { told: &told, pending: &[] };
        assert_eq!(kind.create(&SETTINGS).ask(&space, trials, 360, 5).unwrap(), [], "{}", kind.name());
        if !kind.learns(&Chosen::none()) {
            let last = kind.create(&SETTINGS).ask(&space, Trials::default(), u64::MAX, 5).unwrap();
            assert_eq!(last, [], "{}", kind.name());
        }
    }
}

#[test]
fn a_space_of_fixed_values_has_one_configuration() {
    let space = Space::new(vec![Dimension::new("a", Domain::Fixed(Value::Float(0.1)))]).unwrap();
    for kind in search::ALL {
        assert_eq!(all(kind.name(), &space, 3, 10).len(), 1, "{}", kind.name());
    }
}

#[test]
fn an_unknown_strategy_is_refused_with_the_nearest() {
    let error = search::named("--strategy", "gird").err().unwrap();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("did you mean \"grid\"?"), "{error}");
    assert!(search::find(search::DEFAULT).is_some());
}

#[test]
fn random_proposals_change_with_the_seed_and_the_number() {
    let space = mixed();
    let of = |seed| {
        search::create("random", &Settings { seed, ..SETTINGS })
            .unwrap()
            .ask(&space, Trials::default(), 0, 50)
            .unwrap()
    };
    assert_ne!(of(1), of(2));
    let distinct: BTreeSet<String> = of(1).iter().map(key).collect();
    assert_eq!(distinct.len(), 50);
}

#[test]
fn random_search_of_a_continuous_space_never_ends() {
    let kind = search::find("random").unwrap();
    assert_eq!(kind.size(&mixed(), &SETTINGS), None);
    let last = kind.create(&SETTINGS).ask(&mixed(), Trials::default(), 1 << 40, 3).unwrap();
    assert_eq!(last.len(), 3);
}

/// The values of one hyperparameter in the order of the grid.
fn grid_values(dimension: Dimension) -> Vec<Value> {
    let name = dimension.name.clone();
    let space = Space::new(vec![dimension]).unwrap();
    all("grid", &space, 1000, 1000).into_iter().map(|mut c| c.remove(&name).unwrap()).collect()
}

fn floats(values: &[f64]) -> Vec<Value> {
    values.iter().copied().map(Value::Float).collect()
}

#[test]
fn a_grid_takes_exact_points_of_a_range() {
    let points =
        |domain, count| grid_values(Dimension { grid_count: Some(count), ..Dimension::new("x", domain) });
    assert_eq!(points(float(1e-4, 1e-1, true), 4), floats(&[1e-4, 1e-3, 1e-2, 1e-1]));
    assert_eq!(points(float(0.0, 1.0, false), 5), floats(&[0.0, 0.25, 0.5, 0.75, 1.0]));
    assert_eq!(points(float(0.1, 0.7, false), 3), floats(&[0.1, 0.4, 0.7]));
    assert_eq!(points(float(1e-4, 1e-2, true), 1), floats(&[1e-3]));
    let ints = |values: &[i64]| values.iter().copied().map(Value::Int).collect::<Vec<_>>();
    assert_eq!(points(int(0, 100), 5), ints(&[0, 25, 50, 75, 100]));
    let log = |low, high| Domain::Int { low, high, log: true, step: 1 };
    assert_eq!(points(log(16, 256), 5), ints(&[16, 32, 64, 128, 256]));
    // Seven log-spaced points of 1 to 4 round to four numbers: each is taken once.
    assert_eq!(points(log(1, 4), 7), ints(&[1, 2, 3, 4]));
    assert_eq!(points(int(1, 3), 10), ints(&[1, 2, 3]));
    assert_eq!(grid_values(Dimension::new("x", int(-1, 2))), ints(&[-1, 0, 1, 2]));
    let stepped = Domain::Float { low: 0.0, high: 0.3, log: false, step: Some(0.1) };
    assert_eq!(grid_values(Dimension::new("x", stepped)), floats(&[0.0, 0.1, 0.2, 0.3]));
    assert_eq!(grid_values(Dimension::new("x", float(0.0, 1.0, false))).len(), 5);
}

#[test]
fn a_grid_says_how_large_it_is_and_what_it_takes_of_a_range_without_a_count() {
    let notes = search::find("grid").unwrap().notes(&mixed(), &SETTINGS);
    // Five rates and four widths, with two kinds alone and one beside five momentums.
    assert_eq!(notes[0], format!("the grid has {} cells", 5 * 4 * (2 + 5)));
    assert!(
        notes[1].starts_with("rate: the grid takes 5 points") && notes[1].contains("0.1;"),
        "{}",
        notes[1]
    );
    assert!(notes[1].contains("`count`") && notes[2].starts_with("momentum: "));
    assert_eq!(notes.len(), 3);
}

#[test]
fn a_grid_is_row_major_in_the_order_of_the_file() {
    let space = Space::new(vec![
        Dimension::new("z", choice([5, 3])),
        Dimension::new("inner", choice([0, 1])).when("z", [Value::Int(3)]),
        Dimension::new("a", int(7, 8)),
    ])
    .unwrap();
    let keys: Vec<String> = all("grid", &space, 2, 100).iter().map(key).collect();
    assert_eq!(
        keys,
        [
            "a=7 z=5 ",
            "a=8 z=5 ",
            "a=7 inner=0 z=3 ",
            "a=8 inner=0 z=3 ",
            "a=7 inner=1 z=3 ",
            "a=8 inner=1 z=3 "
        ]
    );
}

#[test]
fn a_grid_is_counted_without_being_walked() {
    let kind = search::find("grid").unwrap();
    let wide = |count: usize, high: i64| {
        Space::new((0..count).map(|i| Dimension::new(format!("x{i}"), int(1, high))).collect()).unwrap()
    };
    assert_eq!(kind.size(&wide(12, 1000), &SETTINGS), Some(10_u128.pow(36)));
    let far = kind.create(&SETTINGS).ask(&wide(12, 1000), Trials::default(), u64::MAX - 1, 2).unwrap();
    assert_eq!(far.len(), 2);
    assert_eq!(kind.size(&wide(13, 1000), &SETTINGS), Some(u128::MAX));
    let error = kind.create(&SETTINGS).ask(&wide(13, 1000), Trials::default(), 0, 1).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    // Random search does not mind.
    assert_eq!(all("random", &wide(13, 1000), 5, 10).len(), 10);
    let huge = Space::new(vec![Dimension::new("x", int(i64::MIN, i64::MAX))]).unwrap();
    assert_eq!(kind.size(&huge, &SETTINGS), Some(1 << 64));
    let first = kind.create(&SETTINGS).ask(&huge, Trials::default(), u64::MAX, 5).unwrap();
    assert_eq!(first[0]["x"], Value::Int(i64::MAX));
    assert_eq!(first.len(), 1);
}

#[test]
fn a_hundred_conditional_pairs_are_counted() {
    let mut dimensions = Vec::new();
    for i in 0..40 {
        dimensions.push(Dimension::new(format!("parent{i}"), choice([0, 1])));
        dimensions.push(
            Dimension::new(format!("child{i}"), choice([0, 1, 2]))
                .when(format!("parent{i}"), [Value::Int(1)]),
        );
    }
    let space = Space::new(dimensions).unwrap();
    assert_eq!(search::find("grid").unwrap().size(&space, &SETTINGS), Some(4_u128.pow(40)));
}

/// Spaces of up to six dimensions whose conditions name any other that does not depend on them.
fn conditional_spaces() -> impl Strategy<Value = Space> {
    let dimension =
        (1..4_i64, prop::collection::vec((any::<prop::sample::Index>(), 0..4_i64, 0..4_i64), 0..3));
    (prop::collection::vec(dimension, 1..7), any::<u64>()).prop_map(|(parts, shuffle)| {
        let mut dimensions: Vec<Dimension> = Vec::new();
        for (i, (size, conditions)) in parts.iter().enumerate() {
            let mut dimension = Dimension::new(format!("d{i}"), choice(0..*size));
            for (parent, first, second) in conditions.iter().filter(|_| i > 0) {
                let parent = parent.index(i);
                let values = [first % parts[parent].0, second % parts[parent].0].map(Value::Int);
                dimension = dimension.when(format!("d{parent}"), values);
            }
            dimensions.push(dimension);
        }
        // Any order in the file.
        let count = dimensions.len();
        for i in 0..count {
            dimensions.swap(i, (shuffle >> (8 * i)) as usize % count);
        }
        Space::new(dimensions).unwrap()
    })
}

/// Every configuration of a space by brute force: all values of all dimensions, inactive ones removed.
fn brute_force(space: &Space) -> BTreeSet<String> {
    let sizes: Vec<u128> = space.dimensions.iter().map(|d| d.domain.size().unwrap()).collect();
    (0..sizes.iter().product())
        .map(|mut cell: u128| {
            let mut point = Vec::new();
            for &size in &sizes {
                point.push(((cell % size) as f64 + 0.5) / size as f64);
                cell /= size;
            }
            key(&space.decode(&point))
        })
        .collect()
}

proptest! {
    #[test]
    fn a_grid_has_every_configuration_once(space in conditional_spaces()) {
        let expected = brute_force(&space);
        let found = all("grid", &space, 5, 10_000);
        prop_assert!(found.iter().all(|configuration| space.contains(configuration)));
        let distinct: BTreeSet<String> = found.iter().map(key).collect();
        prop_assert_eq!(found.len(), distinct.len(), "a cell was repeated");
        prop_assert_eq!(&distinct, &expected);
        prop_assert_eq!(search::find("grid").unwrap().size(&space, &SETTINGS), Some(expected.len() as u128));
        prop_assert_eq!(all("random", &space, 5, 10_000).len(), expected.len());
    }
}
