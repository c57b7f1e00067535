//! What a diagnosis says.

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Likely to cost accuracy, or to mislead.
    Warning,
    /// Scores would mean nothing, or the software is wrong.
    Error,
}

impl Severity {
    /// The name, as in the list and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The diagnosis that found it.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where: columns, rows, hyperparameters; empty where it is of everything.
    #[serde(rename = "where")]
    pub place: String,
    /// What was seen, with figures.
    pub seen: String,
    /// The likely cause.
    pub cause: String,
    /// What to try.
    #[serde(rename = "try")]
    pub advice: String,
}
