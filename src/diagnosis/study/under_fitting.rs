//! Models too small for what there is to learn: they fail on their own training rows as on others, and larger ones
//! fail less.

use super::capacity::{self, Lever, levers};
use super::learning_rate_too_low::Slow;
use super::record::{Record, listed, median};
use super::{Diagnosis, Losses};
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::model::hyperparameter::Capacity;
use crate::trial::Trial;

/// Too little capacity.
pub struct UnderFitting;

/// A training loss far from 0.
const FAR: f64 = 0.2;
/// Times a training loss that a validation loss may be to be close to it.
const CLOSE: f64 = 1.25;
/// Rank correlation of capacity and score from which larger is better, and how often chance may give it.
const LARGER_IS_BETTER: f64 = 0.4;
const CHANCE: f64 = 0.01;
/// Share of the leaders that have the most capacity that is searched.
const AT_MOST: f64 = 0.6;

impl Diagnosis for UnderFitting {
    fn name(&self) -> &'static str {
        "under_fitting"
    }
    fn healthy(&self) -> &'static str {
        "models are large enough for their training rows"
    }
    fn applies(&self, record: &Record<'_>) -> bool {
        record.curves().next().is_some()
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let Some(alike) = Alike::of(record) else { return Ok(Vec::new()) };
        let trials: Vec<&Trial> = record.complete().collect();
        let leaders = record.leaders();
        let levers = levers(record);
        let is_better = |lever: &&Lever<'_>| {
            let found = lever.correlation(&trials);
            let at_most = leaders.iter().filter(|trial| lever.is_at_most(trial)).count() as f64;
            found.coefficient >= LARGER_IS_BETTER
                && found.p < CHANCE
                && at_most >= AT_MOST * leaders.len() as f64
        };
        let better: Vec<String> = levers
            .iter()
            .filter(is_better)
            .map(|lever| {
                let more = if lever.capacity == Capacity::Lowers { "less" } else { "more" };
                let found = lever.correlation(&trials);
                format!(
                    "{more} {} did better (rank correlation {:.2})",
                    lever.dimension.name, found.coefficient
                )
            })
            .collect();
        let (severity, evidence, cause) = match better.is_empty() {
            false => (Severity::Warning, better.join(", "), "models too small, or held back too much"),
            true if shapes_one(&levers) => (
                Severity::Note,
                "no other size of model was tried".to_owned(),
                "a model too small for what there is to learn, or noise that no model can learn",
            ),
            true => return Ok(Vec::new()),
        };
        Ok(vec![Finding {
            name: self.name(),
            severity,
            place: listed(leaders),
            seen: format!("{}; {evidence}", alike.text()),
            cause: cause.to_owned(),
            advice: format!("more capacity: {}", capacity::more(record)),
        }])
    }
}

/// Whether all models of a study have one size.
fn shapes_one(levers: &[Lever<'_>]) -> bool {
    let raise = |lever: &&Lever<'_>| lever.capacity == Capacity::Raises;
    !levers.iter().filter(raise).any(Lever::is_free)
}

/// Leaders that fail on their training rows about as much as on validation rows.
pub(super) struct Alike {
    train: f64,
    validation: f64,
    is_raised: bool,
}

impl Alike {
    /// `None` where they do not, or where they had not come to their end.
    pub(super) fn of(record: &Record<'_>) -> Option<Self> {
        let leaders = record.leading_curves();
        let train = median(leaders.iter().map(|(_, losses)| losses.train_at_best()));
        let validation = median(leaders.iter().map(|(_, losses)| losses.least()));
        let is_alike = train >= FAR && validation <= CLOSE * train && Slow::of(record).is_none();
        let is_raised = |(_, losses): &(&Trial, &Losses)| losses.is_raised;
        is_alike.then(|| Self { train, validation, is_raised: leaders.iter().any(is_raised) })
    }

    /// In words.
    pub(super) fn text(&self) -> String {
        let raised = if self.is_raised { " (with dropout or class weights, so at most that)" } else { "" };
        format!(
            "of the best trials the training loss is {:.2} of that of always saying the same{raised}, the validation \
             loss {:.2}",
            self.train, self.validation
        )
    }
}
