//! Study files: what is refused and where, what is resolved, and that a plan reads back as itself.

use manytune::data::{ColumnRef, ColumnType, Scale, Task, TaskKind};
use manytune::model::hyperparameter::{self, build};
use manytune::model::metric::Direction;
use manytune::space::{Domain, Space, Value};
use manytune::study::plan::{Overrides, Plan, default_space};
use manytune::{model, schedule, search};
use proptest::prelude::*;
use std::path::Path;

const CLASSES: Task = Task::Classification { class_count: 3 };

fn plan(text: &str) -> Plan {
    Plan::from_source("study.toml", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The error of a text; of kind usage.
fn refused(text: &str) -> String {
    let error = Plan::from_source("study.toml", text).err().unwrap_or_else(|| panic!("accepted:\n{text}"));
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

fn assert_refused(text: &str, parts: &[&str]) {
    let error = refused(text);
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in:\n{error}\nof:\n{text}");
    }
}

const DATA: &str = "[data]\npath = \"t.csv\"\ntarget = \"y\"\n";

fn with_space(lines: &str) -> String {
    format!("{DATA}[space]\n{lines}\n")
}

#[test]
fn the_example_of_the_design_is_read() {
    let plan = plan(
        r#"
[data]
path = "digits.csv"
target = "label"
ignore = ["id", 3]
folds = 4
missing = ["-"]
scale = "minmax"
task = "classification"
types = { zip = "categorical" }
[model]
kind = "mlp"
[search]
strategy = "random"
trials = 512
seed = 7
objective = "log_loss"
[schedule]
kind = "none"
max_epochs = 30
patience = 5
[engine]
kind = "gpu"
device = 1
memory = "80%"
[space]
learning_rate = { log_uniform = [1e-4, 1e-1] }
label_smoothing = 0.05
hidden = [[64], [128], [128, 64], []]
activation = ["relu", "tanh", "gelu"]
optimizer = ["sgd", "adamw"]
momentum = { uniform = [0.0, 0.99], when = { optimizer = "sgd" } }
weight_decay = { log_uniform = [1e-6, 1e-1] }
dropout = { uniform = [0.0, 0.5], step = 0.1 }
batch_size = { int = [16, 256], log = true }
"#,
    );
    assert_eq!(plan.data.path, Path::new("digits.csv"));
    assert_eq!(plan.data.target, Some(ColumnRef::Name("label".into())));
    assert_eq!(plan.data.ignore, [ColumnRef::Name("id".into()), ColumnRef::Index(3)]);
    assert_eq!((plan.data.split.folds, plan.data.scale), (4, Scale::Minmax));
    assert_eq!(plan.data.task, Some(TaskKind::Classification));
    assert_eq!(plan.data.missing, ["-"]);
    assert_eq!(plan.data.column_types["zip"], ColumnType::Categorical);
    assert_eq!((plan.strategy.as_str(), plan.trials, plan.seed), ("random", Some(512), 7));
    assert_eq!((plan.objective.as_deref(), plan.max_epochs, plan.patience), (Some("log_loss"), 30, 5));
    assert_eq!((plan.engine.kind.as_str(), plan.engine.device.as_deref()), ("gpu", Some("1")));
    assert_eq!(plan.engine.memory.as_deref(), Some("80%"));
    let space = plan.space.unwrap();
    let names: Vec<&str> = space.dimensions.iter().map(|dimension| dimension.name.as_str()).collect();
    assert_eq!(names[..3], ["learning_rate", "label_smoothing", "hidden"]);
    assert_eq!(space.get("label_smoothing").unwrap().domain, Domain::Fixed(Value::Float(0.05)));
    assert_eq!(space.get("hidden").unwrap().domain.size(), Some(4));
    assert_eq!(space.get("momentum").unwrap().when[0].values, [Value::Text("sgd".into())]);
    assert_eq!(space.get("dropout").unwrap().domain.size(), Some(6));
}

#[test]
fn what_is_not_said_has_the_documented_defaults() {
    let plan = plan(DATA);
    assert_eq!(
        (plan.model.as_str(), plan.strategy.as_str(), plan.schedule.as_str()),
        ("mlp", "auto", "none")
    );
    assert_eq!((plan.trials, plan.seed, plan.max_epochs, plan.patience), (Some(100), 0, 100, 20));
    assert_eq!((plan.data.split.folds, plan.space.is_none()), (5, true));
    let grid = self::plan(&format!("{DATA}[search]\nstrategy = \"grid\""));
    assert_eq!(grid.trials, None);
}

#[test]
fn unknown_keys_are_refused_where_they_stand_with_the_nearest() {
    assert_refused("[dta]\npath = 1", &["study.toml:1:2: unknown table \"dta\"", "did you mean \"data\"?"]);
    assert_refused(
        "[data]\npath = \"a\"\n  targt = \"y\"",
        &["study.toml:3:3: unknown key of [data] \"targt\"", "\"target\""],
    );
    for (table, key, nearest) in [
        ("model", "knd", "kind"),
        ("search", "trails", "trials"),
        ("schedule", "max-epochs", "max_epochs"),
        ("engine", "devise", "device"),
    ] {
        assert_refused(
            &format!("{DATA}[{table}]\n{key} = 1"),
            &[
                "study.toml:5:1",
                &format!("unknown key of [{table}]"),
                &format!("did you mean \"{nearest}\"?"),
            ],
        );
    }
    assert_refused(
        &with_space("batch_size = 32\nlearning_rat = 0.1"),
        &["study.toml:6:1: space.learning_rat", "unknown hyperparameter", "did you mean \"learning_rate\"?"],
    );
    assert_refused(
        &with_space("dropout = { uniform = [0, 0.5], stp = 0.1 }"),
        &["study.toml:5:33", "unknown key of [space.dropout] \"stp\"", "did you mean \"step\"?"],
    );
}

#[test]
fn misspelt_names_are_refused_with_the_nearest() {
    for (line, nearest) in [
        ("[model]\nkind = \"mpl\"", "mlp"),
        ("[search]\nstrategy = \"rendom\"", "random"),
        ("[search]\nobjective = \"acuracy\"", "accuracy"),
        ("[schedule]\nkind = \"nome\"", "none"),
        ("[engine]\nkind = \"gpuu\"", "gpu"),
        ("[space]\nactivation = [\"rellu\"]", "relu"),
        ("[space]\noptimizer = { choice = [\"adam\", \"adammw\"] }", "adamw"),
        ("[space]\nclass_weight = \"balancd\"", "balanced"),
    ] {
        let text = format!("{DATA}{line}");
        assert_refused(&text, &["study.toml:5:", &format!("did you mean \"{nearest}\"?")]);
    }
    let text = "[data]\npath = \"a\"\nscale = \"standart\"";
    assert_refused(text, &["study.toml:3:9: data.scale", "did you mean \"standard\"?"]);
}

#[test]
fn values_of_the_wrong_type_or_size_are_refused_where_they_stand() {
    let cases = [
        ("[search]\ntrials = \"many\"", "study.toml:5:10: search.trials", "the string \"many\""),
        ("[search]\ntrials = 0", "5:10", "a whole number, at least 1"),
        ("[search]\ntrials = 1.5", "5:10", "the number 1.5"),
        ("[search]\nseed = -1", "5:8", "a whole number, at least 0"),
        ("[search]\nseed = 99999999999999999999", "5:8", "99999999999999999999, which is too large"),
        ("[schedule]\nmax_epochs = 0", "5:14", "from 1 to"),
        ("[schedule]\npatience = 0", "5:12", "from 1 to"),
        ("[search]\nstrategy = 3", "5:12", "grid, random, "),
        ("[model]\nkind = [\"mlp\"]", "5:8", "a list of 1"),
        ("[engine]\nmemory = 5", "5:10", "a string"),
        ("[space]\nbatch_size = 99999999999999999999", "5:14", "99999999999999999999"),
        ("[space]\nlearning_rate = 1e999", "5:17", "1e999"),
        ("[space]\nlearning_rate = nan", "5:17", "nan"),
        ("[space]\nlearning_rate = 2024-01-01", "5:17", "date"),
        ("[space]\nlearning_rate = { log_uniform = [1e-4, inf] }", "5:40", "inf"),
        ("[space]\nlearning_rate = { log_uniform = [1e-4] }", "5:33", "a range of 1 numbers"),
        ("[space]\nlearning_rate = { log_uniform = 1e-4 }", "5:33", "a list"),
        ("[space]\nlearning_rate = { count = 3 }", "5:17", "one of log_uniform, uniform, int, choice"),
        ("[space]\nlearning_rate = { uniform = [0.1, 0.2], int = [1, 2] }", "5:17", "uniform beside int"),
        (
            "[space]\nlearning_rate = { log_uniform = [0.1, 0.2], step = 0.1 }",
            "5:52",
            "step beside log_uniform",
        ),
        ("[space]\nbatch_size = { int = [16.0, 32.0] }", "5:23", "16.0"),
        ("[space]\nbatch_size = { int = [16, 32], log = 1 }", "5:38", "true or false"),
        ("[space]\nbatch_size = { int = [16, 32], step = 0 }", "5:39", "at least 1"),
        ("[space]\nbatch_size = { int = [16, 32], count = 0 }", "5:40", "from 1 to"),
        ("[space]\nhidden = [[64, 0.5]]", "5:16", "0.5"),
        ("[space]", "study.toml:4:2: space", "an empty space"),
        ("[space.momentum]\nuniform = [0, 0.9]\nwhen = 3", "6:8", "a table"),
        ("[search]\ntarget_value = \"best\"", "5:16: search.target_value", "a finite number"),
        ("[search]\nconstraints = \"width < 3\"", "5:15: search.constraints", "a list of conditions"),
        ("[search]\nconstraints = [3]", "5:16: search.constraints[0]", "a condition in quotes"),
        ("[search]\nenqueue = 3", "5:11: search.enqueue", "[[search.enqueue]]"),
        ("[search]\nenqueue = [3]", "5:12: search.enqueue[0]", "[[search.enqueue]]"),
        ("[search.enqueue]\ndropout = 0.1", "4:1: search.enqueue", "with two brackets"),
        ("[search]\nrefine = 1.5\nstrategy = \"grid\"", "5:1: search.refine", "a whole number from 0 to 20"),
        ("[search]\nrefine = 3\nstrategy = \"random\"", "5:1: search.refine", "that random does not have"),
    ];
    for (lines, place, part) in cases {
        assert_refused(&format!("{DATA}{lines}"), &[place, part]);
    }
    assert_refused("", &["study.toml:1:1", "data is missing"]);
    assert_refused("data = 3", &["study.toml:1:8", "a table"]);
    assert_refused("[data]\ntarget = \"y\"", &["study.toml:1:2", "data.path is missing"]);
    for (line, part) in [
        ("path = \"\"", "an empty path"),
        ("path = \"a\"\ntarget = -1", "the number -1"),
        ("path = \"a\"\ntarget = true", "the name of a column"),
        ("path = \"a\"\nfolds = 1", "validation = 0.2"),
        ("path = \"a\"\nfolds = 5\nvalidation = 0.2", "validation beside folds"),
        ("path = \"a\"\nvalidation = 1.0", "above 0 and below 1"),
        ("path = \"a\"\ntest = nan", "a finite number"),
        ("path = \"a\"\nignore = \"id\"", "a list"),
        ("path = \"a\"\nhas_header = \"no\"", "true or false"),
        ("path = \"a\"\nfolds = 1001", "from 2 to 1000"),
        ("path = \"a\"\nrepeats = 0", "from 1 to 1000"),
        ("path = \"a\"\n[engine]\nkind = \"cpu\"\ndevice = 0", "engine.device"),
    ] {
        assert_refused(&format!("[data]\n{line}"), &[part, "study.toml:"]);
    }
}

#[test]
fn what_is_not_toml_is_refused_where_it_breaks() {
    assert_refused("[data]\npath = \"a\"\npath = \"b\"", &["study.toml:3:1", "duplicate"]);
    assert_refused("[data]\npath = a.csv", &["study.toml:2:8"]);
    assert_refused("[data\npath = 1", &["study.toml:1:"]);
    assert_refused("[data]\npath = \"ü\u{0}\"", &["study.toml:2:10"]);
}

#[test]
fn ranges_that_hold_nothing_are_refused_where_they_stand() {
    for (line, part) in [
        ("weight_decay = { log_uniform = [0, 0.1] }", "a logarithmic range that starts at 0.0"),
        ("weight_decay = { uniform = [0.1, 0.1] }", "an empty range"),
        ("weight_decay = { uniform = [0.2, 0.1] }", "[0.1, 0.2]"),
        ("batch_size = { int = [64, 16] }", "an inverted range"),
        ("depth = { int = [0, 3], log = true }", "whole numbers from 1 on"),
        ("batch_size = []", "an empty list of choices"),
        ("batch_size = { choice = [] }", "an empty list of choices"),
        ("batch_size = [32, 64, 32]", "32 is listed twice"),
        ("dropout = { uniform = [0.0, 0.5], step = 1 }", "a step of 1.0"),
        ("batch_size = { choice = [1, 2], count = 2 }", "count beside choice"),
        ("dropout = { uniform = [0.0, 0.5], step = 1e-320 }", "at least 1e-15 of it"),
    ] {
        assert_refused(&with_space(line), &["study.toml:5:", part]);
    }
}

#[test]
fn values_out_of_the_bounds_of_their_hyperparameter_are_refused() {
    for (line, part) in [
        ("learning_rate = 0", "above 0"),
        ("learning_rate = { uniform = [-0.1, 0.1] }", "-0.1"),
        ("learning_rate = \"fast\"", "a number above 0"),
        ("dropout = [0.0, 1.0]", "below 1"),
        ("dropout = { uniform = [0.5, 1.0] }", "below 1"),
        ("beta2 = 1.0", "below 1"),
        ("batch_size = 0", "from 1 to"),
        ("batch_size = 3.5", "a whole number"),
        ("batch_size = { uniform = [16, 32] }", "{ int = [16, 32] }"),
        ("batch_size = true", "a whole number"),
        ("nesterov = 1", "true or false"),
        ("nesterov = { int = [0, 1] }", "true or false"),
        ("hidden = 64", "[[64]]"),
        ("hidden = [64, 32]", "[[64, 32]] for one network of 2 hidden layers, [[64], [32]] for a choice"),
        ("hidden = []", "[[]] has no hidden layer"),
        ("hidden = [[64, 0]]", "from 1 to 65536"),
        ("hidden = [[65537]]", "from 1 to 65536"),
        ("hidden = { int = [1, 5] }", "[[64], [128, 64]]"),
        ("depth = 65", "from 0 to 64"),
        ("width = { int = [0, 64] }", "from 1 to 65536"),
        ("epsilon = 0", "above 0"),
        ("activation = 3", "relu"),
        ("optimizer = { uniform = [0, 1] }", "adamw"),
        ("hidden = [[64]]\nwidth = 3", "width beside hidden"),
        ("depth = 2\nhidden = [[64]]", "depth beside hidden"),
    ] {
        assert_refused(&with_space(line), &["study.toml:", "space.", part]);
    }
}

#[test]
fn conditions_that_name_nothing_are_refused_where_they_stand() {
    let momentum = |when: &str| {
        with_space(&format!(
            "optimizer = [\"sgd\", \"adam\"]\nmomentum = {{ uniform = [0, 0.9], when = {{ {when} }} }}"
        ))
    };
    assert_refused(
        &momentum("optimiser = \"sgd\""),
        &["study.toml:6:43: space.momentum.when.optimiser", "did you mean \"optimizer\"?"],
    );
    assert_refused(&momentum("optimizer = \"sdg\""), &["study.toml:6:43", "[\"sgd\", \"adam\"]"]);
    assert_refused(&momentum("optimizer = []"), &["no value"]);
    assert_refused(&momentum("beta1 = 0.5"), &["unknown hyperparameter", "add beta1 to [space]"]);
    assert_refused(&momentum(""), &["study.toml:6:", "no condition"]);
    assert_refused(&momentum("momentum = 0.5"), &["continuous range"]);
}

#[test]
fn conditions_take_one_value_or_several_and_nest() {
    let space = plan(&with_space(
        r#"
nesterov = { choice = [true, false], when = { momentum = [0.5, 0.9] } }
momentum = { choice = [0, 0.5, 0.9], when = { optimizer = ["sgd", "rmsprop"] } }
optimizer = ["sgd", "adam", "rmsprop"]
beta2 = { choice = [0.99], when = { optimizer = "adam" } }
dropout = { uniform = [0, 0.5], when = { hidden = [[64]] } }
hidden = [[], [64]]
"#,
    ))
    .space
    .unwrap();
    assert_eq!(space.get("momentum").unwrap().domain.at(0), Value::Float(0.0));
    assert_eq!(space.get("dropout").unwrap().when[0].values, [Value::List(vec![64])]);
    let grid = search::find("grid").unwrap();
    // sgd and rmsprop: momentum 0, or two with two nesterov each; adam: one; each with dropout or none.
    let settings = search::Settings::new(0, Direction::Maximize);
    assert_eq!(grid.size(&space, &settings), Some((2 * 5 + 1) * (1 + 5)));
}

#[test]
fn a_linear_model_has_no_hidden_layers() {
    let linear =
        |line: &str| format!("{DATA}[model]\nkind = \"linear\"\n[space]\n{line}\nlearning_rate = 0.1");
    for line in ["hidden = [[64]]", "width = 3", "depth = 1", "activation = \"relu\"", "dropout = 0.1"] {
        assert_refused(&linear(line), &["study.toml:7:1", "linear model", "model.kind = \"mlp\""]);
    }
    let mut plan = plan(&linear("momentum = 0.5"));
    plan.settle(CLASSES, 100, 4).unwrap();
    let space = plan.space.as_ref().unwrap();
    let configuration =
        &search::create("random", &SETTINGS).unwrap().ask(space, search::Trials::default(), 0, 1).unwrap()[0];
    let (network, _) = build(configuration, CLASSES, 4, 10).unwrap();
    assert_eq!(network.layer_count(), 1);
    assert_reads_back(&plan);
}

const SETTINGS: search::Settings = search::Settings::new(3, model::metric::Direction::Maximize);

/// A plan's source reads back as the same plan.
fn assert_reads_back(plan: &Plan) {
    let again =
        Plan::from_source(&plan.name, &plan.source).unwrap_or_else(|e| panic!("{e}\n{}", plan.source));
    assert_eq!(again.source, plan.source);
    assert_eq!(again.space, plan.space);
    assert_eq!(again.data.split, plan.data.split);
    assert_eq!(plan.differences(&again), [""; 0]);
}

#[test]
fn every_settled_plan_reads_back_as_itself() {
    for text in [
        DATA.to_string(),
        format!("{DATA}validation = 0.25\ntest = 0.1\ngroup_column = 3\nhas_header = false"),
        format!("{DATA}fold_column = \"fold\\\"s \\\\ \\t\"\nmissing = [\"\", \"-\"]\nignore = [0, \"é\"]"),
        format!("{DATA}validation = 0.25\nrepeats = 3"),
        format!("{DATA}types = {{ \"a b\" = \"numeric\", c = \"boolean\" }}\nscale = \"none\""),
        format!("{DATA}[search]\nseed = 18446744073709551615\n[engine]\ndevice = \"llvm\""),
        with_space("learning_rate = { log_uniform = [1e-7, 1e-1], count = 3 }\nhidden = [[], [3]]"),
        with_space("width = { int = [1, 9], step = 2, log = true }\ndepth = 2\nnesterov = [true, false]"),
        with_space("hidden = [[64]]\ndropout = { choice = [0.5], when = { hidden = [[64]] } }"),
        format!("{DATA}[search]\ntarget_value = -1e-3\nconstraints = [\"batch_size >= 32\"]"),
        format!("{DATA}[[search.enqueue]]\nactivation = \"relu\"\n[[search.enqueue]]\ndropout = 0.25"),
        format!("{WITHIN}strategy = \"grid\"\nrefine = 2\n{NARROW}"),
    ] {
        let mut plan = plan(&text);
        assert_reads_back(&plan);
        plan.settle(CLASSES, 1000, 10).unwrap();
        assert_reads_back(&plan);
    }
}

proptest! {
    #[test]
    fn any_text_and_number_survives_the_source(
        target in "\\PC{1,12}", control in "[\\x01-\\x1f\\x7f]{0,3}",
        low in -1e6..1e6_f64, width in 1e-9..1e6_f64, share in 0.001..0.999_f64,
    ) {
        let quoted = manytune::space::quoted(&format!("{target}{control}"));
        let text = format!(
            "[data]\npath = \"t.csv\"\ntarget = {quoted}\ntypes = {{ {quoted} = \"numeric\" }}\nvalidation = {share:?}\n[space]\nlearning_rate = {{ uniform = [{:?}, {:?}] }}",
            low.abs() / 4.0 + 1e-6, low.abs() / 4.0 + width / 4.0 + 2e-6
        );
        let plan = plan(&text);
        prop_assert_eq!(&plan.data.target, &Some(ColumnRef::Name(format!("{target}{control}"))));
        assert_reads_back(&plan);
    }
}

#[test]
fn flags_override_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sub.study.toml");
    std::fs::write(&path, "\u{feff}[data]\r\npath = \"t.csv\"\r\ntarget = \"y\"\r\nvalidation = 0.2\r\n")
        .unwrap();
    let overrides = Overrides {
        target: Some("z".into()),
        trials: Some(7),
        folds: Some(3),
        strategy: Some("grid".into()),
        seed: Some(9),
        engine: Some("cpu".into()),
        target_value: Some(0.5),
        ..Overrides::default()
    };
    let plan = Plan::from_file(&path, &overrides).unwrap();
    assert_eq!(plan.target_value, Some(0.5));
    assert_eq!(plan.name, "sub.study");
    assert_eq!(plan.data.path, folder.path().join("t.csv"));
    assert_eq!(plan.data.target, Some(ColumnRef::Name("z".into())));
    assert_eq!((plan.trials, plan.seed, plan.strategy.as_str()), (Some(7), 9, "grid"));
    assert_eq!((plan.data.split.folds, plan.data.split.validation), (3, None));
    assert_eq!(plan.engine.kind, "cpu");
    for (overrides, flag) in [
        (Overrides { trials: Some(0), ..Default::default() }, "--trials"),
        (Overrides { folds: Some(1), ..Default::default() }, "--folds"),
        (Overrides { target_value: Some(f64::NAN), ..Default::default() }, "--target-value"),
        (Overrides { strategy: Some("x".into()), ..Default::default() }, "--strategy"),
        (Overrides { engine: Some("tpu".into()), ..Default::default() }, "--engine"),
        (
            Overrides { engine: Some("cpu".into()), device: Some("0".into()), ..Default::default() },
            "--device",
        ),
    ] {
        let error = Plan::from_file(&path, &overrides).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.place.starts_with(flag), "{error}");
    }
}

/// `--folds` set a column of folds aside, and the column became a feature.
#[test]
fn a_column_of_folds_stays_no_feature_when_a_flag_sets_it_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    for ignore in ["", "ignore = [\"fold\"]\n"] {
        std::fs::write(&path, format!("{DATA}{ignore}fold_column = \"fold\"\n")).unwrap();
        let plan = Plan::from_file(&path, &Overrides { folds: Some(3), ..Default::default() }).unwrap();
        assert_eq!((plan.data.split.folds, &plan.data.split.fold_column), (3, &None));
        assert_eq!(plan.data.ignore, [ColumnRef::Name("fold".into())]);
        assert_reads_back(&plan);
    }
}

/// A flag overrides the file: the processor asks for no adapter.
#[test]
fn a_flag_for_the_processor_sets_the_device_of_the_file_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.toml");
    std::fs::write(&path, format!("{DATA}[engine]\ndevice = \"llvm\"\n")).unwrap();
    let plan =
        Plan::from_file(&path, &Overrides { engine: Some("cpu".into()), ..Default::default() }).unwrap();
    assert_eq!((plan.engine.kind.as_str(), plan.engine.device), ("cpu", None));
}

#[test]
fn a_study_file_that_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let none = Overrides::default();
    let missing = Plan::from_file(&folder.path().join("no.toml"), &none).unwrap_err();
    assert_eq!(missing.exit_code(), 2);
    assert!(missing.to_string().contains("no.toml"), "{missing}");
    let latin = folder.path().join("latin.toml");
    std::fs::write(&latin, b"[data]\npath = \"caf\xe9\"").unwrap();
    let error = Plan::from_file(&latin, &none).unwrap_err();
    assert!(error.to_string().contains("latin.toml:2: not text in UTF-8"), "{error}");
    let folder_toml = folder.path().join("d.toml");
    std::fs::create_dir(&folder_toml).unwrap();
    assert!(Plan::from_file(&folder_toml, &none).unwrap_err().to_string().contains("is a folder"));
}

#[test]
fn a_data_file_needs_a_target_unless_it_has_one_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pets.csv");
    std::fs::write(&path, "name,\"age\",kind\na,1,cat\n").unwrap();
    let error = Plan::from_file(&path, &Overrides::default()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("--target <column>, one of: name, age, kind"), "{error}");
    let plan =
        Plan::from_file(&path, &Overrides { target: Some("kind".into()), ..Default::default() }).unwrap();
    assert_eq!((plan.name.as_str(), plan.data.target), ("pets", Some(ColumnRef::Name("kind".into()))));
    for (file, name) in [
        ("t10k-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte"),
        ("heart_scale", "heart_scale"),
        ("a.csv.gz", "a"),
    ] {
        let plan = Plan::from_data_file(&folder.path().join(file), &Overrides::default()).unwrap();
        assert_eq!(plan.name, name);
    }
}

#[test]
fn what_does_not_fit_the_task_is_refused_once_the_task_is_known() {
    let settled = |text: &str, task| plan(text).settle(task, 100, 4).unwrap_err().to_string();
    let error = settled(&format!("{DATA}[search]\nobjective = \"rmse\""), CLASSES);
    assert!(error.contains("study.toml:5:1: search.objective") && error.contains("accuracy"), "{error}");
    let error = settled(&format!("{DATA}[search]\nobjective = \"accuracy\""), Task::Regression);
    assert!(error.contains("rmse, mae, r2"), "{error}");
    let error = settled(&with_space("loss = [\"huber\", \"mean_squared_error\"]"), CLASSES);
    assert!(
        error.contains("study.toml:5:1: space.loss") && error.contains("allowed: cross_entropy"),
        "{error}"
    );
    let error = settled(&with_space("label_smoothing = 0.1"), Task::Regression);
    assert!(error.contains("means nothing for regression"), "{error}");
    let error = settled(&with_space("huber_delta = 0.1"), CLASSES);
    assert!(error.contains("means nothing for classification"), "{error}");
}

#[test]
fn what_changes_results_is_named_and_what_does_not_is_free() {
    let settled = |text: &str| {
        let mut plan = plan(text);
        plan.settle(CLASSES, 1000, 10).unwrap();
        plan
    };
    let before = settled(DATA);
    let free = settled(
        "[data]\npath = \"elsewhere.csv\"\ntarget = \"y\"\n[search]\ntrials = 900\nbatch = 12\ntarget_value = 0.9\n[engine]\nkind = \"cpu\"",
    );
    assert_eq!(before.differences(&free), [""; 0]);
    let now = settled(&format!(
        "{DATA}folds = 3\n[search]\nseed = 4\nobjective = \"f1\"\n[schedule]\nmax_epochs = 7"
    ));
    assert_eq!(
        before.differences(&now),
        [
            "data.folds was 5, is 3 now",
            "search.seed was 0, is 4 now",
            "search.objective was \"accuracy\", is \"f1\" now",
            "schedule.max_epochs was 100, is 7 now",
        ]
    );
    let narrow = settled(&format!(
        "{DATA}[search]\nconstraints = [\"batch_size > 32\"]\nenqueue = [{{ dropout = 0.25 }}]"
    ));
    let wide = settled(&format!("{DATA}[search]\nconstraints = [\"batch_size > 16\"]"));
    let differences = narrow.differences(&wide);
    assert_eq!(differences[0], "search.constraints was [\"batch_size > 32\"], is [\"batch_size > 16\"] now");
    assert!(differences[1].starts_with("search.enqueue was [{ activation = "), "{differences:?}");
    assert_eq!(differences.len(), 2);
    let space = |lines: &str| settled(&with_space(lines));
    let before = space("dropout = 0.1\nbatch_size = [16, 32]\nmomentum = 0.5");
    let now = space("dropout = 0.1\nbatch_size = [16, 64]\nbeta1 = 0.5");
    assert_eq!(
        before.differences(&now),
        [
            "space.batch_size was [16, 32], is [16, 64] now",
            "space.momentum is not in the space now",
            "space.beta1 is new",
        ]
    );
    let now = space("batch_size = [16, 32]\ndropout = 0.1\nmomentum = 0.5");
    assert_eq!(before.differences(&now).len(), 1);
}

#[test]
fn default_spaces_build_whatever_the_table() {
    for model in hyperparameter::MODELS {
        for task in [CLASSES, Task::Classification { class_count: 2 }, Task::Regression] {
            for (rows, features) in
                [(10, 1), (344, 9), (1500, 784), (10_000, 784), (54_000, 26), (2_000_000, 90)]
            {
                let space = default_space(task, rows, features, model);
                let checked = hyperparameter::admit(&space, model).unwrap();
                hyperparameter::check_task(&checked, task).unwrap();
                assert_eq!(space, checked);
                for configuration in search::create("random", &SETTINGS)
                    .unwrap()
                    .ask(&space, search::Trials::default(), 0, 60)
                    .unwrap()
                {
                    build(&configuration, task, features, 100).unwrap();
                }
            }
        }
    }
}

const WITHIN: &str = "[data]\npath = \"t.csv\"\ntarget = \"y\"\n[search]\nconstraints = [\n  \"width * depth <= 64\",\n  'optimizer == \"sgd\" or learning_rate < 0.01',\n]\n";
const NARROW: &str = r#"
[[search.enqueue]]
width = 16
depth = 2
[[search.enqueue]]
momentum = 0.5
[space]
width = { int = [4, 64], log = true }
depth = { int = [1, 4] }
optimizer = ["sgd", "adam"]
momentum = { uniform = [0, 0.9], when = { optimizer = "sgd" } }
learning_rate = { log_uniform = [1e-4, 1e-1] }
"#;

#[test]
fn constraints_and_enqueued_trials_are_read_with_the_space() {
    let mut plan = plan(&format!("{WITHIN}target_value = 1\n{NARROW}"));
    assert_eq!(plan.target_value, Some(1.0));
    plan.settle(CLASSES, 1000, 10).unwrap();
    let space = plan.space.as_ref().unwrap();
    assert_eq!(space.constraints.len(), 2);
    assert_eq!(plan.enqueued.len(), 2);
    assert!(plan.enqueued.iter().all(|configuration| space.contains(configuration)), "{:?}", plan.enqueued);
    assert_eq!((&plan.enqueued[0]["width"], &plan.enqueued[0]["depth"]), (&Value::Int(16), &Value::Int(2)));
    assert_eq!(plan.enqueued[1]["optimizer"], Value::Text("sgd".into()));
    let settings = plan.search_settings(Direction::Maximize);
    let found = search::create("random", &settings).unwrap().ask(space, search::Trials::default(), 2, 50);
    let found = found.unwrap();
    assert!(found.len() == 50 && found.iter().all(|configuration| space.contains(configuration)));
    for configuration in found.iter().chain(&plan.enqueued) {
        build(configuration, CLASSES, 10, 10).unwrap();
    }
    // They are a part of the seed's work: with another seed, what is left open differs.
    let seeded = |seed: u64| {
        let mut plan = self::plan(&format!("{WITHIN}seed = {seed}\n{NARROW}"));
        plan.settle(CLASSES, 1000, 10).unwrap();
        plan.enqueued
    };
    assert_ne!(seeded(1), seeded(2));
    assert_eq!(seeded(0), plan.enqueued);
}

/// The limits of the hyperparameters are known where a refined grid needs them.
#[test]
fn a_space_knows_what_its_hyperparameters_can_be() {
    let mut named = plan(&with_space("dropout = { uniform = [0.1, 0.2] }\nwidth = { int = [4, 8] }"));
    let mut default = plan(DATA);
    for plan in [&mut named, &mut default] {
        plan.settle(CLASSES, 1000, 10).unwrap();
        let dropout = plan.space.as_ref().unwrap().get("dropout").unwrap().limits;
        assert!(dropout.contains(0.0) && dropout.contains(0.99) && !dropout.contains(1.0));
        assert!(!dropout.contains(-1e-9) && !dropout.contains(f64::NAN));
    }
    let width = named.space.unwrap().get("width").unwrap().limits;
    assert!(width.contains(1.0) && !width.contains(0.0) && !width.contains(1e9));
}

#[test]
fn constraints_and_enqueued_trials_that_do_not_fit_are_refused_where_they_stand() {
    for (find, replace, place, part) in [
        (
            "width * depth <= 64",
            "width * dpth <= 64",
            "6:3: search.constraints[0]",
            "did you mean \"depth\"?",
        ),
        ("width * depth <= 64", "width * <= 64", "6:3: search.constraints[0]", "column 9"),
        ("learning_rate < 0.01", "learning_rate", "7:3: search.constraints[1]", "or of learning_rate"),
        ("learning_rate < 0.01", "lr < 0.01", "7:3: search.constraints[1]", "unknown hyperparameter \"lr\""),
        ("<= 64", "<= 3", "6:3: search.constraints[0]", "none of 10000"),
        ("depth = 2", "depth = 9", "12:1: search.enqueue[0].depth", "depth cannot be 9"),
        ("depth = 2", "detph = 2", "12:1: search.enqueue[0].detph", "did you mean \"depth\"?"),
        ("depth = 2", "depth = { int = [1, 2] }", "12:9: search.enqueue[0].depth", "a date or table"),
        (
            "depth = 2",
            "depth = 4\nlearning_rate = 0.05\noptimizer = \"adam\"",
            "10:1: search.enqueue[0]",
            "forbidden",
        ),
        (
            "momentum = 0.5",
            "momentum = 0.5\noptimizer = \"adam\"",
            "13:1: search.enqueue[1]",
            "momentum is inactive",
        ),
        ("momentum = 0.5", "width = 4.5", "14:1: search.enqueue[1].width", "width cannot be 4.5"),
    ] {
        let text = format!("{WITHIN}{NARROW}");
        assert!(text.contains(find));
        assert_refused(&text.replacen(find, replace, 1), &[&format!("study.toml:{place}"), part]);
    }
    // Over the default space they are checked once that is known.
    for (lines, part) in [
        ("constraints = [\"width < 3\"]", "study.toml:5:16: search.constraints[0]: column 1"),
        ("constraints = [\"batch_size < 3\"]", "study.toml:5:16: search.constraints[0]: none of 10000"),
        ("enqueue = [{ width = 3 }]", "study.toml:5:14: search.enqueue[0].width: unknown"),
    ] {
        let error = plan(&format!("{DATA}[search]\n{lines}")).settle(CLASSES, 1000, 10).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().starts_with(part), "{error}");
    }
}

/// Every name of every family is accepted, and every hyperparameter reads its default back.
#[test]
fn every_hyperparameter_takes_what_its_list_says() {
    let names = |line: String| plan(&with_space(&line)).space.unwrap();
    for member in model::activation::ALL {
        names(format!("activation = \"{}\"", member.name()));
    }
    for member in model::optimizer::ALL {
        let space = names(format!("optimizer = \"{}\"", member.name()));
        let configuration = space.decode(&[0.5]);
        let (_, recipe) = build(&configuration, CLASSES, 4, 10).unwrap();
        assert_eq!(recipe.optimizer.name(), member.name());
        assert_eq!(recipe.optimizer_parameters, member.defaults());
    }
    for known in hyperparameter::ALL {
        assert!(!known.help.is_empty() && !known.default.is_empty());
        // Defaults that are values, not words.
        let is_value = toml::from_str::<toml::Table>(&format!("x = {}", known.default)).is_ok();
        if is_value && known.name != "hidden" {
            names(format!("{} = {}", known.name, known.default));
        }
    }
    let empty = build(&Default::default(), Task::Regression, 4, 10).unwrap();
    assert_eq!((empty.0.hidden.as_slice(), empty.1.loss.name()), (&[64][..], "mean_squared_error"));
    let classes = build(&Default::default(), CLASSES, 4, 10).unwrap();
    assert_eq!((classes.0.output_count, classes.1.loss.name()), (3, "cross_entropy"));
}

/// Each hyperparameter reaches the number it names.
#[test]
fn a_configuration_becomes_its_network_and_recipe() {
    let text = r#"
learning_rate = 0.5
width = 7
depth = 3
activation = "gelu"
optimizer = "rmsprop"
momentum = 0.25
nesterov = true
beta1 = 0.5
beta2 = 0.75
epsilon = 0.125
weight_decay = 1
l2_penalty = 2.0
l1_penalty = 3.0
dropout = 0.375
input_dropout = 0.0625
clip_norm = 4
batch_size = 48
lr_schedule = "step"
warmup_epochs = 1.5
step_epochs = 6
decay = 0.875
initializer = "orthogonal"
loss = "huber"
huber_delta = 9
"#;
    let space: Space = plan(&with_space(text)).space.unwrap();
    let (network, recipe) = build(&space.decode(&[0.5; 24]), Task::Regression, 11, 99).unwrap();
    assert_eq!((network.input_count, network.output_count, network.hidden), (11, 1, vec![7; 3]));
    assert_eq!(network.activation.name(), "gelu");
    let numbers = recipe.optimizer_parameters;
    assert_eq!((recipe.optimizer.name(), recipe.learning_rate), ("rmsprop", 0.5));
    assert_eq!((numbers.momentum, numbers.nesterov, numbers.beta1, numbers.beta2), (0.25, true, 0.5, 0.75));
    assert_eq!((numbers.epsilon, numbers.weight_decay), (0.125, 1.0));
    assert_eq!((recipe.l2_penalty, recipe.l1_penalty, recipe.clip_norm), (2.0, 3.0, 4.0));
    assert_eq!((recipe.dropout, recipe.input_dropout, recipe.batch_size), (0.375, 0.0625, 48));
    let rates = recipe.lr_schedule_parameters;
    assert_eq!(
        (recipe.lr_schedule.name(), rates.warmup_epochs, rates.step_epochs, rates.decay),
        ("step", 1.5, 6.0, 0.875)
    );
    assert_eq!((recipe.initializer.name(), recipe.loss.name()), ("orthogonal", "huber"));
    assert_eq!((recipe.loss_parameters.huber_delta, recipe.max_epochs), (9.0, 99));
    let text = "class_weight = \"balanced\"\nlabel_smoothing = 0.25\nhidden = [[5, 3]]";
    let space = plan(&with_space(text)).space.unwrap();
    let (network, recipe) = build(&space.decode(&[0.5; 3]), CLASSES, 11, 99).unwrap();
    assert_eq!(
        (network.hidden, recipe.balanced, recipe.loss_parameters.label_smoothing),
        (vec![5, 3], true, 0.25)
    );
}

#[test]
fn every_schedule_and_strategy_may_be_named() {
    for kind in schedule::ALL {
        assert_eq!(plan(&format!("{DATA}[schedule]\nkind = \"{}\"", kind.name())).schedule, kind.name());
    }
    for kind in search::ALL {
        assert_eq!(plan(&format!("{DATA}[search]\nstrategy = \"{}\"", kind.name())).strategy, kind.name());
    }
}
