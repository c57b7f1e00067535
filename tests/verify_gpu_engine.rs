//! The verifier on the graphics device at hand: no false alarm.

mod common;

use manytune::engine::Engine;
use manytune::engine::gpu::GpuEngine;
use manytune::verify::{Level, Options, run};

#[test]
fn the_shaders_as_they_ship_pass() {
    if common::gpu().is_none() {
        return;
    }
    let open = |job| {
        let gpu = common::gpu().expect("the device that was there a moment ago");
        Ok(Box::new(GpuEngine::new(job, gpu, None)?) as Box<dyn Engine>)
    };
    let normal = Options { level: Level::Normal, ..Default::default() };
    let others = (1..6).map(|seed| Options { level: Level::Quick, seed, ..Default::default() });
    for options in std::iter::once(normal).chain(others) {
        let outcome = run(&options, &open).unwrap();
        assert!(outcome.passed, "seed {}\n{outcome}", options.seed);
    }
}
