//! Schedules in the run loop: the same leaderboard in any memory, interrupted anywhere, and nothing trained
//! twice.

mod rings;

use manytune::model::trainer::Trainer;
use manytune::schedule;
use manytune::search::{Pending, Trials};
use manytune::setting::Chosen;
use manytune::space::{Configuration, Space};
use manytune::study::run::Stop;
use manytune::study::store::{BestModels, Store};
use manytune::trial::{State, Succession, Trial};
use rings::{
    BATCH, CHECKPOINT_INTERVAL, CRASH_AFTER, Cramped, FOLDS, SCHEDULE, STEPS, Stepping, TARGET, create,
    timeless, train, train_on,
};
use std::time::Duration;

/// Two rounds of the smallest brackets there are, and a part of one.
const TRIALS: u64 = 23;

type Results = (Vec<Trial>, Option<BestModels>);

fn never(_: usize) -> Option<Stop> {
    None
}

fn results(store: &Store) -> Results {
    (timeless(store), store.best_models().unwrap())
}

/// Runs of this thread have a schedule, with rungs early enough for twelve epochs and three folds.
fn choose(kind: &'static str) {
    let wanted = [
        ("warmup_trials", 2.0),
        ("warmup_epochs", 2.0),
        ("interval", 3.0),
        ("p_value", 0.2),
        ("population_size", 7.0),
    ];
    let declared = schedule::named("test", kind).unwrap().settings();
    let chosen = wanted.into_iter().fold(Chosen::none(), |chosen, (name, value)| chosen.with(name, value));
    SCHEDULE.set((kind, chosen.of_member("schedule", kind, declared, true).unwrap()));
}

/// A run that nothing disturbs.
fn undisturbed(kind: &'static str) -> Results {
    choose(kind);
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    train(&mut store, TRIALS, 2, &never).unwrap();
    results(&store)
}

fn for_every_schedule(test: impl Fn(&'static str, &Results)) {
    for kind in schedule::ALL {
        let expected = undisturbed(kind.name());
        test(kind.name(), &expected);
    }
}

#[test]
fn survivors_are_what_they_would_be_alone_and_the_others_are_the_beginnings_of_it() {
    let (free, _) = undisturbed("none");
    for_every_schedule(|kind, (trials, models)| {
        let count = |state| trials.iter().filter(|trial| trial.state == state).count();
        let (pruned, complete) = (count(State::Pruned), count(State::Complete));
        let takes_over = |trial: &&Trial| !trial.lineage.is_empty();
        let heirs = trials.iter().filter(takes_over).count();
        assert_eq!(pruned + heirs > 0, kind != "none", "{kind}: {pruned} pruned, {heirs} took over");
        assert!(complete > 0 && count(State::Diverged) > 0 && count(State::Failed) > 0, "{kind}");
        for (trial, free) in trials.iter().zip(&free).filter(|(trial, _)| trial.lineage.is_empty()) {
            match trial.state {
                State::Pruned => {
                    let epochs = trial.history.epochs();
                    assert!(
                        epochs.len() < free.history.epochs().len(),
                        "{kind}: {} at its end",
                        trial.number
                    );
                    assert_eq!(epochs, &free.history.epochs()[..epochs.len()]);
                }
                _ => assert_eq!(trial, free, "{kind}"),
            }
        }
        let best = &trials[models.as_ref().unwrap().trial as usize];
        assert_eq!(best.state, State::Complete, "{kind}");
    });
}

#[test]
fn company_threads_and_batches_change_no_decision() {
    for_every_schedule(|kind, expected| {
        for (threads, batch) in [(1, 64), (2, 1), (2, 5)] {
            let folder = tempfile::tempdir().unwrap();
            let mut store = create(folder.path());
            BATCH.set(batch);
            train(&mut store, TRIALS, threads, &never).unwrap();
            assert_eq!(&results(&store), expected, "{kind}, {threads} threads, batch {batch}");
        }
        BATCH.set(64);
    });
}

/// Memory for one fold, for one trial, and for some: those that wait are frozen, and thawed where they stood.
#[test]
fn memory_changes_no_decision_and_nothing_is_trained_twice() {
    for_every_schedule(|kind, expected| {
        let steps: u64 = expected.0.iter().filter(|trial| trial.state != State::Diverged).map(steps_of).sum();
        for room in [1, FOLDS, 2 * FOLDS + 1, 1000] {
            let folder = tempfile::tempdir().unwrap();
            let mut store = create(folder.path());
            let mut engine = Stepping::with_room(room);
            train_on(&mut engine, &mut store, TRIALS, &never).unwrap();
            assert_eq!(&results(&store), expected, "{kind}, room for {room}");
            let beyond = engine.steps - steps;
            // Diverged trials take the steps of the epoch in which they do.
            assert!(beyond <= TRIALS / 5 * FOLDS as u64 * STEPS, "{kind}: {beyond} steps too many");
            assert_eq!(engine.restored > 0, kind != "none" && room < 100, "{kind}, room for {room}");
        }
    });
}

fn steps_of(trial: &Trial) -> u64 {
    trial.history.epochs().len() as u64 * STEPS
}

/// An engine that says only when it is full that it is, interrupted a few times.
#[test]
fn a_device_that_is_too_small_changes_no_decision() {
    for_every_schedule(|kind, expected| {
        for capacity in [1, 4, 7] {
            let folder = tempfile::tempdir().unwrap();
            drop(create(folder.path()));
            for stop_after in [2, 9, 25, usize::MAX] {
                let mut store = Store::open(folder.path()).unwrap();
                let mut engine = Cramped::new(capacity);
                let stop = |steps| (steps > stop_after).then_some(Stop::Interrupted);
                train_on(&mut engine, &mut store, TRIALS, &stop).unwrap();
                assert_eq!(engine.held.len(), 0, "members are left on the engine");
            }
            let store = Store::read(folder.path()).unwrap();
            assert_eq!(&results(&store), expected, "{kind}, room for {capacity}");
        }
    });
}

/// Stopped at every few steps of any fold: trials stand at rungs, behind them, and in the middle of an epoch.
#[test]
fn a_run_stopped_anywhere_decides_as_one_that_was_not() {
    for_every_schedule(|kind, expected| {
        for room in [7, 1000] {
            let folder = tempfile::tempdir().unwrap();
            drop(create(folder.path()));
            let (mut run_count, mut steps) = (0, 0);
            loop {
                let mut store = Store::open(folder.path()).unwrap();
                let mut engine = Stepping::with_room(room);
                let after = |calls| (calls > 7 + run_count % 11).then_some(Stop::Interrupted);
                let (stopped, _) = train_on(&mut engine, &mut store, TRIALS, &after).unwrap();
                (run_count, steps) = (run_count + 1, steps + engine.steps);
                if stopped.is_none() {
                    break;
                }
                let trials = store.trials().unwrap();
                assert!(trials.iter().all(|trial| trial.state != State::Running), "{kind}");
            }
            let store = Store::read(folder.path()).unwrap();
            assert_eq!(&results(&store), expected, "{kind}, room for {room}");
            let least: u64 = expected.0.iter().map(steps_of).sum();
            assert!(run_count > 10 && steps - least <= TRIALS / 5 * FOLDS as u64 * STEPS, "{kind}: {steps}");
        }
    });
}

/// The process dies without a word whenever a few more trials have ended.
#[test]
fn a_crashing_run_decides_as_one_that_did_not() {
    for_every_schedule(|kind, expected| {
        for (interval, room) in [(Duration::ZERO, 7), (Duration::from_secs(3600), 7), (Duration::ZERO, 1000)]
        {
            let folder = tempfile::tempdir().unwrap();
            drop(create(folder.path()));
            CHECKPOINT_INTERVAL.set(interval);
            let mut crash_count = 0;
            loop {
                CRASH_AFTER.set(Some(1 + crash_count % 3));
                let mut store = Store::open(folder.path()).unwrap();
                if train_on(&mut Stepping::with_room(room), &mut store, TRIALS, &never).is_ok() {
                    assert_eq!(&results(&store), expected, "{kind}, room for {room}");
                    break;
                }
                crash_count += 1;
            }
            CRASH_AFTER.set(None);
            assert!(crash_count > 2, "{kind}: {crash_count} crashes");
        }
        CHECKPOINT_INTERVAL.set(Duration::from_secs(30));
    });
}

/// Where no bracket is cut in two, a study may be extended to what a longer one is.
#[test]
fn an_extended_study_equals_a_longer_one_from_the_start() {
    for_every_schedule(|kind, expected| {
        let schedule = SCHEDULE.with_borrow(|(kind, chosen)| {
            let chosen = chosen.clone();
            let settings =
                schedule::Settings { max_epochs: rings::EPOCHS, fold_count: FOLDS, seed: 7, chosen };
            schedule::create(kind, &settings).unwrap()
        });
        let whole = (1..TRIALS).rev().find(|number| schedule.cohort(*number).start == *number).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut store = create(folder.path());
        train(&mut store, whole, 2, &never).unwrap();
        train(&mut store, TRIALS, 2, &never).unwrap();
        assert_eq!(&results(&store), expected, "{kind}, first {whole} trials");
    });
}

/// Ended within a bracket, interrupted in it, extended: what was decided stays, and it all comes to an end.
#[test]
fn what_was_decided_stays_decided_when_a_study_is_extended() {
    for kind in schedule::ALL {
        choose(kind.name());
        for stop_after in [5, 20, 60, usize::MAX] {
            let folder = tempfile::tempdir().unwrap();
            let mut store = create(folder.path());
            let after = |calls| (calls > stop_after).then_some(Stop::Interrupted);
            train_on(&mut Stepping::with_room(1000), &mut store, 7, &after).unwrap();
            let (before, passed) = (timeless(&store), store.passed().unwrap());
            train_on(&mut Stepping::with_room(1000), &mut store, TRIALS, &never).unwrap();
            let after = timeless(&store);
            assert!(after.len() == TRIALS as usize && after.iter().all(|trial| trial.state.is_finished()));
            for (before, after) in before.iter().zip(&after) {
                assert!(!before.state.is_finished() || before == after, "{}", kind.name());
                let later = store.passed().unwrap().get(&before.number).copied().unwrap_or(0);
                assert!(later >= passed.get(&before.number).copied().unwrap_or(0), "{}", kind.name());
            }
        }
    }
}

#[test]
fn a_study_ends_when_a_complete_trial_meets_the_target() {
    for_every_schedule(|kind, (trials, _)| {
        let scores = trials.iter().filter(|trial| trial.state == State::Complete);
        let mut values: Vec<f64> = scores.map(|trial| trial.score().unwrap().value).collect();
        values.sort_by(f64::total_cmp);
        let (lowest, highest) = (values[0], values[values.len() - 1]);
        for (target, is_met) in [(lowest, true), (highest, true), (highest + 0.01, false)] {
            TARGET.set(Some(target));
            let folder = tempfile::tempdir().unwrap();
            let mut store = create(folder.path());
            let (stopped, _) = train_on(&mut Stepping::new(), &mut store, TRIALS, &never).unwrap();
            let trials = store.trials().unwrap();
            let is_done =
                trials.len() == TRIALS as usize && trials.iter().all(|trial| trial.state.is_finished());
            assert_eq!(stopped, (is_met && !is_done).then_some(Stop::Target), "{kind}, {target}");
            let meets =
                |trial: &Trial| trial.state == State::Complete && trial.score().unwrap().value >= target;
            assert_eq!(trials.iter().any(meets), is_met, "{kind}, {target}");
            let mut engine = Stepping::new();
            let (again, finished) = train_on(&mut engine, &mut store, TRIALS, &never).unwrap();
            assert_eq!((again, finished.len(), engine.steps), (stopped, 0, 0), "{kind}: it goes on");
        }
        TARGET.set(None);
    });
}

/// Every heir once more, by hand: its donor's weights at the rung, then its own hyperparameters.
#[test]
fn a_trial_that_takes_over_trains_on_from_the_state_of_its_donor() {
    let (trials, _) = undisturbed("population");
    let mut heir_count = 0;
    for heir in trials.iter().filter(|trial| !trial.lineage.is_empty()) {
        let Succession { epoch, donor, .. } = heir.lineage.last().unwrap();
        // What the donor was then: it may have taken over itself, before or since.
        let giver = &trials[*donor as usize];
        let later = giver.lineage.iter().find(|succession| succession.epoch > *epoch);
        let with = later.map_or(&giver.configuration, |succession| &succession.before);
        if giver.lineage.iter().any(|succession| succession.epoch <= *epoch) || later.is_some() {
            continue;
        }
        heir_count += 1;
        assert_ne!(heir.configuration["learning_rate"], with["learning_rate"], "nothing was explored");
        assert_eq!(heir.configuration["width"], with["width"], "the shape has changed");
        assert_eq!(heir.history.at(*epoch), giver.history.at(*epoch), "the curve is not the donor's");
        assert!(heir.history.best().unwrap().epoch > *epoch, "its best is not its own");
        for fold in 0..FOLDS {
            let mut trainer = begun(with, fold);
            for at in 1..=heir.history.epoch_count() {
                rings::train_epoch(&mut trainer, at);
                let accuracy = rings::accuracy(&heir.configuration, fold, &trainer.parameters);
                assert_eq!(
                    heir.history.at(at)[fold].score.value,
                    accuracy,
                    "trial {}, epoch {at}",
                    heir.number
                );
                if at == *epoch {
                    let Trainer { parameters, m, v, step, .. } = &trainer;
                    let member = rings::member(&heir.configuration, fold);
                    trainer = Trainer::resume(member, 7, [parameters, m, v], *step);
                }
            }
        }
    }
    assert!(heir_count > 1, "{heir_count} heirs of trials that trained by themselves");
}

fn begun(configuration: &Configuration, fold: usize) -> Trainer<f32> {
    Trainer::new(rings::member(configuration, fold), 7)
}

/// The worst take over from the best, and everybody knows from whom.
#[test]
fn the_worst_of_a_population_take_over_from_the_best() {
    let (trials, _) = undisturbed("population");
    for heir in &trials {
        for succession in &heir.lineage {
            let giver = &trials[succession.donor as usize];
            assert_eq!(giver.number / 7, heir.number / 7, "of another population");
            assert!(succession.epoch % 3 == 0 && succession.epoch < rings::EPOCHS);
            let lasts = giver.lineage.iter().all(|other| other.epoch != succession.epoch);
            assert!(lasts, "the donor took over at the same rung");
            let earlier = giver.lineage.iter().filter(|other| other.epoch < succession.epoch);
            let since = earlier.map(|other| other.epoch).max().unwrap_or(0) as usize;
            // A donor that has taken over since has another curve now.
            if giver.lineage.iter().all(|other| other.epoch < succession.epoch) {
                let curve = &giver.history.mean_values()[since..succession.epoch as usize];
                let best = curve.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                assert!(best >= succession.value, "trial {} was better than its donor", heir.number);
            }
        }
        assert_eq!(heir.proposed(), &propose_one(heir.number), "the strategy's proposal is lost");
    }
}

fn propose_one(number: u64) -> Configuration {
    let pending: Vec<Pending> =
        (0..number).map(|number| Pending { number, configuration: Configuration::new() }).collect();
    let trials = Trials { told: &[], pending: &pending };
    rings::propose(&Space::default(), trials, number, 1).unwrap().remove(0)
}
