//! The shaders on a second implementation of Vulkan, SwiftShader, which Chromium brings along: its compiler shares
//! nothing with Mesa's, so that what passes on both does not hang on the habits of one.

#![cfg(target_os = "linux")]

mod browser;
mod cli;
mod common;

use browser::Browser;
use cli::Place;
use serde_json::Value;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "vk_swiftshader_icd.json";
/// What the variable of the Vulkan loader is called that names the drivers: now, and before 2022.
const VARIABLES: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// Where Chromium keeps the driver; `None` where it has none, unless `MANYTUNE_REQUIRE_GPU` is 1: then that is a failure.
fn manifest() -> Option<PathBuf> {
    let program = std::fs::canonicalize(Browser::program()).unwrap_or_default();
    let beside = program.parent().map(PathBuf::from);
    let usual = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"].map(PathBuf::from);
    let found =
        beside.into_iter().chain(usual).map(|folder| folder.join(MANIFEST)).find(|path| path.is_file());
    if found.is_none() {
        common::skip(MANIFEST);
    }
    found
}

/// What a command prints with this driver alone.
fn run_with(place: &Place, driver: &Path, arguments: &str) -> String {
    let mut command = place.command(arguments);
    for variable in VARIABLES {
        command.env(variable, driver);
    }
    String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap()
}

#[test]
fn the_shaders_pass_their_checks() {
    let Some(driver) = manifest() else { return };
    let text = run_with(&Place::new(), &driver, "gradcheck --quick --engine gpu --device swiftshader");
    let last = text.lines().last().unwrap();
    assert!(last.contains("checks passed on gpu, SwiftShader"), "{last}");
}

/// Trial by trial, up to rows whose class hangs on rounding.
#[test]
fn a_study_comes_to_what_it_comes_to_on_the_processor() {
    let Some(driver) = manifest() else { return };
    let place = Place::new();
    place.run("tune study.toml --quiet");
    run_with(&place, &driver, "tune study.toml --engine gpu --device swiftshader --quiet --out runs/there");
    let board = |run: &str| -> Value {
        serde_json::from_str(&place.run(&format!("show runs/{run} --format json")).0).unwrap()
    };
    let (here, there) = (board("study"), board("there"));
    assert!(there["device"].as_str().unwrap().contains("SwiftShader"), "{}", there["device"]);
    let value = |board: &Value, number: &Value| {
        let trials = board["trials"].as_array().unwrap();
        trials.iter().find(|trial| trial["number"] == *number).unwrap()["value"].as_f64().unwrap()
    };
    let trials = here["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 6);
    for trial in trials {
        let (expected, found) = (trial["value"].as_f64().unwrap(), value(&there, &trial["number"]));
        assert!((found - expected).abs() < 0.01, "trial {}: {found} for {expected}", trial["number"]);
    }
}
