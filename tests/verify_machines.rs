//! The verifier of kernel machines: no false alarm, every kernel covered, and every planted fault caught.

mod wrong;

use manytune::engine::cpu::machines::MachineEngine;
use manytune::engine::{Engine, Job, Report, Snapshot};
use manytune::error::Result;
use manytune::model::metric::Evaluation;
use manytune::model::recipe::Member;
use manytune::model::svm::dual::Dual;
use manytune::model::svm::machine::Machine;
use manytune::model::svm::settings::{Gamma, Settings};
use manytune::verify::machines::{self, run};
use manytune::verify::{Level, Options, Outcome};
use std::collections::BTreeSet;
use wrong::Wrong;

fn open(job: Job) -> Result<Box<dyn Engine>> {
    Ok(Box::new(MachineEngine::within(job, None)?))
}

fn verify(level: Level, seed: u64) -> Outcome {
    run(&Options { level, only: None, seed }, &open).unwrap()
}

#[test]
fn no_seed_raises_a_false_alarm() {
    for seed in 1..9 {
        let outcome = verify(Level::Quick, seed);
        assert!(outcome.passed, "seed {seed}\n{outcome}");
    }
}

#[test]
fn the_full_level_passes_and_covers_every_check() {
    let outcome = verify(Level::Full, 0);
    assert!(outcome.passed, "{outcome}");
    let names: BTreeSet<&str> = outcome.checks.iter().map(|check| check.name.as_str()).collect();
    for name in machines::names() {
        assert!(names.contains(name.as_str()), "no check of {name}");
    }
}

/// What is wrong with an engine.
#[derive(Clone, Copy)]
struct Fault {
    /// Changes the machine that is trained.
    settings: fn(&mut Settings),
    /// Changes what is seen of a solver, given the steps that were asked for.
    dual: fn(&mut Dual, u64),
    /// Changes the reports.
    report: fn(&mut Report),
    /// Changes the machine that is kept, in an engine that so many were admitted to.
    machine: fn(&mut Machine, usize),
}

const NONE: Fault = Fault { settings: |_| {}, dual: |_, _| {}, report: |_| {}, machine: |_, _| {} };

impl wrong::Fault for Fault {
    fn member(&self, member: &mut Member) {
        member.recipe.machine.iter_mut().for_each(self.settings);
    }
    fn snapshot(&self, _: &Member, snapshot: &mut Snapshot, admitted: usize) {
        let mut machine = Machine::of_parameters(&snapshot.parameters).expect("a machine was kept");
        (self.machine)(&mut machine, admitted);
        snapshot.parameters = machine.to_parameters();
    }
    fn report(&self, _: &Member, report: &mut Report) {
        (self.report)(report);
    }
    fn dual(&self, dual: &mut Dual, most_iterations: u64) {
        (self.dual)(dual, most_iterations);
    }
}

/// The largest variable, where there are any.
fn largest(dual: &Dual) -> Option<usize> {
    (0..dual.a.len()).max_by(|&i, &j| dual.a[i].abs().total_cmp(&dual.a[j].abs()))
}

fn scores(report: &mut Report, change: impl Fn(&mut Evaluation)) {
    report.evaluation.iter_mut().for_each(change);
}

/// (what is wrong, the check that must say so, the engine)
fn faults() -> Vec<(&'static str, &'static str, Fault)> {
    let settings = |change: fn(&mut Settings)| Fault { settings: change, ..NONE };
    let dual = |change: fn(&mut Dual, u64)| Fault { dual: change, ..NONE };
    let report = |change: fn(&mut Report)| Fault { report: change, ..NONE };
    let machine = |change: fn(&mut Machine, usize)| Fault { machine: change, ..NONE };
    vec![
        (
            "gamma wrong by a part in 10,000",
            "kernel/rbf",
            settings(|s| s.gamma = Gamma::Value(1.0001 * s.choice(1.0).parameters.gamma)),
        ),
        ("a power too many", "kernel/polynomial", settings(|s| s.degree += 1)),
        ("no coef0", "kernel/sigmoid", settings(|s| s.coef0 = 0.0)),
        ("a kernel value of another row", "kernel/linear", dual(|d, _| d.kernel.reverse())),
        (
            "a kernel value that is NaN",
            "kernel/rbf",
            dual(|d, _| d.kernel.iter_mut().take(1).for_each(|k| *k = f64::NAN)),
        ),
        ("C of a neighbour", "solver/optimality", settings(|s| s.c *= 2.0)),
        (
            "F kept at f32",
            "solver/gradient",
            dual(|d, _| d.f.iter_mut().for_each(|f| *f = f64::from(*f as f32))),
        ),
        (
            "a kept at f32",
            "solver/gradient",
            dual(|d, _| d.a.iter_mut().for_each(|a| *a = f64::from(*a as f32))),
        ),
        (
            "F of one variable not brought up to date",
            "solver/gradient",
            dual(|d, n| {
                if n == 8 {
                    d.f.iter_mut().take(1).for_each(|f| *f += 1e-6);
                }
            }),
        ),
        ("F that is NaN", "solver/gradient", dual(|d, _| d.f.iter_mut().take(1).for_each(|f| *f = f64::NAN))),
        ("fewer numbers than variables", "solver/gradient", dual(|d, _| d.f.truncate(1))),
        (
            "a beyond its bound",
            "solver/box",
            dual(|d, _| {
                if let Some(at) = largest(d) {
                    d.a[at] *= 1.0 + 1e-6;
                    d.a[at] += d.cost.copysign(d.a[at]);
                }
            }),
        ),
        ("a that is NaN", "solver/box", dual(|d, _| d.a.iter_mut().take(1).for_each(|a| *a = f64::NAN))),
        (
            "only one variable moves",
            "solver/balance",
            dual(|d, _| {
                if let Some(at) = largest(d) {
                    d.a[at] *= 0.999;
                }
            }),
        ),
        (
            "steps that lead upwards",
            "solver/monotone",
            dual(|d, n| {
                // Behind 20 steps it stands at its beginning again.
                if (21..100).contains(&n) {
                    d.a.iter_mut().for_each(|a| *a = 0.0);
                }
            }),
        ),
        (
            "a step that is half as long as is best",
            "solver/step",
            dual(|d, n| {
                if n == 1 {
                    d.a.iter_mut().for_each(|a| *a *= 0.5);
                }
            }),
        ),
        (
            "three variables move",
            "solver/working_set",
            dual(|d, n| {
                if n == 3 {
                    d.a.iter_mut().filter(|a| **a == 0.0).take(1).for_each(|a| *a = 1e-3);
                }
            }),
        ),
        (
            "no variable moves",
            "solver/working_set",
            dual(|d, n| {
                if n == 1 {
                    d.a.iter_mut().for_each(|a| *a = 0.0);
                }
            }),
        ),
        (
            "a solver that stops too early",
            "solver/optimality",
            dual(|d, n| {
                if n == u64::MAX {
                    d.a.iter_mut().for_each(|a| *a *= 0.99);
                }
            }),
        ),
        (
            "one support vector too many",
            "solver/outcome",
            report(|r| r.solver.iter_mut().for_each(|(_, o)| o.support_count += 1)),
        ),
        (
            "bounded ones not counted",
            "solver/outcome",
            report(|r| r.solver.iter_mut().for_each(|(_, o)| o.bounded_count = 0)),
        ),
        (
            "rho with the wrong sign",
            "solver/outcome",
            report(|r| r.solver.iter_mut().for_each(|(_, o)| o.rho = -o.rho)),
        ),
        (
            "a gap of nothing",
            "solver/outcome",
            report(|r| r.solver.iter_mut().for_each(|(_, o)| o.gap = 0.0)),
        ),
        (
            "classes in another order",
            "solver/outcome",
            report(|r| r.solver.iter_mut().for_each(|(classes, _)| classes.reverse())),
        ),
        ("a problem that is not reported", "solver/outcome", report(|r| r.solver.truncate(1))),
        (
            "an objective wrong by a part in 1,000",
            "solver/objective",
            report(|r| r.solver.iter_mut().for_each(|(_, o)| o.objective *= 1.001)),
        ),
        (
            "one row too many counted right",
            "machine/decisions",
            report(|r| scores(r, |s| s.correct.iter_mut().take(1).for_each(|c| *c += 100))),
        ),
        (
            "predictions of another class",
            "machine/decisions",
            report(|r| scores(r, |s| s.predicted.reverse())),
        ),
        (
            "outputs of another row",
            "machine/decisions",
            report(|r| scores(r, |s| s.outputs.iter_mut().for_each(|o| o.rotate_left(1)))),
        ),
        (
            "absolute errors doubled",
            "machine/decisions",
            report(|r| scores(r, |s| s.absolute_error_sum *= 2.0)),
        ),
        ("no scores", "machine/decisions", report(|r| r.evaluation = None)),
        (
            "a machine of its first support vector alone",
            "machine/decisions",
            machine(|m, _| {
                m.decisions.iter_mut().for_each(|decision| decision.terms.truncate(1));
            }),
        ),
        (
            "a machine with another rho",
            "machine/decisions",
            machine(|m, _| m.decisions.iter_mut().for_each(|d| d.rho += 1e-3)),
        ),
        (
            "a log loss wrong by a part in 1,000",
            "machine/probabilities",
            report(|r| scores(r, |s| s.loss_sum *= 1.001)),
        ),
        (
            "sigmoids of another slope",
            "machine/probabilities",
            machine(|m, _| {
                m.decisions.iter_mut().flat_map(|d| &mut d.sigmoid).for_each(|sigmoid| sigmoid.a *= 1.1);
            }),
        ),
        (
            "no sigmoids",
            "machine/probabilities",
            machine(|m, _| m.decisions.iter_mut().for_each(|d| d.sigmoid = None)),
        ),
        (
            "a result that depends on its company",
            "machine/alone",
            machine(|m, admitted| {
                if admitted > 1 {
                    m.decisions.iter_mut().for_each(|d| d.rho = f64::from_bits(d.rho.to_bits() ^ 1));
                }
            }),
        ),
    ]
}

#[test]
fn every_fault_is_caught_by_its_check() {
    let mut missed = Vec::new();
    for (what, name, fault) in faults() {
        let open = |job: Job| Ok(Wrong::boxed(MachineEngine::within(job, None)?, fault));
        let options = Options { level: Level::Quick, only: None, seed: 0 };
        let outcome = run(&options, &open).unwrap();
        if !outcome.failures().any(|check| check.name == name) {
            missed.push((what, outcome.failures().map(|check| check.name.clone()).collect::<Vec<_>>()));
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}");
}
