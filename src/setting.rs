//! The numeric settings that a strategy or a schedule declares for itself, and their values in a study.

use crate::error::{Error, Result};
use std::collections::BTreeMap;

/// One numeric setting: a key of `[search]` or `[schedule]` beside the member that declares it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// The key in a study file.
    pub name: &'static str,
    /// What it decides, on one line.
    pub summary: &'static str,
    /// Its value where the file does not say.
    pub default: f64,
    /// The smallest allowed value.
    pub low: f64,
    /// The largest allowed value.
    pub high: f64,
    /// Whether only whole numbers are allowed.
    pub whole: bool,
}

impl Setting {
    /// Refuses a value out of range, or a fraction where whole numbers are asked for.
    pub fn check(&self, place: &str, value: f64) -> Result<()> {
        // Written so that NaN fails.
        if value >= self.low && value <= self.high && (!self.whole || value.fract() == 0.0) {
            return Ok(());
        }
        let (what, low, high) = (if self.whole { "a whole number from " } else { "" }, self.low, self.high);
        Err(Error::usage(place, format!("{value}"))
            .allowed(format!("{what}{low} to {high}: {}", self.summary))
            .advice(format!("leave {} out for {}", self.name, self.default)))
    }
}

/// The values of settings that differ from the defaults, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen(BTreeMap<String, f64>);

impl Chosen {
    /// No setting but at its default.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// The same with one more value, unchecked.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: f64) -> Self {
        self.0.insert(name.into(), value);
        self
    }

    /// The value of a setting.
    pub fn value(&self, setting: &Setting) -> f64 {
        self.0.get(setting.name).copied().unwrap_or(setting.default)
    }

    /// The value of a setting of whole numbers that are not negative.
    pub fn count(&self, setting: &Setting) -> u64 {
        self.value(setting) as u64
    }

    /// Those said, by name.
    pub fn said(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Only those that a member of the family of this table declares, checked.
    ///
    /// Refused are others, unless the member was chosen over the one that they are said for.
    pub fn of_member(
        &self,
        table: &str,
        member: &str,
        declared: &[Setting],
        is_overridden: bool,
    ) -> Result<Self> {
        for (name, value) in self.said() {
            let place = format!("{table}.{name}");
            match declared.iter().find(|setting| setting.name == name) {
                Some(setting) => setting.check(&place, value)?,
                None if is_overridden => {}
                None => {
                    let names: Vec<&str> = declared.iter().map(|setting| setting.name).collect();
                    let allowed =
                        if names.is_empty() { "no setting of its own".into() } else { names.join(", ") };
                    return Err(Error::usage(place, format!("a setting that {member} does not have"))
                        .allowed(format!("beside {member}: {allowed}"))
                        .advice(format!("leave {name} out")));
                }
            }
        }
        let mut own = self.clone();
        own.0.retain(|name, _| declared.iter().any(|setting| setting.name == *name));
        Ok(own)
    }
}
