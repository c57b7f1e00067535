//! Searches an objective written in Rust, in batches that are evaluated side by side.
//!
//! ```text
//! cargo run --release --example ask_tell
//! ```

use manytune::error::Result;
use manytune::model::metric::Direction;
use manytune::search::{Search, Settings};
use manytune::space::{Configuration, Dimension, Domain, Space, Value};
use std::f64::consts::PI;

fn main() -> Result<()> {
    let between = |low, high| Domain::Float { low, high, log: false, step: None };
    let space = Space::new(vec![
        Dimension::new("x", between(-5.0, 10.0)),
        Dimension::new("y", between(0.0, 15.0)),
        Dimension::new("is_tilted", Domain::Choice(vec![Value::Bool(false), Value::Bool(true)])),
        // Asked for only where it means something.
        Dimension::new("tilt", between(0.1, 2.0)).when("is_tilted", [Value::Bool(true)]),
    ])?;
    let mut search = Search::new(space, "auto", Settings::new(3, Direction::Minimize))?;
    for _ in 0..16 {
        let batch = search.ask(8)?;
        let values: Vec<Option<f64>> = std::thread::scope(|scope| {
            let begun: Vec<_> =
                batch.iter().map(|trial| scope.spawn(|| objective(&trial.configuration))).collect();
            begun.into_iter().map(|one| one.join().ok().flatten()).collect()
        });
        for (trial, value) in batch.iter().zip(values) {
            match value {
                Some(value) => search.tell(trial.number, value)?,
                None => search.fail(trial.number)?,
            }
        }
    }
    if let Some(best) = search.best() {
        println!("trial {}: {:.4} at {:?}", best.number, best.value, best.configuration);
    }
    Ok(())
}

/// Branin's function, three minima of 0.397887 (Dixon and Szegő, 1978), perhaps tilted; undefined in a corner.
fn objective(configuration: &Configuration) -> Option<f64> {
    let number = |name: &str| match configuration.get(name) {
        Some(Value::Float(value)) => *value,
        _ => 0.0,
    };
    let (x, y) = (number("x"), number("y"));
    let curve = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    let value = curve.powi(2) + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0;
    (x + y < 24.0).then_some(value + number("tilt") * y)
}
