//! Learning curves in the leaderboard: where they stand, and where today's output stays as it is.

mod cli;

use cli::Place;
use manytune::report::{self, Leaderboard, Page};

/// The bars of each line of a table.
fn bars(text: &str) -> Vec<String> {
    let is_bar = |c: char| ('▁'..='█').contains(&c);
    text.lines()
        .filter(|line| line.contains(is_bar))
        .map(|line| line.chars().filter(|&c| is_bar(c)).collect())
        .collect()
}

#[test]
fn curves_are_shown_where_they_are_asked_for_or_find_room() {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let (plain, _) = place.run("show runs/study");
    assert!(bars(&plain).is_empty(), "{plain}");
    let (text, _) = place.run("show runs/study --curves");
    assert!(text.contains("epochs") && text.contains("curve"), "{text}");
    let found = bars(&text);
    // Eight epochs are eight characters, and a column of six trials.
    assert_eq!(found.iter().map(|bars| bars.chars().count()).collect::<Vec<_>>(), [8; 6], "{text}");
    // The best trial ends higher than it began.
    let best: Vec<char> = found[0].chars().collect();
    assert!(best[0] < best[7], "{text}");

    let board = Leaderboard::open(&place.path("runs/study")).unwrap();
    let table =
        |width: Option<usize>, curves: bool| report::ALL[0].render(&board, Page { top: None, width, curves });
    assert_eq!(table(None, false), plain);
    assert_eq!(table(Some(200), false), text);
    assert_eq!(
        table(Some(60), false),
        report::ALL[0].render(&board, Page { width: Some(60), ..Page::default() })
    );
    assert!(bars(&table(Some(40), false)).is_empty());
    assert_eq!(bars(&table(Some(40), true)).len(), 6, "{}", table(Some(40), true));
    for format in ["json", "csv"] {
        place.fail(&format!("show runs/study --curves --format {format}"), 2);
        let format = report::ALL.iter().find(|known| known.name() == format).unwrap();
        assert!(bars(&format.render(&board, Page { curves: true, width: Some(300), top: None })).is_empty());
    }
    place.fail("show runs/study --curves --mistakes 3", 2);
}

/// Of a study with trials that were stopped, diverged, and took over from others: whatever is shown is the same where
/// curves and configurations are held of the trials alone that are shown with them.
#[test]
fn a_leaderboard_that_holds_what_it_shows_says_the_same() {
    for kind in ["asha", "population"] {
        let place = Place::new();
        // Of large steps some diverge.
        let study =
            cli::STUDY.replace("trials = 6", "trials = 24\nbatch = 3").replace("species", "body_mass_g");
        let study = study.replace("[1e-3, 1e-1]", "[1e-3, 1e3]").replace("64", "64\noptimizer = \"sgd\"");
        let study = study.replace("[schedule]", &format!("[schedule]\nkind = \"{kind}\""));
        place.write("study.toml", &study.replace("max_epochs = 8", "max_epochs = 9"));
        place.run("tune study.toml --quiet");
        let folder = place.path("runs/study");
        let whole = Leaderboard::open(&folder).unwrap();
        assert!(whole.optimism.is_some() && whole.trials.iter().any(|trial| trial.score().is_none()));
        for format in report::ALL {
            for (top, width, curves) in [
                (None, None, false),
                (None, None, true),
                (Some(4), None, true),
                (Some(4), Some(200), false),
                (Some(0), Some(200), true),
                (None, Some(60), false),
            ] {
                let page = Page { top, width, curves };
                let held = format.held(page);
                let board = Leaderboard::open_for(&folder, held).unwrap();
                assert_eq!(
                    format.render(&board, page),
                    format.render(&whole, page),
                    "{} {page:?}",
                    format.name()
                );
                let curves = board.trials.iter().filter(|trial| !trial.history.epochs().is_empty()).count();
                assert!(curves == 0 || held.curves, "{curves} curves for {page:?}");
                assert_eq!(board.trials.len(), held.trials.clamp(1, 24), "{page:?}");
                assert_eq!(board.outlines, whole.outlines);
            }
        }
    }
}

#[test]
fn many_epochs_share_characters_and_short_curves_end_early() {
    use manytune::model::metric::Direction;
    use manytune::trial::{FoldEpoch, History, Order, Score, Trial};
    let order = Order { objective: Direction::Minimize, tie_break: Direction::Minimize };
    let place = Place::new();
    place.run("tune study.toml --quiet");
    let mut board = Leaderboard::open(&place.path("runs/study")).unwrap();
    board.title.fold_count = Some(1);
    let curve = |trial: &Trial, values: &[f64]| {
        let mut history = History::new(order, 1);
        for &value in values {
            history.push(&[FoldEpoch { train_loss: 0.0, score: Score { value, tie_break: 0.0 } }]);
        }
        Trial { history, ..trial.clone() }
    };
    let falls: Vec<f64> = (0..64).map(|epoch| 64.0 - f64::from(epoch)).collect();
    let broken: Vec<f64> = (0..16).map(|epoch| if epoch < 8 { 32.0 } else { f64::NAN }).collect();
    board.trials = vec![curve(&board.trials[0], &falls), curve(&board.trials[1], &broken)];
    let text = report::ALL[0].render(&board, Page { curves: true, ..Page::default() });
    let found = bars(&text);
    assert_eq!(found[0].chars().count(), 16, "{text}");
    assert!(found[0].starts_with('█') && found[0].ends_with('▁'), "{text}");
    assert!(found[0].chars().is_sorted_by(|a, b| a >= b), "{text}");
    // Of sixteen epochs among sixty-four a quarter of the width, half of it without numbers.
    assert_eq!(found[1], "▄▄", "{text}");
    let column = |line: &str| line.chars().take_while(|c| !('▁'..='█').contains(c)).count();
    let lines: Vec<&str> = text.lines().filter(|line| !bars(line).is_empty()).collect();
    assert_eq!(column(lines[0]), column(lines[1]), "curves begin in one column: {text}");
}
