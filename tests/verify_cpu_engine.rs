//! The verifier on the CPU engine: no false alarm, every family covered, and an outcome that repeats.

mod common;

use manytune::data::Task;
use manytune::engine::cpu::CpuEngine;
use manytune::engine::{Engine, EngineKind, Job};
use manytune::error::{ErrorKind, Result};
use manytune::model::{activation, initializer, layer, loss, lr_schedule, optimizer};
use manytune::verify::checks::{self, Plan};
use manytune::verify::{Kind, Level, Options, Outcome, members, run, tables};
use std::sync::Arc;

fn open(job: Job) -> Result<Box<dyn Engine>> {
    Ok(Box::new(CpuEngine::new(job, Some(2))?))
}

fn quick(seed: u64, only: Option<&str>) -> Result<Outcome> {
    run(&Options { level: Level::Quick, only: only.map(str::to_owned), seed }, &open)
}

#[test]
fn no_seed_raises_a_false_alarm() {
    for seed in 1..21 {
        let outcome = quick(seed, None).unwrap();
        assert!(outcome.passed, "seed {seed}\n{outcome}");
    }
}

#[test]
fn the_normal_level_passes_and_covers_every_family() {
    let outcome = run(&Options::default(), &open).unwrap();
    assert!(outcome.passed, "{outcome}");
    let covered = |name: String, kind: Kind| {
        assert!(
            outcome.checks.iter().any(|check| check.name == name && check.kind == kind),
            "no {} check of {name}",
            kind.name()
        );
    };
    for kind in [Kind::Reference, Kind::Kernels] {
        activation::ALL.iter().for_each(|member| covered(format!("activation/{}", member.name()), kind));
        loss::ALL.iter().for_each(|member| covered(format!("loss/{}", member.name()), kind));
        layer::ALL.iter().for_each(|member| covered(format!("layer/{}", member.name()), kind));
        (0..4).for_each(|depth| covered(format!("network/{depth}_hidden_layers"), kind));
    }
    for kind in [Kind::Reference, Kind::Steps] {
        optimizer::ALL.iter().for_each(|member| covered(format!("optimizer/{}", member.name()), kind));
    }
    lr_schedule::ALL.iter().for_each(|member| covered(format!("lr_schedule/{}", member.name()), Kind::Steps));
    initializer::ALL.iter().for_each(|member| covered(format!("initializer/{}", member.name()), Kind::Exact));
    covered("minibatch/order".to_owned(), Kind::Exact);
    for name in ["undisturbed", "alone", "kept", "resumed", "diverged"] {
        covered(format!("company/{name}"), Kind::Exact);
    }
}

#[test]
fn one_check_alone_repeats_the_numbers_of_all_checks() {
    let all = quick(5, None).unwrap();
    for name in ["activation/gelu", "optimizer/lion", "network/1", "evaluation/scores"] {
        let one = quick(5, Some(name)).unwrap();
        assert!(!one.checks.is_empty());
        for check in &one.checks {
            assert!(check.name.contains(name));
            let same = all.checks.iter().find(|other| other.name == check.name && other.kind == check.kind);
            let same = same.expect("a check that runs alone runs among all");
            assert_eq!(check.worst_error.to_bits(), same.worst_error.to_bits(), "{}", check.name);
            assert_eq!(check.place, same.place);
        }
    }
}

#[test]
fn an_unknown_check_names_the_nearest() {
    let error = quick(0, Some("activation/rellu")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert_eq!(error.advice, "did you mean \"activation/relu\"?");
}

/// "0 checks passed" would say that nothing is wrong where nobody looked.
#[test]
fn a_check_that_this_engine_lacks_does_not_pass() {
    let error = quick(0, Some("company/guards")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(error.to_string().contains("company/guards"), "{error}");
}

/// The shape that scripts rely on.
#[test]
fn the_json_has_the_keys_of_the_contract() {
    let json = serde_json::to_value(quick(0, Some("loss/huber")).unwrap()).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&json), ["device", "passed", "checks"]);
    assert_eq!(keys(&json["checks"][0]), ["name", "kind", "worst_error", "tolerance", "passed", "where"]);
}

#[test]
fn every_formula_that_a_failure_would_name_is_a_file() {
    let jobs = tables::all(0);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for case in checks::ALL.iter().flat_map(|make| make(Plan { jobs: &jobs, level: Level::Normal })) {
        for engine in [EngineKind::Cpu, EngineKind::Gpu] {
            let file = case.formula.file(engine);
            assert!(root.join(file).is_file(), "{}: {file}", case.name);
        }
    }
}

#[test]
fn a_study_is_verified_on_its_own_shapes_and_data() {
    let dataset = common::dataset(Task::Classification { class_count: 3 }, 300, 11, 3);
    let job = Job { dataset: Arc::new(dataset), seed: 3, with_outputs: false };
    let sampled: Vec<_> = (0..6)
        .map(|number| {
            let hidden = [&[][..], &[40], &[24, 18], &[9, 8, 7]][number % 4];
            let mut member = common::member(&job, hidden, |network, recipe| {
                network.activation = activation::ALL[number];
                recipe.optimizer = optimizer::ALL[number];
                recipe.optimizer_parameters = recipe.optimizer.defaults();
                recipe.batch_size = [16, 128, 500][number % 3];
                recipe.dropout = 0.1;
            });
            member.fold = number % 3;
            member
        })
        .collect();
    let options = Options { seed: 1, ..Default::default() };
    let outcome = members(&options, &job, &sampled, &open).unwrap();
    assert!(outcome.passed, "{outcome}");
    for (number, member) in sampled.iter().enumerate() {
        let checks =
            outcome.checks.iter().filter(|check| check.name.starts_with(&format!("study/{number} ")));
        let kinds: Vec<Kind> = checks.map(|check| check.kind).collect();
        assert_eq!(kinds, [Kind::Reference, Kind::Kernels, Kind::Exact, Kind::Steps]);
        let name = member.recipe.optimizer.name();
        assert!(outcome.checks.iter().any(|check| check.name.ends_with(name)));
    }
}

/// Half of all differences of a study with an l1 penalty were skipped, since biases begin at 0 and were taken
/// for penalised; and units behind dead ones lie at the kink of relu as long as their biases are 0.
#[test]
fn a_penalty_or_dead_units_raise_no_alarm_on_a_study() {
    let dataset = common::dataset(Task::Classification { class_count: 3 }, 300, 11, 3);
    for seed in 1..7 {
        let job = Job { dataset: Arc::new(dataset.clone()), seed, with_outputs: false };
        let sampled: Vec<_> = (0..6)
            .map(|number| {
                let hidden = [&[8, 8][..], &[16, 16], &[8, 8, 8]][number % 3];
                let mut member = common::member(&job, hidden, |network, recipe| {
                    let name = ["relu", "leaky_relu"][number % 2];
                    network.activation = *activation::ALL.iter().find(|a| a.name() == name).unwrap();
                    recipe.batch_size = 64;
                    recipe.l1_penalty = if number < 3 { 1e-4 } else { 0.0 };
                });
                member.fold = number % 3;
                member
            })
            .collect();
        let outcome = members(&Options::default(), &job, &sampled, &open).unwrap();
        assert!(outcome.passed, "seed {seed}\n{outcome}");
    }
}
