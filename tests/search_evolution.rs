//! Regularised evolution: who becomes a parent, what a child inherits, and what it finds.

use manytune::model::metric::Direction;
use manytune::search::{self, Settings, Told, Trials};
use manytune::setting::Chosen;
use manytune::space::{Configuration, Dimension, Domain, Space, Value};
use std::collections::BTreeSet;

const SETTINGS: Settings = Settings::new(0, Direction::Minimize);

fn unit() -> Domain {
    Domain::Float { low: 0.0, high: 1.0, log: false, step: None }
}

fn text(name: &str) -> Value {
    Value::Text(name.into())
}

/// Every kind of hyperparameter, one of them conditional.
fn mixed() -> Space {
    let kinds = Domain::Choice(["a", "b", "c"].map(text).to_vec());
    Space::new(vec![
        Dimension::new("rate", Domain::Float { low: 1e-4, high: 1.0, log: true, step: None }),
        Dimension::new("width", Domain::Int { low: 1, high: 9, log: false, step: 1 }),
        Dimension::new("kind", kinds),
        Dimension::new("momentum", unit()).when("kind", [text("b")]),
        Dimension::new("fixed", Domain::Fixed(Value::Int(3))),
    ])
    .unwrap()
}

fn told(number: usize, configuration: &Configuration, value: Option<f64>) -> Told {
    Told { number: number as u64, configuration: configuration.clone(), value, is_pruned: false }
}

fn starts(space: &Space, count: usize) -> Vec<Configuration> {
    search::create("sobol", &SETTINGS).unwrap().ask(space, Trials::default(), 0, count).unwrap()
}

fn children(space: &Space, settings: &Settings, told: &[Told], count: usize) -> Vec<Configuration> {
    let trials = Trials { told, pending: &[] };
    search::create("evolution", settings).unwrap().ask(space, trials, told.len() as u64, count).unwrap()
}

/// The hyperparameters of either that are not the same in both; those that only one has do not count where the
/// choice that decides over them changed.
fn changes(space: &Space, a: &Configuration, b: &Configuration) -> usize {
    let differs = |name: &&str| match (a.get(*name), b.get(*name)) {
        // A parent's places are those of its values: real numbers come back but for rounding.
        (Some(Value::Float(a)), Some(Value::Float(b))) => (a - b).abs() > 1e-12 * a.abs(),
        (Some(a), Some(b)) => a != b,
        (None, None) => false,
        _ => a["kind"] == b["kind"],
    };
    space.dimensions.iter().map(|dimension| dimension.name.as_str()).filter(differs).count()
}

/// With a tournament so large that the best of the population wins it, every child is the best's.
#[test]
fn children_have_one_change_of_the_best() {
    let space = mixed();
    let all: Vec<Told> =
        starts(&space, 60).iter().enumerate().map(|(n, c)| told(n, c, Some(((n + 7) % 20) as f64))).collect();
    let chosen = Chosen::none().with("tournament_size", 1000.0);
    for direction in [Direction::Minimize, Direction::Maximize] {
        let settings = Settings { direction, chosen: chosen.clone(), ..SETTINGS };
        // Of the last 20, 53 has the least value and 52 the largest.
        let parent = if direction == Direction::Minimize { 53 } else { 52 };
        let found = children(&space, &settings, &all, 200);
        let parent = &all[parent].configuration;
        let mut changed = BTreeSet::new();
        for child in &found {
            assert!(space.contains(child), "{child:?}");
            assert_eq!(changes(&space, parent, child), 1, "{child:?} of {parent:?}");
            changed.extend(
                child.iter().filter(|(name, value)| parent.get(*name) != Some(value)).map(|(n, _)| n),
            );
        }
        assert!(changed.len() >= 3, "only {changed:?} ever change");
        let distinct: BTreeSet<String> = found.iter().map(|child| format!("{child:?}")).collect();
        assert_eq!(distinct.len(), found.len());
    }
}

/// A number in reach of its ends, and a whole number at one: every child has another value.
#[test]
fn a_number_at_an_end_moves_away_from_it() {
    let space = Space::new(vec![
        Dimension::new("width", Domain::Int { low: 1, high: 4, log: false, step: 1 }),
        Dimension::new("x", unit()),
    ])
    .unwrap();
    for width in [1, 4] {
        let parent =
            Configuration::from([("width".into(), Value::Int(width)), ("x".into(), Value::Float(0.0))]);
        let all: Vec<Told> = (0..20).map(|n| told(n, &parent, Some(1.0))).collect();
        for child in children(&space, &SETTINGS, &all, 100) {
            assert_ne!(child, parent);
            assert!(space.contains(&child), "{child:?}");
        }
    }
}

/// The best trial of all, once it is older than the population, has no more children.
#[test]
fn trials_die_of_age() {
    let space = Space::new((0..6).map(|i| Dimension::new(format!("x{i}"), unit())).collect()).unwrap();
    let mut all: Vec<Told> =
        starts(&space, 40).iter().enumerate().map(|(n, c)| told(n, c, Some(1.0 + n as f64))).collect();
    let settings = Settings { chosen: Chosen::none().with("tournament_size", 1000.0), ..SETTINGS };
    let is_of = |child: &Configuration, parent: &Told| changes(&space, &parent.configuration, child) == 1;
    all[20].value = Some(0.0);
    assert!(children(&space, &settings, &all, 20).iter().all(|child| is_of(child, &all[20])));
    all[20].value = Some(21.0);
    all[19].value = Some(0.0);
    assert!(children(&space, &settings, &all, 20).iter().all(|child| is_of(child, &all[20])));
    let longer = Settings { chosen: settings.chosen.clone().with("population_size", 21.0), ..SETTINGS };
    assert!(children(&space, &longer, &all, 20).iter().all(|child| is_of(child, &all[19])));
}

/// Failed trials lose to all, and pruned ones to complete ones.
#[test]
fn failed_and_pruned_trials_are_no_parents_while_others_are() {
    let space = Space::new((0..6).map(|i| Dimension::new(format!("x{i}"), unit())).collect()).unwrap();
    let mut all: Vec<Told> = starts(&space, 20).iter().enumerate().map(|(n, c)| told(n, c, None)).collect();
    let settings = Settings { chosen: Chosen::none().with("tournament_size", 1000.0), ..SETTINGS };
    assert_eq!(children(&space, &settings, &all, 20).len(), 20);
    let are_of = |all: &[Told], parent: usize| {
        let found = children(&space, &settings, all, 20);
        found.iter().all(|child| changes(&space, &all[parent].configuration, child) == 1)
    };
    all[3].value = Some(f64::NAN);
    all[5] = Told { value: Some(1.0), is_pruned: true, ..all[5].clone() };
    assert!(are_of(&all, 5));
    all[7].value = Some(2.0);
    assert!(are_of(&all, 7));
}

/// Without a population the trials are those of a Sobol sequence, behind what is enqueued.
#[test]
fn starts_are_spread_evenly() {
    let space = mixed();
    let sobol = starts(&space, 30);
    let all: Vec<Told> = sobol.iter().enumerate().map(|(n, c)| told(n, c, Some(n as f64))).collect();
    assert_eq!(children(&space, &SETTINGS, &all[..19], 3), sobol[19..22]);
    assert_ne!(children(&space, &SETTINGS, &all[..20], 3), sobol[20..23]);
    let settings = Settings { enqueued: vec![sobol[29].clone()], ..SETTINGS };
    assert_eq!(children(&space, &settings, &[told(0, &sobol[29], Some(1.0))], 3), sobol[..3]);
    let note = &search::find("evolution").unwrap().notes(&space, &SETTINGS)[0];
    assert!(note.contains("20 trials"), "{note}");
}

/// The median over 15 seeds of what 100 trials find of a bowl in four dimensions; random search finds 0.3.
#[test]
fn evolution_finds_more_than_random_search() {
    let space = Space::new((0..4).map(|i| Dimension::new(format!("x{i}"), unit())).collect()).unwrap();
    let median = |name: &str| {
        let best = |seed| {
            let mut strategy = search::create(name, &Settings { seed, ..SETTINGS }).unwrap();
            let mut all: Vec<Told> = Vec::new();
            while all.len() < 100 {
                let trials = Trials { told: &all, pending: &[] };
                let next = strategy.ask(&space, trials, all.len() as u64, 1).unwrap().remove(0);
                let target = 0.3 + 0.02 * seed as f64;
                let squares = next.values().filter_map(Value::number).map(|x| (x - target).powi(2));
                let value = squares.sum::<f64>().sqrt();
                all.push(told(all.len(), &next, Some(value)));
            }
            all.iter().filter_map(|told| told.value).fold(f64::INFINITY, f64::min)
        };
        let mut best: Vec<f64> = (0..15).map(best).collect();
        best.sort_by(f64::total_cmp);
        best[7]
    };
    let (evolution, random) = (median("evolution"), median("random"));
    assert!(evolution <= 0.5 * random, "{evolution}, by random search {random}");
}
