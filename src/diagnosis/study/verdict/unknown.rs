//! Trials without curves to judge by.

use super::{Case, Opinion, Verdict};
use crate::trial::State;

/// Unknown.
pub struct Unknown;

/// Its name.
pub const NAME: &str = "unknown";

impl Verdict for Unknown {
    fn name(&self) -> &'static str {
        NAME
    }
    fn meaning(&self) -> &'static str {
        "there are no curves to judge by"
    }
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let (trial, record) = (case.trial, case.whole.record);
        let epochs = trial.history.epoch_count();
        if !record.has_epochs() {
            return Some(Opinion::new(
                "a kernel machine is solved at once: there are no epochs, and no training loss beside the validation score",
                "no curve is kept of its solution",
                "manytune curve RUN says whether more rows help; the map of (C, gamma) where good machines lie",
            ));
        }
        if trial.state == State::Failed {
            let why = trial.failure.as_deref().unwrap_or("it could not be trained");
            return Some(Opinion::new(
                format!("it failed: {why}"),
                "it has not trained",
                "what the failure says",
            ));
        }
        if epochs == 0 {
            let state = trial.state.name();
            let seen = format!("{state}: no epoch has ended yet");
            return Some(Opinion::new(
                seen,
                "it has not trained",
                "the same command again, once it has trained",
            ));
        }
        if record.dataset.is_none() {
            return Some(Opinion::new(
                "the study's data are not there as they were",
                "losses have a scale beside that of a model that always says the same, which the data say",
                "the data file put back as it was",
            ));
        }
        case.losses.is_none().then(|| {
            Opinion::new(
                "a loss of its curves is not a finite number",
                "validation rows, or a metric, for which the loss is undefined",
                "manytune doctor on the data",
            )
        })
    }
}
