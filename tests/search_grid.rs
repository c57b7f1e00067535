//! Refined grids: where each pass lies, what it waits for, and that no cell comes twice.

use manytune::model::metric::Direction;
use manytune::search::{self, Next, Options, Search, Settings, StrategyKind, Told, Trials, Window};
use manytune::setting::Chosen;
use manytune::space::{Configuration, Constraint, Dimension, Domain, Limits, Space, Value, value_text};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn refined(passes: f64) -> Settings {
    let chosen = Chosen::none().with("refine", passes);
    Settings { chosen, ..Settings::new(0, Direction::Minimize) }
}

fn grid() -> &'static dyn StrategyKind {
    search::find("grid").unwrap()
}

fn int(low: i64, high: i64) -> Domain {
    Domain::Int { low, high, log: false, step: 1 }
}

fn range(name: &str, low: f64, high: f64, log: bool, count: u32) -> Dimension {
    let domain = Domain::Float { low, high, log, step: None };
    Dimension { grid_count: Some(count), ..Dimension::new(name, domain) }
}

fn number(configuration: &Configuration, name: &str) -> f64 {
    configuration[name].number().unwrap()
}

fn told(number: usize, configuration: &Configuration, value: Option<f64>) -> Told {
    Told { number: number as u64, configuration: configuration.clone(), value, is_pruned: false }
}

/// The passes of a grid over an objective, and what it has remarked.
fn passes(
    space: &Space,
    settings: &Settings,
    objective: impl Fn(&Configuration) -> Option<f64>,
) -> (Vec<Vec<Configuration>>, Vec<String>) {
    let mut strategy = grid().create(settings);
    let (mut all, mut results, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
    for (index, configuration) in settings.enqueued.iter().enumerate() {
        results.push(told(index, configuration, objective(configuration)));
    }
    loop {
        let first = results.len();
        let trials = Trials { told: &results, pending: &[] };
        let pass = strategy.ask(space, trials, first as u64, 100_000).unwrap();
        remarks.extend(strategy.remarks());
        let needs = strategy.needs();
        for (index, configuration) in pass.iter().enumerate() {
            results.push(told(first + index, configuration, objective(configuration)));
        }
        all.push(pass);
        if needs == 0 {
            return (all, remarks);
        }
        assert_eq!(needs, results.len() as u64, "it waits for the whole pass");
    }
}

/// The new values of the only hyperparameter in each pass.
fn values(dimension: Dimension, refine: f64, best: f64) -> Vec<Vec<f64>> {
    let name = dimension.name.clone();
    let space = Space::new(vec![dimension]).unwrap();
    let distance = |configuration: &Configuration| Some((number(configuration, &name) - best).abs());
    let (passes, _) = passes(&space, &refined(refine), distance);
    passes
        .iter()
        .map(|pass| pass.iter().map(|configuration| number(configuration, &name)).collect())
        .collect()
}

/// The lecture's example: the best of {-1, 0, 1} at 1 moves the grid to {1, 2, 3}.
#[test]
fn a_grid_moves_past_the_edge_where_the_best_lies() {
    let whole = Dimension::new("x", int(-1, 1));
    assert_eq!(values(whole.clone(), 1.0, 9.0), [vec![-1.0, 0.0, 1.0], vec![2.0, 3.0]]);
    assert_eq!(values(whole.clone(), 1.0, -9.0)[1], [-3.0, -2.0]);
    assert_eq!(values(whole, 3.0, 9.0)[1..], [[2.0, 3.0], [4.0, 5.0], [6.0, 7.0]]);
    assert_eq!(values(range("x", -1.0, 1.0, false, 3), 1.0, 9.0)[1], [2.0, 3.0]);
    // Logarithms move by ratio, and the points stay round.
    assert_eq!(values(range("x", 1e-3, 1e-1, true, 3), 2.0, 1e3)[1..], [[1.0, 10.0], [100.0, 1000.0]]);
    assert_eq!(values(range("x", 1e-3, 1e-1, true, 3), 1.0, -1.0)[1], [1e-5, 1e-4]);
    let widths = Domain::Int { low: 16, high: 64, log: true, step: 1 };
    let widths = Dimension { grid_count: Some(3), ..Dimension::new("x", widths) };
    assert_eq!(values(widths, 1.0, 1e9), [vec![16.0, 32.0, 64.0], vec![128.0, 256.0]]);
    let stepped = Domain::Float { low: 0.0, high: 0.3, log: false, step: Some(0.1) };
    assert_eq!(values(Dimension::new("x", stepped), 1.0, 9.0)[1], [0.4, 0.5, 0.6]);
}

#[test]
fn a_grid_zooms_in_where_the_best_lies_inside() {
    let five = range("x", 0.0, 1.0, false, 5);
    assert_eq!(
        values(five, 2.0, 0.6),
        [vec![0.0, 0.25, 0.5, 0.75, 1.0], vec![0.375, 0.625], vec![0.5625, 0.6875]]
    );
    // Of an even number one more, so that the best stays in the middle.
    assert_eq!(values(range("x", 0.0, 3.0, false, 4), 1.0, 1.1)[1], [0.5, 1.5]);
    assert_eq!(values(range("x", 1e-4, 1.0, true, 3), 1.0, 1e-2)[1], [1e-3, 1e-1]);
    // Past the edge, then between what was tried on both sides.
    assert_eq!(
        values(range("x", -1.0, 1.0, false, 3), 2.0, 1.4),
        [vec![-1.0, 0.0, 1.0], vec![2.0, 3.0], vec![0.5, 1.5]]
    );
    // What both passes come to is one value, not two that differ by rounding.
    assert_eq!(values(range("x", 1e-3, 1.0, true, 5), 1.0, 0.03)[1].len(), 2);
    // Best at the end of a narrow pass, between values of a wider one before: no edge.
    let space = Space::new(vec![range("x", 0.0, 6.0, false, 7)]).unwrap();
    let lone = |c: &Configuration| {
        Some(if number(c, "x") == 4.5 { 0.0 } else { 1.0 + (number(c, "x") - 3.0).abs() })
    };
    let (found, remarks) = passes(&space, &refined(2.0), lone);
    assert_eq!(found[1].iter().map(|c| number(c, "x")).collect::<Vec<_>>(), [1.5, 2.5, 3.5, 4.5]);
    assert_eq!(remarks[3], "  x zooms in: 3.75, 4.0, 4.25, 4.5, 4.75, 5.0, 5.25");
    // Whole numbers end at their neighbours.
    let whole = Dimension { grid_count: Some(5), ..Dimension::new("x", int(0, 40)) };
    let found = values(whole, 6.0, 17.0);
    assert_eq!(
        found[..3],
        [vec![0.0, 10.0, 20.0, 30.0, 40.0], vec![15.0, 25.0], vec![9.0, 12.0, 18.0, 21.0]]
    );
    assert_eq!(found[3..], [vec![14.0, 16.0, 22.0], vec![17.0, 19.0], vec![]]);
}

/// A hyperparameter's own limits hold; at them the grid zooms in.
#[test]
fn a_grid_does_not_move_past_what_a_hyperparameter_can_be() {
    let below_one = Limits { low: 0.0, low_included: true, high: 1.0, high_included: false };
    let up_to_one = Limits { high_included: true, ..below_one };
    let momentum = |limits| Dimension { limits, ..range("x", 0.5, 0.9, false, 3) };
    assert_eq!(values(momentum(below_one), 1.0, 9.0)[1], [0.8]);
    let half = |limits| Dimension { limits, ..range("x", 0.0, 0.5, false, 3) };
    assert_eq!(values(half(below_one), 1.0, 9.0)[1], [0.75]);
    assert_eq!(values(half(up_to_one), 1.0, 9.0)[1], [0.75, 1.0]);
    assert_eq!(values(half(up_to_one), 1.0, -9.0)[1], [0.125]);
    // What a logarithmic range of a f64 cannot hold is left out too.
    let tiny = values(range("x", 1e-300, 1e-100, true, 2), 3.0, -1.0);
    assert!(tiny.iter().flatten().all(|x| *x > 0.0 && x.is_finite()), "{tiny:?}");
    let large = values(range("x", 1e100, 1e300, true, 2), 3.0, f64::MAX);
    assert!(large.iter().flatten().all(|x| x.is_finite()), "{large:?}");
    let words =
        values(Dimension { grid_count: Some(2), ..Dimension::new("x", int(0, i64::MAX)) }, 3.0, 1e300);
    assert!(words.iter().flatten().all(|x| *x <= 9.3e18), "{words:?}");
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Conditions on a choice and on a range; a constraint.
fn mixed() -> Space {
    let constraint = Constraint::parse("constraints", "rate * depth <= 8").unwrap();
    let space = Space::new(vec![
        range("rate", 0.01, 1.0, true, 3),
        Dimension::new("kind", Domain::Choice(vec![text("a"), text("b")])),
        range("momentum", 0.0, 0.9, false, 3).when("kind", [text("b")]),
        Dimension::new("depth", int(1, 3)),
        Dimension::new("second", Domain::Choice(vec![text("x"), text("y")]))
            .when("depth", [Value::Int(3), Value::Int(2)]),
    ]);
    space.unwrap().with_constraints(vec![constraint]).unwrap()
}

fn far(configuration: &Configuration) -> Option<f64> {
    let momentum = configuration.get("momentum").map_or(1.0, |value| value.number().unwrap());
    let second = if configuration.get("second") == Some(&text("y")) { 0.0 } else { 0.5 };
    let distance = (number(configuration, "rate").ln() - 1.0).abs() + (momentum - 0.6).abs() + second;
    (number(configuration, "depth") > 1.0).then_some(distance + number(configuration, "depth"))
}

#[test]
fn every_pass_is_a_grid_around_the_best_without_what_was_tried() {
    let (passes, remarks) = passes(&mixed(), &refined(2.0), far);
    assert_eq!(passes.len(), 3);
    // The best: rate at its edge, depth and momentum inside, choices fixed.
    let keys: Vec<String> = passes[1]
        .iter()
        .map(|configuration| {
            let values = configuration.iter().map(|(name, value)| format!("{name}={}", value_text(value)));
            values.collect::<Vec<_>>().join(" ")
        })
        .collect();
    let expected: Vec<String> = ["1.0", "10.0"]
        .iter()
        .flat_map(|rate| {
            let momenta = ["0.225", "0.45", "0.675"];
            momenta.map(|momentum| format!("depth=2 kind=\"b\" momentum={momentum} rate={rate} second=\"y\""))
        })
        // The best itself, and what the constraint forbids: rate 10 with any depth.
        .filter(|key| !key.contains("momentum=0.45 rate=1.0") && !key.contains("rate=10.0"))
        .collect();
    assert_eq!(keys, expected);
    assert!(remarks[0].starts_with("grid, pass 2 of 3: 2 new cells around trial "), "{remarks:?}");
    assert_eq!(
        remarks[1..4],
        [
            "  rate goes on past its edge: 1.0, 10.0, 100.0",
            "  momentum zooms in: 0.225, 0.45, 0.675",
            "  depth stays: 2"
        ]
    );
    assert!(remarks[4].starts_with("grid, pass 3 of 3: "), "{remarks:?}");
}

#[test]
fn the_best_is_the_first_of_equals_in_the_direction_of_the_study() {
    let space = Space::new(vec![Dimension::new("x", int(0, 9))]).unwrap();
    let maximized = Settings { direction: Direction::Maximize, ..refined(1.0) };
    let (up, _) = passes(&space, &maximized, |configuration| Some(number(configuration, "x")));
    assert_eq!(number(&up[1][0], "x"), 10.0);
    let (down, _) = passes(&space, &refined(1.0), |configuration| Some(number(configuration, "x")));
    assert_eq!(number(&down[1][8], "x"), -1.0);
    let (_, remarks) = passes(&space, &refined(1.0), |_| Some(3.0));
    assert!(remarks[0].contains("around trial 0, the best with 3.0"), "{remarks:?}");
    let odd = |configuration: &Configuration| match number(configuration, "x") as u64 {
        4 => Some(f64::MAX),
        7 => Some(f64::NAN),
        _ => None,
    };
    let (_, remarks) = passes(&space, &refined(1.0), odd);
    assert!(remarks[0].contains("around trial 4"), "{remarks:?}");
}

#[test]
fn a_grid_of_which_nothing_has_a_value_ends() {
    let (passes, remarks) = passes(&mixed(), &refined(3.0), |_| None);
    assert_eq!(passes.iter().map(Vec::len).collect::<Vec<_>>()[1..], [0]);
    assert_eq!(remarks, ["the grid is not refined: no trial of it has a value"]);
}

/// An enqueued trial may be the best, on the grid or off it.
#[test]
fn a_grid_is_refined_around_an_enqueued_trial_too() {
    let space = Space::new(vec![range("x", 0.0, 1.0, false, 3)]).unwrap();
    let enqueued: Configuration = [("x".to_owned(), Value::Float(0.3))].into();
    let settings = Settings { enqueued: vec![enqueued], ..refined(1.0) };
    let (passes, _) =
        passes(&space, &settings, |configuration| Some((number(configuration, "x") - 0.3).abs()));
    let found: Vec<Vec<f64>> =
        passes.iter().map(|pass| pass.iter().map(|c| number(c, "x")).collect()).collect();
    assert_eq!(found, [vec![0.0, 0.5, 1.0], vec![0.05, 0.55]]);
    assert_eq!(grid().size(&space, &settings), Some(1 + 3 + 3));
}

/// What a study of a refined grid proposes when, of those under way, the one at `pick` ends next, and a new
/// process goes on after every `lifetime` results.
fn study(
    space: &Space,
    batch: u64,
    lifetime: usize,
    pick: &mut dyn FnMut(usize) -> usize,
) -> Vec<Configuration> {
    let settings = refined(3.0);
    let (mut proposed, mut results): (Vec<Configuration>, Vec<Told>) = (Vec::new(), Vec::new());
    loop {
        let learns = grid().learns(&settings.chosen);
        let mut window = Window::new(
            grid().create(&settings),
            Options { space, learns, batch, limit: None, enqueued: &[] },
        );
        window.resume(proposed.iter().cloned());
        results.iter().for_each(|told| window.tell(told.clone()));
        let is_open = |number: &usize| !results.iter().any(|told| told.number == *number as u64);
        let mut under_way: Vec<usize> = (0..proposed.len()).filter(is_open).collect();
        for _ in 0..lifetime {
            loop {
                match window.next(|number| number).unwrap() {
                    Next::Trial(number, configuration) => {
                        assert_eq!(number, proposed.len() as u64);
                        under_way.push(proposed.len());
                        proposed.push(configuration);
                    }
                    Next::Exhausted if under_way.is_empty() => return proposed,
                    Next::Wait | Next::Exhausted => break,
                }
            }
            assert!(under_way.len() as u64 <= batch);
            let number = under_way.remove(pick(under_way.len()));
            results.push(told(number, &proposed[number], far(&proposed[number])));
            window.tell(results[results.len() - 1].clone());
        }
    }
}

/// The passes do not depend on which trials end first, how many are under way, or where a study is interrupted.
#[test]
fn a_refined_grid_proposes_the_same_whatever_ends_first() {
    let space = mixed();
    let (passes, _) = passes(&space, &refined(3.0), far);
    let expected = passes.concat();
    assert!(passes.iter().all(|pass| !pass.is_empty()), "{passes:?}");
    let distinct: BTreeSet<String> = expected.iter().map(|c| format!("{c:?}")).collect();
    assert_eq!(distinct.len(), expected.len());
    assert!(grid().size(&space, &refined(3.0)).unwrap() >= expected.len() as u128);
    for batch in [1, 4, 7, 64] {
        for lifetime in [1, 3, 1000] {
            assert_eq!(study(&space, batch, lifetime, &mut |_| 0), expected, "{batch} {lifetime}");
            assert_eq!(
                study(&space, batch, lifetime, &mut |count| count - 1),
                expected,
                "{batch} {lifetime}"
            );
            let mut turn = 0;
            let mut spread = |count: usize| {
                turn += 1;
                turn * 7 % count
            };
            assert_eq!(study(&space, batch, lifetime, &mut spread), expected, "{batch} {lifetime}");
        }
    }
}

/// Asked and told in batches, the passes are the same, whatever the batches.
#[test]
fn a_search_goes_through_the_passes() {
    let (passes, remarks) = passes(&mixed(), &refined(3.0), far);
    let expected = passes.concat();
    for size in [1, 5, 8, 100] {
        let mut search = Search::new(mixed(), "grid", refined(3.0)).unwrap();
        let mut found = Vec::new();
        while !search.is_exhausted() {
            let batch = search.ask_batch(size).unwrap();
            assert!(!batch.is_empty() || search.is_exhausted());
            for asked in batch {
                assert_eq!(asked.number, found.len() as u64);
                match far(&asked.configuration) {
                    Some(value) => search.tell(asked.number, value).unwrap(),
                    None => search.fail(asked.number).unwrap(),
                }
                found.push(asked.configuration);
            }
        }
        assert_eq!(found, expected, "batches of {size}");
        assert!(search.ask_batch(size).unwrap().is_empty());
    }
    // One by one, the search waits at the end of a pass, and has not ended there.
    let mut search = Search::new(mixed(), "grid", refined(3.0)).unwrap();
    let first = search.ask(1000).unwrap();
    assert_eq!((first.len(), search.is_exhausted()), (passes[0].len(), false));
    for asked in first.iter().rev() {
        // Whichever is told last, it is waited for.
        assert_eq!((search.ask(1).unwrap(), search.is_exhausted()), (Vec::new(), false));
        search.tell(asked.number, far(&asked.configuration).unwrap_or(1e9)).unwrap();
    }
    assert_eq!(search.ask(1000).unwrap().len(), passes[1].len());
    assert_eq!(search.remarks()[0], remarks[0]);
}

/// A strategy that went on can be asked about earlier trials, and about other results.
#[test]
fn a_refined_grid_depends_on_what_it_is_told_alone() {
    let space = mixed();
    let (passes, _) = passes(&space, &refined(3.0), far);
    let all = passes.concat();
    let results: Vec<Told> = all.iter().enumerate().map(|(i, c)| told(i, c, far(c))).collect();
    let opposite: Vec<Told> = all.iter().enumerate().map(|(i, c)| told(i, c, far(c).map(|x| -x))).collect();
    let mut strategy = grid().create(&refined(3.0));
    let first = passes[0].len();
    let two = first + passes[1].len();
    for (told, number) in [
        (&results[..], all.len()),
        (&results[..two], two),
        (&results[..5], 7),
        (&results[..two - 1], two + 1),
        (&opposite[..first], first),
        (&opposite[..two], first + 1),
        (&results[..first], first),
    ] {
        let trials = Trials { told, pending: &[] };
        let found = strategy.ask(&space, trials, number as u64, 3).unwrap();
        let mut fresh = grid().create(&refined(3.0));
        assert_eq!(found, fresh.ask(&space, trials, number as u64, 3).unwrap(), "trial {number}");
        assert_eq!(strategy.needs(), fresh.needs(), "trial {number}");
    }
}

/// A pass cannot wait for trials that a schedule keeps under way together with later ones.
#[test]
fn a_schedule_that_waits_for_later_trials_is_refused_beside_passes() {
    let space = mixed();
    let options = Options { space: &space, learns: true, batch: 64, limit: None, enqueued: &[] };
    let mut window = Window::new(grid().create(&refined(1.0)), options);
    let error = loop {
        match window.next(|number| number / 27 * 27) {
            Ok(Next::Trial(number, configuration)) => {
                window.tell(told(number as usize, &configuration, far(&configuration)));
            }
            Ok(next) => panic!("{next:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("refine = 0"), "{error}");
}

#[test]
fn a_grid_says_that_it_will_be_refined() {
    let notes = grid().notes(&mixed(), &refined(3.0));
    assert!(
        notes[notes.len() - 1].starts_with("the grid is refined in 3 passes of at most 54 cells"),
        "{notes:?}"
    );
    // Around nothing there is nothing.
    let none = Constraint::parse("constraints", "rate > 9").unwrap();
    let none = mixed().with_constraints(vec![none]).unwrap();
    assert_eq!(grid().size(&none, &refined(3.0)), Some(0));
    assert!(!grid().learns(&Chosen::none()) && grid().learns(&refined(1.0).chosen));
}

/// Distance to the best of a bowl whose optimum lies outside the range of one dimension and off the points of
/// the other: with as many trials a plain grid is left behind.
#[test]
fn a_refined_grid_finds_what_a_plain_one_misses() {
    let bowl = |configuration: &Configuration| {
        let (x, y) = (number(configuration, "x"), number(configuration, "y"));
        Some((x - 1.83).powi(2) + (y - 0.19).powi(2))
    };
    let space =
        |count| Space::new(vec![range("x", -1.0, 1.0, false, count), range("y", 0.0, 1.0, false, count)]);
    let (passes_of, plain) = (passes(&space(5).unwrap(), &refined(6.0), bowl).0, 13);
    let spent: usize = passes_of.iter().map(Vec::len).sum();
    assert!(spent <= plain * plain, "{spent}");
    let best =
        |all: &[Vec<Configuration>]| all.iter().flatten().filter_map(bowl).min_by(f64::total_cmp).unwrap();
    let refined_best = best(&passes_of);
    let plain_best = best(&passes(&space(plain as u32).unwrap(), &refined(0.0), bowl).0);
    assert!(refined_best < 1e-3 && plain_best > 0.5, "{refined_best} {plain_best}");
}

proptest! {
    /// Whatever the results, the passes end, no cell comes twice, and the size given before is not passed.
    #[test]
    fn a_refined_grid_is_finite_and_repeats_nothing(
        seed in any::<u64>(),
        refine in 0..4_u32,
        counts in prop::collection::vec(1..4_u32, 2),
    ) {
        let space = Space::new(vec![
            range("rate", 0.1, 1.0, true, counts[0]),
            Dimension::new("depth", int(1, 3)),
            range("decay", -1.0, 1.0, false, counts[1]).when("depth", [Value::Int(1), Value::Int(2)]),
            Dimension::new("kind", Domain::Choice(vec![text("a"), text("b")])).when("depth", [Value::Int(2)]),
        ]).unwrap();
        let noise = |configuration: &Configuration| {
            let text = format!("{configuration:?}");
            let hash = text.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
            (hash % 5 > 0).then_some((hash >> 40) as f64)
        };
        let settings = refined(refine.into());
        let (passes, _) = passes(&space, &settings, noise);
        let all = passes.concat();
        let distinct: BTreeSet<String> = all.iter().map(|c| format!("{c:?}")).collect();
        prop_assert_eq!(distinct.len(), all.len());
        prop_assert!(all.len() as u128 <= grid().size(&space, &settings).unwrap());
    }
}
