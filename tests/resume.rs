//! The run loop: what a trial comes to, whatever its company and however often it is interrupted.

mod rings;

use manytune::study::checkpoint::FoldState;
use manytune::study::run::Stop;
use manytune::study::store::Store;
use manytune::trial::{State, best};
use rings::{
    CHECKPOINT_INTERVAL, CRASH_AFTER, Cramped, FOLDS, STEPS, Stepping, accuracy, create, timeless, train,
    train_on,
};
use std::time::Duration;

fn never(_: usize) -> Option<Stop> {
    None
}

#[test]
fn every_trial_ends_in_the_state_it_earned() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    let (stopped, mut finished) = train(&mut store, 10, 2, &never).unwrap();
    assert_eq!(stopped, None);
    finished.sort_unstable();
    assert_eq!(finished, (0..10).collect::<Vec<_>>());
    for trial in store.trials().unwrap() {
        let expected = match trial.number % 5 {
            3 => State::Diverged,
            4 => State::Failed,
            _ => State::Complete,
        };
        assert_eq!(trial.state, expected, "trial {}", trial.number);
        assert_eq!(trial.diverged_at_step.is_some(), expected == State::Diverged);
        assert_eq!(trial.failure.is_some(), expected == State::Failed);
        assert_eq!(trial.score().is_some(), expected == State::Complete);
        if let Some(values) = trial.fold_values() {
            let mean = values.iter().sum::<f64>() / FOLDS as f64;
            assert_eq!(trial.score().unwrap().value, mean);
            assert_eq!(trial.history.epoch_count() as usize, last_epoch(&trial.history.mean_values()));
        }
    }
}

/// The epoch at which a curve of accuracies must end: 12, or 5 after the last improvement.
fn last_epoch(curve: &[f64]) -> usize {
    let (mut best, mut improved_at) = (f64::NEG_INFINITY, 0);
    for (epoch, &value) in (1..).zip(curve) {
        if value > best {
            (best, improved_at) = (value, epoch);
        }
        if epoch - improved_at == 5 {
            return epoch;
        }
    }
    12
}

#[test]
fn the_models_kept_are_those_of_the_best_trial() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    train(&mut store, 10, 2, &never).unwrap();
    let order = store.header().unwrap().order().unwrap();
    let trials = store.trials().unwrap();
    let models = store.best_models().unwrap().unwrap();
    assert_eq!(models.trial, best(order, &trials).unwrap().number);
    assert_eq!(models.folds.len(), FOLDS);
    let best = &trials[models.trial as usize];
    assert!(best.best().unwrap().epoch < best.history.epoch_count(), "the last epoch is not the one kept");
    for (fold, (parameters, value)) in models.folds.iter().zip(best.fold_values().unwrap()).enumerate() {
        assert_eq!(accuracy(&best.configuration, fold, parameters), value, "fold {fold}");
    }
}

#[test]
fn company_and_threads_change_no_bit() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [one, two] = [1, 2].map(|threads| {
        let mut store = create(folders[threads - 1].path());
        train(&mut store, 10, threads, &never).unwrap();
        (timeless(&store), store.best_models().unwrap())
    });
    assert_eq!(one, two);
}

/// Stops the run after every few steps, opens the store anew each time, and goes on.
#[test]
fn an_interrupted_run_ends_as_one_that_was_not() {
    let whole = tempfile::tempdir().unwrap();
    let mut store = create(whole.path());
    train(&mut store, 10, 2, &never).unwrap();
    let expected = (timeless(&store), store.best_models().unwrap());

    let parts = tempfile::tempdir().unwrap();
    drop(create(parts.path()));
    let mut run_count = 0;
    loop {
        let mut store = Store::open(parts.path()).unwrap();
        let after = |steps| (steps > 4 + run_count).then_some(Stop::Interrupted);
        let (stopped, _) = train(&mut store, 10, 2, &after).unwrap();
        run_count += 1;
        if stopped.is_none() {
            assert_eq!((timeless(&store), store.best_models().unwrap()), expected);
            break;
        }
        let trials = store.trials().unwrap();
        assert!(trials.iter().all(|trial| trial.state != State::Running));
        for trial in trials.iter().filter(|trial| trial.state == State::Interrupted) {
            assert_eq!(store.checkpoint(trial.number).unwrap().len(), FOLDS);
        }
    }
    assert!(run_count > 3, "the run was interrupted {run_count} times only");
}

/// Steps of every fold are counted out, so that runs are stopped at all of them: folds of a trial stand at
/// different steps, and some have ended the epoch.
#[test]
fn a_run_stopped_between_any_two_steps_ends_as_one_that_was_not() {
    let whole = tempfile::tempdir().unwrap();
    let mut store = create(whole.path());
    train(&mut store, 5, 2, &never).unwrap();
    let expected = (timeless(&store), store.best_models().unwrap());

    let parts = tempfile::tempdir().unwrap();
    drop(create(parts.path()));
    let (mut run_count, mut in_the_middle, mut ended_before_others) = (0, 0, 0);
    loop {
        let mut store = Store::open(parts.path()).unwrap();
        let after = |calls| (calls > 1 + run_count % 4).then_some(Stop::Interrupted);
        let (stopped, _) = train_on(&mut Stepping::new(), &mut store, 5, &after).unwrap();
        run_count += 1;
        if stopped.is_none() {
            assert_eq!((timeless(&store), store.best_models().unwrap()), expected);
            break;
        }
        for trial in store.trials().unwrap().iter().filter(|trial| !trial.state.is_finished()) {
            let states = store.checkpoint(trial.number).unwrap();
            let step = |state: &FoldState| state.snapshot.as_ref().map_or(0, |snapshot| snapshot.step);
            in_the_middle += states.iter().filter(|state| step(state) % STEPS != 0).count();
            ended_before_others += states.iter().filter(|state| state.outcome.is_some()).count();
        }
    }
    let counts = (run_count, in_the_middle, ended_before_others);
    assert!(run_count > 50 && in_the_middle > 100 && ended_before_others > 50, "{counts:?}");
}

#[test]
fn an_extended_study_equals_a_longer_one_from_the_start() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let mut longer = create(folders[0].path());
    train(&mut longer, 12, 2, &never).unwrap();
    let mut extended = create(folders[1].path());
    train(&mut extended, 7, 2, &never).unwrap();
    let (_, finished) = train(&mut extended, 12, 2, &never).unwrap();
    assert!(finished.iter().all(|number| *number >= 7));
    assert_eq!(timeless(&extended), timeless(&longer));
    assert_eq!(extended.best_models().unwrap(), longer.best_models().unwrap());
}

#[test]
fn a_finished_study_trains_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    train(&mut store, 6, 2, &never).unwrap();
    let (stopped, finished) = train(&mut store, 6, 2, &|_| Some(Stop::TimeLimit)).unwrap();
    assert_eq!((stopped, finished), (None, Vec::new()));
}

#[test]
fn a_stop_before_the_first_trial_is_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    let (stopped, finished) = train(&mut store, 6, 2, &|_| Some(Stop::TimeLimit)).unwrap();
    assert_eq!((stopped, finished), (Some(Stop::TimeLimit), Vec::new()));
}

/// The process dies without a word, again and again; what it checkpointed by the clock is all there is.
/// Returns how many checkpoints it found.
fn crash_again_and_again(checkpoint_interval: Duration) -> usize {
    let whole = tempfile::tempdir().unwrap();
    let mut store = create(whole.path());
    train(&mut store, 10, 2, &never).unwrap();
    let expected = (timeless(&store), store.best_models().unwrap());

    let parts = tempfile::tempdir().unwrap();
    drop(create(parts.path()));
    CHECKPOINT_INTERVAL.set(checkpoint_interval);
    CRASH_AFTER.set(Some(1));
    let (mut crash_count, mut checkpoint_count) = (0, 0);
    loop {
        let mut store = Store::open(parts.path()).unwrap();
        if train(&mut store, 10, 2, &never).is_ok() {
            assert_eq!((timeless(&store), store.best_models().unwrap()), expected);
            assert!(crash_count > 3, "{crash_count} crashes");
            let left = (0..10).map(|number| store.checkpoint(number).unwrap().len()).sum::<usize>();
            assert_eq!(left, 0, "finished trials need no checkpoint");
            return checkpoint_count;
        }
        crash_count += 1;
        for trial in store.trials().unwrap().iter().filter(|trial| !trial.state.is_finished()) {
            checkpoint_count += store.checkpoint(trial.number).unwrap().len();
        }
    }
}

#[test]
fn a_crashing_run_ends_as_one_that_did_not() {
    assert!(crash_again_and_again(Duration::ZERO) > 0);
}

#[test]
fn trials_without_a_checkpoint_begin_again_and_none_is_left_out() {
    assert_eq!(crash_again_and_again(Duration::from_secs(3600)), 0);
}

/// Room for less than one trial, for one and a bit, and for nothing at all.
#[test]
fn a_device_that_is_too_small_changes_no_bit() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    train(&mut store, 10, 2, &never).unwrap();
    let expected = (timeless(&store), store.best_models().unwrap());
    for capacity in [1, 2, 4, 7] {
        let folder = tempfile::tempdir().unwrap();
        drop(create(folder.path()));
        for stop_after in [2, 3, 9, 25, usize::MAX] {
            let mut store = Store::open(folder.path()).unwrap();
            let mut engine = Cramped::new(capacity);
            let stop = |steps| (steps > stop_after).then_some(Stop::Interrupted);
            train_on(&mut engine, &mut store, 10, &stop).unwrap();
            assert_eq!(engine.held.len(), 0, "members are left on the engine");
            assert_eq!(engine.most_held, capacity);
        }
        let store = Store::read(folder.path()).unwrap();
        assert_eq!((timeless(&store), store.best_models().unwrap()), expected, "room for {capacity}");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    train_on(&mut Cramped::new(0), &mut store, 10, &never).unwrap();
    for trial in store.trials().unwrap() {
        // Every fifth could not be trained anywhere.
        assert_eq!((trial.state, trial.is_unfit()), (State::Failed, trial.number % 5 != 4), "{trial:?}");
    }
    // It failed for want of room alone: where there is room it is trained, as if it had never failed.
    train_on(&mut Cramped::new(7), &mut store, 10, &never).unwrap();
    assert_eq!((timeless(&store), store.best_models().unwrap()), expected);
    let (_, finished) = train(&mut store, 10, 2, &never).unwrap();
    assert!(finished.is_empty(), "{finished:?} were trained again");
}
