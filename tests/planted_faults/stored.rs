//! Faults that show in stored curves alone.

use super::{Study, assert_says, named, names, scattered};
use manytune::engine::EngineKind;
use manytune::study::store::{Header, Store};
use manytune::trial::{FoldEpoch, Score, State, Trial};

/// A stored study without data whose trials have these curves: configuration as JSON, state, (epoch, fold) accuracy.
fn stored(space: &str, schedule: &str, trials: Vec<(String, State, Vec<[f64; 3]>)>) -> Study {
    let folder = tempfile::tempdir().unwrap();
    let source = format!(
        "[data]\npath = \"none.csv\"\ntarget = \"y\"\n[schedule]\nkind = \"{schedule}\"\n[space]\n{space}\n"
    );
    let header = Header {
        name: "s".to_owned(),
        source,
        fingerprint: String::new(),
        objective: "accuracy".to_owned(),
        tie_break: "log_loss".to_owned(),
        seed: 0,
        fold_count: 3,
        engine: EngineKind::Cpu,
        device: String::new(),
        version: String::new(),
        test_value: None,
    };
    let mut store = Store::create(&folder.path().join("run"), &header).unwrap();
    let writer = store.begin().unwrap();
    for (number, (configuration, state, curve)) in trials.into_iter().enumerate() {
        let configuration = serde_json::from_str(&configuration).unwrap();
        let mut trial = Trial::new(number as u64, configuration, header.order().unwrap(), 3);
        for folds in curve {
            let fold = |value: f64| FoldEpoch { train_loss: 0.5, score: Score { value, tie_break: 0.5 } };
            trial.history.push(&folds.map(fold));
        }
        trial.state = state;
        writer.trial(&trial).unwrap();
    }
    writer.commit().unwrap();
    drop(store);
    Study { folder }
}

#[test]
fn a_schedule_that_decides_by_values_that_foretell_nothing_is_named() {
    let study = |foretells: bool| {
        let trial = |i: usize| {
            let (first, last) = (0.5 + 0.01 * i as f64, if foretells { 0.7 } else { 0.9 } + 0.01 * i as f64);
            let last = if foretells { last } else { 1.8 - last };
            let state = if i.is_multiple_of(3) { State::Pruned } else { State::Complete };
            let curve = if state == State::Pruned { vec![[first; 3]] } else { vec![[first; 3], [last; 3]] };
            (format!("{{\"learning_rate\":{}}}", 0.001 * (i + 1) as f64), state, curve)
        };
        stored("learning_rate = { uniform = [0.0005, 0.05] }", "asha", (0..30).map(trial).collect())
    };
    assert_says(&named(&study(false), "early_stops"), "seen", "10 trials were stopped");
    assert!(!names(&study(true).doctor(&[]).0, "note").contains(&"early_stops".to_owned()));
}

#[test]
fn an_order_that_the_folds_cannot_tell_is_named() {
    let study = |gap: f64| {
        let trial = |i: usize| {
            let folds = [0, 1, 2].map(|fold| 0.7 + gap * i as f64 + 0.1 * scattered(i, fold));
            (format!("{{\"learning_rate\":{}}}", 0.001 * (i + 1) as f64), State::Complete, vec![folds])
        };
        stored("learning_rate = { uniform = [0.0005, 0.05] }", "none", (0..12).map(trial).collect())
    };
    assert_says(&named(&study(0.0), "ranking"), "try", "manytune noise");
    assert!(!names(&study(0.2).doctor(&[]).0, "note").contains(&"ranking".to_owned()));
}
