//! Plans: settled, read back, overridden by flags, compared.

use crate::texts::{CLASSES, DATA, NARROW, SETTINGS, WITHIN, assert_reads_back, plan, with_space};
use manytune::data::{ColumnRef, Task};
use manytune::model::hyperparameter::{self, build};
use manytune::search;
use manytune::study::plan::{Overrides, Plan, default_space};
use proptest::prelude::*;

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
