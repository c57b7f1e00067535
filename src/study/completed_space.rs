//! What a space does not say, and its model and objective settle.

use crate::error::{Error, Result};
use crate::model::hyperparameter::{LINEAR, SVM, no_hidden_layers};
use crate::space::{Dimension, Domain, Space, Value};

/// The objective that asks for probabilities, and the hyperparameter that fits them.
const LOG_LOSS: &str = "log_loss";
const PROBABILITIES: &str = "probabilities";

/// The space with what its configurations must say: that of a linear model holds an empty `hidden`, that of a kernel
/// machine a `kernel`, so that configurations say what they train; and where probabilities are scored they are fitted.
///
/// Refuses votes where probabilities are scored.
pub fn completed(mut space: Space, model: &str, objective: &str) -> Result<Space> {
    if model == LINEAR && space.get("hidden").is_none() {
        space.dimensions.push(Dimension::new("hidden", no_hidden_layers()));
    }
    if model != SVM || objective != LOG_LOSS {
        return Ok(space);
    }
    let may_vote = |fits: &Dimension| fits.domain.contains(&Value::Bool(false)) || !fits.when.is_empty();
    match space.get(PROBABILITIES) {
        Some(fits) if may_vote(fits) => {
            let found = "machines may vote, and votes have no log_loss";
            Err(Error::usage(format!("space.{PROBABILITIES}"), found)
                .allowed("true, which is also what is taken where nothing is said")
                .advice(format!("leave {PROBABILITIES} out; or another search.objective")))
        }
        Some(_) => Ok(space),
        None => {
            space.dimensions.push(Dimension::new(PROBABILITIES, Domain::Fixed(Value::Bool(true))));
            Ok(space)
        }
    }
}
