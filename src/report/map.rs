//! The map of validation scores over (C, γ) of kernel machines, in characters: where good machines are, and whether
//! the best one stands at the edge of what was searched.

use super::Leaderboard;
use super::number::{Scores, short};
use crate::model::metric::Direction;
use crate::space::Value;
use crate::trial::Trial;
use std::collections::BTreeMap;

/// From the worst score to the best, two characters a cell.
const SHADES: [&str; 5] = ["··", "░░", "▒▒", "▓▓", "██"];
/// The cell of the best score.
const BEST: &str = "◆◆";
/// The cell without a score.
const NONE: &str = "  ";
/// Most values of an axis that have a line each; of more, those near each other share one.
const MOST: usize = 16;

/// A trial on the map: c, gamma, and its score.
pub type Point = (f64, f64, f64);

/// Where a trial stands; `None` where it has no score, or c and gamma are no numbers of its own.
pub fn point(trial: &Trial) -> Option<Point> {
    let at = |name: &str| trial.configuration.get(name).and_then(Value::number);
    Some((at("c")?, at("gamma")?, trial.score()?.value))
}

/// The map; empty where not both c and gamma vary, or they are no numbers.
pub fn map(board: &Leaderboard) -> String {
    let is_of_machines = !board.solvers.is_empty();
    if is_of_machines {
        drawn(&board.points, board.title.direction, &board.title.objective)
    } else {
        String::new()
    }
}

/// An axis: the values of its lines, ascending, and the line of a value.
struct Axis {
    values: Vec<f64>,
}

impl Axis {
    fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        if values.len() > MOST {
            let (low, high) = (values[0].ln(), values[values.len() - 1].ln());
            let at = |line: usize| (low + (high - low) * line as f64 / (MOST - 1) as f64).exp();
            values = (0..MOST).map(at).collect();
        }
        Self { values }
    }

    fn line(&self, value: f64) -> usize {
        let distance = |line: &usize| (self.values[*line].ln() - value.ln()).abs();
        (0..self.values.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
    }
}

fn drawn(points: &[Point], direction: Direction, objective: &str) -> String {
    let (costs, gammas) = (Axis::new(points.iter().map(|p| p.0)), Axis::new(points.iter().map(|p| p.1)));
    if costs.values.len() < 2 || gammas.values.len() < 2 {
        return String::new();
    }
    let mut cells: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for &(c, gamma, value) in points {
        let cell = cells.entry((costs.line(c), gammas.line(gamma))).or_insert(value);
        if direction.better(value, *cell) {
            *cell = value;
        }
    }
    let ordered = |a: &&f64, b: &&f64| direction.compare(**a, **b);
    let (Some(&best), Some(&worst)) = (cells.values().min_by(ordered), cells.values().max_by(ordered)) else {
        return String::new();
    };
    let shade = |value: f64| {
        let share = (value - worst) / (best - worst);
        // All scores are equal: none is worse.
        let share = if share.is_finite() { share } else { 1.0 };
        SHADES[((share * SHADES.len() as f64) as usize).min(SHADES.len() - 1)]
    };
    // Of equals the cell of the smallest c, then gamma.
    let leader = cells.iter().find(|(_, value)| **value == best).map(|(cell, _)| *cell);
    let labels: Vec<String> = costs.values.iter().map(|&c| short(&Value::Float(c))).collect();
    let width = labels.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (line, label) in labels.iter().enumerate().rev() {
        let cell = |column: usize| match cells.get(&(line, column)) {
            _ if leader == Some((line, column)) => BEST,
            Some(&value) => shade(value),
            None => NONE,
        };
        let row: String = (0..gammas.values.len()).map(cell).collect();
        text.push_str(format!("  c {label:>width$} {row}").trim_end());
        text.push('\n');
    }
    let ends = [gammas.values[0], gammas.values[gammas.values.len() - 1]].map(|g| short(&Value::Float(g)));
    let scores = [worst, best].map(|value| Scores::like(value).text(value));
    text + &format!(
        "  {:width$}   gamma {} to {}, left to right; {objective} {} ·· to {} ██, {BEST} the best\n",
        "", ends[0], ends[1], scores[0], scores[1]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_has_a_line_for_each_cost_the_largest_first() {
        let points = [(1.0, 0.1, 0.5), (1.0, 1.0, 0.9), (4.0, 0.1, 0.7), (4.0, 1.0, 0.9)];
        let text = drawn(&points, Direction::Maximize, "accuracy");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], ["  c 4 ▒▒██", "  c 1 ··◆◆"]);
        assert!(lines[2].contains("gamma 0.1 to 1,") && lines.len() == 3, "{text}");
    }

    #[test]
    fn many_values_share_lines_and_the_better_one_shows() {
        let points: Vec<Point> =
            (0..100).map(|i| (1.0 + f64::from(i), 0.1 + f64::from(i % 3), 1.0)).collect();
        assert_eq!(drawn(&points, Direction::Minimize, "rmse").lines().count(), MOST + 1);
        assert_eq!(drawn(&points[..1], Direction::Minimize, "rmse"), "");
        let two = [(1.0, 0.1, 3.0), (2.0, 1.0, 1.0), (2.0, 1.0, 2.0)];
        assert!(drawn(&two, Direction::Minimize, "rmse").contains("rmse 3"));
    }
}
