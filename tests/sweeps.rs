//! `lr` and `curve`: the learning rate alone, and scores over the number of training rows.

mod cli;

use cli::Place;
use manytune::data::{Dataset, Fold, Targets, Task, Transform};
use manytune::study::subsets;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;

fn json(place: &Place, arguments: &str) -> Value {
    serde_json::from_str(&place.run(&format!("{arguments} --format json")).0).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn the_learning_rate_alone_is_swept() {
    let place = Place::new();
    let sweep = json(&place, "lr study.toml --epochs 6");
    let rates = sweep["rates"].as_array().unwrap();
    let known: Vec<f64> = rates.iter().map(|rate| number(&rate["learning_rate"])).collect();
    assert!(known.len() == 25 && known.is_sorted() && known[0] < 2e-5 && known[24] > 9.0, "{known:?}");
    let (best, stable) = (number(&sweep["best"]), number(&sweep["largest_stable"]));
    let (low, high) = (number(&sweep["suggested"][0]), number(&sweep["suggested"][1]));
    assert!(low < best && best <= high && high <= stable, "{low} {best} {high} {stable}");
    let of = |rate: f64| rates.iter().find(|one| number(&one["learning_rate"]) == rate).unwrap();
    assert!(number(&of(best)["value"]) > 0.9 && of(best)["stable"] == true);
    assert!(number(&rates[0]["value"]) < 0.7, "a rate of 1e-5 comes nowhere in six epochs");
    assert!(stable < 10.0 && rates[24]["stable"] == false);
    assert_eq!(rates[0]["fold_values"].as_array().unwrap().len(), 3);
    let (text, why) = place.run("lr study.toml --epochs 2");
    assert!(text.contains("to search: learning_rate = { log_uniform = [") && text.contains('█'), "{text}");
    assert!(why.starts_with("engine cpu"), "{why}");
    assert!(!place.path("runs").exists(), "nothing is stored");
}

/// A trial's rate among those of the sweep would come to what the study came to: the same folds, seeds and rules.
#[test]
fn an_experiment_trains_as_a_study_does() {
    let place = Place::new();
    let fixed =
        cli::STUDY.replace("{ log_uniform = [1e-3, 1e-1] }", "0.01").replace("[[8], [12, 6]]", "[[8]]");
    let fixed = fixed.replace("{ uniform = [0.0, 0.3] }", "0.1").replace("trials = 6", "trials = 1");
    place.write("fixed.toml", &fixed);
    place.run("tune fixed.toml --quiet");
    let study = place.show("runs/fixed");
    for arguments in ["lr runs/fixed", "lr fixed.toml", "lr runs/fixed --trial 0"] {
        let sweep = json(&place, arguments);
        let rates = sweep["rates"].as_array().unwrap();
        let same = rates.iter().find(|one| (number(&one["learning_rate"]) - 0.01).abs() < 1e-9).unwrap();
        assert_eq!(same["fold_values"], study["best"]["fold_values"], "{arguments}");
        assert_eq!(same["epochs"], study["best"]["epochs"], "{arguments}");
    }
    let curve = json(&place, "curve runs/fixed");
    let points = curve["curves"][0]["points"].as_array().unwrap();
    assert_eq!(points.last().unwrap()["fold_values"], study["best"]["fold_values"]);
}

#[test]
fn scores_are_shown_over_the_number_of_rows() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let curves = json(&place, "curve runs/study --top 2");
    let curves = curves["curves"].as_array().unwrap();
    assert_eq!(curves.len(), 2);
    for curve in curves {
        let points = curve["points"].as_array().unwrap();
        let shares: Vec<f64> = points.iter().map(|point| number(&point["share"])).collect();
        assert_eq!(shares, [0.125, 0.25, 0.5, 1.0], "of 229 training rows 16 are enough");
        let values: Vec<f64> = points.iter().map(|point| number(&point["value"])).collect();
        assert!(values[3] > values[0], "{values:?}");
        let doubling = &curve["last_doubling"];
        assert!((number(&doubling["gain"]) - (values[3] - values[2])).abs() < 1e-12);
        assert!(number(&doubling["standard_error"]) >= 0.0);
    }
    let (text, _) = place.run("curve runs/study");
    assert!(text.contains("the last doubling gained") && text.contains("accuracy ▁"), "{text}");
    // Machines have no epochs, and a curve all the same.
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/heart_scale");
    place.write("svm.toml", &format!("[data]\npath = {data:?}\n[model]\nkind = \"svm\"\n"));
    let (text, _) = place.run("curve svm.toml");
    assert!(text.contains("    all       216"), "{text}");
    assert!(!text.contains("train loss") && !text.contains("epochs"), "{text}");
    let curve = json(&place, "curve svm.toml");
    let last = &curve["curves"][0]["points"][3];
    assert!(last["train_loss"].is_null() && number(&last["value"]) > 0.5, "{last}");
}

/// More rows of what is noise to a large model help; of what a few rows say already they do not.
#[test]
fn the_verdict_follows_the_last_doubling() {
    let place = Place::new();
    let scattered = |i: usize| ((i as f64 * 12.9898).sin() * 43_758.545_3).rem_euclid(1.0);
    let mut text = "a,b,y\n".to_owned();
    for row in 0..600 {
        let (a, b) = (scattered(row + 1), scattered(row + 7001));
        writeln!(text, "{a:.5},{b:.5},{:.5}", (9.0 * a).sin() + (7.0 * b).cos()).unwrap();
    }
    place.write("t.csv", &text);
    place.write(
        "t.toml",
        "[data]\npath = \"t.csv\"\ntarget = \"y\"\n[schedule]\nmax_epochs = 40\n[engine]\nkind = \"cpu\"\n\
         [space]\nlearning_rate = 0.01\nhidden = [[32]]\nbatch_size = 16\n",
    );
    let curve = json(&place, "curve t.toml");
    let doubling = &curve["curves"][0]["last_doubling"];
    assert_eq!(doubling["verdict"], "more rows would help", "{doubling}");
}

#[test]
fn parts_hold_the_smaller_ones_and_their_share_of_every_class() {
    let classes: Vec<u32> = (0..400).map(|row| u32::from(row % 10 == 0)).collect();
    let fold = Fold {
        train: (0..320).collect(),
        validation: (320..400).collect(),
        transforms: vec![Transform::IDENTITY],
        target: Transform::IDENTITY,
        balanced_weights: Vec::new(),
    };
    let mut dataset = Dataset {
        task: Task::Classification { class_count: 2 },
        feature_count: 1,
        features: (0..400).map(|row| row as f32).collect(),
        targets: Targets::Classes(classes.clone()),
        folds: vec![fold],
    };
    let parts = subsets::halved(&mut dataset, 7);
    let shares: Vec<f64> = parts.iter().map(|part| part.share).collect();
    assert_eq!(shares, [0.0625, 0.125, 0.25, 0.5, 1.0]);
    let rows = |part: &subsets::Subset| -> BTreeSet<u32> {
        dataset.folds[part.folds[0]].train.iter().copied().collect()
    };
    for pair in parts.windows(2) {
        assert!(
            rows(&pair[0]).is_subset(&rows(&pair[1])) && rows(&pair[0]).len() * 2 == rows(&pair[1]).len()
        );
        assert_eq!(dataset.folds[pair[0].folds[0]].validation, dataset.folds[0].validation);
    }
    for part in &parts {
        let rare = rows(part).iter().filter(|&&row| classes[row as usize] == 1).count();
        assert_eq!(rare, part.rows / 10, "a tenth is of the rare class");
    }
}

#[test]
fn bad_input_is_refused_as_elsewhere() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    for command in ["lr", "curve"] {
        for (arguments, code, part) in [
            ("none.csv --target y", 3, "none.csv"),
            ("penguins.csv", 2, "--target"),
            ("penguins.csv --target kind", 3, "kind"),
            ("penguins.csv --target species --trial 3", 2, "--trial"),
            ("study.toml --epochs 0", 2, "--epochs"),
            ("study.toml --device 0", 2, "--device"),
            ("runs/study --folds 3", 2, "--folds"),
            ("runs/study --trial 99", 2, "0 to 5"),
            ("runs", 5, "holds no study"),
        ] {
            let error = place.fail(&format!("{command} {arguments}"), code);
            assert!(error.contains(part) && error.contains("error: "), "{command} {arguments}: {error}");
        }
    }
    assert!(place.fail("curve study.toml --top 2", 2).contains("--top"));
    assert!(place.fail("curve runs/study --top 0", 2).contains("--top"));
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/heart_scale");
    place.write("svm.toml", &format!("[data]\npath = {data:?}\n[model]\nkind = \"svm\"\n"));
    assert!(place.fail("lr svm.toml", 2).contains("no learning rate"));
}
