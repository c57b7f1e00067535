//! The default: a Gaussian process while results are few, then Parzen estimators, and what it says of that.

use manytune::model::metric::Direction;
use manytune::search::{self, Pending, Settings, Strategy, Told, Trials};
use manytune::setting::Chosen;
use manytune::space::{Configuration, Dimension, Domain, Space, Value};

const SETTINGS: Settings = Settings::new(4, Direction::Minimize);

fn with(gp_trials: f64, startup_trials: f64) -> Settings {
    let chosen = Chosen::none().with("gp_trials", gp_trials).with("startup_trials", startup_trials);
    Settings { chosen, ..SETTINGS }
}

fn space() -> Space {
    let kinds = ["a", "b", "c"].map(|name| Value::Text(name.into())).to_vec();
    Space::new(vec![
        Dimension::new("rate", Domain::Float { low: 1e-4, high: 1.0, log: true, step: None }),
        Dimension::new("kind", Domain::Choice(kinds)),
    ])
    .unwrap()
}

fn create(name: &str, settings: &Settings) -> Box<dyn Strategy> {
    // A part takes the settings that are its own.
    let declared = search::find(name).unwrap().settings();
    let own = settings.chosen.said().filter(|(said, _)| declared.iter().any(|own| own.name == *said));
    let chosen = own.fold(Chosen::none(), |chosen, (name, value)| chosen.with(name, value));
    search::create(name, &Settings { chosen, ..settings.clone() }).unwrap()
}

fn results(count: u64) -> Vec<Told> {
    let asked = create("sobol", &SETTINGS).ask(&space(), Trials::default(), 0, count as usize).unwrap();
    let value = |c: &Configuration| (c["rate"].number().unwrap().ln() + 3.0).powi(2);
    (0..)
        .zip(asked)
        .map(|(number, c)| Told { number, value: Some(value(&c)), configuration: c, is_pruned: false })
        .collect()
}

/// What a strategy proposes next, three trials being under way.
fn next(strategy: &mut dyn Strategy, told: &[Told]) -> Vec<Configuration> {
    let all = results(told.len() as u64 + 3);
    let under_way = all[told.len()..].iter();
    let pending: Vec<Pending> = under_way
        .map(|told| Pending { number: told.number, configuration: told.configuration.clone() })
        .collect();
    strategy.ask(&space(), Trials { told, pending: &pending }, all.len() as u64, 3).unwrap()
}

#[test]
fn gp_proposes_up_to_its_number_of_results_and_tpe_from_there_on() {
    let (settings, told) = (with(16.0, 6.0), results(24));
    let mut auto = create("auto", &settings);
    // Forth and back: one that has gone on is asked about earlier trials.
    for count in [6, 8, 15, 16, 17, 24, 15, 16] {
        let own = |name| next(&mut *create(name, &settings), &told[..count]);
        let (gp, tpe) = (own("gp"), own("tpe"));
        assert_ne!(gp, tpe);
        let found = next(&mut *auto, &told[..count]);
        assert!(found == if count < 16 { gp } else { tpe }, "{count} results");
    }
}

#[test]
fn all_starts_are_those_of_sobol() {
    let sobol = create("sobol", &SETTINGS).ask(&space(), Trials::default(), 0, 20).unwrap();
    let told = results(20);
    // tpe takes over among the starts of the second, and is the only part of the third.
    for settings in [with(500.0, 12.0), with(5.0, 12.0), with(0.0, 12.0)] {
        let mut auto = create("auto", &settings);
        assert_eq!(auto.ask(&space(), Trials::default(), 0, 3).unwrap(), sobol[..3]);
        for count in 3..12 {
            let trials = Trials { told: &told[..count], pending: &[] };
            assert_eq!(auto.ask(&space(), trials, count as u64, 2).unwrap(), sobol[count..count + 2]);
        }
        let trials = Trials { told: &told[..12], pending: &[] };
        assert_ne!(auto.ask(&space(), trials, 12, 2).unwrap(), sobol[12..14]);
    }
}

#[test]
fn the_change_to_tpe_is_told_once_and_with_its_trial() {
    let told = results(24);
    let mut auto = create("auto", &with(16.0, 6.0));
    for count in [0, 8, 15] {
        next(&mut *auto, &told[..count]);
        assert_eq!(auto.remarks(), Vec::<String>::new());
    }
    next(&mut *auto, &told[..16]);
    assert_eq!(auto.remarks(), ["tpe proposes from trial 19 on, behind 16 results"]);
    for count in [16, 20, 15, 16] {
        next(&mut *auto, &told[..count]);
        assert_eq!(auto.remarks(), Vec::<String>::new());
    }
}

#[test]
fn notes_name_the_parts_and_their_numbers() {
    let notes = |settings| search::find("auto").unwrap().notes(&space(), &settings).concat();
    let all = notes(with(40.0, 7.0));
    assert!(all.contains("7 trials spread evenly"), "{all}");
    assert!(all.contains("(gp) up to 40 results") && all.contains("(tpe)"), "{all}");
    let default = notes(SETTINGS);
    assert!(default.contains("10 trials") && default.contains("500 results"), "{default}");
    // Without a result that gp learns from there is no gp.
    for gp_trials in [0.0, 7.0] {
        let note = notes(with(gp_trials, 7.0));
        assert!(note.contains("7 trials spread evenly") && note.contains("(tpe)"), "{note}");
        assert!(!note.contains("gp"), "{note}");
        let mut auto = create("auto", &with(gp_trials, 7.0));
        for count in [0, 7, 12] {
            next(&mut *auto, &results(count));
            assert_eq!(auto.remarks(), Vec::<String>::new(), "nothing changes");
        }
    }
    assert_eq!(search::DEFAULT, "auto");
}
