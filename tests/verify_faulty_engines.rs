//! The verifier is seen to fail: engines that are wrong in one way each, and each is caught.
//!
//! The faults are made around the CPU engine, on what goes in (a recipe changed behind the caller's
//! back) and on what comes out; faults inside shaders are planted by `verifier_catches_faults.rs`.

mod wrong;

use manytune::engine::cpu::CpuEngine;
use manytune::engine::{Job, Report, Snapshot};
use manytune::error::Result;
use manytune::model::network::layer_ranges;
use manytune::model::primitive::{Primitive, Words};
use manytune::model::recipe::Member;
use manytune::model::{activation, lr_schedule};
use manytune::verify::{Level, Options, Outcome, run};
use wrong::Wrong;

/// What is wrong with an engine.
#[derive(Clone, Copy)]
struct Fault {
    /// Changes what is trained.
    member: fn(&mut Member),
    /// Changes the state that is read back, given the member and the state it was restored in.
    snapshot: fn(&Member, &mut Snapshot),
    /// Changes the reports.
    report: fn(&Member, &mut Report),
    /// Changes what primitives give.
    outcomes: fn(&Primitive, &mut [Words]),
}

const NONE: Fault = Fault { member: |_| {}, snapshot: |_, _| {}, report: |_, _| {}, outcomes: |_, _| {} };

impl wrong::Fault for Fault {
    fn member(&self, member: &mut Member) {
        (self.member)(member);
    }
    fn snapshot(&self, member: &Member, snapshot: &mut Snapshot, _: usize) {
        (self.snapshot)(member, snapshot);
    }
    fn report(&self, member: &Member, report: &mut Report) {
        (self.report)(member, report);
    }
    fn outcomes(&self, primitive: &Primitive, outcomes: &mut [Words]) {
        (self.outcomes)(primitive, outcomes);
    }
}

fn verify(fault: Fault, only: Option<&str>) -> Result<Outcome> {
    let options = Options { level: Level::Quick, only: only.map(str::to_owned), seed: 0 };
    let open = |job: Job| Ok(Wrong::boxed(CpuEngine::new(job, Some(2))?, fault));
    run(&options, &open)
}

/// A multiplied gradient, read from m after a step: what a fault inside a kernel looks like outside.
fn scale_m(snapshot: &mut Snapshot, factor: impl Fn(usize) -> f32) {
    if snapshot.step > 0 {
        snapshot.m.iter_mut().enumerate().for_each(|(i, m)| *m *= factor(i));
    }
}

#[test]
fn every_fault_is_caught() {
    let member = |change: fn(&mut Member)| Fault { member: change, ..NONE };
    let snapshot = |change: fn(&Member, &mut Snapshot)| Fault { snapshot: change, ..NONE };
    let report = |change: fn(&Member, &mut Report)| Fault { report: change, ..NONE };
    let outcomes = |change: fn(&Primitive, &mut [Words])| Fault { outcomes: change, ..NONE };
    // (the fault, checks that are run, the engine)
    let faults: &[(&str, &str, Fault)] = &[
        ("a flipped sign of the gradient", "activation/relu", snapshot(|_, s| scale_m(s, |_| -1.0))),
        ("1/batch missing", "layer/dense", snapshot(|m, s| scale_m(s, |_| m.recipe.batch_size as f32))),
        (
            "batch off by one",
            "layer/dense",
            snapshot(|m, s| {
                let batch = m.recipe.batch_size as f32;
                scale_m(s, |_| batch / (batch + 1.0));
            }),
        ),
        ("a gradient wrong by 1e-4", "loss", snapshot(|_, s| scale_m(s, |_| 1.0001))),
        ("a gradient wrong by 2e-5", "loss", snapshot(|_, s| scale_m(s, |_| 1.00002))),
        (
            "one element of the gradient wrong by 1e-3",
            "network",
            snapshot(|_, s| {
                scale_m(s, |i| if i == 0 { 1.001 } else { 1.0 });
            }),
        ),
        (
            "the last element dropped",
            "activation/tanh",
            snapshot(|_, s| {
                let last = s.m.len() - 1;
                scale_m(s, |i| if i == last { 0.0 } else { 1.0 });
            }),
        ),
        (
            "two elements exchanged",
            "activation/gelu",
            snapshot(|_, s| {
                if s.step > 0 && s.m.len() > 1 {
                    s.m.swap(0, 1);
                }
            }),
        ),
        (
            "a transposed weight gradient",
            "layer/dense",
            snapshot(|member, s| {
                let (inputs, outputs) = member.network.layers().next().unwrap();
                if s.step > 0 {
                    let m = s.m.clone();
                    for i in 0..inputs * outputs {
                        s.m[i] = m[i % inputs * outputs + i / inputs];
                    }
                }
            }),
        ),
        (
            "one NaN in the gradient",
            "loss/huber",
            snapshot(|_, s| scale_m(s, |i| if i == 1 { f32::NAN } else { 1.0 })),
        ),
        (
            "one infinity among the parameters",
            "optimizer/lion",
            snapshot(|_, s| s.parameters[0] = f32::INFINITY),
        ),
        (
            "one parameter off by 2 units in the last place of 1",
            "activation/identity",
            snapshot(|_, s| {
                if s.step > 0 {
                    s.parameters[1] += 4e-7;
                }
            }),
        ),
        ("a state that is one number short", "activation/elu", snapshot(|_, s| s.m.truncate(s.m.len() - 1))),
        ("a step not counted", "layer/dense", report(|_, r| r.step -= 1)),
        ("the second moment not stored", "optimizer/adam", snapshot(|_, s| s.v.fill(0.0))),
        (
            "weight decay on the bias",
            "optimizer/adamw",
            snapshot(|member, s| {
                let range = layer_ranges(&member.network).pop().unwrap();
                let decay = 1.0
                    - (member.recipe.learning_rate * member.recipe.optimizer_parameters.weight_decay) as f32;
                let bias = range.end - member.network.output_count..range.end;
                s.parameters[bias].iter_mut().for_each(|w| *w *= decay);
            }),
        ),
        ("no weight decay", "optimizer/adam", member(|m| m.recipe.optimizer_parameters.weight_decay = 0.0)),
        ("a wrong epsilon", "optimizer/rmsprop", member(|m| m.recipe.optimizer_parameters.epsilon *= 1.01)),
        (
            "a wrong epsilon, adagrad",
            "optimizer/adagrad",
            member(|m| m.recipe.optimizer_parameters.epsilon *= 1.01),
        ),
        ("a wrong beta1", "optimizer/lion", member(|m| m.recipe.optimizer_parameters.beta1 *= 1.001)),
        ("a wrong beta2", "optimizer/adam", member(|m| m.recipe.optimizer_parameters.beta2 *= 1.0001)),
        ("a lost momentum term", "optimizer/sgd", member(|m| m.recipe.optimizer_parameters.momentum = 0.0)),
        ("nesterov ignored", "optimizer/sgd", member(|m| m.recipe.optimizer_parameters.nesterov = false)),
        ("a rate wrong by 1e-3", "optimizer/adamw", member(|m| m.recipe.learning_rate *= 1.001)),
        ("warm-up ignored", "lr_schedule", member(|m| m.recipe.lr_schedule_parameters.warmup_epochs = 0.0)),
        ("another schedule", "lr_schedule/cosine", member(|m| m.recipe.lr_schedule = lr_schedule::ALL[0])),
        ("a schedule one epoch short", "lr_schedule/one_cycle", member(|m| m.recipe.max_epochs -= 1)),
        ("another activation", "activation/silu", member(|m| m.network.activation = activation::ALL[8])),
        ("no dropout", "layer/dropout", member(|m| m.recipe.dropout = 0.0)),
        ("no input dropout", "regulariser/input_dropout", member(|m| m.recipe.input_dropout = 0.0)),
        ("another mask", "layer/dropout", member(|m| m.repeat += 1)),
        ("other minibatches", "minibatch", member(|m| m.repeat += 1)),
        (
            "a batch of one row less",
            "minibatch",
            member(|m| m.recipe.batch_size = (m.recipe.batch_size - 1).max(1)),
        ),
        ("l1 ignored", "regulariser/l1", member(|m| m.recipe.l1_penalty = 0.0)),
        ("l2 halved", "regulariser/l2", member(|m| m.recipe.l2_penalty *= 0.5)),
        ("clipping ignored", "regulariser/clip", member(|m| m.recipe.clip_norm = 0.0)),
        ("class weights ignored", "loss/cross_entropy", member(|m| m.recipe.balanced = false)),
        (
            "smoothing ignored",
            "loss/cross_entropy",
            member(|m| m.recipe.loss_parameters.label_smoothing = 0.0),
        ),
        ("huber turns elsewhere", "loss/huber", member(|m| m.recipe.loss_parameters.huber_delta *= 1.01)),
        (
            "another initializer",
            "initializer/he_normal",
            member(|m| m.recipe.initializer = manytune::model::initializer::ALL[0]),
        ),
        ("a train loss wrong by 1e-4", "loss", report(|_, r| r.train_loss *= 1.0001)),
        (
            "a sum of losses without its last row",
            "",
            report(|_, r| {
                if let Some(e) = &mut r.evaluation {
                    e.loss_sum -= e.loss_sum / e.row_count.max(1) as f64;
                }
            }),
        ),
        (
            "absolute errors doubled",
            "",
            report(|_, r| {
                if let Some(e) = &mut r.evaluation {
                    e.absolute_error_sum *= 2.0;
                }
            }),
        ),
        (
            "one row too many counted right",
            "",
            report(|_, r| {
                if let Some(right) = r.evaluation.as_mut().and_then(|e| e.correct.first_mut()) {
                    *right += 1;
                }
            }),
        ),
        (
            "predictions of another class",
            "",
            report(|_, r| {
                if let Some(e) = &mut r.evaluation {
                    e.predicted.reverse();
                }
            }),
        ),
        (
            "outputs of other rows",
            "activation/sigmoid",
            report(|member, r| {
                let width = member.network.output_count;
                if let Some(outputs) = r.evaluation.as_mut().and_then(|e| e.outputs.as_mut()) {
                    let rows = outputs.len() / width;
                    outputs.rotate_left(width * usize::from(rows > 0));
                }
            }),
        ),
        (
            "one output short",
            "activation/sigmoid",
            report(|_, r| {
                if let Some(outputs) = r.evaluation.as_mut().and_then(|e| e.outputs.as_mut()) {
                    outputs.pop();
                }
            }),
        ),
        (
            "a function wrong by 8 units in the last place",
            "primitive/exp",
            outcomes(|_, words| words.iter_mut().flatten().for_each(|bits| *bits = bits.wrapping_add(8))),
        ),
        (
            "a function that is NaN far out",
            "primitive/tanh",
            outcomes(|_, words| {
                // The last sweep is one point.
                let nan = f32::NAN.to_bits();
                words.iter_mut().take(1).for_each(|four| *four = [nan; 4]);
            }),
        ),
        ("one bit of a random word", "primitive/philox4x32", outcomes(|_, words| words[2][3] ^= 1)),
        ("words in another order", "primitive/uniform", outcomes(|_, words| words.reverse())),
        ("divergence not noticed", "company", report(|_, r| r.diverged_at_step = None)),
        (
            "a divergence reported where there is none",
            "layer/dense",
            report(|_, r| r.diverged_at_step = Some(0)),
        ),
    ];
    let mut missed = Vec::new();
    for (fault, only, engine) in faults {
        let only = Some(*only).filter(|only| !only.is_empty());
        // What cannot even be compared is an error.
        if verify(*engine, only).is_ok_and(|outcome| outcome.passed) {
            missed.push(*fault);
        }
    }
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

/// A member whose slot is disturbed while others train.
#[test]
fn a_disturbed_bystander_is_caught() {
    // Bystanders are the members that were restored after one epoch and have 5 features and 5 units.
    let disturb = |member: &Member, s: &mut Snapshot| {
        static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        if s.step == 1 && member.network.hidden == [33, 3] {
            // The first reading, before the others train, is right.
            if CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0 {
                s.v[0] = 1.0;
            }
        }
    };
    let outcome = verify(Fault { snapshot: disturb, ..NONE }, Some("company")).unwrap();
    assert!(outcome.failures().any(|check| check.name == "company/undisturbed"), "{outcome}");
}

#[test]
fn a_failure_says_which_formula_and_where_and_what_to_do() {
    let nan = |_: &Member, s: &mut Snapshot| scale_m(s, |i| if i == 2 { f32::NAN } else { 1.0 });
    let outcome = verify(Fault { snapshot: nan, ..NONE }, Some("activation/tanh")).unwrap();
    assert!(!outcome.passed);
    let text = outcome.to_string();
    for part in [
        "activation/tanh (L1 kernels) FAILED",
        "gradient (m) of layer 0",
        "unit 2",
        "found NaN",
        "expected",
        "src/model/activation/tanh.rs",
        "--only",
        "--seed",
    ] {
        assert!(text.contains(part), "no \"{part}\" in\n{text}");
    }
    let json = serde_json::to_value(&outcome).unwrap();
    let failed = json["checks"].as_array().unwrap().iter().find(|check| check["passed"] == false).unwrap();
    assert!(failed["worst_error"].is_null(), "a NaN has no number in JSON");
    assert_eq!(json["passed"], false);
    assert_eq!(outcome.into_result().unwrap_err().exit_code(), 1);
}

/// A gradient that is wrong by a part in a hundred differs from the slope of the engine's own losses, and
/// from that of its own outputs, whatever the reference says.
#[test]
fn an_engine_that_contradicts_itself_is_caught_without_the_reference() {
    let wrong = |_: &Member, s: &mut Snapshot| scale_m(s, |_| 1.01);
    let outcome = verify(Fault { snapshot: wrong, ..NONE }, Some("activation/tanh")).unwrap();
    let slopes = outcome.failures().find(|check| check.kind == manytune::verify::Kind::Slopes);
    let place = &slopes.expect("slopes are compared").place;
    assert!(place.contains("the engine's gradient gives"), "{place}");
    // Only the losses: the outputs are those of the evaluation.
    let wrong = |_: &Member, r: &mut Report| r.train_loss *= 1.01;
    let outcome = verify(Fault { report: wrong, ..NONE }, Some("loss/mean_squared_error")).unwrap();
    assert!(outcome.failures().any(|check| check.kind == manytune::verify::Kind::Slopes), "{outcome}");
}
