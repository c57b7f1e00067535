//! The space and the objective of these searches.

use manytune::error::{Error, ErrorKind};
use manytune::model::metric::Direction;
use manytune::search::{Asked, Outcome, Past, Search, Settings, StrategyKind};
use manytune::space::{Configuration, Dimension, Domain, Space, Value};

pub const SETTINGS: Settings = Settings::new(5, Direction::Minimize);

pub fn space() -> Space {
    let float = |low, high, log| Domain::Float { low, high, log, step: None };
    Space::new(vec![
        Dimension::new("rate", float(1e-4, 1e-1, true)),
        Dimension::new("kind", Domain::Choice(["a", "b", "c"].map(|name| Value::Text(name.into())).into())),
        Dimension::new("momentum", float(0.0, 0.9, false)).when("kind", [Value::Text("b".into())]),
        Dimension::new("width", Domain::Int { low: 8, high: 11, log: false, step: 1 }),
    ])
    .unwrap()
}

pub fn search(kind: &dyn StrategyKind) -> Search {
    Search::new(space(), kind.name(), SETTINGS).unwrap()
}

/// A smooth objective; kind c comes to nothing where the width is 8.
pub fn objective(configuration: &Configuration) -> Option<f64> {
    let (Value::Float(rate), Value::Int(width)) = (&configuration["rate"], &configuration["width"]) else {
        panic!("{configuration:?} is not of the space")
    };
    let is_nothing = *width == 8 && configuration["kind"] == Value::Text("c".into());
    (!is_nothing).then(|| (rate.ln() + 5.0).powi(2) + (*width as f64 - 10.0).abs())
}

pub fn tell(search: &mut Search, asked: &Asked) {
    match objective(&asked.configuration) {
        Some(value) => search.tell(asked.number, value).unwrap(),
        None => search.fail(asked.number).unwrap(),
    }
}

/// `batches` of eight, each told from its last trial to its first where `backwards`.
pub fn batches(search: &mut Search, batches: usize, backwards: bool) -> Vec<Asked> {
    let mut all = Vec::new();
    for _ in 0..batches {
        let mut asked = search.ask(8).unwrap();
        assert_eq!(asked.len(), 8);
        all.extend(asked.iter().cloned());
        if backwards {
            asked.reverse();
        }
        asked.iter().for_each(|asked| tell(search, asked));
    }
    all
}

pub fn past(asked: &[Asked]) -> Vec<Past> {
    let outcome = |asked: &Asked| objective(&asked.configuration).map_or(Outcome::Failed, Outcome::Complete);
    asked.iter().map(|asked| Past::new(asked.configuration.clone(), outcome(asked))).collect()
}

pub fn refused(result: Result<(), Error>, parts: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    for part in parts.iter().chain(&["allowed: "]) {
        assert!(error.to_string().contains(part), "{part:?} is not in {error}");
    }
}
