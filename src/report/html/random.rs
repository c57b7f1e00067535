//! What search without learning would have found: the best of so many trials that no result led, to be expected.

use crate::report::{Leaderboard, Opening};
use crate::search::is_random;
use crate::trial::Trial;
use serde_json::{Value, json};

/// Numbers of trials that the curve has at most.
const MOST_POINTS: usize = 60;

/// Which trials of a study no result led, and the best value to be expected of 1, 2, … of them. `None` where there are
/// none, or none of them has a value.
pub(super) fn expected(board: &Leaderboard) -> Option<Value> {
    let opening = Opening::of(board);
    let (how, values) = match &opening {
        Some(opening) => (opening.how(), opening.values.clone()),
        None => ("random", of_share(board)),
    };
    let count = values.len();
    let mut values: Vec<f64> = values.into_iter().flatten().collect();
    values.sort_by(|a, b| board.title.direction.compare(*a, *b));
    // A trial without a value is as good as the worst that has one: it is never the best of several.
    values.resize(count, *values.last()?);
    let counts = counts(values.len());
    let curve: Vec<f64> = counts.iter().map(|&count| best_of(&values, count)).collect();
    let guided = opening.as_ref().filter(|opening| !opening.guided.is_empty()).map(|opening| {
        json!({
            "count": opening.guided.len(),
            "same_count": count.min(opening.guided.len()),
            "value_at_same_budget": opening.guided_at_same_budget,
            "best": opening.best,
        })
    });
    Some(json!({
        "how": how, "count": count, "best": values[0], "guided": guided, "counts": counts, "values": curve,
    }))
}

/// What the trials came to that random search had for its share.
fn of_share(board: &Leaderboard) -> Vec<Option<f64>> {
    let division = &board.title.division;
    let is_drawn =
        |trial: &&Trial| trial.number >= division.enqueued && is_random(division.share, trial.number);
    let ended = board.trials.iter().filter(is_drawn).filter(|trial| trial.state.is_finished());
    ended.map(Trial::value).collect()
}

/// 1, 2, … up to a number, farther apart where they are many.
fn counts(most: usize) -> Vec<usize> {
    let mut counts: Vec<usize> = match most <= MOST_POINTS {
        true => (1..=most).collect(),
        false => (0..MOST_POINTS)
            .map(|point| (most as f64).powf(point as f64 / (MOST_POINTS - 1) as f64).round() as usize)
            .collect(),
    };
    counts.dedup();
    counts
}

/// The mean over all choices of `count` of the values, best first, of the best one chosen.
///
/// Σᵢ vᵢ · C(n − i, count − 1)/C(n, count), i from 1: of all choices so many have vᵢ as their best.
fn best_of(values: &[f64], count: usize) -> f64 {
    let n = values.len() as f64;
    let (mut weight, mut sum) = (count as f64 / n, 0.0);
    for (index, value) in values.iter().enumerate().take(values.len() + 1 - count) {
        sum += weight * value;
        let left = n - index as f64 - 1.0;
        weight *= (left - count as f64 + 1.0) / left;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_some_is_the_mean_over_all_choices() {
        let values = [4.0, 3.0, 1.0];
        assert!((best_of(&values, 1) - 8.0 / 3.0).abs() <= 1e-12);
        // {4, 3}, {4, 1}, {3, 1}
        assert!((best_of(&values, 2) - 11.0 / 3.0).abs() <= 1e-12);
        assert!((best_of(&values, 3) - 4.0).abs() <= 1e-12);
    }

    #[test]
    fn the_curve_ends_at_all_of_them() {
        assert_eq!(counts(3), [1, 2, 3]);
        let many = counts(1000);
        assert_eq!((many[0], many[many.len() - 1]), (1, 1000));
        assert!(many.len() <= MOST_POINTS && many.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
