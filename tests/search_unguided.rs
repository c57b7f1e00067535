//! Which trials no result leads: what a strategy says of itself holds whatever its trials come to.

use manytune::model::metric::Direction;
use manytune::search::{
    self, Next, Options, Search, Settings, StrategyKind, Told, Trials, Unguided, Window, results_before,
};
use manytune::setting::Chosen;
use manytune::space::{Configuration, Dimension, Domain, Space, Value};

const SETTINGS: Settings = Settings::new(11, Direction::Maximize);

fn choice(values: impl IntoIterator<Item = i64>) -> Domain {
    Domain::Choice(values.into_iter().map(Value::Int).collect())
}

/// Numbers, a choice and a condition.
fn mixed() -> Space {
    let float = |low, high, log| Domain::Float { low, high, log, step: None };
    Space::new(vec![
        Dimension::new("rate", float(1e-4, 1e-1, true)),
        Dimension::new("kind", choice([0, 1, 2])),
        Dimension::new("momentum", float(0.0, 0.9, false)).when("kind", [Value::Int(1)]),
        Dimension::new("width", Domain::Int { low: 8, high: 11, log: false, step: 1 }),
    ])
    .unwrap()
}

/// 63 cells.
fn finite() -> Space {
    let whole = Domain::Int { low: 1, high: 9, log: false, step: 1 };
    Space::new(vec![Dimension::new("a", choice(0..7)), Dimension::new("b", whole)]).unwrap()
}

/// A smooth objective of what both propose.
fn objective(configuration: &Configuration) -> f64 {
    let number = |name: &str| configuration.get(name).and_then(Value::number).unwrap_or(0.5);
    let rate = number("rate").ln();
    -(rate + 5.0).powi(2) - (number("width") - 9.0).powi(2) - (number("a") - 4.0).abs() + number("momentum")
}

/// Enough for trials that results lead: behind the cells of a grid, or behind a population.
fn led_limit(kind: &dyn StrategyKind) -> u64 {
    if kind.name() == "grid" { 70 } else { 40 }
}

/// What a study proposes whose trials come to `sign` times the objective, the oldest first, with cohorts of trials.
fn led_by(
    kind: &dyn StrategyKind,
    settings: &Settings,
    space: &Space,
    cohort: u64,
    sign: f64,
) -> Vec<Configuration> {
    let options = Options {
        space,
        learns: kind.learns(&settings.chosen),
        batch: settings.batch,
        limit: Some(led_limit(kind)),
        enqueued: &settings.enqueued,
    };
    let mut window = Window::new(search::start(kind, settings), options);
    let (mut proposed, mut ended) = (Vec::<Configuration>::new(), 0);
    loop {
        match window.next(|number| number / cohort * cohort).unwrap() {
            Next::Trial(_, configuration) => proposed.push(configuration),
            Next::Exhausted if ended == proposed.len() => return proposed,
            Next::Wait | Next::Exhausted => {
                let configuration = proposed[ended].clone();
                let value = Some(sign * objective(&configuration));
                window.tell(Told { number: ended as u64, configuration, value, is_pruned: false });
                ended += 1;
            }
        }
    }
}

/// Trials that are called unguided are the same whatever comes of any, and the first behind them is not.
#[test]
fn results_lead_no_trial_that_is_called_unguided() {
    for kind in search::ALL {
        for (batch, cohort, enqueued) in [(1, 1, 0), (6, 1, 2), (8, 1, 0), (8, 12, 0)] {
            let (space, chosen) = match kind.name() {
                "grid" if cohort > 1 => continue,
                "grid" => (finite(), Chosen::none().with("refine", 1.0)),
                _ => (mixed(), Chosen::none()),
            };
            let enqueued =
                search::create("random", &SETTINGS).unwrap().ask(&space, Trials::default(), 0, enqueued);
            let enqueued = enqueued.unwrap();
            let first = enqueued.len() as u64;
            let settings = Settings { chosen, batch, enqueued, ..SETTINGS };
            let found = [1.0, -1.0].map(|sign| led_by(*kind, &settings, &space, cohort, sign));
            let results = |number: u64| results_before(number, batch, |number| number / cohort * cohort);
            let unguided = kind.unguided(&space, &settings);
            let what = format!("{}, {batch} at a time, cohorts of {cohort}: {unguided:?}", kind.name());
            match unguided.end(first, led_limit(*kind), results) {
                Some(end) => {
                    let end = end as usize;
                    assert!(end > 0 && found[0][..end] == found[1][..end], "{what}: led before {end}");
                    assert_ne!(found[0][end], found[1][end], "{what}: {end} is not led");
                }
                None => assert_eq!(found[0], found[1], "{what}"),
            }
        }
        // Of a caller's own objective, batch by batch.
        let settings = Settings { batch: 4, ..SETTINGS };
        let found = [1.0, -1.0].map(|sign| {
            let mut search = Search::new(mixed(), kind.name(), settings.clone()).unwrap();
            search.set_limit(32);
            let mut asked = Vec::new();
            loop {
                let batch = search.ask_batch(4).unwrap();
                if batch.is_empty() {
                    return asked;
                }
                for trial in batch {
                    let value = objective(&trial.configuration);
                    search.tell(trial.number, sign * value).unwrap();
                    asked.push(trial.configuration);
                }
            }
        });
        let unguided = kind.unguided(&mixed(), &settings);
        match unguided.end(0, 32, |number| number / 4 * 4) {
            Some(end) => {
                let end = end as usize;
                assert!(found[0][..end] == found[1][..end] && found[0][end] != found[1][end], "{unguided:?}");
            }
            None => assert_eq!(found[0], found[1], "{unguided:?}"),
        }
    }
    let cells = search::find("grid").unwrap().unguided(&finite(), &SETTINGS);
    assert_eq!((cells, cells.end(0, 63, |_| 0)), (Unguided::Cells(63), None));
}
