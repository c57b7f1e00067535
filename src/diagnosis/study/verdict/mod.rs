//! What its curves say of each trial: one verdict a file. The first of [`ALL`] that holds is the trial's.
//!
//! Verdicts and findings of the study share their thresholds, which stand in the files of the findings.

mod case;
mod diverged;
mod mismatch;
mod no_finding;
mod noise_limited;
mod nothing_learned;
mod over_fitting;
mod still_improving;
mod too_short;
mod undecided;
mod under_fitting;
mod unknown;
mod unstable;
mod well_fitted;

pub use case::{Case, Whole};
pub use unknown::NAME as UNKNOWN;

use super::{Losses, Record};
use crate::trial::Trial;

/// Every verdict, in the order in which they are asked for. The last one always holds.
pub static ALL: &[&dyn Verdict] = &[
    &diverged::Diverged,
    &unknown::Unknown,
    &unstable::Unstable,
    &mismatch::Mismatch,
    &still_improving::StillImproving,
    &too_short::TooShort,
    &over_fitting::OverFitting,
    &noise_limited::NoiseLimited,
    &under_fitting::UnderFitting,
    &undecided::Undecided,
    &nothing_learned::NothingLearned,
    &well_fitted::WellFitted,
    &no_finding::NoFinding,
];

/// One thing that curves may say.
pub trait Verdict: Sync {
    /// Its name, in tables and JSON.
    fn name(&self) -> &'static str;
    /// What it says of a trial, on one line.
    fn meaning(&self) -> &'static str;
    /// Why it holds of a trial; `None` where it does not.
    fn judge(&self, case: &Case<'_>) -> Option<Opinion>;
}

/// Why a verdict holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// What was seen, with figures.
    pub seen: String,
    /// The likely cause.
    pub cause: String,
    /// What to try.
    pub advice: String,
}

impl Opinion {
    fn new(seen: impl Into<String>, cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { seen: seen.into(), cause: cause.into(), advice: advice.into() }
    }
}

/// A trial with its verdict.
pub struct Judged<'a> {
    /// From 1.
    pub rank: usize,
    /// Which.
    pub trial: &'a Trial,
    /// Its curves, where they can be compared.
    pub losses: Option<&'a Losses>,
    /// The name of its verdict.
    pub verdict: &'static str,
    /// Why.
    pub opinion: Opinion,
}

/// Judges every trial, by rank.
pub fn judge<'a>(record: &'a Record<'_>) -> Vec<Judged<'a>> {
    let whole = Whole::of(record);
    let judged = record.all().enumerate().filter_map(|(index, (trial, losses))| {
        let case = Case { whole: &whole, trial, losses };
        let found = ALL.iter().find_map(|verdict| Some((verdict.name(), verdict.judge(&case)?)));
        let (verdict, opinion) = found?;
        Some(Judged { rank: index + 1, trial, losses, verdict, opinion })
    });
    judged.collect()
}

/// How many trials have each verdict that there is, in the order of [`ALL`].
pub fn counts<'a>(verdicts: impl Iterator<Item = &'a str> + Clone) -> Vec<(&'static str, usize)> {
    let count = |name: &'static str| (name, verdicts.clone().filter(|verdict| *verdict == name).count());
    ALL.iter().map(|verdict| count(verdict.name())).filter(|(_, count)| *count > 0).collect()
}
