//! Faults planted in the shaders of kernel machines, one at a time: the verifier catches each.

mod common;

use manytune::engine::gpu::machines::GpuMachineEngine;
use manytune::engine::gpu::machines::sources::{Bases, MachineKernel};
use manytune::engine::{Engine, Job};
use manytune::error::Result;
use manytune::verify::machines::run;
use manytune::verify::{Level, Options, Outcome};

/// (what is wrong, the text that is there, the text in its place, the check that must say so)
type Fault = (&'static str, &'static str, &'static str, &'static str);

const FAULTS: &[Fault] = &[
    ("gamma wrong by a part in 10,000", "vec4<f32>(-s.gamma)", "vec4<f32>(-1.0001 * s.gamma)", "kernel/rbf"),
    ("exp: a coefficient", "1.0 / 6.0", "0.166", "kernel/rbf"),
    (
        "exp: the exponent's scale",
        "+ 127) << vec4<u32>(23u));\n    return select(value",
        "+ 126) << vec4<u32>(23u));\n    return select(value",
        "kernel/rbf",
    ),
    ("a power too many", "i < s.degree", "i <= s.degree", "kernel/polynomial"),
    (
        "polynomial without coef0",
        "seal4(s.gamma * base) + s.coef0);\n    var power",
        "seal4(s.gamma * base));\n    var power",
        "kernel/polynomial",
    ),
    (
        "sigmoid without coef0",
        "tanh4(seal4(seal4(s.gamma * base) + s.coef0))",
        "tanh4(seal4(s.gamma * base))",
        "kernel/sigmoid",
    ),
    (
        "sums of features instead of differences",
        "two_sum4(feature_of(row, feature), -other)",
        "two_sum4(feature_of(row, feature), other)",
        "kernel/rbf",
    ),
    (
        "the last feature left out",
        "feature < machines.feature_count",
        "feature + 1u < machines.feature_count",
        "kernel/linear",
    ),
    (
        "rows of the second class from the wrong place",
        "problem.second_at + (quad - problem.first_count)",
        "problem.second_at",
        "kernel/linear",
    ),
    (
        "a step whose low part is lost in F",
        "pair_multiply4(wide(t),",
        "pair_multiply4(wide(Pair(t.high, 0.0)),",
        "solver/gradient",
    ),
    (
        "a difference of kernel values that is rounded",
        "two_sum4(state[k_at(problem) + quad], -k_j)",
        "Pair4(state[k_at(problem) + quad] - k_j, vec4<f32>(0.0))",
        "solver/gradient",
    ),
    (
        "sums that lose their rounding errors",
        "seal4(sum.low + seal4(a.low + b.low))",
        "seal4(a.low + b.low)",
        "solver/gradient",
    ),
    (
        "products that lose theirs",
        "return Pair4(product, seal4(a_lower * b_lower - rest));",
        "return Pair4(product, vec4<f32>(0.0));",
        "solver/gradient",
    ),
    (
        "F of the second layer not brought up to date",
        "let f = pair_subtract4(load_f(problem, layer, quad), change);",
        "var f = load_f(problem, layer, quad);\n            if (layer == 0u) {\n                f = pair_subtract4(f, change);\n            }",
        "solver/gradient",
    ),
    ("a kept at f32", "state[at + n][c] = a.low", "state[at + n][c] = 0.0", "solver/gradient"),
    ("no bound for what shrinks", "if (pair_less(room_j, t)) {", "if (false) {", "solver/balance"),
    ("no bound for what grows", "if (pair_less(room_i, t)) {", "if (false) {", "solver/balance"),
    (
        "one variable moves alone",
        "if (owns(problem, j, lane)) {\n        move_variable",
        "if (false) {\n        move_variable",
        "solver/balance",
    ),
    ("partners of the first order", "seal4(seal4(above * above) * weight)", "above", "solver/working_set"),
    (
        "partners by the curvature of another row",
        "let diagonal = state[diagonal_at(problem) + quad];",
        "let diagonal = vec4<f32>(0.5);",
        "solver/working_set",
    ),
    (
        "the curvature of one variable twice",
        "var curvature = pair_add(toward, back);",
        "var curvature = pair_add(toward, toward);",
        "solver/step",
    ),
    (
        "steps of half the length",
        "return pair_divide(pair_subtract(first.f, second.f), curvature);",
        "return pair_divide(pair_subtract(first.f, second.f), pair_add(curvature, curvature));",
        "solver/step",
    ),
    (
        "a tolerance a thousand times as large",
        "TOLERANCE = Pair(0.00025",
        "TOLERANCE = Pair(0.25",
        "solver/optimality",
    ),
    (
        "variables that may not shrink any more",
        "select(0u, 0x10u << c, may_shrink)",
        "select(0u, 0x10u << c, false)",
        "solver/optimality",
    ),
    (
        "variables that meet a bound almost",
        "a = side.bound;",
        "a = Pair(side.bound.high * 0.9999999, 0.0);",
        "solver/outcome",
    ),
    (
        "decisions of the first validation rows for all",
        "machines.validation_at + quad);",
        "machines.validation_at);",
        "machine/decisions",
    ),
    (
        "decisions of the first machine for all",
        "let problem = problems[machines.start + at / row_quads];",
        "let problem = problems[machines.start];",
        "machine/",
    ),
    (
        "a support vector that does not decide",
        "if (a.high != 0.0) {\n            let values = kernel_values(problem, row_of(problem, row), machines",
        "if (a.high != 0.0 && row != 2u) {\n            let values = kernel_values(problem, row_of(problem, row), machines",
        "machine/decisions",
    ),
];

fn verify((fault, from, to, check): Fault, keeps_bases: bool) -> Result<Outcome> {
    let both = [Bases::Stored, Bases::Computed];
    let sources = MachineKernel::ALL.into_iter().flat_map(|kernel| both.map(|bases| kernel.source(bases)));
    let changed: Vec<_> = sources.filter(|source| source.wgsl.contains(from)).collect();
    assert!(!changed.is_empty(), "{fault}: no shader has \"{from}\"");
    for source in changed {
        if let Err(error) = naga::front::wgsl::parse_str(&source.wgsl.replace(from, to)) {
            panic!("{fault}: {} is no shader: {}", source.name, error.emit_to_string(&source.wgsl));
        }
    }
    let open = |job: Job| -> Result<Box<dyn Engine>> {
        let gpu = common::gpu().expect("the device that was there a moment ago");
        let engine = GpuMachineEngine::new(job, gpu, None).with_fault(from, to);
        Ok(Box::new(if keeps_bases { engine } else { engine.without_bases() }))
    };
    run(&Options { level: Level::Quick, only: Some(check.to_owned()), seed: 0 }, &open)
}

#[test]
fn every_fault_is_caught_by_its_check() {
    if common::gpu().is_none() {
        return;
    }
    let mut missed = Vec::new();
    for fault in FAULTS {
        match verify(*fault, true) {
            Ok(outcome) if outcome.passed => missed.push(fault.0),
            Ok(_) => {}
            Err(error) => panic!("{}: {error}", fault.0),
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}");
}

/// Where bases are computed in every step, what is wrong with them is wrong there too.
#[test]
fn faults_of_bases_are_caught_where_there_is_no_matrix() {
    if common::gpu().is_none() {
        return;
    }
    for fault in FAULTS.iter().filter(|fault| fault.1.contains("feature")) {
        assert!(!verify(*fault, false).unwrap().passed, "not caught: {}", fault.0);
    }
}
