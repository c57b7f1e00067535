//! `manytune bench` as a user or a script meets it, and that it prints no time of what is wrong.

mod cli;
mod wrong;

use cli::Place;
use manytune::benchmark::workload::{self, Workload};
use manytune::benchmark::{Bench, RealJob, Settings};
use manytune::engine::ceiling::{Ceilings, Spread};
use manytune::engine::cpu::CpuEngine;
use manytune::engine::{Engine, Job, Report, Snapshot};
use manytune::error::{ErrorKind, Result};
use manytune::model::recipe::Member;
use manytune::study::plan::Overrides;
use safetensors::SafeTensors;
use serde_json::Value;
use std::cell::Cell;
use std::fs;
use wrong::Wrong;

/// Runs as short as can be.
const SHORT: &str = "--rounds 2 --seconds 0.01 --quiet";

fn rows(place: &Place, arguments: &str) -> Vec<Value> {
    let (text, _) = place.run(&format!("bench {arguments} {SHORT} --format json"));
    serde_json::from_str::<Value>(&text).unwrap().as_array().unwrap().clone()
}

fn assert_is_a_result(row: &Value, engine: &str, workload: &str, members: u64) {
    assert_eq!(row["engine"], engine);
    assert_eq!(row["workload"], workload);
    assert_eq!(row["members"], members);
    assert!(!row["device"].as_str().unwrap().is_empty());
    for key in ["config_steps_per_s", "samples_per_s", "gflops", "percent_of_roofline", "seconds"] {
        let number = |end: &str| row[format!("{key}{end}")].as_f64().unwrap();
        let (min, median, max) = (number("_min"), number(""), number("_max"));
        assert!(0.0 < min && min <= median && median <= max, "{key} of {row}");
    }
    for key in ["peak_gflops", "copy_gb_per_s", "first_result_seconds", "microseconds_per_config_step"] {
        assert!(row[key].as_f64().unwrap() > 0.0, "{key} of {row}");
    }
    assert!(["compute", "memory", "both"].contains(&row["roof"].as_str().unwrap()));
}

#[test]
fn every_workload_has_its_row_and_old_results_are_compared() {
    let place = Place::new();
    let found = rows(&place, "--engine cpu --workload w1 --members 4");
    assert_eq!(found.len(), 1);
    assert_is_a_result(&found[0], "cpu", "W1", 4);
    let number = |key: &str| found[0][key].as_f64().unwrap();
    // 32 rows a step, and (6·576 − 2·512)·32 operations.
    assert!((number("samples_per_s") / number("config_steps_per_s") - 32.0).abs() < 1e-6);
    assert!((number("gflops") * 1e9 / number("config_steps_per_s") - 77_824.0).abs() < 1e-3);
    assert!(number("worst_difference") < 1e-5);

    // Twice as fast as results that are half as fast.
    let mut old = found[0].clone();
    old["config_steps_per_s"] = (number("config_steps_per_s") / 1000.0).into();
    place.write("old.json", &Value::Array(vec![old.clone()]).to_string());
    let again = rows(&place, "--engine cpu --workload W1,W4 --members 4 --compare old.json");
    let ratio = again[0]["ratio"].as_f64().unwrap();
    assert!(ratio > 100.0 && ratio < 10_000.0, "{ratio}");
    assert_is_a_result(&again[1], "cpu", "W4", 4);
    assert!(again[1]["ratio"].is_null());
    assert!(again[1]["not_compared"].as_str().unwrap().contains("not in the old results"));

    let other =
        place.command(&format!("bench --engine cpu --workload W1 --members 3 --compare old.json {SHORT}"));
    let output = { other }.output().unwrap();
    let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text.contains("config-steps/s") && text.contains("not compared: 3 members now, 4 then"),
        "{text}"
    );
    assert!(error.contains("nothing can be compared"), "{error}");
}

#[test]
fn what_cannot_be_measured_is_refused_before_any_time_is_spent() {
    let place = Place::new();
    place.write("cut.json", "[{\"workload\": \"W1\",");
    place.write("old.json", "[{\"workload\": \"W1\", \"engine\": \"cpu\"}]");
    place.write(
        "w2.json",
        r#"[{"workload":"W2","engine":"cpu","device":"x","members":4,"config_steps_per_s":2.0}]"#,
    );
    for (arguments, parts) in [
        ("--workload W9", &["unknown workload \"W9\"", "W1, W2, W3, W4, W7, all", "did you mean"][..]),
        ("--workload tiny", &["unknown workload", "allowed"]),
        ("--members 0", &["--members: 0", "at least 1"]),
        ("--rounds 0", &["--rounds: 0", "at least 1"]),
        ("--seconds -1", &["--seconds: -1", "above 0"]),
        ("--seconds nan", &["--seconds: NaN", "above 0"]),
        ("--compare none.json", &["none.json", "cannot be read"]),
        ("--compare cut.json", &["cut.json:1:", "not JSON"]),
        ("--compare old.json", &["old.json", "result 0 has no \"device\""]),
        ("--workload W1 --compare w2.json", &["has none of W1", "W2"]),
        ("--curve --workload W7", &["W7", "W1, W2, W3, W4"]),
        ("--plan tiled --workload W7", &["--plan", "W7", "W1, W2, W3, W4"]),
        ("--engine cpu --device 0", &["uses none"]),
        (
            "--engine cpu --plan resident",
            &["--plan", "resident beside the engine cpu", "gpu and auto", "--engine gpu"],
        ),
        ("--engine cpu --plan tiled --workload W1", &["tiled beside the engine cpu"]),
        ("study.toml --plan tiled", &["tiled beside the engine cpu"]),
        ("--engine tpu", &["auto, gpu, cpu"]),
        ("--memory lots", &["--memory", "512MiB"]),
        ("study.toml --workload W1", &["cannot be used with"]),
        ("penguins.csv", &["--target", "species"]),
    ] {
        let error = place.fail(&format!("bench {arguments}"), 2);
        parts
            .iter()
            .for_each(|part| assert!(error.contains(part), "{arguments}: {part:?} is not in {error}"));
    }
}

/// `auto` falls back to the processor where there is no real graphics device, and that has one way to train.
#[test]
fn a_plan_is_said_to_have_no_effect_where_auto_falls_back() {
    let place = Place::new();
    let short = "--workload W1 --members 2 --rounds 1 --seconds 0.01";
    let (_, notes) = place.run(&format!("bench --plan tiled {short}"));
    assert!(notes.contains("engine "), "which engine it is: {notes}");
    let is_said = notes.contains("--plan tiled has no effect");
    assert_eq!(is_said, notes.contains("engine cpu"), "{notes}");
    let (_, notes) = place.run(&format!("bench {short}"));
    assert!(!notes.contains("--plan"), "{notes}");
}

#[test]
fn members_that_do_not_fit_are_refused_or_left_out() {
    let place = Place::new();
    let error =
        place.fail(&format!("bench --engine cpu --workload W1 --members 64 --memory 1MiB {SHORT}"), 4);
    for part in ["64 members do not fit", "--members ", "--memory"] {
        assert!(error.contains(part), "{error}");
    }
    // Of a customary number, as many as fit.
    let found = rows(&place, "--engine cpu --workload W1 --memory 1MiB");
    assert!((8..64).contains(&found[0]["members"].as_u64().unwrap()), "{}", found[0]);
}

#[test]
fn a_curve_has_a_row_for_each_number_of_members() {
    let place = Place::new();
    let found = rows(&place, "--engine cpu --workload W1 --curve --members 10");
    let members: Vec<u64> = found.iter().map(|row| row["members"].as_u64().unwrap()).collect();
    assert_eq!(members, [1, 4, 10]);
    found.iter().zip(members).for_each(|(row, members)| assert_is_a_result(row, "cpu", "W1", members));
}

#[test]
fn a_study_of_the_users_own_is_timed() {
    let place = Place::new();
    let found = rows(&place, "study.toml --members 5");
    assert_is_a_result(&found[0], "cpu", "study", 5);
    let (text, _) =
        place.run(&format!("bench penguins.csv --target species --engine cpu --members 4 {SHORT}"));
    assert!(text.contains("penguins") && text.contains("passed"), "{text}");
}

#[test]
fn the_gpu_engine_is_timed() {
    let devices = manytune::engine::devices();
    let Some(device) = devices.iter().min_by_key(|device| (device.software, device.index)) else {
        assert!(std::env::var("MANYTUNE_REQUIRE_GPU").is_err(), "this machine has no graphics adapter");
        return;
    };
    let arguments = format!("--engine gpu --device {} --workload W1 --members 4", device.index);
    let found = rows(&Place::new(), &arguments);
    assert_is_a_result(&found[0], "gpu", "W1", 4);
    assert_eq!(found[0]["device"], device.name);
}

#[test]
fn exported_files_hold_all_that_a_peer_needs() {
    let place = Place::new();
    let (paths, _) = place.run("bench --engine cpu --workload W1,W4 --members 4 --export to/peers --quiet");
    assert_eq!(paths.lines().count(), 4, "{paths}");
    for name in ["W1", "W4"] {
        let facts: Value = serde_json::from_str(&place.read(&format!("to/peers/{name}.json"))).unwrap();
        let bytes = fs::read(place.path(&format!("to/peers/{name}.safetensors"))).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let shape = |tensor: &str| tensors.tensor(tensor).unwrap().shape().to_vec();
        let number = |key: &str| facts[key].as_u64().unwrap() as usize;
        let (rows, features, classes) = (number("rows"), number("features"), number("classes"));
        let epochs = number("compared_epochs");
        let members = facts["members"].as_array().unwrap();
        assert_eq!((facts["workload"].as_str(), members.len()), (Some(name), 4));
        assert_eq!((shape("features"), shape("classes")), (vec![rows, features], vec![rows]));
        assert_eq!(shape("losses"), [epochs, 4]);
        let losses: Vec<f32> = bytemuck::pod_collect_to_vec(tensors.tensor("losses").unwrap().data());
        assert!(losses.iter().all(|loss| loss.is_finite() && *loss > 0.0));
        let found: Vec<u32> = bytemuck::pod_collect_to_vec(tensors.tensor("classes").unwrap().data());
        assert!((0..classes as u32).all(|class| found.contains(&class)));
        for member in members {
            let batch = member["batch_size"].as_u64().unwrap() as usize;
            assert_eq!(member["steps_per_epoch"].as_u64().unwrap() as usize * batch, rows);
            assert!(member["learning_rate"].as_f64().unwrap() > 0.0);
            let order: Vec<u32> =
                bytemuck::pod_collect_to_vec(tensors.tensor(&format!("batches_{batch}")).unwrap().data());
            assert_eq!(order.len(), epochs * rows);
            let mut first = order[..rows].to_vec();
            assert_ne!(first, order[rows..2 * rows]);
            first.sort_unstable();
            assert!(first.into_iter().eq(0..rows as u32), "an epoch is every row once");
            let hidden =
                member["hidden"].as_array().unwrap().iter().map(|units| units.as_u64().unwrap() as usize);
            let units: Vec<usize> = [features].into_iter().chain(hidden).chain([classes]).collect();
            let name = units.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
            for (layer, pair) in units.windows(2).enumerate() {
                assert_eq!(shape(&format!("weights_{name}_{layer}")), pair);
                assert_eq!(shape(&format!("bias_{name}_{layer}")), pair[1..]);
            }
        }
        let optimizers: Vec<&str> =
            members.iter().map(|member| member["optimizer"].as_str().unwrap()).collect();
        assert_eq!(
            optimizers.iter().filter(|name| **name == "sgd").count(),
            if name == "W4" { 2 } else { 0 }
        );
    }
}

#[test]
fn the_exported_real_job_is_the_study_that_runs() {
    let place = Place::new();
    place.run("bench --engine cpu --workload W7 --members 10 --export peers --quiet");
    let facts: Value = serde_json::from_str(&place.read("peers/W7.json")).unwrap();
    let configurations = facts["configurations"].as_array().unwrap();
    assert_eq!((configurations.len(), facts["epochs"].as_u64()), (2, Some(10)));
    for one in configurations {
        let hidden = one["hidden"].as_array().unwrap();
        assert!((2..=4).contains(&hidden.len()));
        assert!(hidden.iter().all(|units| (64..=256).contains(&units.as_u64().unwrap())));
        assert_eq!((one["batch_size"].as_u64(), one["optimizer"].as_str()), (Some(256), Some("adam")));
        let [alpha, penalty] = ["alpha", "l2_penalty"].map(|key| one[key].as_f64().unwrap());
        assert!((alpha / penalty - 256.0).abs() < 1e-9);
    }
    let table = place.read("peers/W7.csv");
    assert_eq!(table.lines().count(), 10_001);
    assert!(table.lines().all(|line| line.split(',').count() == 101));
    let label = |row: &Value| table.lines().nth(1 + row.as_u64().unwrap() as usize).unwrap().ends_with("yes");
    let folds = facts["folds"].as_array().unwrap();
    assert_eq!(folds.len(), 5);
    let mut seen = vec![0; 10_000];
    for fold in folds {
        let [train, validation] = ["train", "validation"].map(|key| fold[key].as_array().unwrap());
        assert_eq!((train.len(), validation.len()), (8_000, 2_000));
        validation.iter().for_each(|row| seen[row.as_u64().unwrap() as usize] += 1);
        let yes = train.iter().step_by(80).filter(|row| label(row)).count();
        assert!((20..80).contains(&yes), "{yes} of 100");
    }
    assert!(seen.iter().all(|count| *count == 1), "every row validates once");
}

/// A CPU engine whose losses are off by a factor, from an epoch on.
#[derive(Clone, Copy)]
struct Off {
    factor: f64,
    from: u32,
}

impl wrong::Fault for Off {
    fn report(&self, _: &Member, report: &mut Report) {
        if report.id == 3 && report.epoch >= self.from {
            report.train_loss *= self.factor;
        }
    }
    fn snapshot(&self, _: &Member, snapshot: &mut Snapshot, _: usize) {
        // Of a study, one step is verified: of its parameters.
        snapshot.m.iter_mut().for_each(|m| *m *= self.factor as f32);
    }
    fn ceilings(&self) -> Option<Ceilings> {
        let exactly = |value| Spread { median: value, min: value, max: value };
        Some(Ceilings { peak: exactly(1e11), copy: exactly(1e10), on_chip: 1 << 20 })
    }
}

/// What becomes of a benchmark of an engine that is wrong by a factor, from an epoch on.
fn with_fault<T>(factor: f64, from: u32, measure: impl FnOnce(&Bench<'_>) -> Result<T>) -> Result<T> {
    let open = |job: Job| -> Result<Box<dyn Engine>> {
        Ok(Wrong::boxed(CpuEngine::new(job, Some(2))?, Off { factor, from }))
    };
    measure(&Bench {
        open: &open,
        overrides: Overrides { engine: Some("cpu".to_owned()), ..Overrides::default() },
        memory: None,
        settings: Settings { members: Some(4), rounds: 1, seconds: 0.01 },
        say: &|_| (),
        stopped: &|| false,
        ceilings: Cell::default(),
    })
}

#[test]
fn nothing_is_timed_that_does_not_match_the_reference() {
    let tiny: &Workload = &workload::ALL[0];
    assert!(with_fault(1.0, 1, |bench| bench.workload(tiny)).is_ok());
    for (factor, from) in [(1.001, 1), (0.999, 2), (f64::NAN, 2)] {
        let error = with_fault(factor, from, |bench| bench.workload(tiny)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Check, "{error}");
        for part in ["member 3", "nothing is timed", "--gradcheck"] {
            assert!(error.to_string().contains(part), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let exported = with_fault(factor, from, |bench| bench.export(tiny, folder.path()));
        assert_eq!(exported.unwrap_err().kind, ErrorKind::Check);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "wrong losses were exported");
    }
    let place = Place::new();
    let plan = || manytune::study::plan::Plan::from_file(&place.path("study.toml"), &Overrides::default());
    assert!(with_fault(1.0, 1, |bench| bench.study(plan()?)).is_ok());
    let error = with_fault(1.01, 1, |bench| bench.study(plan()?)).unwrap_err();
    assert_eq!(
        (error.kind, error.to_string().contains("nothing is timed")),
        (ErrorKind::Check, true),
        "{error}"
    );
}

#[test]
fn a_small_real_job_runs_to_its_leaderboard() {
    let job = RealJob { row_count: 300, trials: 2, folds: 2 };
    let record = with_fault(1.0, 1, |bench| bench.real_job(&job)).unwrap();
    let row = record.to_json();
    assert_is_a_result(&row, "cpu", "W7", 4);
    assert_eq!((row["early_stopping"].as_bool(), row["epochs"].as_u64()), (Some(false), Some(10)));
    // 150 rows are one short minibatch: 2 trials × 2 folds × 10 epochs are 40 steps.
    let steps = row["config_steps_per_s"].as_f64().unwrap() * row["seconds"].as_f64().unwrap();
    assert!((steps - 40.0).abs() < 1e-6, "{steps}");
}
