//! What is refused, and where.

use crate::texts::{CLASSES, DATA, NARROW, WITHIN, assert_refused, plan, with_space};
use manytune::data::{ColumnRef, Task};
use manytune::study::plan::{Overrides, Plan};

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
