//! The page of the model in action: what it says of rows that it had not trained on, and of changed ones.

use super::{Page, Subject, missing, pictures};
use crate::report::action;
use serde_json::{Value, json};

/// Confusion, calibration, residuals, segments, partial dependence, decision regions.
pub struct Action;

impl Page for Action {
    fn name(&self) -> &'static str {
        "action"
    }
    fn title(&self) -> &'static str {
        "In action"
    }
    fn script(&self) -> &'static str {
        include_str!("assets/pages/action.js")
    }

    fn data(&self, subject: &Subject) -> Option<Value> {
        subject.stored.as_ref()?;
        Some(match subject.outside() {
            Ok(outside) => {
                let is_image = pictures::size(&outside.table, outside.encoder()).is_some();
                json!({
                    "trial": outside.trial,
                    "target": outside.encoder().target_name(),
                    "action": action::Action::new(outside, is_image),
                })
            }
            Err(error) => json!({ "missing": missing(error) }),
        })
    }
}
