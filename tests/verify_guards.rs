//! Kernels that write outside the regions of their members, one way each, and the guards that see it.

mod common;

use common::{member, train};
use manytune::data::Task;
use manytune::engine::gpu::plan::Plans;
use manytune::engine::gpu::{GpuEngine, sources};
use manytune::engine::{Engine, Job};
use manytune::model::recipe::Member;
use manytune::verify::checks::company::GUARDS;
use manytune::verify::{Level, Options, Outcome, run};
use std::sync::Arc;

/// A change in a kernel that no score shows.
struct Mutant {
    kernel: &'static str,
    from: &'static str,
    to: &'static str,
    /// Where the guards see it.
    seen: [&'static str; 2],
}

const STORE: &str = "    weights[at] = keep_inside(stepped, 4u * quad, layer.output_count);\n";
const MUTANTS: [Mutant; 12] = [
    Mutant {
        kernel: "dense_backward_parameters",
        from: STORE,
        to: "    weights[at] = keep_inside(stepped, 4u * quad, layer.output_count);\n    \
             if (layer.hidden == 0u && input == bias_row && quad + 1u == layer.output_stride) {\n        \
             weights[at + 1u] = stepped;\n    }\n",
        seen: ["weights", "member"],
    },
    Mutant {
        kernel: "dense_backward_parameters",
        from: STORE,
        to: "    let padding = vec4<f32>(1.0) - keep_inside(vec4<f32>(1.0), 4u * quad, layer.output_count);\n    \
             weights[at] = stepped + 1e-3 * padding;\n",
        seen: ["weights", "in the padding of member"],
    },
    Mutant {
        kernel: "dense_backward_parameters",
        from: "    moments[at] = m;\n",
        to: "    let padding = vec4<f32>(1.0) - keep_inside(vec4<f32>(1.0), 4u * quad, layer.output_count);\n    \
             moments[at] = m + padding;\n",
        seen: ["moments", "in the padding of member"],
    },
    Mutant {
        kernel: "dense_backward_parameters",
        from: "    moments[dispatch.second_moment_at + at] = v;\n",
        to: "    moments[dispatch.second_moment_at + at] = v;\n    \
             moments[dispatch.second_moment_at + member.parameters_at + member.parameters_length] = v;\n",
        seen: ["moments", "member"],
    },
    // Without a member that clips the gradients have no buffer: that of the kept parameters stands in.
    Mutant {
        kernel: "dense_backward_parameters",
        from: "    var m = moments[at];\n",
        to: "    gradients[at] = g;\n    var m = moments[at];\n",
        seen: ["kept", "member"],
    },
    Mutant {
        kernel: "gather",
        from: "        scratch[member.input_at + (first_row + row) * stride + quad] = value;\n",
        to: "        scratch[member.input_at + (first_row + row) * stride + quad] = value;\n        \
             scratch[member.input_at - 1u] = value;\n",
        seen: ["scratch", "member"],
    },
    Mutant {
        kernel: "gather",
        from: "        rows[member.rows_at + first_row + thread] = source;\n",
        to: "        rows[member.rows_at + first_row + thread] = source;\n        \
             rows[member.rows_at + max(control.row_count, 40u)] = source;\n",
        seen: ["rows", "member"],
    },
    Mutant {
        kernel: "loss",
        from: "k < 2u * member.output_count;",
        to: "k <= 2u * member.output_count;",
        seen: ["results", "member"],
    },
    Mutant {
        kernel: "dense_forward",
        from: "        scratch[layer.output_at + at] = keep_inside(z, 4u * quad, layer.output_count);\n",
        to: "        scratch[layer.output_at + at] = keep_inside(z, 4u * quad, layer.output_count);\n        \
             scratch[member.output_at + 40u * member.output_stride] = z;\n",
        seen: ["scratch", "member"],
    },
    Mutant {
        kernel: "resident",
        from: "        weights[member.parameters_at + e] = chip[e];\n",
        to: "        weights[member.parameters_at + e + 1u] = chip[e];\n",
        seen: ["weights", "member"],
    },
    Mutant {
        kernel: "resident",
        from: "        moments[dispatch.second_moment_at + member.parameters_at + element] = v;\n",
        to: "        moments[dispatch.second_moment_at + member.parameters_at + element + 1u] = v;\n",
        seen: ["moments", "member"],
    },
    Mutant {
        kernel: "resident",
        from: "        set_activation_quad(member.input_at + row * row_stride(stride) + quad, value);\n",
        to: "        set_activation_quad(member.input_at + row * row_stride(stride) + quad, value);\n        \
             scratch[member.input_at - 1u] = value;\n",
        seen: ["scratch", "member"],
    },
];

/// The plans that run a kernel: of the resident ones, the one that keeps the least on chip, where no guard
/// sees anything.
fn plans_of(kernel: &str) -> Plans {
    Plans::named(if kernel == "resident" { "weights-32k" } else { "tiled" }).unwrap()
}

fn mutated(mutant: &Mutant) -> Vec<sources::Source> {
    let mut sources = sources::assemble();
    let source = sources.iter_mut().find(|source| source.name == mutant.kernel).unwrap();
    assert_eq!(source.wgsl.matches(mutant.from).count(), 1, "{} has changed: {}", mutant.kernel, mutant.from);
    source.wgsl = source.wgsl.replace(mutant.from, mutant.to);
    sources
}

/// Batches of 40 rows, as many as a fold trains on; 20 are scored.
fn members() -> (Job, Vec<Member>) {
    let dataset = common::dataset(Task::Classification { class_count: 3 }, 60, 5, 3);
    let job = Job { dataset: Arc::new(dataset), seed: 99, with_outputs: true };
    let shapes: [&[usize]; 4] = [&[], &[7], &[6, 5], &[8]];
    let members = shapes.map(|hidden| member(&job, hidden, |_, recipe| recipe.batch_size = 40));
    (job, members.into())
}

/// What the guards of an engine have seen after two epochs, while its members are there and after.
fn faults(sources: &[sources::Source], plans: Plans) -> Option<[Vec<String>; 2]> {
    let (job, members) = members();
    let engine = GpuEngine::with_sources(job, common::gpu()?, None, sources).unwrap();
    let mut engine = engine.with_plans(plans).guarded();
    train(&mut engine, &members, 2);
    engine.keep(&[1]).unwrap();
    let during = engine.disturbed().unwrap().expect("it has guards");
    engine.train(&[0, 1, 2, 3]).unwrap();
    assert_eq!(engine.wait().unwrap().len(), 4);
    engine.retire(&[0, 1, 2, 3]);
    Some([during, engine.disturbed().unwrap().expect("it has guards")])
}

#[test]
fn the_shaders_as_they_ship_write_to_their_members_alone() {
    for kernel in ["gather", "resident"] {
        let Some(faults) = faults(&sources::assemble(), plans_of(kernel)) else { return };
        assert_eq!(faults, [Vec::<String>::new(), Vec::new()]);
    }
}

#[test]
fn every_kernel_that_strays_is_seen() {
    if common::gpu().is_none() {
        return;
    }
    for mutant in &MUTANTS {
        for faults in faults(&mutated(mutant), plans_of(mutant.kernel)).unwrap() {
            let seen = |fault: &String| mutant.seen.iter().all(|part| fault.contains(part));
            assert!(faults.iter().any(seen), "{} in {}: {faults:?}", mutant.to, mutant.kernel);
        }
    }
}

/// Through the verifier, as `manytune gradcheck` runs it.
#[test]
fn the_verifier_fails_for_a_kernel_that_strays() {
    if common::gpu().is_none() {
        return;
    }
    let verify = |sources: Vec<sources::Source>, kernel: &str| -> Outcome {
        let plans = plans_of(kernel);
        let open = |job| {
            let gpu = common::gpu().expect("the device that was there a moment ago");
            let engine = GpuEngine::with_sources(job, gpu, None, &sources)?;
            Ok(Box::new(engine.with_plans(plans).guarded()) as Box<dyn Engine>)
        };
        run(&Options { level: Level::Quick, only: Some(GUARDS.to_owned()), seed: 0 }, &open).unwrap()
    };
    assert!(verify(sources::assemble(), "gather").passed);
    assert!(verify(sources::assemble(), "resident").passed);
    for mutant in [&MUTANTS[0], &MUTANTS[1], &MUTANTS[9], &MUTANTS[11]] {
        let outcome = verify(mutated(mutant), mutant.kernel);
        let failure = outcome.failures().next().expect("the check fails");
        assert!(mutant.seen.iter().all(|part| failure.place.contains(part)), "{outcome}");
    }
}
