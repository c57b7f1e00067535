//! The rungs of a study's schedule as epochs: those of all trials, or, where rungs count steps, those of each.

use super::{Subject, missing};
use crate::error::Result;
use crate::model::hyperparameter;
use crate::schedule::{self, RUNG_STEPS, Schedule};
use crate::setting::Chosen;
use crate::study::plan::Plan;
use crate::trial::{State, Trial};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the page shows of rungs: `rungs`, the epochs that are drawn, ascending, `null` where they are not known; and
/// `step_rungs`, `null` where rungs count epochs, which are then those of all trials. Rungs that count steps are drawn
/// of the best trial alone, for an epoch has as many steps as a trial's batch size leaves.
pub(super) fn rungs(subject: &Subject) -> (Value, Value) {
    let Some(plan) = subject.plan() else { return (Value::Null, Value::Null) };
    let unit = plan.schedule_settings.count(&RUNG_STEPS);
    if unit == 0 {
        let Some(schedule) = schedule_of(subject, plan, plan.schedule_settings.clone()) else {
            return (Value::Null, Value::Null);
        };
        let all = subject.board.trials.iter().flat_map(|trial| schedule.rungs(trial.number, 1));
        return (json!(all.collect::<BTreeSet<u32>>()), Value::Null);
    }
    match by_steps(subject, plan, unit) {
        Ok(found) => found,
        Err(error) => (Value::Null, json!({ "missing": missing(&error) })),
    }
}

fn schedule_of(subject: &Subject, plan: &Plan, chosen: Chosen) -> Option<Box<dyn Schedule>> {
    let fold_count = subject.board.title.fold_count.unwrap_or(1);
    let settings = schedule::Settings { chosen, ..plan.schedule_settings(fold_count) };
    schedule::create(&plan.schedule, &settings).ok()
}

/// Trials at a rung of so many steps.
#[derive(Default)]
struct Rung {
    /// The epochs after which trials stand there.
    epochs: BTreeSet<u32>,
    came: usize,
    stopped: usize,
    left: usize,
}

/// The rungs of the best trial, and what became of all at each; an error where the rows are not at hand, whose number
/// says how many steps an epoch has.
fn by_steps(subject: &Subject, plan: &Plan, unit: u64) -> Result<(Value, Value)> {
    let (_, prepared) = subject.data()?;
    let dataset = &prepared.dataset;
    let in_epochs = plan.schedule_settings.clone().with(RUNG_STEPS.name, 0.0);
    let schedules =
        [plan.schedule_settings.clone(), in_epochs].map(|chosen| schedule_of(subject, plan, chosen));
    let [Some(schedule), Some(in_units)] = schedules else { return Ok((Value::Null, Value::Null)) };
    // (rung) its budget in steps, and the epoch after which the trial stands there
    let rungs = |trial: &Trial| -> Result<Vec<(u64, u32)>> {
        let (_, recipe) = hyperparameter::build(
            &trial.configuration,
            dataset.task,
            dataset.feature_count,
            plan.max_epochs,
        )?;
        // As the runner counts: of the first fold.
        let steps = recipe.steps(dataset.folds[0].train.len()).1;
        let budgets = in_units.rungs(trial.number, 1).into_iter().map(|budget| u64::from(budget) * unit);
        Ok(budgets.zip(schedule.rungs(trial.number, steps)).collect())
    };
    let mut found: BTreeMap<u64, Rung> = BTreeMap::new();
    for trial in &subject.board.trials {
        // One that cannot be built has no epochs, and comes to no rung.
        for (steps, at) in rungs(trial).unwrap_or_default() {
            let epochs = trial.history.epoch_count();
            if epochs < at {
                continue;
            }
            let rung = found.entry(steps).or_default();
            rung.epochs.insert(at);
            rung.came += 1;
            rung.stopped += usize::from(trial.state == State::Pruned && epochs == at);
            rung.left += usize::from(epochs > at);
        }
    }
    let rows: Vec<Value> = found
        .iter()
        .map(|(steps, rung)| {
            let (from, to) = (rung.epochs.first(), rung.epochs.last());
            json!({
                "rung": steps, "from": from, "to": to,
                "came": rung.came, "stopped": rung.stopped, "left": rung.left,
            })
        })
        .collect();
    let best = subject.board.best().map(rungs).transpose()?.unwrap_or_default();
    let best: Vec<u32> = best.into_iter().map(|(_, epoch)| epoch).collect();
    Ok((json!(best), json!({ "unit": unit, "rows": rows })))
}
