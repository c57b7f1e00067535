//! The verifier on the graphics device at hand: no false alarm.

mod common;

use manytune::engine::Engine;
use manytune::engine::gpu::GpuEngine;
use manytune::verify::{Level, Options, run};

#[test]
fn a_correct_engine_passes() {
    if common::gpu().is_none() {
        return;
    }
    let options = Options { level: Level::Normal, ..Default::default() };
    let open = |job| {
        let gpu = common::gpu().expect("the device that was there a moment ago");
        Ok(Box::new(GpuEngine::new(job, gpu, None)?) as Box<dyn Engine>)
    };
    let outcome = run(&options, &open).unwrap();
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
