//! Plants faults in the shaders by substitution of their text, and asks the verifier.

use crate::common;
use manytune::engine::gpu::plan::Plans;
use manytune::engine::gpu::variant::{self, BASE};
use manytune::engine::gpu::{GpuEngine, sources};
use manytune::engine::{Engine, Job};
use manytune::error::Result;
use manytune::verify::{Level, Options, Outcome, run};

/// (what is wrong, the text that is there, the text in its place, checks that are run)
pub type Fault<'a> = (&'a str, &'a str, &'a str, &'a str);

/// The sources, in a variant of the tile, with one text replaced wherever it stands, which it must somewhere.
pub fn mutated((fault, from, to, _): Fault, variant: usize) -> Vec<sources::Source> {
    let mut mutated = sources::assemble_in(&variant::ALL[variant]);
    let mut count = 0;
    for source in mutated.iter_mut().filter(|source| source.wgsl.contains(from)) {
        count += 1;
        source.wgsl = source.wgsl.replace(from, to);
        if let Err(error) = naga::front::wgsl::parse_str(&source.wgsl) {
            panic!("{fault}: {} is no shader: {}", source.name, error.emit_to_string(&source.wgsl));
        }
    }
    assert!(count > 0, "{fault}: no shader has \"{from}\"");
    mutated
}

/// What the checks of the fault's area say, by these plans and this variant of the tile.
pub fn verify(plans: &str, variant: usize, fault: Fault) -> Result<Outcome> {
    let sources = mutated(fault, variant);
    let plan = Plans::named(plans)?;
    let open = |job: Job| {
        let gpu = common::gpu().expect("the device that was there a moment ago");
        // All kernels but those that make tiles are the same in every variant.
        let engine = GpuEngine::with_sources(job, gpu, None, &sources)?.with_plans(plan);
        let engine = if variant == BASE { engine } else { engine.with_tiles_of(variant, &sources)? };
        Ok(Box::new(engine) as Box<dyn Engine>)
    };
    run(&Options { level: Level::Quick, only: Some(fault.3.to_owned()), seed: 0 }, &open)
}

/// Fails, naming them, where faults pass the checks of their areas.
#[track_caller]
pub fn all_are_caught(plans: &str, variant: usize, faults: &[Fault]) {
    if common::gpu().is_none() {
        return;
    }
    let mut missed = Vec::new();
    for fault in faults {
        match verify(plans, variant, *fault) {
            Ok(outcome) if outcome.passed => missed.push(fault.0),
            Ok(_) => {}
            // A fault may leave nothing to compare, such as an epoch that never ends.
            Err(error) => assert!(!error.found.contains("does not compile"), "{}: {error}", fault.0),
        }
    }
    assert!(missed.is_empty(), "not caught, {plans} {}: {missed:#?}", variant::ALL[variant].name);
}
