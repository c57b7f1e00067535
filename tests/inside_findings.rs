//! What goes on inside models, as the doctor says it of a study: each planted fault is named, a healthy study names none.

mod cli;
mod findings;

use cli::Place;
use findings::{assert_says, named, scattered};
use serde_json::Value;
use std::fmt::Write;

/// What this is about.
const NAMES: [&str; 6] = [
    "dead_units",
    "saturation",
    "vanishing_gradients",
    "exploding_gradients",
    "update_ratio",
    "rarely_updated",
];

/// Two classes that a curved line tells, nearly; one column of names beside three of numbers.
fn table(rows: usize, size: f64, names: usize) -> String {
    let mut text = "x0,x1,x2,name,y\n".to_owned();
    for row in 0..rows {
        let x: Vec<f64> = (0..3).map(|salt| 10.0 * scattered(row, salt)).collect();
        let class =
            if x[0] + 0.1 * x[1] * x[1] - x[2] + 2.0 * scattered(row, 9) > 4.0 { "yes" } else { "no" };
        let name = (scattered(row, 5) * names as f64) as usize;
        let cells: Vec<String> = x.iter().map(|x| format!("{:.5}", size * x)).collect();
        writeln!(text, "{},n{name},{class}", cells.join(",")).unwrap();
    }
    text
}

/// What is found inside a study: by name.
fn found(table: &str, data: &str, rest: &str) -> Vec<Value> {
    let place = Place::new();
    place.write("t.csv", table);
    let head = format!(
        "[data]\npath = \"t.csv\"\ntarget = \"y\"\nfolds = 3\n{data}\n[search]\nstrategy = \"random\"\n"
    );
    place.write("s.toml", &format!("{head}{rest}\n[engine]\nkind = \"cpu\"\n"));
    place.run("tune s.toml --quiet --out run");
    let output = place.command("doctor run --format json").output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    findings.filter(|finding| NAMES.contains(&finding["name"].as_str().unwrap())).cloned().collect()
}

#[test]
fn a_healthy_study_has_nothing_of_it() {
    let findings = found(
        &table(300, 1.0, 3),
        "",
        "trials = 12\n[schedule]\nmax_epochs = 20\n[space]\nlearning_rate = { log_uniform = [2e-3, 2e-2] }\n\
         hidden = [[16], [16, 8]]\nactivation = [\"relu\", \"tanh\", \"gelu\"]\nbatch_size = 16\n",
    );
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn rectifiers_that_a_learning_rate_has_killed_are_named_with_the_rates_that_do_it() {
    let findings = found(
        &table(300, 1.0, 3),
        "",
        "trials = 16\n[schedule]\nmax_epochs = 8\n[space]\nlearning_rate = { log_uniform = [3e-3, 10.0] }\n\
         hidden = [[16, 16]]\nactivation = \"relu\"\noptimizer = \"adam\"\nbatch_size = 16\n",
    );
    let finding = named(&findings, "dead_units");
    assert_eq!(finding["severity"], "warning");
    assert_says(finding, "where", "learning_rate from ");
    assert_says(finding, "try", "leaky_relu");
}

#[test]
fn tanh_of_inputs_that_are_not_scaled_is_saturated() {
    let findings = found(
        &table(300, 100.0, 3),
        "scale = \"none\"",
        "trials = 8\n[schedule]\nmax_epochs = 4\n[space]\nlearning_rate = { log_uniform = [1e-4, 1e-3] }\n\
         hidden = [[16]]\nactivation = [\"tanh\", \"sigmoid\"]\nbatch_size = 16\n",
    );
    let finding = named(&findings, "saturation");
    assert_eq!(finding["severity"], "warning");
    assert_says(finding, "seen", "8 of 8 trials");
    assert_says(finding, "try", "scale = \"standard\"");
}

#[test]
fn gradients_that_fade_through_many_sigmoids_are_named() {
    let findings = found(
        &table(300, 1.0, 3),
        "",
        "trials = 12\n[schedule]\nmax_epochs = 4\n[space]\nlearning_rate = 0.001\nbatch_size = 16\n\
         hidden = [[16, 16], [16, 16, 16, 16, 16, 16]]\nactivation = \"sigmoid\"\n",
    );
    let finding = named(&findings, "vanishing_gradients");
    assert_says(finding, "where", "hidden = [16, 16, 16, 16, 16, 16]");
    assert!(findings.iter().all(|finding| finding["name"] != "dead_units"), "{findings:#?}");
}

#[test]
fn gradients_that_grow_and_steps_out_of_proportion_are_named() {
    let findings = found(
        &table(300, 1.0, 3),
        "",
        // So few steps that they are still large beside weights that grow with them.
        "trials = 12\n[schedule]\nmax_epochs = 2\n[space]\nlearning_rate = { log_uniform = [1e-3, 3.0] }\n\
         hidden = [[32, 32, 32, 32]]\nactivation = \"leaky_relu\"\noptimizer = \"adam\"\nbatch_size = 64\n",
    );
    assert_says(named(&findings, "exploding_gradients"), "try", "clip_norm");
    let finding = named(&findings, "update_ratio");
    assert_eq!(finding["severity"], "note", "a band is no verdict");
    assert_says(finding, "seen", "more than a tenth");
    let findings = found(
        &table(300, 1.0, 3),
        "",
        "trials = 4\n[schedule]\nmax_epochs = 4\n[space]\nlearning_rate = { log_uniform = [1e-7, 1e-6] }\nhidden = [[8]]\n",
    );
    assert_says(named(&findings, "update_ratio"), "seen", "less than a ten-thousandth");
}

#[test]
fn parameters_of_names_that_hardly_any_minibatch_has_are_named() {
    let findings = found(
        &table(300, 1.0, 120),
        "",
        "trials = 4\n[schedule]\nmax_epochs = 4\n[space]\nlearning_rate = { log_uniform = [1e-3, 1e-2] }\n\
         hidden = [[8]]\nactivation = \"tanh\"\nbatch_size = 8\n",
    );
    let finding = named(&findings, "rarely_updated");
    assert_eq!(finding["severity"], "note");
    assert_says(finding, "cause", "rare categories");
}
