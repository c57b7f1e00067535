//! The verifier on the CPU engine: no false alarm, and a readable, complete outcome.

use manytune::engine::Engine;
use manytune::engine::cpu::CpuEngine;
use manytune::error::{ErrorKind, Result};
use manytune::model::{activation, initializer, layer, loss, lr_schedule, optimizer};
use manytune::verify::{Kind, Level, Options, Outcome, run};

fn verify(options: &Options) -> Result<Outcome> {
    run(options, &|job| Ok(Box::new(CpuEngine::new(job, Some(2))?) as Box<dyn Engine>))
}

fn quick(seed: u64, only: Option<&str>) -> Result<Outcome> {
    verify(&Options { level: Level::Quick, only: only.map(str::to_owned), seed })
}

#[test]
fn no_seed_raises_a_false_alarm() {
    let mut worst = std::collections::BTreeMap::<String, f64>::new();
    for seed in 0..100 {
        let outcome = quick(seed, None).unwrap();
        assert!(outcome.passed, "seed {seed}\n{outcome}");
        for c in &outcome.checks {
            let r = c.worst_error / c.tolerance;
            let k = format!("{} {:?}", c.name, c.kind);
            let w = worst.entry(k).or_default();
            if r > *w {
                *w = r;
                if r > 0.2 {
                    println!("{seed} {r:.3} {} {}", c.name, c.place);
                }
            }
        }
    }
    println!("{worst:#?}");
}
