//! Faults of spaces, budgets and labels, which training brings to light.

use super::{Study, assert_says, curved, named, names, ring, scattered, share_of, table};

#[test]
fn a_learning_rate_that_is_too_high_is_named_with_its_range() {
    let study = Study::new(
        &table(200, 3, &curved),
        "[search]\nstrategy = \"random\"\ntrials = 24\n[schedule]\nmax_epochs = 8\n\
         [space]\nlearning_rate = { log_uniform = [1e-3, 1e4] }\noptimizer = \"sgd\"\nhidden = [[8]]\n",
    );
    let finding = named(&study, "learning_rate_too_high");
    assert_eq!(finding["severity"], "warning");
    assert_says(&finding, "where", "learning_rate from ");
    assert_says(&finding, "seen", " diverged, ");
    assert_says(&finding, "try", "learning_rate below ");
}

#[test]
fn a_learning_rate_that_is_too_low_is_named() {
    let study = Study::new(
        &table(200, 3, &curved),
        "[search]\nstrategy = \"random\"\ntrials = 12\n[schedule]\nmax_epochs = 16\npatience = 16\n\
         [space]\nlearning_rate = { log_uniform = [1e-6, 1e-4] }\nhidden = [[8], [16]]\n",
    );
    let finding = named(&study, "learning_rate_too_low");
    assert_says(&finding, "where", "learning_rate 1");
    let (json, _) = study.doctor(&[]);
    assert_eq!(share_of(&study, "still_improving"), (12, 12));
    let other = |name: &String| name == "under_fitting" || name == "budget_too_short";
    assert!(!names(&json, "note").iter().any(other), "what follows from it is not said beside it: {json:#}");
}

#[test]
fn too_few_epochs_are_named() {
    let study = Study::new(
        &table(200, 3, &curved),
        "[search]\nstrategy = \"random\"\ntrials = 8\n[schedule]\nmax_epochs = 10\n\
         [space]\nlearning_rate = 0.02\nhidden = [[8]]\nlabel_smoothing = { uniform = [0.0, 0.1] }\n",
    );
    assert_says(&named(&study, "budget_too_short"), "try", "max_epochs = 30");
}

#[test]
fn a_range_that_ends_too_soon_is_named_with_how_it_should_go_on() {
    let study = Study::new(
        &table(200, 3, &curved),
        "[search]\nstrategy = \"random\"\ntrials = 40\nobjective = \"log_loss\"\n[schedule]\nmax_epochs = 12\n\
         [space]\nlearning_rate = 0.05\nhidden = [[8]]\nl2_penalty = { log_uniform = [1e-1, 1e2] }\n",
    );
    let finding = named(&study, "edge_of_range");
    assert_says(&finding, "where", "l2_penalty, its lower end");
    assert_says(&finding, "try", "goes on to 0.01");
}

#[test]
fn over_fitting_is_named() {
    let noisy = |row: usize, x: &[f64]| {
        let is_right = scattered(row, 77) < 0.75;
        if (x[0] > x[1]) == is_right { "yes" } else { "no" }.to_owned()
    };
    let study = Study::new(
        &table(90, 8, &noisy),
        "[search]\nstrategy = \"random\"\ntrials = 4\n[schedule]\nmax_epochs = 60\npatience = 60\n\
         [space]\nlearning_rate = { log_uniform = [3e-3, 1e-2] }\nhidden = [[64, 64]]\nbatch_size = 16\n",
    );
    let finding = named(&study, "over_fitting");
    assert_says(&finding, "seen", "in 4 of 4 trials the validation loss turned up");
    assert_says(&finding, "try", "less hidden; more weight_decay");
    assert_eq!(share_of(&study, "over_fitting"), (4, 4));
}

#[test]
fn under_fitting_is_named() {
    let study = |model: &str, hidden: &str, trials: u32| {
        Study::new(
            &table(200, 2, &ring),
            &format!(
                "[model]\nkind = \"{model}\"\n[search]\nstrategy = \"random\"\ntrials = {trials}\n\
                 [schedule]\nmax_epochs = 120\n\
                 [space]\nlearning_rate = {{ log_uniform = [5e-2, 2e-1] }}\n{hidden}\n"
            ),
        )
    };
    let finding =
        named(&study("mlp", "hidden = [[1], [2], [3]]\nactivation = \"tanh\"", 30), "under_fitting");
    assert_eq!(finding["severity"], "warning");
    assert_says(&finding, "seen", "more hidden did better");
    assert_says(&finding, "try", "hidden beyond [3]");
    // Of one size nobody knows whether a larger one would do better.
    let finding = named(&study("linear", "", 4), "under_fitting");
    assert_eq!(finding["severity"], "note");
    assert_says(&finding, "cause", "or noise");
}

#[test]
fn shuffled_labels_are_named() {
    let shuffled = |row: usize, _: &[f64]| if scattered(row, 77) > 0.5 { "yes" } else { "no" }.to_owned();
    let study = Study::new(
        &table(120, 4, &shuffled),
        "[search]\nstrategy = \"random\"\ntrials = 4\n[schedule]\nmax_epochs = 60\npatience = 60\n\
         [space]\nlearning_rate = { log_uniform = [5e-3, 1e-2] }\nhidden = [[64, 64]]\nbatch_size = 16\n",
    );
    assert_says(&named(&study, "mismatch"), "cause", "shuffled");
    assert_eq!(share_of(&study, "mismatch"), (4, 4));
}

#[test]
fn a_floor_that_no_size_gets_below_is_named() {
    let noisy = |row: usize, x: &[f64]| {
        let is_right = scattered(row, 77) < 0.75;
        if (x[0] > x[1]) == is_right { "yes" } else { "no" }.to_owned()
    };
    let study = Study::new(
        &table(400, 2, &noisy),
        "[search]\nstrategy = \"random\"\ntrials = 14\n[schedule]\nmax_epochs = 40\npatience = 10\n\
         [space]\nlearning_rate = { log_uniform = [1e-2, 3e-2] }\nhidden = [[4], [8], [16]]\n",
    );
    assert_says(&named(&study, "noise_limited"), "seen", "with most hidden 0.8");
    let (limited, all) = share_of(&study, "noise_limited");
    assert!(2 * limited > all, "{limited} of {all}");
}
