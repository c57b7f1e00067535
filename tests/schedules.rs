//! Schedules: what every one of them promises, and what each decides, with curves instead of training.

use manytune::model::metric::Direction;
use manytune::schedule::{
    self, Decision, End, Place, Records, Schedule, ScheduleKind, Settings, Standing, descending, signed_rank,
};
use manytune::setting::Chosen;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

const FOLDS: usize = 5;
const MAX_EPOCHS: u32 = 27;

fn settings(max_epochs: u32) -> Settings {
    Settings { max_epochs, fold_count: FOLDS, seed: 3, chosen: Chosen::none() }
}

fn kind(name: &str) -> &'static dyn ScheduleKind {
    schedule::named("test", name).unwrap()
}

fn with(name: &str, max_epochs: u32, chosen: &[(&str, f64)]) -> Box<dyn Schedule> {
    let mut settings = settings(max_epochs);
    for (name, value) in chosen {
        settings.chosen = settings.chosen.with(*name, *value);
    }
    kind(name).create(&settings)
}

/// What a trial would come to if it were never stopped.
#[derive(Clone, Debug)]
struct Curve {
    /// (epoch, fold)
    epochs: Vec<Vec<f64>>,
    /// Whether it diverges in the epoch behind those.
    is_lost: bool,
}

impl Curve {
    /// A flat curve to the end.
    fn flat(value: f64, epochs: u32) -> Self {
        Self { epochs: vec![vec![value; FOLDS]; epochs as usize], is_lost: false }
    }

    fn standing(&self, epochs: u32, direction: Direction) -> Standing {
        let mean = |folds: &Vec<f64>| folds.iter().sum::<f64>() / folds.len() as f64;
        let mut best = &self.epochs[0];
        for folds in &self.epochs[..epochs as usize] {
            if direction.better(mean(folds), mean(best)) {
                best = folds;
            }
        }
        Standing { value: mean(best), folds: best.clone() }
    }
}

/// How a trial ended, and after how many epochs.
type Outcome = (&'static str, u32);

/// A study without training: trials move on one epoch at a time, in whatever order.
struct Simulation<'a> {
    schedule: &'a dyn Schedule,
    curves: &'a [Curve],
    records: Records,
    /// (trial)
    epochs: Vec<u32>,
    outcomes: Vec<Option<Outcome>>,
    waiting: BTreeMap<u64, usize>,
    decisions: BTreeMap<(u64, usize), Decision>,
}

const DIRECTION: Direction = Direction::Maximize;

impl<'a> Simulation<'a> {
    fn new(schedule: &'a dyn Schedule, curves: &'a [Curve]) -> Self {
        let mut records = Records::new(DIRECTION, if schedule.needs_folds() { FOLDS } else { 0 });
        records.set_end(Some(curves.len() as u64));
        Self {
            schedule,
            curves,
            records,
            epochs: vec![0; curves.len()],
            outcomes: vec![None; curves.len()],
            waiting: BTreeMap::new(),
            decisions: BTreeMap::new(),
        }
    }

    /// Trials that could train an epoch now.
    fn runnable(&self) -> Vec<u64> {
        let may =
            |number: &u64| self.outcomes[*number as usize].is_none() && !self.waiting.contains_key(number);
        (0..self.curves.len() as u64).filter(may).collect()
    }

    fn train(&mut self, number: u64) {
        let (index, curve) = (number as usize, &self.curves[number as usize]);
        if self.epochs[index] as usize == curve.epochs.len() {
            assert!(curve.is_lost);
            self.end(number, "lost", &End::Lost);
            return;
        }
        self.epochs[index] += 1;
        if self.epochs[index] as usize == curve.epochs.len() && !curve.is_lost {
            let standing = curve.standing(self.epochs[index], DIRECTION);
            return self.end(number, "complete", &End::Complete(standing));
        }
        self.stand(number);
    }

    /// Takes in where a trial stands.
    fn stand(&mut self, number: u64) {
        let epochs = self.epochs[number as usize];
        if let Ok(rung) = self.schedule.rungs(number, 1).binary_search(&epochs) {
            let standing = self.curves[number as usize].standing(epochs, DIRECTION);
            self.records.reach(number, rung, &standing);
            if !self.decisions.contains_key(&(number, rung)) {
                self.waiting.insert(number, rung);
            }
        }
    }

    fn end(&mut self, number: u64, how: &'static str, end: &End) {
        self.records.finish(number, end);
        self.waiting.remove(&number);
        self.outcomes[number as usize] = Some((how, self.epochs[number as usize]));
        let open = self.outcomes.iter().position(Option::is_none).unwrap_or(self.outcomes.len());
        self.records.forget_before(self.schedule.looks_back_to(open as u64));
    }

    /// Decides what can be decided, whichever the order.
    fn decide(&mut self, backwards: bool) {
        loop {
            let mut waiting: Vec<(u64, usize)> = self.waiting.iter().map(|(a, b)| (*a, *b)).collect();
            if backwards {
                waiting.reverse();
            }
            let decided = waiting.into_iter().find_map(|(number, rung)| {
                Some((number, rung, self.schedule.decide(&self.records, number, rung)?))
            });
            let Some((number, rung, decision)) = decided else { return };
            self.waiting.remove(&number);
            self.decisions.insert((number, rung), decision);
            if decision == Decision::Stop {
                self.end(number, "pruned", &End::Pruned);
            }
        }
    }

    /// To the end, always with the trial that `pick` chooses among those that could train.
    fn run(mut self, mut pick: impl FnMut(&[u64]) -> usize) -> Self {
        loop {
            let runnable = self.runnable();
            if runnable.is_empty() {
                assert!(self.waiting.is_empty(), "trials wait for ever: {:?}", self.waiting);
                return self;
            }
            let choice = pick(&runnable);
            self.train(runnable[choice % runnable.len()]);
            self.decide(choice % 2 == 1);
        }
    }

    /// Begins again from what a store would have: trials that have not ended fall back by some epochs.
    fn interrupted(self, fall_back: impl Fn(u64) -> u32, keeps_decisions: bool) -> Self {
        let mut anew = Self::new(self.schedule, self.curves);
        anew.epochs = self.epochs.clone();
        if keeps_decisions {
            anew.decisions = self.decisions;
        }
        for (number, outcome) in (0..).zip(&self.outcomes) {
            let index = number as usize;
            if outcome.is_none() {
                anew.epochs[index] = anew.epochs[index].saturating_sub(fall_back(number));
            }
            let rungs = self.schedule.rungs(number, 1);
            let came = match outcome {
                Some(("complete", epochs)) => epochs - 1,
                _ => anew.epochs[index],
            };
            for (rung, epoch) in rungs.iter().enumerate().take_while(|(_, epoch)| **epoch <= came) {
                anew.records.reach(number, rung, &self.curves[index].standing(*epoch, DIRECTION));
            }
            match outcome {
                Some((how, epochs)) => {
                    let end = match *how {
                        "complete" => End::Complete(self.curves[index].standing(*epochs, DIRECTION)),
                        "pruned" => End::Pruned,
                        _ => End::Lost,
                    };
                    anew.end(number, how, &end);
                }
                None if rungs.contains(&anew.epochs[index]) => anew.stand(number),
                None => {}
            }
        }
        anew.decide(false);
        anew
    }

    fn result(self) -> Vec<Outcome> {
        self.outcomes.into_iter().flatten().collect()
    }
}

/// The next few of some numbers, again and again.
fn picks(numbers: &[u16]) -> impl FnMut(&[u64]) -> usize {
    let mut at = 0;
    move |_| {
        at += 1;
        numbers[at % numbers.len()] as usize
    }
}

fn in_order(_: &[u64]) -> usize {
    0
}

fn curve() -> impl Strategy<Value = Curve> {
    // Few different values, so that there are ties; one trial in a few ends by itself, or diverges.
    let value = (0..4_i32, 0..6_i32).prop_map(|(level, wobble)| f64::from(level) + f64::from(wobble) / 8.0);
    let folds = prop::collection::vec(value, FOLDS);
    let length = prop_oneof![3 => Just(MAX_EPOCHS), 1 => 1..MAX_EPOCHS];
    let epochs = length.prop_flat_map(move |length| prop::collection::vec(folds.clone(), length as usize));
    (epochs, prop::bool::weighted(0.15), 0..MAX_EPOCHS as usize).prop_map(|(mut epochs, is_lost, at)| {
        if is_lost {
            epochs.truncate(at);
        }
        Curve { epochs, is_lost }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whichever trial is fastest, and whichever is decided about first.
    #[test]
    fn every_schedule_decides_the_same_in_any_order(
        curves in prop::collection::vec(curve(), 1..60),
        numbers in prop::collection::vec(any::<u16>(), 1..50),
    ) {
        for kind in schedule::ALL {
            let schedule = kind.create(&settings(MAX_EPOCHS));
            let expected = Simulation::new(schedule.as_ref(), &curves).run(in_order).result();
            let found = Simulation::new(schedule.as_ref(), &curves).run(picks(&numbers)).result();
            prop_assert_eq!(&found, &expected, "{}", kind.name());
            // From behind: every trial of a higher number is faster.
            let found = Simulation::new(schedule.as_ref(), &curves).run(|runnable| runnable.len() - 1).result();
            prop_assert_eq!(&found, &expected, "{} from behind", kind.name());
        }
    }

    /// Trials that had not ended begin again from a checkpoint of theirs, or from the start; what was decided
    /// about them is known or not.
    #[test]
    fn every_schedule_decides_the_same_after_an_interruption(
        curves in prop::collection::vec(curve(), 1..60),
        numbers in prop::collection::vec(any::<u16>(), 1..50),
        after in 0..600_usize,
        keeps_decisions: bool,
    ) {
        for kind in schedule::ALL {
            let schedule = kind.create(&settings(MAX_EPOCHS));
            let expected = Simulation::new(schedule.as_ref(), &curves).run(in_order).result();
            let mut part = Simulation::new(schedule.as_ref(), &curves);
            let mut pick = picks(&numbers);
            for _ in 0..after {
                let runnable = part.runnable();
                if runnable.is_empty() {
                    break;
                }
                let choice = pick(&runnable);
                part.train(runnable[choice % runnable.len()]);
                part.decide(false);
            }
            let fall_back = |number: u64| u32::from(numbers[number as usize % numbers.len()]) % 40;
            let found = part.interrupted(fall_back, keeps_decisions).run(picks(&numbers)).result();
            prop_assert_eq!(&found, &expected, "{}", kind.name());
        }
    }

    /// By sorting, as the definitions say it, instead of by counting.
    #[test]
    fn decisions_are_those_of_their_definitions(curves in prop::collection::vec(curve(), 1..60)) {
        type Rule = fn(&[Curve], &[Outcome], u64, u32) -> bool;
        let rules: [(&str, Rule); 4] =
            [("asha", asha), ("median", median), ("racing", racing), ("successive_halving", halving)];
        for (name, rule) in rules {
            let schedule = kind(name).create(&settings(MAX_EPOCHS));
            let simulation = Simulation::new(schedule.as_ref(), &curves).run(in_order);
            let decisions = simulation.decisions.clone();
            let outcomes = simulation.result();
            for ((number, rung), decision) in decisions {
                let epochs = schedule.rungs(number, 1)[rung];
                let goes_on = rule(&curves, &outcomes, number, epochs);
                prop_assert_eq!(decision == Decision::Continue, goes_on, "{}: {} at {}", name, number, epochs);
            }
        }
    }
}

/// The value of a trial after so many epochs, or at its end before; `None` where it was lost before.
fn value(curves: &[Curve], outcomes: &[Outcome], number: u64, epochs: u32) -> Option<f64> {
    let ((how, ended), curve) = (outcomes[number as usize], &curves[number as usize]);
    match how {
        "lost" if ended < epochs => None,
        _ => Some(curve.standing(epochs.min(ended), DIRECTION).value),
    }
}

fn rungs_of(name: &str) -> Vec<u32> {
    kind(name).create(&settings(MAX_EPOCHS)).rungs(0, 1)
}

/// The values that count at a rung of the trials below `end`, the best first: of those that came there, ended
/// by themselves, or were lost since the rung before.
fn ranked(
    name: &str,
    curves: &[Curve],
    outcomes: &[Outcome],
    numbers: std::ops::Range<u64>,
    epochs: u32,
) -> Vec<(u64, f64)> {
    let before = rungs_of(name).into_iter().rev().find(|rung| *rung < epochs).unwrap_or(0);
    let counts = |number: &u64| {
        let (how, ended) = outcomes[*number as usize];
        ended >= epochs || how == "complete" || (how == "lost" && ended >= before)
    };
    let loss = |number: u64| value(curves, outcomes, number, epochs).unwrap_or(f64::NEG_INFINITY);
    let mut ranked: Vec<(u64, f64)> = numbers.filter(counts).map(|number| (number, loss(number))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked
}

fn asha(curves: &[Curve], outcomes: &[Outcome], number: u64, epochs: u32) -> bool {
    let ranked = ranked("asha", curves, outcomes, 0..number + 1, epochs);
    let best = &ranked[..(ranked.len() / 3).max(1)];
    best.iter().any(|(other, _)| *other == number)
}

fn halving(curves: &[Curve], outcomes: &[Outcome], number: u64, epochs: u32) -> bool {
    let first = number / 27 * 27;
    let numbers = first..(first + 27).min(curves.len() as u64);
    let rung = rungs_of("successive_halving").iter().position(|rung| *rung == epochs).unwrap();
    let places = (numbers.end - numbers.start) as usize / [3, 9, 27][rung];
    let ranked = ranked("successive_halving", curves, outcomes, numbers, epochs);
    ranked.iter().take(places.max(1)).any(|(other, _)| *other == number)
}

fn median(curves: &[Curve], outcomes: &[Outcome], number: u64, epochs: u32) -> bool {
    if number < 5 {
        return true;
    }
    let loss = |number| value(curves, outcomes, number, epochs).map_or(f64::INFINITY, |value| -value);
    let mut losses: Vec<f64> = (0..number).map(loss).collect();
    losses.sort_by(f64::total_cmp);
    let (low, high) = (losses[(losses.len() - 1) / 2], losses[losses.len() / 2]);
    loss(number) <= (low + high) / 2.0
}

fn racing(curves: &[Curve], outcomes: &[Outcome], number: u64, epochs: u32) -> bool {
    let stands = |number: &u64| {
        let (how, ended) = outcomes[*number as usize];
        ended >= epochs || how == "complete"
    };
    let standing =
        |number: u64| curves[number as usize].standing(epochs.min(outcomes[number as usize].1), DIRECTION);
    let others: Vec<u64> = (0..number).filter(stands).collect();
    let first_best = others
        .iter()
        .copied()
        .reduce(|best, other| if standing(other).value > standing(best).value { other } else { best });
    let Some(best) = first_best else { return true };
    let (own, best) = (standing(number), standing(best));
    let differences: Vec<f64> = best.folds.iter().zip(&own.folds).map(|(best, own)| best - own).collect();
    own.value >= best.value || !(by_all_signs(&differences) < 0.1)
}

/// The share of all 2ⁿ signs for which positive differences have ranks as large in sum.
fn by_all_signs(differences: &[f64]) -> f64 {
    let size: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
    let rank = |a: f64| {
        let below = size.iter().filter(|&&b| b < a).count() as f64;
        let equal = size.iter().filter(|&&b| b == a).count() as f64;
        below + (equal + 1.0) / 2.0
    };
    let sum = |is_positive: &dyn Fn(usize) -> bool| -> f64 {
        let signed = (0..size.len()).filter(|&index| size[index] > 0.0 && is_positive(index));
        signed.map(|index| rank(size[index])).sum()
    };
    let observed = sum(&|index| differences[index] > 0.0);
    let count = 1_u32 << size.len();
    let as_large = (0..count).filter(|signs| sum(&|index| signs >> index & 1 == 1) >= observed).count();
    as_large as f64 / f64::from(count)
}

#[test]
fn the_signed_rank_test_gives_the_values_of_scipy() {
    let stored: Value = serde_json::from_str(include_str!("reference/signed_rank.json")).unwrap();
    let cases = stored["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let differences: Vec<f64> =
            case["differences"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        let (found, expected) = (signed_rank(&differences), case["p"].as_f64().unwrap());
        // Sums of at most some thousand probabilities; erfc is good to a few units of the last place.
        assert!((found - expected).abs() <= 1e-12, "{differences:?}: {found} against {expected}");
    }
}

#[test]
fn the_signed_rank_test_says_nothing_of_nothing() {
    for differences in [&[] as &[f64], &[0.0, 0.0, 0.0], &[f64::NAN, 1.0, 1.0, 1.0, 1.0, 1.0], &[0.0; 200]] {
        assert_eq!(signed_rank(differences), 1.0, "{differences:?}");
    }
}

#[test]
fn rungs_are_counted_in_integers() {
    assert_eq!(descending(1, 243, 3), [1, 3, 9, 27, 81], "⌊ln 243 / ln 3⌋ is 4 in floating point");
    assert_eq!(descending(1, 81, 3), [1, 3, 9, 27]);
    assert_eq!(descending(1, 100, 3), [1, 3, 11, 33]);
    assert_eq!(descending(5, 100, 3), [11, 33]);
    assert_eq!(descending(4, 1000, 10), [10, 100]);
    assert_eq!(descending(1, 2, 3), [0; 0]);
    assert_eq!(descending(1, u32::MAX, 2).len(), 31);
    for exponent in 1..20 {
        assert_eq!(descending(1, 3_u32.pow(exponent), 3).len(), exponent as usize);
        assert_eq!(descending(1, 3_u32.pow(exponent) - 1, 3).len(), exponent as usize - 1);
    }
}

/// The brackets of R = 81, as published: trials at each rung, and 1,902 epochs if all begin again at each.
#[test]
fn hyperband_has_the_brackets_of_its_paper() {
    let schedule = with("hyperband", 81, &[]);
    let table: [&[u64]; 5] = [&[81, 27, 9, 3, 1], &[34, 11, 3, 1], &[15, 5, 1], &[8, 2], &[5]];
    let (mut first, mut budget) = (0, 0);
    for counts in table {
        let numbers = first..first + counts[0];
        for number in numbers.clone() {
            assert_eq!(schedule.cohort(number), numbers);
        }
        let mut rungs = schedule.rungs(first, 1);
        assert_eq!(rungs, [1, 3, 9, 27][5 - counts.len()..]);
        let curves: Vec<Curve> = (0..numbers.end).map(|number| Curve::flat(number as f64, 81)).collect();
        let simulation = Simulation::new(schedule.as_ref(), &curves).run(in_order);
        rungs.push(81);
        for (epochs, count) in rungs.iter().zip(counts) {
            let came = numbers.clone().filter(|number| simulation.epochs[*number as usize] >= *epochs);
            assert_eq!(came.count() as u64, *count, "after {epochs} epochs");
            budget += u64::from(*epochs) * count;
        }
        first = numbers.end;
    }
    assert_eq!(budget, 1902);
    assert_eq!(schedule.cohort(first), first..first + 81, "from the first bracket again");
}

#[test]
fn rungs_in_steps_are_the_first_epochs_that_have_them() {
    for name in ["hyperband", "successive_halving", "asha", "median", "racing"] {
        let schedule = with(name, 81, &[("rung_steps", 20.0)]);
        let budgets = with(name, 81, &[]).rungs(0, 1);
        for steps_per_epoch in [1, 7, 20, 33, 1000, u64::MAX] {
            let rungs = schedule.rungs(0, steps_per_epoch);
            assert!(rungs.is_sorted_by(|a, b| a < b) && rungs.iter().all(|rung| (1..81).contains(rung)));
            for (rung, (epoch, budget)) in rungs.iter().zip(&budgets).enumerate() {
                let has_steps = |epochs: u32| {
                    u128::from(epochs) * u128::from(steps_per_epoch) >= u128::from(*budget) * 20
                };
                assert!(has_steps(*epoch));
                let before = if rung > 0 { rungs[rung - 1] } else { 0 };
                assert!(!has_steps(epoch - 1) || epoch - 1 == before, "{name}: {rungs:?} of {budgets:?}");
            }
        }
        assert_eq!(schedule.rungs(0, 20), budgets);
    }
}

#[test]
fn no_rung_is_at_the_end_or_behind_it_whatever_the_settings() {
    for kind in schedule::ALL {
        for max_epochs in [1, 2, 3, 100, 1000] {
            for corner in [0.0, 1.0] {
                let value = |low: f64, high: f64| if corner == 0.0 { low } else { high };
                let mut settings = settings(max_epochs);
                for setting in kind.settings() {
                    settings.chosen = settings.chosen.with(setting.name, value(setting.low, setting.high));
                }
                let schedule = kind.create(&settings);
                assert!(kind.notes(&settings).iter().all(|note| !note.is_empty()));
                for (number, steps) in [(0, 1), (1000, 50)] {
                    let rungs = schedule.rungs(number, steps);
                    assert!(rungs.iter().all(|rung| (1..max_epochs).contains(rung)), "{}", kind.name());
                    assert!(schedule.cohort(number).contains(&number));
                }
            }
        }
    }
}

/// With the trials of a study that ends within a bracket; extended, those that come later are ranked among all.
#[test]
fn a_bracket_that_is_not_full_is_decided_among_those_it_has() {
    let schedule = with("successive_halving", 27, &[]);
    let mut records = Records::new(Direction::Minimize, 0);
    let reach = |records: &mut Records, number: u64, value: f64| {
        records.reach(number, 0, &Standing { value, folds: Vec::new() });
    };
    (0..7).for_each(|number| reach(&mut records, number, number as f64));
    assert_eq!(schedule.decide(&records, 0, 0), None, "twenty more are to come");
    records.set_end(Some(7));
    let decided: Vec<bool> =
        (0..7).map(|number| schedule.decide(&records, number, 0) == Some(Decision::Continue)).collect();
    assert_eq!(decided, [true, true, false, false, false, false, false]);
    (2..7).for_each(|number| records.finish(number, &End::Pruned));
    records.set_end(Some(27));
    (7..26).for_each(|number| reach(&mut records, number, 100.0 + number as f64));
    assert_eq!(schedule.decide(&records, 7, 0), None);
    records.finish(26, &End::Lost);
    assert_eq!(schedule.decide(&records, 7, 0), Some(Decision::Continue), "the eighth of nine places");
    assert_eq!(schedule.decide(&records, 9, 0), Some(Decision::Stop));
}

#[test]
fn a_place_says_where_a_trial_stands() {
    let mut records = Records::new(Direction::Maximize, 1);
    let standing = |value: f64| Standing { value, folds: vec![value] };
    records.reach(0, 0, &standing(0.5));
    records.reach(0, 1, &standing(f64::NAN));
    records.reach(1, 0, &standing(0.25));
    records.reach(2, 0, &standing(0.75));
    records.finish(1, &End::Pruned);
    records.finish(2, &End::Lost);
    records.finish(3, &End::Complete(standing(0.125)));
    records.finish(4, &End::Lost);
    let place = |number, rung| records.place(number, rung);
    assert_eq!(
        (place(0, 0), place(0, 1), place(0, 2)),
        (Place::At(-0.5), Place::At(f64::INFINITY), Place::Ahead)
    );
    assert_eq!(
        (place(1, 0), place(1, 1), place(1, 2)),
        (Place::At(-0.25), Place::Pruned(-0.25), Place::Pruned(-0.25))
    );
    assert_eq!((place(2, 0), place(2, 1), place(2, 2)), (Place::At(-0.75), Place::Lost, Place::LostBefore));
    assert_eq!(
        (place(3, 0), place(4, 0), place(4, 1)),
        (Place::Complete(-0.125), Place::Lost, Place::LostBefore)
    );
    assert_eq!((records.folds(0, 0), records.folds(3, 1)), (&[-0.5][..], &[-0.125][..]));
    assert!(records.is_settled_before(5, 0) && !records.is_settled_before(6, 0));
    assert!(records.is_settled_before(5, 1) && !records.is_settled_before(5, 2));
}

/// Racing with its outcome in plain sight: the best stays, a worse one on all folds goes, a worse mean with
/// mixed folds stays.
#[test]
fn racing_stops_what_is_worse_fold_by_fold() {
    let schedule = with("racing", 27, &[]);
    let race = |best: &[f64], folds: &[f64]| {
        let mut records = Records::new(Direction::Maximize, folds.len());
        let standing = |folds: &[f64]| Standing {
            value: folds.iter().sum::<f64>() / folds.len() as f64,
            folds: folds.to_vec(),
        };
        records.reach(0, 0, &standing(best));
        records.reach(1, 0, &standing(folds));
        schedule.decide(&records, 1, 0)
    };
    let decide = |folds: [f64; 5]| race(&[0.9, 0.8, 0.9, 0.7, 0.8], &folds);
    assert_eq!(decide([0.88, 0.79, 0.905, 0.67, 0.785]), Some(Decision::Stop), "p = 0.0625");
    assert_eq!(decide([0.88, 0.79, 0.905, 0.71, 0.785]), Some(Decision::Continue));
    assert_eq!(decide([0.95, 0.79, 0.89, 0.69, 0.79]), Some(Decision::Continue), "a mean that is better");
    // Worse on nine folds of ten, p = 0.042, and so much better on the last that the mean is better.
    let mut folds: Vec<f64> = (1..10).map(|fold| 0.5 - 0.001 * f64::from(fold)).collect();
    assert_eq!(race(&[0.5; 9], &folds), Some(Decision::Stop));
    folds.push(1.0);
    assert_eq!(race(&[0.5; 10], &folds), Some(Decision::Continue), "a mean that is better, p = 0.042");
}
