//! What comes first when trials end: whether to stop, others in their room, the disk.

mod rings;

use manytune::error::Error;
use manytune::study::run::Stop;
use manytune::study::store::Store;
use manytune::trial::best;
use rings::{Call, FOLDS, Stepping, create, timeless, train_on};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

fn never(_: usize) -> Option<Stop> {
    None
}

/// Trials that have ended, as whoever looks on finds them.
fn ended_in(folder: &Path) -> usize {
    let trials = Store::read(folder).unwrap().trials().unwrap();
    trials.iter().filter(|trial| trial.state.is_finished()).count()
}

/// With room for one trial, the next one trains before the one that made its room is on the disk; but models of a new
/// best trial, which take memory, are on the disk before their room is taken.
#[test]
fn room_is_taken_before_the_disk_but_for_models() {
    const TRIALS: usize = 9;
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    let mut engine = Stepping::with_room(FOLDS);
    let calls: Rc<RefCell<Vec<(Call, usize)>>> = Rc::default();
    engine.listener = Box::new({
        let (calls, folder) = (Rc::clone(&calls), folder.path().to_owned());
        move |call| {
            calls.borrow_mut().push((call, ended_in(&folder)));
            Ok(())
        }
    });
    train_on(&mut engine, &mut store, TRIALS as u64, &never).unwrap();

    let order = store.header().unwrap().order().unwrap();
    let trials = store.trials().unwrap();
    let is_new_best = |number: usize| best(order, &trials[..=number]).unwrap().number == number as u64;
    // Trials that cannot be built are never on the engine: they end while it is full of those before.
    let trained: Vec<usize> = (0..TRIALS).filter(|number| number % 5 != 4).collect();
    let calls = calls.borrow();
    let admitted: Vec<usize> =
        calls.iter().filter(|(call, _)| *call == Call::Admit).map(|(_, ended)| *ended).collect();
    assert_eq!(admitted.len(), trained.len() * FOLDS);
    let mut taken_before = 0;
    for (pair, admitted) in trained.windows(2).zip(admitted[FOLDS..].chunks(FOLDS)) {
        let (before, number) = (pair[0], pair[1]);
        if is_new_best(before) {
            assert_eq!(admitted, [number; FOLDS], "trial {number}");
            continue;
        }
        taken_before += 1;
        assert_eq!(admitted, [number - 1; FOLDS], "trial {number}");
        // The engine is told to go on while the disk is waited for.
        let begun = calls.iter().rposition(|call| *call == (Call::Begin, number - 1)).map(|at| calls[at + 1]);
        assert_eq!(begun, Some((Call::Advance, number)), "trial {number}: {calls:?}");
    }
    assert!(taken_before > 1 && taken_before + 1 < trained.len(), "{taken_before}");
}

/// However the run is told to stop, it is asked before anything else begins.
#[test]
fn nothing_is_admitted_between_a_step_and_the_question_whether_to_stop() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Seen {
        Engine(Call),
        Asked,
    }
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    let mut engine = Stepping::new();
    let seen: Rc<RefCell<Vec<Seen>>> = Rc::default();
    engine.listener = Box::new({
        let seen = Rc::clone(&seen);
        move |call| {
            seen.borrow_mut().push(Seen::Engine(call));
            Ok(())
        }
    });
    let asked = |_| {
        seen.borrow_mut().push(Seen::Asked);
        None
    };
    train_on(&mut engine, &mut store, 7, &asked).unwrap();
    let seen = seen.borrow();
    let after = |what: Seen| seen.windows(2).filter(move |pair| pair[0] == what).map(|pair| pair[1]);
    assert!(after(Seen::Engine(Call::Advance)).all(|next| next == Seen::Asked), "{seen:?}");
    let refilled = after(Seen::Asked).filter(|next| *next == Seen::Engine(Call::Admit)).count();
    assert!(refilled > 1, "room was filled {refilled} times");
}

/// Where the room cannot be given to others, what had ended is written all the same.
#[test]
fn an_error_while_room_is_filled_loses_nothing_that_had_ended() {
    const TRIALS: u64 = 14;
    let whole = tempfile::tempdir().unwrap();
    let mut store = create(whole.path());
    train_on(&mut Stepping::new(), &mut store, TRIALS, &never).unwrap();
    let expected = timeless(&store);

    let parts = tempfile::tempdir().unwrap();
    drop(create(parts.path()));
    let mut errors = 0;
    // (members admitted) With room for one trial, each time one trial more is let in.
    for allowed in (1..).map(|trials| trials * FOLDS) {
        let mut engine = Stepping::with_room(FOLDS);
        let mut admitted = 0;
        engine.listener = Box::new(move |call| match call {
            Call::Admit if admitted == allowed => Err(Error::usage("test", "no more")),
            Call::Admit => {
                admitted += 1;
                Ok(())
            }
            _ => Ok(()),
        });
        match train_on(&mut engine, &mut Store::open(parts.path()).unwrap(), TRIALS, &never) {
            Ok(_) => break,
            Err(error) => assert_eq!(error.found, "no more"),
        }
        errors += 1;
        let trials = Store::read(parts.path()).unwrap().trials().unwrap();
        assert!(trials.iter().all(|trial| trial.state.is_finished()), "a trial that had ended is lost");
    }
    assert!(errors > 2);
    assert_eq!(timeless(&Store::read(parts.path()).unwrap()), expected);
}
