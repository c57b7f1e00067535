//! The verifier on the CPU engine: no false alarm, and a readable, complete outcome.

use manytune::engine::Engine;
use manytune::engine::cpu::CpuEngine;
use manytune::error::Result;
use manytune::verify::{Level, Options, Outcome, run};

fn verify(options: &Options) -> Result<Outcome> {
    run(options, &|job| Ok(Box::new(CpuEngine::new(job, Some(2))?) as Box<dyn Engine>))
}

#[test]
fn a_correct_engine_passes() {
    let outcome = verify(&Options { level: Level::Normal, ..Default::default() }).unwrap();
    println!("{outcome}");
    for check in &outcome.checks {
        println!(
            "{:.3} {} {:?} {}",
            check.worst_error / check.tolerance,
            check.name,
            check.kind,
            check.place
        );
    }
    assert!(outcome.passed);
}
