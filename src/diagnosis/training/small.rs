//! Small trainings: which configurations stand for a space, on which rows, and what came of them.

use crate::data::{Dataset, Fold, Task};
use crate::diagnosis::Patient;
use crate::engine::{Engine, Job, MemberId, Report, Snapshot};
use crate::error::{Error, Result};
use crate::model::hyperparameter;
use crate::model::metric::Evaluation;
use crate::model::recipe::Member;
use crate::search::{self, Trials};
use crate::space::{Configuration, Domain, Space, value_text};
use std::collections::{BTreeSet, HashMap};

/// Configurations that are drawn to choose among.
const DRAWN: usize = 256;
/// Most that are chosen.
const MOST: usize = 24;
/// The strategy that draws them.
const STRATEGY: &str = "random";

/// A configuration of the space, and what it becomes.
#[derive(Clone)]
pub struct Example {
    /// The values.
    pub configuration: Configuration,
    /// The model, on the first fold.
    pub member: Member,
}

impl Example {
    /// Its choices, as `name = value`.
    pub fn choices(&self, space: &Space) -> Vec<String> {
        let choices =
            space.dimensions.iter().filter(|dimension| matches!(dimension.domain, Domain::Choice(_)));
        let typed = choices.filter_map(|dimension| {
            let value = self.configuration.get(&dimension.name)?;
            Some(format!("{} = {}", dimension.name, value_text(value)))
        });
        typed.collect()
    }

    /// Without anything that keeps it from fitting its rows: penalties, dropout, smoothing.
    pub fn without_regularisers(&self) -> Self {
        let mut example = self.clone();
        let recipe = &mut example.member.recipe;
        (recipe.dropout, recipe.input_dropout) = (0.0, 0.0);
        (recipe.l1_penalty, recipe.l2_penalty) = (0.0, 0.0);
        recipe.optimizer_parameters.weight_decay = 0.0;
        recipe.loss_parameters.label_smoothing = 0.0;
        example
    }
}

/// A few configurations of the space in which every value of every choice occurs, as far as it was drawn.
pub fn examples(patient: &Patient<'_>) -> Result<Vec<Example>> {
    let (plan, dataset) = (patient.plan, patient.dataset());
    let space = plan.space.clone().unwrap_or_default();
    let settings = search::Settings::new(plan.seed, plan.metric(dataset.task)?.direction());
    let drawn = search::create(STRATEGY, &settings)?.ask(&space, Trials::default(), 0, DRAWN)?;
    let (mut known, mut chosen) = (BTreeSet::new(), Vec::new());
    for configuration in drawn {
        let (network, recipe) =
            hyperparameter::build(&configuration, dataset.task, dataset.feature_count, plan.max_epochs)?;
        let member = Member { fold: 0, repeat: 0, network, recipe };
        let example = Example { configuration, member };
        let choices = example.choices(&space);
        if chosen.len() < MOST && (chosen.is_empty() || choices.iter().any(|choice| !known.contains(choice)))
        {
            known.extend(choices);
            chosen.push(example);
        }
    }
    Ok(chosen)
}

/// The data with one fold, of these rows.
pub fn with_fold(dataset: &Dataset, train: &[u32], validation: &[u32]) -> Dataset {
    let (train, validation) = (train.to_vec(), validation.to_vec());
    // What the first fold learned: a few rows would scale all numbers away.
    let fold = dataset.folds.first().map(|fold| Fold { train, validation, ..fold.clone() });
    Dataset { folds: fold.into_iter().collect(), ..dataset.clone() }
}

/// Every so many rows, so that at most so many are left.
pub fn thinned(rows: &[u32], most: usize) -> Vec<u32> {
    rows.iter().copied().step_by(rows.len().div_ceil(most).max(1)).collect()
}

/// What came of a member: its last report and its state.
pub struct Trained {
    /// Of its last epoch.
    pub report: Report,
    /// The least mean loss of the validation rows after any of its epochs; infinite where there was none.
    pub least_loss: f64,
    /// After it.
    pub state: Snapshot,
}

/// Mean loss of the validation rows; infinite where it diverged.
fn loss_of(report: &Report) -> f64 {
    let mean = |scores: &Evaluation| scores.loss_sum / scores.row_count.max(1) as f64;
    let mean = report.evaluation.as_ref().map_or(f64::INFINITY, mean);
    if mean.is_nan() { f64::INFINITY } else { mean }
}

impl Trained {
    /// Mean loss of the validation rows at the end; infinite where it diverged.
    pub fn loss(&self) -> f64 {
        loss_of(&self.report)
    }

    /// Validation rows of the right class.
    pub fn correct(&self) -> usize {
        let scores = self.report.evaluation.as_ref();
        scores.map_or(0, |scores| scores.correct.iter().sum::<u32>() as usize)
    }
}

/// Trains members for so many epochs, all together.
pub fn train(
    patient: &Patient<'_>,
    dataset: Dataset,
    members: &[Member],
    epochs: u32,
) -> Result<Vec<Trained>> {
    train_until(patient, dataset, members, epochs, f64::NEG_INFINITY)
}

/// The same, each until its loss is at most `enough`.
pub fn train_until(
    patient: &Patient<'_>,
    dataset: Dataset,
    members: &[Member],
    epochs: u32,
    enough: f64,
) -> Result<Vec<Trained>> {
    let job = Job { dataset: dataset.into(), seed: patient.plan.seed, with_outputs: true };
    let mut engine = (patient.open)(job)?;
    let mut trained = Vec::with_capacity(members.len());
    while trained.len() < members.len() {
        let first = trained.len();
        let mut ids: Vec<MemberId> = Vec::new();
        for member in &members[first..] {
            engine.check(member)?;
            if engine.room(member) == 0 {
                break;
            }
            let id = (first + ids.len()) as MemberId;
            engine.admit(id, member.clone())?;
            ids.push(id);
        }
        if ids.is_empty() {
            return Err(Error::device(
                engine.device(),
                "an empty engine has no room for a model of the space",
            )
            .advice("a larger --memory, or smaller models"));
        }
        let reports = follow(engine.as_mut(), &ids, epochs, enough)?;
        let states = engine.snapshot(&ids)?;
        engine.retire(&ids);
        trained.extend(reports.into_iter().zip(states).map(|((report, least_loss), state)| Trained {
            report,
            least_loss,
            state,
        }));
    }
    Ok(trained)
}

/// The last report of each member after so many epochs, and its least loss; one that diverges trains no further.
fn follow(engine: &mut dyn Engine, ids: &[MemberId], epochs: u32, enough: f64) -> Result<Vec<(Report, f64)>> {
    let mut last: HashMap<MemberId, (Report, f64)> = HashMap::new();
    let mut going = ids.to_vec();
    for _ in 0..epochs {
        if going.is_empty() {
            break;
        }
        let heard = engine.train_epoch(&going)?;
        going.retain(|id| {
            let goes_on = |report: &Report| report.diverged_at_step.is_none() && !(loss_of(report) <= enough);
            heard.get(id).is_some_and(goes_on)
        });
        for (id, report) in heard {
            let before = last.get(&id).map_or(f64::INFINITY, |(_, least)| *least);
            let least = before.min(loss_of(&report));
            last.insert(id, (report, least));
        }
    }
    let none = || Error::device("engine", "a member was never reported");
    ids.iter().map(|id| last.remove(id).ok_or_else(none)).collect()
}

/// The loss of a model that knows nothing: ln K, or the variance of the standardised target.
pub fn loss_of_ignorance(task: Task) -> f64 {
    match task {
        Task::Classification { class_count } => (class_count as f64).ln(),
        Task::Regression => 1.0,
    }
}
