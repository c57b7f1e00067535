//! Ranges of the space that end where trials were getting better still.

use super::Diagnosis;
use super::ranks::larger;
use super::record::{Record, listed};
use super::region::short;
use crate::diagnosis::{Finding, Severity};
use crate::error::Result;
use crate::space::{Dimension, Domain};
use crate::trial::Trial;

/// A best at the end of a range.
pub struct EdgeOfRange;

/// Next to the end of a range, as shares of it: where the best is, where the leaders are, and the part beside that.
const AT_END: f64 = 0.15;
const OUTER: f64 = 0.25;
const BESIDE: f64 = 0.6;
/// Share of the leaders that are there.
const MOST_LEADERS: f64 = 0.6;
/// How often chance may say so of a study, all ranges and both ends together.
const CHANCE: f64 = 0.01;
/// Factor by which a logarithmic range is to go on, and share of its width for another.
const FACTOR: f64 = 10.0;

impl Diagnosis for EdgeOfRange {
    fn name(&self) -> &'static str {
        "edge_of_range"
    }
    fn healthy(&self) -> &'static str {
        "no range ends where trials were getting better still"
    }
    fn examine(&self, record: &Record<'_>) -> Result<Vec<Finding>> {
        let space = record.plan.space.iter();
        let ranges: Vec<&Dimension> =
            space.flat_map(|space| &space.dimensions).filter(|d| is_range(d)).collect();
        let ends = ranges.iter().flat_map(|dimension| [(*dimension, false), (*dimension, true)]);
        let chance = CHANCE / (2 * ranges.len()).max(1) as f64;
        Ok(ends.filter_map(|(dimension, is_upper)| self.end(record, dimension, is_upper, chance)).collect())
    }
}

fn is_range(dimension: &Dimension) -> bool {
    matches!(dimension.domain, Domain::Float { .. } | Domain::Int { .. })
}

impl EdgeOfRange {
    fn end(
        &self,
        record: &Record<'_>,
        dimension: &Dimension,
        is_upper: bool,
        chance: f64,
    ) -> Option<Finding> {
        // 0 at the end that is looked at.
        let place = |trial: &Trial| {
            let place = dimension.domain.encode(trial.configuration.get(&dimension.name)?)?;
            Some(if is_upper { 1.0 - place } else { place })
        };
        let further = further(dimension, is_upper)?;
        let leaders = record.leaders();
        let near = leaders.iter().filter(|trial| place(trial).is_some_and(|place| place <= OUTER));
        let near: Vec<&Trial> = near.copied().collect();
        let best = leaders.first().filter(|best| place(best).is_some_and(|place| place <= AT_END))?;
        if (near.len() as f64) < MOST_LEADERS * leaders.len() as f64 {
            return None;
        }
        // Trials without a value are the worst: by rank they stand at the end.
        let within = |low: f64, high: f64| -> Vec<f64> {
            let ranked = record.trials.iter().enumerate().filter(|(_, trial)| trial.state.is_finished());
            let these =
                ranked.filter(|(_, trial)| place(trial).is_some_and(|place| place >= low && place <= high));
            these.map(|(rank, _)| -(rank as f64)).collect()
        };
        let p = larger(&within(0.0, OUTER), &within(OUTER, BESIDE));
        (p < chance).then(|| Finding {
            name: self.name(),
            severity: Severity::Warning,
            place: format!("{}, its {} end", dimension.name, if is_upper { "upper" } else { "lower" }),
            seen: format!(
                "the best trial ({}) and {} of the {} best lie there, and trials there are better than those beside \
                 them (by chance: {p:.1e})",
                best.number,
                near.len(),
                leaders.len()
            ),
            cause: format!("the range ends before the best value; {}", listed(near)),
            advice: format!("a range that goes on to {}", short(further)),
        })
    }
}

/// Where a range could go on to; `None` where the hyperparameter ends there.
fn further(dimension: &Dimension, is_upper: bool) -> Option<f64> {
    let (low, high, log) = match dimension.domain {
        Domain::Float { low, high, log, .. } => (low, high, log),
        Domain::Int { low, high, log, .. } => (low as f64, high as f64, log),
        _ => return None,
    };
    let (end, limits) = (if is_upper { high } else { low }, dimension.limits);
    let next = match (log, is_upper) {
        (true, true) => end * FACTOR,
        (true, false) => end / FACTOR,
        (false, true) => end + (high - low),
        (false, false) => end - (high - low),
    };
    let next = next.clamp(limits.low, limits.high);
    let is_whole = matches!(dimension.domain, Domain::Int { .. });
    let next = if is_whole { next.round() } else { next };
    (next != end).then_some(next)
}
