//! Hyperparameter values and configurations; ranges, scales, choices, conditions.

use std::collections::BTreeMap;

/// The value of one hyperparameter.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A name.
    Text(String),
    /// A list, such as the widths of hidden layers.
    List(Vec<i64>),
}

/// One full assignment: hyperparameter name → value. Inactive conditional hyperparameters are absent.
pub type Configuration = BTreeMap<String, Value>;
