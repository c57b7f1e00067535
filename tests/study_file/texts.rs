//! Texts of study files, read or refused.

use manytune::data::Task;
use manytune::study::plan::Plan;
use manytune::{model, search};

pub const CLASSES: Task = Task::Classification { class_count: 3 };

pub fn plan(text: &str) -> Plan {
    Plan::from_source("study.toml", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The error of a text; of kind usage.
pub fn refused(text: &str) -> String {
    let error = Plan::from_source("study.toml", text).err().unwrap_or_else(|| panic!("accepted:\n{text}"));
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

pub fn assert_refused(text: &str, parts: &[&str]) {
    let error = refused(text);
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in:\n{error}\nof:\n{text}");
    }
}

pub const DATA: &str = "[data]\npath = \"t.csv\"\ntarget = \"y\"\n";

pub fn with_space(lines: &str) -> String {
    format!("{DATA}[space]\n{lines}\n")
}

pub const SETTINGS: search::Settings = search::Settings::new(3, model::metric::Direction::Maximize);

pub const WITHIN: &str = "[data]\npath = \"t.csv\"\ntarget = \"y\"\n[search]\nconstraints = [\n  \"width * depth <= 64\",\n  'optimizer == \"sgd\" or learning_rate < 0.01',\n]\n";
pub const NARROW: &str = r#"
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

/// A plan's source reads back as the same plan.
pub fn assert_reads_back(plan: &Plan) {
    let again =
        Plan::from_source(&plan.name, &plan.source).unwrap_or_else(|e| panic!("{e}\n{}", plan.source));
    assert_eq!(again.source, plan.source);
    assert_eq!(again.space, plan.space);
    assert_eq!(again.data.split, plan.data.split);
    assert_eq!(plan.differences(&again), [""; 0]);
}
