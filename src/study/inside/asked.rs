//! Which trials' histograms are kept: `best:8`, `all` or `none`.

use crate::error::{Error, Result};
use std::fmt;

/// Which trials' histograms a study keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Histograms {
    /// Those of so many best trials.
    Best(u32),
    /// Those of every trial.
    All,
    /// Nothing is looked at.
    None,
}

impl Default for Histograms {
    fn default() -> Self {
        Self::Best(8)
    }
}

impl Histograms {
    /// What was typed.
    pub fn read(place: impl fmt::Display, text: &str) -> Result<Self> {
        let count = text.strip_prefix("best:").and_then(|count| count.parse().ok());
        match (text, count) {
            ("all", _) => Ok(Self::All),
            ("none", _) => Ok(Self::None),
            (_, Some(count)) if count > 0 => Ok(Self::Best(count)),
            _ => Err(Error::usage(place, format!("\"{text}\""))
                .allowed("best:N with N of at least 1, all, none")
                .advice(format!("{}, which is the default", Self::default()))),
        }
    }
}

impl fmt::Display for Histograms {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Best(count) => write!(formatter, "best:{count}"),
            Self::All => formatter.write_str("all"),
            Self::None => formatter.write_str("none"),
        }
    }
}
