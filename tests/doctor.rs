//! `manytune doctor`: each planted fault is named by its finding, and a healthy table names none.

mod findings;
mod wrong;

use findings::{names, scattered};
use manytune::data;
use manytune::diagnosis::{self, Patient};
use manytune::engine::cpu::CpuEngine;
use manytune::engine::{Job, Report, Snapshot};
use manytune::model::recipe::Member;
use manytune::study::plan::{Overrides, Plan};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use wrong::Wrong;

/// What a row is made of: cells after `a`, `b`, `c` and the class.
type Change<'a> = &'a dyn Fn(usize, &mut Vec<String>);

/// A table of two classes that three columns tell together, with a change to each row. `extra` names columns behind
/// those.
fn table(rows: usize, extra: &[&str], change: Change<'_>) -> String {
    let mut text = ["a", "b", "c"].iter().chain(extra).copied().collect::<Vec<_>>().join(",") + ",class\n";
    for row in 0..rows {
        let x: Vec<f64> = (0..3).map(|salt| scattered(row, salt)).collect();
        let class = if x[0] + x[1] - x[2] + 0.2 * scattered(row, 9) > 0.6 { "yes" } else { "no" };
        let mut cells: Vec<String> = x.iter().map(|x| format!("{x:.6}")).collect();
        cells.push(class.to_owned());
        change(row, &mut cells);
        writeln!(text, "{}", cells.join(",")).unwrap();
    }
    text
}

fn command(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manytune"));
    command.current_dir(folder.path());
    command
}

fn examined(text: &str, arguments: &[&str]) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), text).unwrap();
    let mut all = vec!["doctor", "t.csv", "--target", "class", "--format", "json", "--engine", "cpu"];
    all.extend(arguments);
    let output = command(&folder).args(all).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let json = serde_json::from_str(&stdout).unwrap_or_else(|error| {
        panic!("{error}: {stdout}{}", String::from_utf8_lossy(&output.stderr));
    });
    (json, output.status.code())
}

#[test]
fn healthy_tables_name_nothing() {
    let (json, code) = examined(&table(300, &[], &|_, _| {}), &[]);
    assert_eq!(names(&json, "note"), [""; 0], "{json}");
    assert_eq!(code, Some(0));
    assert_eq!(json["passed"], true);
    let all = diagnosis::data::ALL.iter().chain(diagnosis::training::ALL).count();
    assert_eq!(json["examined"].as_array().unwrap().len(), all);
    let folder = tempfile::tempdir().unwrap();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/penguins.csv");
    let output = command(&folder).args(["doctor", data, "--target", "species", "--engine", "cpu"]).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("0 errors, 0 warnings, 0 notes"), "{text}");
}

/// (what is planted, columns beside the three, what it does to a row, the finding, exit code)
type Planted<'a> = (&'static str, &'static [&'static str], Change<'a>, &'static str, i32);

#[test]
fn planted_faults_of_the_data_are_named() {
    let before_class = |cells: &mut Vec<String>, cell: String| cells.insert(3, cell);
    let copies = |row: usize, cells: &mut Vec<String>| {
        // Every fifth row is a copy of the one that stands 100 before it.
        if row >= 100 && row.is_multiple_of(5) {
            let source = table(row - 99, &[], &|_, _| {});
            *cells = source.lines().last().unwrap().split(',').map(str::to_owned).collect();
        }
    };
    let faults: &[Planted<'_>] = &[
        (
            "the target in other words",
            &["code"],
            &|_, cells| {
                let code = if cells[3] == "yes" { "A1" } else { "B7" };
                before_class(cells, code.to_owned());
            },
            "leaking_column",
            1,
        ),
        (
            "the target with noise, as a number",
            &["number"],
            &|row, cells| {
                let number = f64::from(u8::from(cells[3] == "yes")) + 0.3 * scattered(row, 5);
                before_class(cells, format!("{number:.5}"));
            },
            "leaking_column",
            1,
        ),
        ("copies of rows", &[], &copies, "rows_in_two_folds", 1),
        ("copies of rows", &[], &copies, "duplicate_rows", 1),
        (
            "copies with other labels",
            &[],
            &|row, cells| {
                copies(row, cells);
                if row >= 100 && row.is_multiple_of(5) {
                    cells[3] = if cells[3] == "yes" { "no" } else { "yes" }.to_owned();
                }
            },
            "conflicting_labels",
            1,
        ),
        (
            "times that rise",
            &["time"],
            &|row, cells| {
                before_class(cells, format!("{:.3}", row as f64 + 0.9 * scattered(row, 6)));
            },
            "index_column",
            0,
        ),
        (
            "a quantity in two units",
            &["inches"],
            &|_, cells| {
                let metres: f64 = cells[0].parse().unwrap();
                before_class(cells, format!("{:.9}", metres * 39.370_078_7));
            },
            "duplicate_columns",
            0,
        ),
        (
            "a quantity that was rounded",
            &["rounded"],
            &|_, cells| {
                let number: f64 = cells[1].parse().unwrap();
                before_class(cells, format!("{number:.2}"));
            },
            "near_duplicate_columns",
            0,
        ),
        (
            "a code for missing values",
            &[],
            &|row, cells| {
                if row == 7 {
                    cells[1] = "-999".to_owned();
                }
            },
            "outliers",
            0,
        ),
        (
            "a column that is mostly empty",
            &["rare"],
            &|row, cells| {
                let is_there = row.is_multiple_of(3);
                before_class(
                    cells,
                    if is_there { format!("{:.4}", scattered(row, 7)) } else { String::new() },
                );
            },
            "missing_values",
            0,
        ),
        (
            "values that are missing for one class",
            &["told"],
            &|row, cells| {
                let is_there = cells[3] == "yes" || row.is_multiple_of(2);
                before_class(
                    cells,
                    if is_there { format!("{:.4}", scattered(row, 8)) } else { String::new() },
                );
            },
            "missing_values",
            0,
        ),
        (
            "a class of a few rows",
            &[],
            &|row, cells| {
                if row < 8 {
                    cells[3] = "maybe".to_owned();
                }
            },
            "imbalance",
            0,
        ),
        (
            "a constant column",
            &["unit"],
            &|_, cells| before_class(cells, "kg".to_owned()),
            "left_out_columns",
            0,
        ),
    ];
    for (what, extra, change, name, code) in faults {
        let (json, found) = examined(&table(400, extra, change), &["--data-only"]);
        assert!(names(&json, "note").iter().any(|found| found == name), "{what}: {json}");
        assert_eq!(found, Some(*code), "{what}: {json}");
    }
}

/// With two columns too, and though every value stands there as often as its copies.
#[test]
fn tables_of_copies_alone_are_named() {
    let label = |row: usize| if scattered(row, 5) > 0.5 { "yes" } else { "no" };
    let cells = |row: usize, columns: usize| {
        let cells: Vec<String> = (0..columns).map(|salt| format!("{:.9}", scattered(row, salt))).collect();
        format!("{},{}\n", cells.join(","), label(row))
    };
    let joined: String = (0..2).flat_map(|_| (0..600).map(|row| cells(row, 2))).collect();
    let drawn: String = (0..3000).map(|i| cells((scattered(i, 8) * 100.0) as usize, 4)).collect();
    for (text, name) in
        [(format!("a,b,class\n{joined}"), "joined"), (format!("a,b,c,d,class\n{drawn}"), "drawn")]
    {
        let (json, code) = examined(&text, &["--data-only"]);
        let found = names(&json, "note");
        for expected in ["rows_in_two_folds", "duplicate_rows"] {
            assert!(found.iter().any(|found| found == expected), "{name}: {json}");
        }
        assert_eq!(code, Some(1), "{name}");
    }
    // Settings that were tried twelve times each, with results of their own.
    let tried = |row: usize| {
        let setting: Vec<String> = (0..3).map(|salt| format!("{:.6}", scattered(row / 12, salt))).collect();
        format!("{},{}\n", setting.join(","), label(row))
    };
    let tried: String = (0..600).map(tried).collect();
    let (json, code) = examined(&format!("a,b,c,class\n{tried}"), &["--data-only"]);
    assert_eq!((names(&json, "note"), code), (vec!["duplicate_columns".to_owned()], Some(0)), "{json}");
    // Few values, with any label: chance alone makes such rows equal.
    let few: String = (0..600).map(|row| format!("{},{},{}\n", row % 20, row / 20 % 3, label(row))).collect();
    assert_eq!(names(&examined(&format!("a,b,class\n{few}"), &["--data-only"]).0, "note"), [""; 0]);
}

#[test]
fn shuffled_labels_leave_nothing_to_learn() {
    let shuffled = table(400, &[], &|row, cells| {
        cells[3] = if scattered(row, 77) > 0.5 { "yes" } else { "no" }.to_owned();
    });
    let (json, code) = examined(&shuffled, &[]);
    assert_eq!(names(&json, "note"), ["no_signal"], "{json}");
    assert_eq!(code, Some(0), "it is a warning");
}

/// The same of values: those of other rows are noise, their own are not.
#[test]
fn values_of_other_rows_leave_nothing_to_learn() {
    let valued = |shift: usize| {
        table(400, &[], &|row, cells| {
            let of = |salt| scattered((row + shift * row) % 400, salt);
            cells[3] = format!("{:.4}", 10.0 + 3.0 * of(0) - 2.0 * of(1) * of(2) + 0.2 * scattered(row, 9));
        })
    };
    assert_eq!(names(&examined(&valued(0), &[]).0, "note"), [""; 0]);
    assert_eq!(names(&examined(&valued(36), &[]).0, "note"), ["no_signal"]);
}

#[test]
fn findings_say_where_why_and_what_to_try() {
    let folder = tempfile::tempdir().unwrap();
    let leaking = table(200, &["<img src=x>"], &|_, cells| cells.insert(3, cells[3].clone()));
    std::fs::write(folder.path().join("t.csv"), leaking).unwrap();
    let doctor = ["doctor", "t.csv", "--target", "class", "--data-only"];
    let output = command(&folder).args(doctor).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in
        ["error", "leaking_column", "column <img src=x>", "why:", "try: ignore = [\"<img src=x>\"]", "line 3"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    // The same in brief where the study begins, which goes on.
    let tune = ["tune", "t.csv", "--target", "class", "--trials", "1", "--engine", "cpu"];
    let output = command(&folder).args(tune).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("error (leaking_column): column <img src=x>: "), "{text}");
    let output = command(&folder).args(tune).arg("--quiet").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
}

/// A note that stood before a warning was called one, and the cause of the first finding was given for all.
#[test]
fn each_finding_has_its_own_severity_and_cause() {
    let folder = tempfile::tempdir().unwrap();
    // The first column tells by what is missing (a note), the second is mostly empty (a warning).
    let text = table(400, &["told", "rare"], &|row, cells| {
        let is_told = cells[3] == "yes" || row.is_multiple_of(2);
        let rare = if row.is_multiple_of(3) { format!("{:.4}", scattered(row, 7)) } else { String::new() };
        let told = if is_told { format!("{:.4}", scattered(row, 8)) } else { String::new() };
        cells.splice(3..3, [told, rare]);
    });
    std::fs::write(folder.path().join("t.csv"), text).unwrap();
    let doctor = ["doctor", "t.csv", "--target", "class", "--data-only"];
    let text = String::from_utf8(command(&folder).args(doctor).output().unwrap().stdout).unwrap();
    for line in ["note     missing_values", "warning                          column rare"] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
    assert_eq!(text.matches("why: ").count(), 2, "{text}");
}

#[test]
fn bad_input_is_refused_as_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), table(60, &[], &|_, _| {})).unwrap();
    for (arguments, code) in [
        (&["doctor", "none.csv", "--target", "class"][..], 3),
        (&["doctor", "t.csv"], 2),
        (&["doctor", "t.csv", "--target", "klass"], 3),
        (&["doctor", "t.csv", "--target", "class", "--folds", "100"], 3),
        (&["doctor", "t.csv", "--target", "class", "--engine", "cpu", "--device", "0"], 2),
    ] {
        let output = command(&folder).args(arguments).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// What is wrong with an engine, given what it is opened on.
#[derive(Clone, Copy)]
struct Fault {
    /// Changes what is trained.
    member: fn(&mut Member),
    /// Changes a state, of so many members that were admitted.
    snapshot: fn(&mut Snapshot, usize),
    /// Changes a report, given the first number of the table's last row.
    report: fn(&mut Report, f32),
}

const NONE: Fault = Fault { member: |_| {}, snapshot: |_, _| {}, report: |_, _| {} };

/// A fault of an engine that was opened on a table whose last number is this.
struct On {
    fault: Fault,
    last: f32,
}

impl wrong::Fault for On {
    fn member(&self, member: &mut Member) {
        (self.fault.member)(member);
    }
    fn snapshot(&self, _: &Member, snapshot: &mut Snapshot, admitted: usize) {
        (self.fault.snapshot)(snapshot, admitted);
    }
    fn report(&self, _: &Member, report: &mut Report) {
        (self.fault.report)(report, self.last);
    }
}

fn found_with(fault: Fault, path: &Path) -> Vec<&'static str> {
    let overrides = Overrides { target: Some("class".to_owned()), ..Overrides::default() };
    let mut plan = Plan::from_file(path, &overrides).unwrap();
    let table = data::load(&plan.data).unwrap();
    let prepared = data::prepare(&table, &plan.data, plan.seed).unwrap();
    let dataset = &prepared.dataset;
    plan.settle(dataset.task, dataset.row_count(), dataset.feature_count).unwrap();
    let open = |job: Job| {
        let last = job.dataset.features[job.dataset.features.len() - 1];
        Ok(Wrong::boxed(CpuEngine::new(job, Some(2))?, On { fault, last }))
    };
    let patient = Patient::new(&plan, &table, &prepared, &open);
    let examined = diagnosis::examine(diagnosis::training::ALL, &patient).unwrap();
    examined.iter().flat_map(|one| &one.findings).map(|finding| finding.name).collect()
}

#[test]
fn faults_of_what_trains_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, table(300, &[], &|_, _| {})).unwrap();
    assert_eq!(found_with(NONE, &path), [""; 0]);
    let member = |change: fn(&mut Member)| Fault { member: change, ..NONE };
    let faults: &[(&str, &str, Fault)] = &[
        ("nothing moves", "tiny_set", member(|m| m.recipe.learning_rate = 0.0)),
        (
            "one optimizer that does nothing",
            "tiny_set",
            member(|m| {
                if m.recipe.optimizer.name() == "sgd" {
                    m.recipe.learning_rate = 0.0;
                }
            }),
        ),
        ("a penalty whatever is said", "tiny_set", member(|m| m.recipe.l2_penalty = 3.0)),
        (
            "initial losses far off",
            "initial_loss",
            Fault {
                report: |report, _| report.evaluation.iter_mut().for_each(|scores| scores.loss_sum *= 10.0),
                ..NONE
            },
        ),
        (
            "outputs that depend on another row",
            "row_leakage",
            Fault {
                report: |report, last| {
                    let outputs = report.evaluation.as_mut().and_then(|scores| scores.outputs.as_mut());
                    outputs.into_iter().flatten().for_each(|x| *x += 1e-3 * last);
                },
                ..NONE
            },
        ),
        (
            "weights that depend on company",
            "member_leakage",
            Fault {
                snapshot: |snapshot, admitted| {
                    if admitted > 1 {
                        snapshot.parameters[0] += 1e-6;
                    }
                },
                ..NONE
            },
        ),
        (
            "labels that nothing learns",
            "no_signal",
            Fault {
                report: |report, _| report.evaluation.iter_mut().for_each(|scores| scores.correct.fill(0)),
                ..NONE
            },
        ),
    ];
    for (what, name, fault) in faults {
        let found = found_with(*fault, &path);
        assert!(found.contains(name), "{what}: {found:?}");
    }
}
