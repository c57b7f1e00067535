//! The leaderboard as a table for people: few digits, and only the hyperparameters that differ.

use super::columns::{GAP, grid};
use super::map::map;
use super::noise;
use super::number::{Scores, short};
use super::sparkline::Sparklines;
use super::{Comparison, Format, Held, Leaderboard, Opening, Page};
use crate::search::Unguided;
use crate::study::optimism::Optimism;
use crate::trial::{State, Trial};
use std::collections::BTreeMap;

/// Most reasons of failed trials that are listed.
const MOST_REASONS: usize = 3;

/// A table for people.
pub struct Table;

impl Format for Table {
    fn name(&self) -> &'static str {
        "table"
    }
    fn summary(&self) -> &'static str {
        "a table for people"
    }

    fn held(&self, page: Page) -> Held {
        Held { trials: page.top.unwrap_or(usize::MAX), curves: page.curves || page.width.is_some() }
    }

    fn render(&self, board: &Leaderboard, page: Page) -> String {
        let mut text = title(board);
        let trials = board.shown(page);
        if !trials.is_empty() {
            let fixed = board.hyperparameters.fixed().map(|(name, value)| format!("{name}={}", short(value)));
            let fixed: Vec<String> = fixed.collect();
            text.push('\n');
            text.push_str(&rows(board, trials, &board.hyperparameters.varying(), page));
            if !fixed.is_empty() {
                let fixed = format!("in every trial: {}", fixed.join("  "));
                text.push_str(&format!("\n{}", wrapped(&fixed, page.width, 2)));
            }
            let map = map(board);
            if !map.is_empty() {
                text.push_str(&format!("\n{map}"));
            }
        }
        text.push_str(&ending(board, trials.len()));
        text
    }
}

fn title(board: &Leaderboard) -> String {
    let title = &board.title;
    let folds = match title.fold_count {
        None => String::new(),
        Some(1) => " over a hold-out set".to_owned(),
        Some(count) => format!(" over {count} folds"),
    };
    let device = title.device.as_ref().map_or(String::new(), |device| format!(" ({device})"));
    format!(
        "{}: {} {}{folds}, engine {}{device}, seed {}\n",
        title.name,
        title.direction.name(),
        title.objective,
        title.engine,
        title.seed
    )
}

/// The table proper, with learning curves where they are asked for, or find room on a terminal.
fn rows(board: &Leaderboard, trials: &[Trial], varying: &[&str], page: Page) -> String {
    let curves = Sparklines::of(trials).filter(|_| board.title.fold_count.is_some());
    let fits = |text: &str| page.width.is_some_and(|width| widest(text) <= width);
    if let Some(curves) = curves.filter(|_| page.curves || page.width.is_some()) {
        let text = rows_with(board, trials, varying, page.width, Some(&curves));
        // Without being asked, curves push no hyperparameter to a line of its own.
        if page.curves || text.lines().count() == trials.len() + 1 && fits(&text) {
            return text;
        }
    }
    rows_with(board, trials, varying, page.width, None)
}

/// Where the table is wider than the terminal, hyperparameters go to lines of their own.
fn rows_with(
    board: &Leaderboard,
    trials: &[Trial],
    varying: &[&str],
    width: Option<usize>,
    curves: Option<&Sparklines>,
) -> String {
    let best = trials.iter().find_map(Trial::score).map_or(0.0, |score| score.value);
    let scores = Scores::like(best);
    let mut head = vec!["rank".to_owned(), "trial".to_owned(), board.title.objective.clone()];
    head.extend(board.title.fold_count.map(|_| "epochs".to_owned()));
    head.extend(curves.map(|_| "curve".to_owned()));
    let lead: Vec<Vec<String>> = trials
        .iter()
        .enumerate()
        .map(|(rank, trial)| {
            let mut row = vec![(rank + 1).to_string(), trial.number.to_string(), outcome(trial, scores)];
            row.extend(board.epochs(trial).map(|epochs| epochs.to_string()));
            row.extend(curves.map(|curves| curves.text(trial)));
            row
        })
        .collect();
    let values: Vec<Vec<String>> = trials
        .iter()
        .map(|trial| {
            varying.iter().map(|name| trial.configuration.get(*name).map_or("-".into(), short)).collect()
        })
        .collect();
    let names = varying.iter().map(|name| (*name).to_owned());
    let wide = grid(
        head.iter().cloned().chain(names).collect(),
        lead.iter().zip(&values).map(|(lead, values)| [lead.as_slice(), values].concat()).collect(),
    );
    if width.is_none_or(|width| widest(&wide) <= width) {
        return wide;
    }
    let narrow = grid(head, lead);
    let mut lines = narrow.lines();
    let mut text = format!("{}\n", lines.next().unwrap_or_default());
    for (line, trial) in lines.zip(trials) {
        let held = varying.iter().filter_map(|name| Some((name, trial.configuration.get(*name)?)));
        let pairs: Vec<String> = held.map(|(name, value)| format!("{name}={}", short(value))).collect();
        text.push_str(&format!("{line}\n{}", wrapped(&pairs.join("  "), width, 8)));
    }
    text
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// What a trial came to, in few digits.
pub(super) fn outcome(trial: &Trial, scores: Scores) -> String {
    let value = trial.score().map(|score| scores.text(score.value));
    match (trial.state, value, trial.spread()) {
        (State::Complete, Some(value), Some(spread)) => format!("{value} ± {}", scores.text(spread)),
        (State::Complete, Some(value), None) => value,
        (State::Diverged, _, _) => match trial.diverged_at_step {
            Some(step) => format!("diverged at step {step}"),
            None => "diverged".to_owned(),
        },
        (state, Some(value), _) => format!("{value} ({})", state.name()),
        (state, None, _) => state.name().to_owned(),
    }
}

/// Below the table: how the trials ended, why some failed, and what the final test set says.
fn ending(board: &Leaderboard, shown: usize) -> String {
    let mut text = String::new();
    let count = |state: State| board.outlines.iter().filter(|trial| trial.key.state == state).count();
    let counts: Vec<String> = State::ALL
        .into_iter()
        .filter(|&state| count(state) > 0)
        .map(|state| format!("{} {}", count(state), state.name()))
        .collect();
    let total = match board.outlines.len() {
        0 => "no trial has begun".to_owned(),
        1 => format!("1 trial: {}", counts.join(", ")),
        total if shown < total => {
            format!("{total} trials ({}); shown are the first {shown}", counts.join(", "))
        }
        total => format!("{total} trials ({})", counts.join(", ")),
    };
    text.push_str(&format!("\n{total}\n"));
    let mut reasons: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for trial in &board.outlines {
        if let Some(reason) = &trial.failure {
            reasons.entry(reason).or_default().push(trial.key.number);
        }
    }
    for (reason, numbers) in reasons.iter().take(MOST_REASONS) {
        let others =
            if numbers.len() > 1 { format!(" and {} more", numbers.len() - 1) } else { String::new() };
        text.push_str(&format!("trial {}{others} failed: {reason}\n", numbers[0]));
    }
    let text_of =
        |value: Option<f64>| value.map_or("nothing".into(), |value| Scores::like(value).text(value));
    if let Some(found) = Opening::of(board).filter(|opening| !opening.guided.is_empty()) {
        let (first, behind) = (found.values.len(), found.guided.len());
        text.push_str(&format!(
            "{}'s first {first} trials, {} and led by no result, found {}; it found {} in the {} behind them, {} in all {}\n",
            board.title.division.strategy,
            match found.unguided {
                Unguided::Random => "drawn at random",
                Unguided::Even | Unguided::EvenUntil(_) => "spread evenly over the space",
                Unguided::Cells(_) => "a whole grid",
            },
            text_of(found.values[0]),
            text_of(found.guided_at_same_budget),
            first.min(behind),
            text_of(found.best),
            first + behind
        ));
    }
    if let Some(found) = Comparison::of(board) {
        text.push_str(&format!(
            "random search found {} in its {} trials; {} found {} in as many of its own, {} in all {}\n",
            text_of(found.random_value),
            found.random_count,
            board.title.division.strategy,
            text_of(found.strategy_value_at_same_budget),
            text_of(found.strategy_value),
            found.strategy_count
        ));
    }
    if let Some(Optimism { value, standard_error, flattery, trial_count }) = board.optimism {
        let scores = Scores::like(value);
        text.push_str(&format!(
            "chosen by all folds but one and judged by that one: {} {} ± {} (standard error); being the best of \
             {trial_count} flatters by {}\n",
            board.title.objective,
            scores.text(value),
            scores.text(standard_error),
            scores.text(flattery)
        ));
    }
    if let Some(noise) = &board.noise {
        text.push_str(&format!("{}\n", noise::line(noise, &board.title.objective)));
    }
    if let (Some(value), Some(best)) = (board.title.test_value, board.best()) {
        let value = Scores::like(value).text(value);
        text.push_str(&format!(
            "on the final test set, trial {} (its fold models averaged): {} {value}\n",
            best.number, board.title.objective
        ));
    }
    text
}

/// Text on lines of at most `width` characters, broken between words, each after the first indented.
fn wrapped(text: &str, width: Option<usize>, indent: usize) -> String {
    let (mut lines, mut line) = (String::new(), " ".repeat(indent));
    for word in text.split(GAP) {
        let is_full = width.is_some_and(|width| line.chars().count() + word.chars().count() > width);
        if is_full && !line.trim().is_empty() {
            lines.push_str(&format!("{}\n", line.trim_end()));
            line = " ".repeat(indent);
        }
        line.push_str(word);
        line.push_str(GAP);
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_breaks_between_hyperparameters() {
        let text = wrapped("a=1  bb=22  ccc=333", Some(12), 2);
        assert_eq!(text, "  a=1  bb=22\n  ccc=333\n");
        assert_eq!(wrapped("a=1  b=2", None, 0), "a=1  b=2\n");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["1".to_owned(), "0.5 ± 0.1".to_owned()]];
        assert_eq!(grid(vec!["rank".into(), "x".into()], rows), "rank          x\n   1  0.5 ± 0.1\n");
    }
}
