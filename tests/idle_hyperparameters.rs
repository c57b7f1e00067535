//! Hyperparameters that change nothing are named before anything runs, and no others.

mod cli;

use cli::{Place, STUDY};
use manytune::data::Task;
use manytune::model::hyperparameter::{self, MODELS};
use manytune::space::{Configuration, Dimension, Domain, Space, Value};
use manytune::study::default_space::default_space;
use manytune::study::idle;

const CLASSES: Task = Task::Classification { class_count: 3 };

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn one_of<const N: usize>(name: &str, values: [&str; N]) -> Dimension {
    Dimension::new(name, Domain::Choice(values.map(text).to_vec()))
}

fn number(name: &str, low: f64, high: f64) -> Dimension {
    Dimension::new(name, Domain::Float { low, high, log: false, step: None })
}

fn notes(dimensions: Vec<Dimension>, task: Task) -> Vec<String> {
    let build = |configuration: &Configuration| hyperparameter::build(configuration, task, 5, 100);
    idle::notes(&Space::new(dimensions).unwrap(), task, &build)
}

#[test]
fn what_nothing_reads_is_named() {
    let fixed = |name: &str, value: Value| Dimension::new(name, Domain::Fixed(value));
    let rate = || number("learning_rate", 0.001, 0.1);
    for (dimension, task) in [
        (fixed("momentum", Value::Float(0.9)), CLASSES),
        (fixed("nesterov", Value::Bool(true)), CLASSES),
        (Dimension::new("step_epochs", Domain::Choice(vec![Value::Int(3), Value::Int(5)])), CLASSES),
        (number("huber_delta", 0.5, 2.0), Task::Regression),
    ] {
        let expected = format!("{} changes nothing in this space", dimension.name);
        let found = notes(vec![rate(), dimension], task);
        assert!(found.len() == 1 && found[0].starts_with(&expected), "{expected}: {found:?}");
    }
    let without_layers = Dimension::new("depth", Domain::Fixed(Value::Int(0)));
    let found = notes(
        vec![rate(), without_layers, number("dropout", 0.1, 0.5), one_of("activation", ["relu", "tanh"])],
        CLASSES,
    );
    let named = |name: &str| found.iter().any(|note| note.starts_with(&format!("{name} changes nothing in")));
    assert!(found.len() == 2 && named("dropout") && named("activation"), "{found:?}");
    let machine = |other: Dimension| {
        notes(vec![one_of("kernel", ["rbf", "linear"]), number("c", 0.1, 9.0), other], CLASSES)
    };
    let degree = Dimension::new("degree", Domain::Int { low: 2, high: 4, log: false, step: 1 });
    assert!(machine(degree)[0].starts_with("degree changes nothing in this space"));
    let gamma = machine(number("gamma", 0.1, 1.0));
    let expected =
        "gamma changes nothing where kernel is \"linear\": when = { kernel = \"rbf\" } leaves it out there";
    assert_eq!(gamma, [expected]);
}

#[test]
fn the_condition_that_leaves_it_out_is_said() {
    let momentum = || number("momentum", 0.0, 0.9);
    let found = notes(vec![one_of("optimizer", ["adam", "sgd", "lion", "rmsprop"]), momentum()], CLASSES);
    let expected = "momentum changes nothing where optimizer is \"adam\" or \"lion\": \
                    when = { optimizer = [\"sgd\", \"rmsprop\"] } leaves it out there";
    assert_eq!(found, [expected]);
    let said = momentum().when("optimizer", [text("sgd"), text("rmsprop")]);
    let found = notes(vec![one_of("optimizer", ["adam", "sgd", "lion", "rmsprop"]), said], CLASSES);
    assert_eq!(found, [""; 0]);
    let found = notes(vec![one_of("lr_schedule", ["step", "cosine"]), number("decay", 0.1, 0.9)], CLASSES);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("when = { lr_schedule = \"step\" }"), "{found:?}");
}

/// Beside some of its values a choice leaves it to others whether there is an effect; and chance looks like a cause.
#[test]
fn a_choice_is_named_only_where_it_decides() {
    let momentum = || Dimension::new("momentum", Domain::Choice(vec![Value::Float(0.0), Value::Float(0.9)]));
    let nesterov = || Dimension::new("nesterov", Domain::Choice(vec![Value::Bool(false), Value::Bool(true)]));
    let said = |found: Vec<String>| {
        found.into_iter().filter(|note| note.starts_with("nesterov")).collect::<Vec<_>>()
    };
    let found = said(notes(vec![one_of("optimizer", ["adam", "sgd"]), momentum(), nesterov()], CLASSES));
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("where optimizer is \"adam\""), "{found:?}");
    let optimizer = Dimension::new("optimizer", Domain::Fixed(text("sgd")));
    let activations = ["relu", "tanh", "gelu", "silu", "elu", "softplus", "sigmoid", "identity"];
    // Seven of eight momenta are too small for anything.
    let momenta = (0..8).map(|i| Value::Float(if i == 7 { 0.9 } else { 1e-300 * f64::from(i) }));
    let rarely = Dimension::new("momentum", Domain::Choice(momenta.collect()));
    let found = said(notes(vec![optimizer, one_of("activation", activations), rarely, nesterov()], CLASSES));
    assert_eq!(found, [""; 0]);
}

/// A condition that is there is part of the one that is said; of a single value no two trials differ.
#[test]
fn what_is_said_can_be_written() {
    let nesterov = Dimension::new("nesterov", Domain::Choice(vec![Value::Bool(false), Value::Bool(true)]));
    let momentum = Dimension::new("momentum", Domain::Choice(vec![Value::Float(0.5), Value::Float(0.9)]));
    let optimizer = || one_of("optimizer", ["sgd", "adam"]);
    let nesterov = nesterov.when("momentum", [Value::Float(0.5), Value::Float(0.9)]);
    let found = notes(vec![optimizer(), momentum.when("optimizer", [text("sgd")]), nesterov], CLASSES);
    assert_eq!(found, [""; 0], "its condition holds with sgd alone");
    let momentum = Dimension::new("momentum", Domain::Choice(vec![Value::Float(0.5), Value::Float(0.9)]));
    let nesterov = Dimension::new("nesterov", Domain::Choice(vec![Value::Bool(false), Value::Bool(true)]));
    let found = notes(vec![optimizer(), momentum, nesterov.when("momentum", [Value::Float(0.9)])], CLASSES);
    let said = found.iter().find(|note| note.starts_with("nesterov")).unwrap();
    assert!(said.contains("when = { momentum = 0.9, optimizer = \"sgd\" }"), "{said}");
    let partly = number("momentum", 0.0, 0.9).when("optimizer", [text("sgd"), text("adam")]);
    let found = notes(vec![one_of("optimizer", ["lion", "sgd", "adam"]), partly], CLASSES);
    assert!(found.len() == 1 && found[0].contains("where optimizer is \"adam\""), "{found:?}");
    assert!(found[0].contains("when = { optimizer = \"sgd\" }"), "{found:?}");
    let fixed = Dimension::new("momentum", Domain::Fixed(Value::Float(0.9)));
    assert_eq!(notes(vec![optimizer(), fixed], CLASSES), [""; 0]);
    let off = Dimension::new("nesterov", Domain::Fixed(Value::Bool(false)));
    assert_eq!(notes(vec![one_of("activation", ["relu", "tanh"]), off], CLASSES), [""; 0]);
}

/// Only the sign of what they say is seen of a step, and of a schedule only its last drop.
#[test]
fn what_is_hardly_seen_is_read() {
    let choice = |name: &str, values: [f64; 2]| {
        Dimension::new(name, Domain::Choice(values.map(Value::Float).to_vec()))
    };
    let lion = || Dimension::new("optimizer", Domain::Fixed(text("lion")));
    let betas = vec![lion(), choice("beta1", [0.9, 0.9001]), choice("beta2", [0.99, 0.9901])];
    assert_eq!(notes(betas, CLASSES), [""; 0]);
    let step = Dimension::new("lr_schedule", Domain::Fixed(text("step")));
    let late = Dimension::new("step_epochs", Domain::Int { low: 97, high: 99, log: false, step: 1 });
    assert_eq!(notes(vec![step, late], CLASSES), [""; 0]);
}

#[test]
fn spaces_without_one_have_no_note() {
    for model in MODELS {
        for task in [CLASSES, Task::Classification { class_count: 2 }, Task::Regression] {
            let space = default_space(task, 1000, 5, model);
            assert_eq!(notes(space.dimensions, task), [""; 0], "{model}");
        }
    }
    let space = vec![
        number("learning_rate", 0.001, 0.1),
        Dimension::new("width", Domain::Int { low: 2, high: 9, log: false, step: 1 }),
        Dimension::new("depth", Domain::Int { low: 0, high: 2, log: false, step: 1 }),
        one_of("activation", ["relu", "tanh"]),
        one_of("lr_schedule", ["step", "one_cycle", "constant"]),
        number("warmup_epochs", 0.0, 5.0),
        number("label_smoothing", 0.0, 0.2),
        number("weight_decay", 0.0, 0.1),
        number("epsilon", 1e-9, 1e-6),
        number("clip_norm", 0.0, 1.0),
    ];
    assert_eq!(notes(space, CLASSES), [""; 0]);
}

#[test]
fn tune_says_it_at_its_start() {
    let place = Place::new();
    place.write("study.toml", &format!("{STUDY}optimizer = [\"adam\", \"sgd\"]\nmomentum = [0.0, 0.9]\n"));
    let (_, said) = place.run("tune study.toml");
    assert!(
        said.contains("momentum changes nothing where optimizer is \"adam\": when = { optimizer = \"sgd\" }"),
        "{said}"
    );
    assert_eq!(place.run("tune study.toml --quiet --trials 7").1, "");
}
