//! What the curves of each trial say: one study of planted trials, and where nothing can be said.

use super::{Study, assert_says, named, names, scattered, table, verdicts};
use serde_json::Value;

/// Two classes by one line, a tenth of the labels wrong, between columns that say nothing.
fn line(row: usize, x: &[f64]) -> String {
    if (x[0] > x[1]) == (scattered(row, 77) < 0.9) { "yes" } else { "no" }.to_owned()
}

const SPACE: &str = "[schedule]\nmax_epochs = 40\npatience = 40\n[space]\nhidden = [[1], [4], [64, 64]]\n\
    l2_penalty = { log_uniform = [1e-5, 10.0] }\nlearning_rate = { log_uniform = [1e-4, 1e3] }\n\
    optimizer = [\"adam\", \"sgd\"]\ndropout = 0.0\nbatch_size = 16\n";

/// (hidden, l2_penalty, learning_rate, optimizer)
type Planted = (&'static str, f64, f64, &'static str);

const HEALTHY: Planted = ("[4]", 0.05, 0.02, "adam");
const PLANTED: [(Planted, &str); 7] = [
    (HEALTHY, "well_fitted"),
    (("[1]", 10.0, 0.02, "adam"), "under_fitting"),
    (("[64, 64]", 1e-5, 0.005, "adam"), "over_fitting"),
    (("[4]", 1e-5, 1000.0, "sgd"), "diverged"),
    (("[4]", 1e-5, 1e-4, "adam"), "still_improving"),
    (("[4]", 1e-5, 300.0, "adam"), "unstable"),
    // As much capacity as the healthy one, and steps that only jump about.
    (("[4]", 0.05, 1.0, "adam"), "under_fitting"),
];

fn planted(csv: &str, trials: &[Planted], rest: &str) -> Study {
    let enqueued: String = trials
        .iter()
        .map(|(hidden, l2, rate, optimizer)| {
            format!(
                "[[search.enqueue]]\nhidden = {hidden}\nl2_penalty = {l2:?}\nlearning_rate = {rate:?}\n\
                 optimizer = \"{optimizer}\"\n"
            )
        })
        .collect();
    Study::new(csv, &format!("[search]\ntrials = {}\n{enqueued}{rest}", trials.len()))
}

fn text(study: &Study, arguments: &str) -> (Option<i32>, String, String) {
    let output = study.command().args(arguments.split_whitespace()).output().unwrap();
    let read = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), read(output.stdout), read(output.stderr))
}

#[test]
fn each_planted_trial_has_its_verdict() {
    let study = planted(&table(120, 8, &line), &PLANTED.map(|(trial, _)| trial), SPACE);
    let found = verdicts(&study);
    for (trial, (planted, verdict)) in found.iter().zip(PLANTED) {
        assert_eq!(trial["verdict"], verdict, "{planted:?}: {trial:#}");
    }
    // What is advised lies within the space, in the direction that the trial needs; a dropout of 0 lowers nothing.
    let is_advised = |number: usize, part: &str| assert_says(&found[number], "try", part);
    is_advised(1, "hidden beyond [1] (searched to [64, 64])");
    is_advised(1, "l2_penalty below 10 (searched to 1e-5)");
    assert!(!found[1]["try"].as_str().unwrap().contains("dropout"), "{:#}", found[1]);
    is_advised(2, "hidden below [64, 64] (searched to [1])");
    is_advised(2, "l2_penalty beyond 1e-5 (searched to 10)");
    is_advised(3, "learning_rate at most 0.02");
    is_advised(4, "max_epochs = 120");
    is_advised(6, "as in trial 0");
    assert_says(&found[3], "seen", "with learning_rate = 1000");
    assert_says(&found[1], "seen", "trial 0 comes to 0.");

    // The figures are those of the curves.
    let (_, one, _) = text(&study, "doctor run --trial 2 --format json");
    let one: Value = serde_json::from_str(&one).unwrap();
    let curve = |name: &str| -> Vec<f64> {
        one["curves"][name].as_array().unwrap().iter().map(|loss| loss.as_f64().unwrap()).collect()
    };
    let (train, validation) = (curve("training"), curve("validation"));
    let best = (0..40).min_by(|&a, &b| validation[a].total_cmp(&validation[b])).unwrap();
    assert_eq!((train.len(), validation.len(), one["best_epoch"].as_u64()), (40, 40, Some(best as u64 + 1)));
    assert_eq!(one["training_loss"].as_f64(), Some(train[best]));
    assert_eq!(one["validation_loss"].as_f64(), Some(validation[best]));
    assert_eq!(one["training_loss_at_end"].as_f64(), Some(train[39]));
    assert_eq!(found[4]["validation_falls"], true);
    assert_eq!(found[2]["validation_falls"], false);

    // The table has them by rank.
    let (code, table, _) = text(&study, "doctor run --trials");
    let lines: Vec<&str> = table.lines().collect();
    assert!(code == Some(0) && lines[0].trim_start().starts_with("rank  trial"), "{table}");
    assert!(lines[1].ends_with("well_fitted") && lines[7].ends_with("diverged"), "{table}");
    assert!(table.contains("7 trials: 1 diverged, 1 unstable, 1 still_improving, 1 over_fitting"), "{table}");
    let (_, table, _) = text(&study, "doctor run --trials --top 2");
    assert!(table.lines().nth(3) == Some("") && table.contains("--top 7 shows all"), "{table}");
    let (_, one, _) = text(&study, "doctor run --trial 2");
    let rises = |line: &str| line.trim_start().starts_with("validation  ▄") && line.contains("██");
    assert!(one.lines().any(rises) && one.contains("over_fitting: the training loss is 0."), "{one}");
}

#[test]
fn a_lonely_trial_is_judged_as_far_as_it_can_be() {
    // A model too small, or noise: of several sizes, one trial does not tell.
    let tiny: Planted = ("[1]", 1.0, 0.02, "adam");
    let study = planted(&table(120, 8, &line), &[tiny], SPACE);
    assert_eq!(verdicts(&study)[0]["verdict"], "undecided");
    let of_one_size = SPACE.replace("[[1], [4], [64, 64]]", "[[1]]");
    let study = planted(&table(120, 8, &line), &[tiny], &of_one_size);
    let found = verdicts(&study).remove(0);
    assert_eq!(found["verdict"], "under_fitting");
    assert_says(&found, "seen", "no other size of model was tried");
    assert_says(&found, "cause", "or noise");
    // Too few epochs are no curve.
    let study =
        planted(&table(120, 8, &line), &[HEALTHY], &SPACE.replace("max_epochs = 40", "max_epochs = 3"));
    let found = verdicts(&study).remove(0);
    assert_eq!(found["verdict"], "too_short");
    assert_says(&found, "seen", "a curve takes 4 epochs");
}

/// Regression: one model that learned its rows by heart, beside one that is held back and finds what there is to find,
/// was taken for labels that have nothing to do with the features.
#[test]
fn a_model_that_alone_is_useless_is_over_fitted_and_no_mismatch() {
    let noisy = |row: usize, x: &[f64]| {
        if (x[0] > x[1]) == (scattered(row, 77) < 0.75) { "yes" } else { "no" }.to_owned()
    };
    let (held_back, large): (Planted, Planted) =
        (("[4]", 0.2, 0.02, "adam"), ("[64, 64]", 1e-5, 0.02, "adam"));
    let study = planted(&table(60, 20, &noisy), &[held_back, large], SPACE);
    let found = verdicts(&study);
    let loss = |trial: usize, name: &str| found[trial][name].as_f64().unwrap();
    assert!(loss(0, "validation_loss") < 0.9 && loss(0, "training_loss_at_end") > 0.5, "{:#}", found[0]);
    assert!(loss(1, "validation_loss") > 1.0 && loss(1, "training_loss_at_end") < 0.1, "{:#}", found[1]);
    assert_eq!(found[1]["verdict"], "over_fitting");
    assert!(!names(&study.doctor(&[]).0, "note").contains(&"mismatch".to_owned()));
    // Columns that say nothing: held back or not, nothing is found that holds.
    let shuffled = |row: usize, _: &[f64]| if scattered(row, 77) > 0.5 { "yes" } else { "no" }.to_owned();
    let found = verdicts(&planted(&table(60, 20, &shuffled), &[held_back, large], SPACE));
    let verdicts: Vec<&str> = found.iter().map(|trial| trial["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["nothing_learned", "mismatch"], "{found:#?}");
}

/// Regression: the training loss of a first epoch is a mean over the way there, and was compared with the validation loss
/// behind it.
#[test]
fn first_epochs_are_no_mismatch() {
    let side = |_: usize, x: &[f64]| if x[0] > x[1] { "yes" } else { "no" }.to_owned();
    let space = SPACE.replace("max_epochs = 40", "max_epochs = 1");
    let planted = [("[4]", 1e-5, 0.02, "adam"), ("[64, 64]", 1e-5, 0.0017, "adam")];
    let study = self::planted(&table(1500, 2, &side), &planted, &space);
    for trial in verdicts(&study) {
        assert_eq!(trial["verdict"], "too_short");
        let [train, least] = ["training_loss", "validation_loss"].map(|name| trial[name].as_f64().unwrap());
        assert!(least < 0.5 * train && train - least > 0.15, "the fault is planted: {trial:#}");
    }
    assert!(!names(&study.doctor(&[]).0, "note").contains(&"mismatch".to_owned()));
}

#[test]
fn what_is_not_known_is_said_with_why() {
    let study = planted(&table(120, 8, &line), &PLANTED.map(|(trial, _)| trial)[2..4], SPACE);
    let number = |trial: &Value| trial["number"].as_u64().unwrap();
    std::fs::rename(study.folder.path().join("t.csv"), study.folder.path().join("u.csv")).unwrap();
    let found = verdicts(&study);
    assert_eq!(found.iter().map(number).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((&found[0]["verdict"], &found[1]["verdict"]), (&"unknown".into(), &"diverged".into()));
    assert!(found[0]["training_loss"].is_null() && found[0]["epochs"] == 40, "{:#}", found[0]);
    let (code, table, said) = text(&study, "doctor run --trials");
    assert!(code == Some(0) && table.contains("trial 0 unknown: the study's data are not there"), "{table}");
    assert!(said.contains("the data are not examined"), "{said}");
    let (_, one, _) = text(&study, "doctor run --trial 0");
    assert!(one.contains("try: the data file put back as it was"), "{one}");

    // Kernel machines have no epochs.
    std::fs::rename(study.folder.path().join("u.csv"), study.folder.path().join("t.csv")).unwrap();
    let svm = "[data]\npath = \"t.csv\"\ntarget = \"y\"\nfolds = 3\n[model]\nkind = \"svm\"\n[search]\ntrials = 4\n\
               [space]\nc = [0.1, 1.0]\ngamma = [0.1, 1.0]\n";
    std::fs::write(study.folder.path().join("svm.toml"), svm).unwrap();
    let (code, _, said) = text(&study, "tune svm.toml --quiet --engine cpu --out svm");
    assert_eq!(code, Some(0), "{said}");
    let (_, table, _) = text(&study, "doctor svm --trials");
    assert!(table.contains("and 3 more unknown: a kernel machine is solved at once"), "{table}");
    assert!(table.contains("4 trials: 4 unknown"), "{table}");

    // A search knows values alone; a file and a trial that is none are refused.
    let space = "[search]\ntrials = 1\n[space]\nx = { uniform = [0.0, 1.0] }\n";
    std::fs::write(study.folder.path().join("space.toml"), space).unwrap();
    text(&study, "search space.toml --out search");
    for (arguments, part) in [
        ("search --trials", "another program told its values"),
        ("search --trial 0", "another program told its values"),
        ("t.csv --trials", "which is no folder"),
        ("run --trial 2", "allowed: 0 to 1"),
        ("run --trials --seed 1", "allowed: --data-only, --trials"),
        ("run --trials --trial 0", "cannot be used with"),
        ("run --trials --data-only", "cannot be used with"),
        ("run --top 3", "--trials"),
    ] {
        let (code, out, said) = text(&study, &format!("doctor {arguments}"));
        assert!(code == Some(2) && out.is_empty() && said.contains(part), "{arguments}: {said}");
    }
    let (json, _) = study.doctor(&["--data-only"]);
    assert!(json["trials"].is_null(), "only the data were asked about");
    named(&study, "over_fitting");
}
