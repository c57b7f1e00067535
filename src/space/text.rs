//! Spaces as text: the TOML of a study file, which parses back to the same space.

use super::{Condition, Dimension, Domain, Space, Value};
use std::fmt;

/// A value as TOML, on one line.
pub fn value_text(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        // `{:?}` always has a point or an exponent, so that it is read back as a real number.
        Value::Float(value) => format!("{value:?}"),
        Value::Text(value) => quoted(value),
        Value::List(values) => format!("{values:?}"),
    }
}

/// A key as TOML: bare where it can be.
pub fn key_text(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.to_string() } else { quoted(key) }
}

/// A string as TOML, on one line.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

fn list_text(values: &[Value]) -> String {
    format!("[{}]", values.iter().map(value_text).collect::<Vec<_>>().join(", "))
}

impl Domain {
    /// The domain as TOML, on one line.
    pub fn text(&self) -> String {
        match self.entries(None) {
            Some(entries) => format!("{{ {} }}", entries.join(", ")),
            None => self.short().unwrap_or_default(),
        }
    }

    /// The form without a table, where there is one.
    fn short(&self) -> Option<String> {
        match self {
            // A bare list would read as a list of choices.
            Self::Fixed(value @ Value::List(_)) => Some(list_text(std::slice::from_ref(value))),
            Self::Fixed(value) => Some(value_text(value)),
            Self::Choice(values) => Some(list_text(values)),
            _ => None,
        }
    }

    /// The values of a list.
    fn choices(&self) -> String {
        match self {
            Self::Fixed(value) => list_text(std::slice::from_ref(value)),
            Self::Choice(values) => list_text(values),
            _ => self.text(),
        }
    }

    /// `key = value` of a range's table.
    fn entries(&self, count: Option<u32>) -> Option<Vec<String>> {
        let mut entries = Vec::new();
        match self {
            Self::Float { low, high, log, step } => {
                let form = if *log { "log_uniform" } else { "uniform" };
                entries.push(format!("{form} = [{low:?}, {high:?}]"));
                entries.extend(step.map(|step| format!("step = {step:?}")));
            }
            Self::Int { low, high, log, step } => {
                entries.push(format!("int = [{low}, {high}]"));
                entries.extend(log.then(|| "log = true".to_string()));
                entries.extend((*step != 1).then(|| format!("step = {step}")));
            }
            _ => return None,
        }
        entries.extend(count.map(|count| format!("count = {count}")));
        Some(entries)
    }
}

impl Condition {
    fn text(&self) -> String {
        let values = match &self.values[..] {
            [value] if !matches!(value, Value::List(_)) => value_text(value),
            values => list_text(values),
        };
        format!("{} = {values}", key_text(&self.name))
    }
}

impl Dimension {
    /// Domain, count and conditions as TOML: what stands behind `name =` in a study file.
    pub fn text(&self) -> String {
        let entries = self.domain.entries(self.grid_count);
        if self.when.is_empty() && entries.is_none() {
            return self.domain.text();
        }
        let mut entries = entries.unwrap_or_else(|| vec![format!("choice = {}", self.domain.choices())]);
        if !self.when.is_empty() {
            entries.push(format!("when = {{ {} }}", self.when_text()));
        }
        format!("{{ {} }}", entries.join(", "))
    }

    /// Its conditions as TOML: what stands between the braces behind `when =`.
    pub fn when_text(&self) -> String {
        let conditions: Vec<String> = self.when.iter().map(Condition::text).collect();
        conditions.join(", ")
    }
}

impl fmt::Display for Dimension {
    /// A line of a study file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", key_text(&self.name), self.text())
    }
}

impl fmt::Display for Space {
    /// One line per dimension: the `[space]` table of a study file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dimensions.iter().try_for_each(|dimension| writeln!(f, "{dimension}"))
    }
}
