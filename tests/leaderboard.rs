//! What a leaderboard says of planted trials: which hyperparameters differ, and what was found before results led.

mod cli;

use cli::Place;
use manytune::model::metric::Direction;
use manytune::report::{self, Leaderboard, Opening, Page};
use manytune::search::Unguided;
use manytune::space::{Configuration, Value};
use manytune::trial::{FoldEpoch, Order, Score, State, Succession, Trial};

const ORDER: Order = Order { objective: Direction::Maximize, tie_break: Direction::Minimize };

/// A trial of one fold and epoch; without a value one that diverged.
fn trial(number: u64, value: Option<f64>) -> Trial {
    let mut trial = Trial::new(number, Configuration::new(), ORDER, 1);
    if let Some(value) = value {
        trial.history.push(&[FoldEpoch { train_loss: 0.0, score: Score { value, tie_break: 0.0 } }]);
    }
    trial.state = if value.is_some() { State::Complete } else { State::Diverged };
    trial
}

/// The leaderboard of a study, whose objective is to be maximized, with these trials in the place of its own.
fn board(place: &Place, trials: Vec<Trial>) -> Leaderboard {
    place.run("tune study.toml --trials 2 --quiet");
    let title = Leaderboard::open(&place.path("runs/study")).unwrap().title;
    Leaderboard::new(title, ORDER, trials)
}

#[test]
fn trials_that_no_result_led_stand_apart_from_enqueued_and_guided_ones() {
    let values =
        [Some(0.99), Some(0.4), None, Some(0.6), Some(0.5), Some(0.55), Some(0.7), Some(0.8), Some(0.2)];
    let mut trials: Vec<Trial> = (0..).zip(values).map(|(number, value)| trial(number, value)).collect();
    let mut title = board(&Place::new(), Vec::new()).title;
    let division = &mut title.division;
    (division.enqueued, division.unguided) = (1, Some((Unguided::EvenUntil(3), Some(4))));
    let opening = |trials: &[Trial]| Opening::of(&Leaderboard::new(title.clone(), ORDER, trials.to_vec()));
    let found = opening(&trials).unwrap();
    // Trial 0 was enqueued; 1 to 3 are unguided, 4 to 6 as many behind them.
    assert_eq!(found.values, [Some(0.6), Some(0.4), None]);
    assert_eq!(found.guided, [0.5, 0.55, 0.7, 0.8, 0.2].map(Some));
    assert_eq!((found.guided_at_same_budget, found.best), (Some(0.7), Some(0.8)));
    trials[3].history = trial(3, Some(0.9)).history;
    assert_eq!(opening(&trials).unwrap().best, Some(0.9), "the best may be unguided");

    // One that took over from another counts by what it had come to by itself; one that trains does not count yet.
    let before = Configuration::new();
    trials[3].lineage = vec![Succession { epoch: 1, donor: 7, value: 0.3, before }];
    trials[1].state = State::Running;
    assert_eq!(opening(&trials).unwrap().values, [Some(0.3), None]);
    trials[3].state = State::Failed;
    trials[3].lineage.clear();
    assert_eq!(opening(&trials), None, "none has a value");
}

#[test]
fn of_a_grid_all_cells_are_needed() {
    let mut board = board(&Place::new(), (0..4).map(|number| trial(number, Some(0.5))).collect());
    for (cells, end, expected) in [(4, None, Some((4, 0))), (5, None, None), (3, Some(3), Some((3, 1)))] {
        board.title.division.unguided = Some((Unguided::Cells(cells), end));
        let found = Opening::of(&board).map(|found| (found.values.len(), found.guided.len()));
        assert_eq!(found, expected, "{cells} cells");
    }
    board.title.division.share = 0.2;
    assert_eq!(Opening::of(&board), None, "random search has trials of its own");
}

/// A hyperparameter stands below the table where every trial has the same value, and is a column where one lacks it.
#[test]
fn what_all_trials_share_is_said_once() {
    let mut trials: Vec<Trial> = (0..3).map(|number| trial(number, Some(0.5))).collect();
    for (number, trial) in (0..).zip(&mut trials) {
        let mut hold = |name: &str, value: Value| trial.configuration.insert(name.to_owned(), value);
        hold("shared", Value::Int(8));
        hold("differs", Value::Int([1, 1, 2][number]));
        hold("turns", Value::Int([2, 1, 1][number]));
        if number != 1 {
            hold("lacking", Value::Int(5));
        }
    }
    let board = board(&Place::new(), trials);
    let text = report::ALL[0].render(&board, Page::default());
    assert!(text.contains("in every trial: shared=8\n"), "{text}");
    let head = text.lines().find(|line| line.contains("rank")).unwrap();
    let names: Vec<&str> = head.split_whitespace().skip(4).collect();
    assert_eq!(names, ["differs", "lacking", "turns"], "{text}");
}
