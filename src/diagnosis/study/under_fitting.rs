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
/// The cause, where larger models did better.
const TOO_SMALL: &str = "models too small, or held back too much";

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
        let Some((alike, lacking)) = Alike::of(record).zip(Lacking::of(record)) else {
            return Ok(Vec::new());
        };
        Ok(vec![Finding {
            name: self.name(),
            severity: match lacking {
                Lacking::Larger(_) => Severity::Warning,
                Lacking::Untried => Severity::Note,
            },
            place: listed(record.leaders()),
            seen: format!("{}; {}", alike.text(), lacking.evidence()),
            cause: lacking.cause().to_owned(),
            advice: format!("more capacity: {}", capacity::more(record)),
        }])
    }
}

/// Why larger models may well do better.
pub(super) enum Lacking {
    /// Those with more capacity did, by these hyperparameters.
    Larger(String),
    /// All models have one size.
    Untried,
}

impl Lacking {
    /// `None` where other sizes were tried, and more did not help.
    pub(super) fn of(record: &Record<'_>) -> Option<Self> {
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
        match better.is_empty() {
            false => Some(Self::Larger(better.join(", "))),
            true => shapes_one(&levers).then_some(Self::Untried),
        }
    }

    /// What says so.
    pub(super) fn evidence(&self) -> &str {
        match self {
            Self::Larger(better) => better,
            Self::Untried => "no other size of model was tried",
        }
    }

    /// The likely cause.
    pub(super) fn cause(&self) -> &'static str {
        match self {
            Self::Larger(_) => TOO_SMALL,
            Self::Untried => "a model too small for what there is to learn, or noise that no model can learn",
        }
    }
}

/// Whether all models of a study have one size.
fn shapes_one(levers: &[Lever<'_>]) -> bool {
    let raise = |lever: &&Lever<'_>| lever.capacity == Capacity::Raises;
    !levers.iter().filter(raise).any(Lever::is_free)
}

/// Whether training rows are failed on, and validation rows about as much.
pub(super) fn is_alike(train: f64, validation: f64) -> bool {
    train >= FAR && is_close(train, validation)
}

/// Whether validation rows are failed on about as much as training rows.
pub(super) fn is_close(train: f64, validation: f64) -> bool {
    validation <= CLOSE * train
}

/// Said of a training loss that is an upper bound.
pub(super) const RAISED: &str = " (with dropout or class weights, so at most that)";

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
        let is_alike = is_alike(train, validation) && Slow::of(record).is_none();
        let is_raised = |(_, losses): &(&Trial, &Losses)| losses.is_raised;
        is_alike.then(|| Self { train, validation, is_raised: leaders.iter().any(is_raised) })
    }

    /// In words.
    pub(super) fn text(&self) -> String {
        let raised = if self.is_raised { RAISED } else { "" };
        format!(
            "of the best trials the training loss is {:.2} of that of always saying the same{raised}, the validation \
             loss {:.2}",
            self.train, self.validation
        )
    }
}
