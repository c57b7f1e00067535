//! The leaderboard as one JSON object, for scripts.

use super::{Comparison, Format, Leaderboard, Opening, Page};
use crate::study::solver;
use crate::trial::{State, Succession, Trial};
use serde_json::{Value, json};

/// One object; what has no value is `null`. Its shape is part of the command line's contract.
pub struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }
    fn summary(&self) -> &'static str {
        "one object with every digit, for scripts"
    }

    fn render(&self, board: &Leaderboard, page: Page) -> String {
        let title = &board.title;
        let trials: Vec<Value> = board.shown(page).iter().map(|shown| trial(board, shown)).collect();
        let mut best = board.best().map(|best| trial(board, best));
        if let (Some(Value::Object(best)), Some(value)) = (&mut best, title.test_value) {
            best.insert("test_value".to_owned(), json!(value));
        }
        let mut object = json!({
            "study": title.name,
            "objective": title.objective,
            "direction": title.direction.name(),
            "engine": title.engine,
            "device": title.device,
            "seed": title.seed,
            "trials": trials,
            "best": best,
        });
        if let Some(found) = &board.optimism {
            object["optimism"] = json!({
                "value": found.value,
                "standard_error": found.standard_error,
                "flattery": found.flattery,
                "trials": found.trial_count,
            });
        }
        if let Some(found) = &board.noise {
            object["noise"] = json!(found);
        }
        if let Some(found) = Comparison::of(board) {
            object["random_search"] = json!({
                "trials": found.random_count,
                "value": found.random_value,
                "strategy": title.division.strategy,
                "strategy_value_at_same_budget": found.strategy_value_at_same_budget,
                "strategy_trials": found.strategy_count,
                "strategy_value": found.strategy_value,
            });
        }
        if let Some(found) = Opening::of(board).filter(|opening| !opening.guided.is_empty()) {
            object["unguided"] = json!({
                "how": found.how(),
                "trials": found.values.len(),
                "value": found.values[0],
                "strategy": title.division.strategy,
                "strategy_value_at_same_budget": found.guided_at_same_budget,
                "strategy_trials": found.guided.len(),
                "value_in_all": found.best,
            });
        }
        format!("{object:#}\n")
    }
}

fn trial(board: &Leaderboard, trial: &Trial) -> Value {
    let mut object = json!({
        "number": trial.number,
        "state": trial.state.name(),
        "value": trial.score().map(|score| score.value),
        "fold_values": board.fold_values(trial),
        "epochs": board.epochs(trial),
        "seconds": trial.seconds,
        "hyperparameters": trial.configuration,
    });
    if !trial.lineage.is_empty() {
        object["lineage"] = trial.lineage.iter().map(succession).collect();
    }
    if let Some(solver) = board.solvers.get(&trial.number).and_then(|folds| solver::object(folds)) {
        object["solver"] = solver;
    }
    if trial.state == State::Diverged {
        object["diverged_at_step"] = json!(trial.diverged_at_step);
    }
    object
}

/// One takeover: the hyperparameters are those until then.
fn succession(succession: &Succession) -> Value {
    json!({
        "epoch": succession.epoch,
        "donor": succession.donor,
        "value": succession.value,
        "hyperparameters": succession.before,
    })
}
