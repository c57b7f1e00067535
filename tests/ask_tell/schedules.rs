//! Searches with a schedule that says which trials should stop.

use crate::bowl::{SETTINGS, refused, space};
use manytune::schedule::{self, ScheduleKind};
use manytune::search::{Asked, Outcome, Past, Search};
use manytune::setting::Chosen;

/// A search of 30 trials of 9 steps by a schedule, each evaluated step by step until it is told to stop.
struct Race {
    search: Search,
    /// (trial)
    trials: Vec<Past>,
}

const TRIALS: u64 = 30;
const STEPS: u64 = 9;

fn race_search(kind: &dyn ScheduleKind) -> Search {
    let settings =
        schedule::Settings { max_epochs: STEPS as u32, fold_count: 1, seed: 5, chosen: Chosen::none() };
    let search = Search::new(space(), "random", SETTINGS).unwrap();
    let mut search = search.with_schedule(kind.name(), &settings).unwrap();
    search.set_limit(TRIALS);
    search
}

/// What a trial has come to after a step: curves that cross, and some that lead nowhere.
fn on_the_way(number: u64, step: u64) -> f64 {
    let (start, floor) = ((number * 7 % 11) as f64, (number * 5 % 13) as f64);
    floor + start / step as f64
}

impl Race {
    fn new(kind: &dyn ScheduleKind) -> Self {
        let mut search = race_search(kind);
        let asked = search.ask(100).unwrap();
        let past = |asked: Asked| Past::new(asked.configuration, Outcome::Pending);
        Self { search, trials: asked.into_iter().map(past).collect() }
    }

    /// Every open trial takes a step, in this order.
    fn round(&mut self, order: impl Iterator<Item = u64>) {
        for number in order {
            let trial = &self.trials[number as usize];
            if trial.outcome != Outcome::Pending {
                continue;
            }
            let step = trial.intermediates.len() as u64 + 1;
            if step > STEPS || self.search.should_stop(number) {
                self.end(number);
                continue;
            }
            let value = on_the_way(number, step);
            let stopped = self.search.report(number, step, value).unwrap();
            assert!(stopped.iter().all(|number| self.search.should_stop(*number)));
            self.trials[number as usize].intermediates.push((step, value));
        }
    }

    fn end(&mut self, number: u64) {
        let trial = &mut self.trials[number as usize];
        let value = trial.intermediates.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
        trial.is_stopped = self.search.should_stop(number);
        trial.rungs = self.search.rungs(number);
        // Who is told to stop may say what it has come to, or nothing.
        trial.outcome = match trial.is_stopped {
            true if number.is_multiple_of(3) => Outcome::Failed,
            true => Outcome::Pruned(value),
            false => Outcome::Complete(value),
        };
        match trial.outcome {
            Outcome::Failed => self.search.fail(number).unwrap(),
            _ => self.search.tell(number, value).unwrap(),
        }
    }

    /// The same in a new process.
    fn resumed(self, kind: &dyn ScheduleKind) -> Self {
        let mut search = race_search(kind);
        search.resume(self.trials.clone()).unwrap();
        Self { search, ..self }
    }
}

/// How long each trial was evaluated.
fn steps(trials: &[Past]) -> Vec<usize> {
    trials.iter().map(|trial| trial.intermediates.len()).collect()
}

#[test]
fn every_schedule_stops_the_same_whoever_comes_first_and_wherever_it_is_interrupted() {
    for kind in schedule::ALL.iter().filter(|kind| !kind.takes_over()) {
        let mut forward = Race::new(*kind);
        let mut backward = Race::new(*kind);
        let mut interrupted = Race::new(*kind);
        for round in 0..=STEPS {
            forward.round(0..TRIALS);
            backward.round((0..TRIALS).rev());
            interrupted.round((0..TRIALS).filter(|number| number % 2 == round % 2));
            interrupted = interrupted.resumed(*kind);
            interrupted.round((0..TRIALS).filter(|number| number % 2 != round % 2));
        }
        for race in [&mut forward, &mut backward, &mut interrupted] {
            race.round(0..TRIALS);
            assert_eq!(race.search.pending().count(), 0, "{}", kind.name());
            let stopped = race.trials.iter().filter(|trial| trial.is_stopped);
            let short = race.trials.iter().filter(|trial| trial.intermediates.len() < STEPS as usize);
            assert_eq!(stopped.count(), short.count(), "{}", kind.name());
        }
        assert_eq!(backward.trials, forward.trials, "{} backwards", kind.name());
        assert_eq!(interrupted.trials, forward.trials, "{} interrupted", kind.name());
        assert_eq!(forward.search.best(), backward.search.best());
    }
}

#[test]
fn a_schedule_stops_what_it_says() {
    let stopped = |name: &str| {
        let kind = *schedule::ALL.iter().find(|kind| kind.name() == name).unwrap();
        let mut race = Race::new(kind);
        (0..=STEPS).for_each(|_| race.round(0..TRIALS));
        let mut counts: Vec<usize> = steps(&race.trials);
        counts.sort_unstable();
        counts
    };
    assert_eq!(stopped("none"), [9; 30]);
    // Rungs after 1 and 3 steps: of a bracket of 9, 3 and then 1 go on; the last bracket has 3 trials.
    let halved = [vec![1; 20], vec![3; 6], vec![9; 4]].concat();
    assert_eq!(stopped("successive_halving"), halved);
    assert!(stopped("asha").iter().filter(|count| **count == 1).count() >= 15);
}

/// A trial that goes by steps of its own: a value behind several rungs stands for all of them.
#[test]
fn values_far_apart_count_at_every_rung_they_pass() {
    let kind = *schedule::ALL.iter().find(|kind| kind.name() == "successive_halving").unwrap();
    let mut search = race_search(kind);
    search.set_limit(3);
    assert_eq!(search.ask(9).unwrap().len(), 3);
    assert_eq!(search.report(0, 5, 1.0).unwrap(), [0; 0]);
    assert_eq!(search.report(1, 1, 3.0).unwrap(), [0; 0]);
    // The last to come to the first rung; the best of three goes on.
    assert_eq!(search.report(2, 2, 2.0).unwrap(), [1, 2]);
    assert!(!search.should_stop(0) && search.should_stop(1));
    assert_eq!(search.rungs(0), 2);
    // Told all the same, and never the best.
    search.tell(1, -5.0).unwrap();
    search.tell(0, 1.0).unwrap();
    assert_eq!(search.best().map(|best| best.number), Some(0));
    assert_eq!(search.report(2, 3, 2.0).unwrap(), [2]);
    for (result, part) in [
        (search.report(0, 6, 1.0), "trial 0: was told before"),
        (search.report(3, 1, 1.0), "trial 3: was never asked for"),
        (search.report(2, 4, f64::NAN), "a value of NaN"),
    ] {
        refused(result.map(drop), &[part]);
    }
    let again = search.with_schedule(
        "asha",
        &schedule::Settings { max_epochs: 3, fold_count: 1, seed: 0, chosen: Chosen::none() },
    );
    refused(again.map(drop), &["a schedule: 3 trials were asked for already"]);
}

/// A caller's models are its own: none takes over the weights of another.
#[test]
fn a_schedule_of_shared_weights_is_refused() {
    let kinds: Vec<_> = schedule::ALL.iter().filter(|kind| kind.takes_over()).collect();
    assert_eq!(kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>(), ["population"]);
    let settings = schedule::Settings { max_epochs: 9, fold_count: 1, seed: 5, chosen: Chosen::none() };
    let search = Search::new(space(), "random", SETTINGS).unwrap();
    refused(
        search.with_schedule("population", &settings).map(drop),
        &["schedule.kind: population", "weights of others", "asha"],
    );
}
