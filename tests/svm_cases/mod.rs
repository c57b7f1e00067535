//! The kernel machines of LIBSVM that `tests/reference/make_svm.py` stores, and how near to them one must come.

use manytune::model::svm::kernel;
use manytune::model::svm::settings::{Gamma, Settings};
use serde_json::Value;

/// A thousandth of a thousandth more than LIBSVM's own stopping rule leaves open.
pub const RHO_TOLERANCE: f64 = 1e-3;
pub const OBJECTIVE_TOLERANCE: f64 = 1e-4;

pub fn reference() -> Value {
    serde_json::from_str(include_str!("../reference/svm.json")).unwrap()
}

pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

pub fn settings(case: &Value) -> Settings {
    let settings = &case["settings"];
    let number = |name: &str| settings[name].as_f64().unwrap();
    Settings {
        kernel: kernel::find(settings["kernel"].as_str().unwrap()).unwrap(),
        gamma: Gamma::Value(number("gamma")),
        coef0: number("coef0"),
        degree: number("degree") as u32,
        c: number("c"),
        epsilon: number("epsilon"),
        balanced: settings["balanced"].as_bool().unwrap(),
        probabilities: false,
    }
}
