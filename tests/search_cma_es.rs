//! CMA-ES: what it finds, what it makes of results that are none, and how its generations follow the trials.

use manytune::model::metric::Direction;
use manytune::search::{self, Settings, Told, Trials};
use manytune::setting::Chosen;
use manytune::space::{Configuration, Dimension, Domain, Space, Value};

const SETTINGS: Settings = Settings::new(0, Direction::Minimize);
const SEEDS: u64 = 15;

fn unit() -> Domain {
    Domain::Float { low: 0.0, high: 1.0, log: false, step: None }
}

fn int(low: i64, high: i64) -> Domain {
    Domain::Int { low, high, log: false, step: 1 }
}

fn choice(count: i64) -> Domain {
    Domain::Choice((0..count).map(Value::Int).collect())
}

fn cube(dimensions: usize) -> Space {
    Space::new((0..dimensions).map(|i| Dimension::new(format!("x{i}"), unit())).collect()).unwrap()
}

/// The value of a hyperparameter; NaN where it is inactive.
fn number(configuration: &Configuration, name: &str) -> f64 {
    match configuration.get(name) {
        Some(Value::Float(value)) => *value,
        Some(Value::Int(value)) => *value as f64,
        _ => f64::NAN,
    }
}

fn point(configuration: &Configuration) -> Vec<f64> {
    configuration.keys().map(|name| number(configuration, name)).collect()
}

/// A search being run: the results so far, and what it said.
struct Run {
    told: Vec<Told>,
    remarks: Vec<String>,
}

impl Run {
    /// Batches of `settings.batch`, each told before the next is asked for.
    fn new(
        space: &Space,
        settings: &Settings,
        trials: usize,
        objective: &dyn Fn(&Configuration) -> Option<f64>,
    ) -> Self {
        let mut strategy = search::create("cma_es", settings).unwrap();
        let mut run = Self { told: Vec::new(), remarks: Vec::new() };
        let mut asked = settings.enqueued.clone();
        while run.told.len() < trials {
            for configuration in asked.drain(..) {
                let (number, value) = (run.told.len() as u64, objective(&configuration));
                run.told.push(Told { number, configuration, value, is_pruned: false });
            }
            let first = run.told.len() as u64;
            asked = strategy.ask(space, run.trials(), first, settings.batch as usize).unwrap();
            run.remarks.extend(strategy.remarks());
        }
        run
    }

    fn trials(&self) -> Trials<'_> {
        Trials { told: &self.told, pending: &[] }
    }

    fn best(&self) -> f64 {
        self.told.iter().filter_map(|told| told.value).fold(f64::INFINITY, f64::min)
    }
}

/// The median over seeds of the best value that is found.
fn median(space: &Space, trials: usize, objective: impl Fn(u64, &Configuration) -> Option<f64>) -> f64 {
    let best = |seed| Run::new(space, &Settings { seed, ..SETTINGS }, trials, &|c| objective(seed, c)).best();
    let mut found: Vec<f64> = (0..SEEDS).map(best).collect();
    found.sort_by(f64::total_cmp);
    found[found.len() / 2]
}

/// A place that is another for each seed, away from the middle and from the edges.
fn place(seed: u64, coordinate: usize) -> f64 {
    let turn = (seed * 7 + coordinate as u64 * 3 + 1) as f64 * 0.618_033_988_749_895;
    let side = if (seed + coordinate as u64).is_multiple_of(2) { 0.12 } else { 0.62 };
    side + 0.26 * turn.fract()
}

/// An ellipsoid turned by 45° in every pair of neighbours, axes 1 : 100: without the covariance no step fits.
#[test]
fn a_narrow_valley_is_followed() {
    let objective = |seed: u64, configuration: &Configuration| {
        let x: Vec<f64> = point(configuration).iter().enumerate().map(|(i, x)| x - place(seed, i)).collect();
        let (along, across) = ((x[0] + x[1]) / 2_f64.sqrt(), (x[0] - x[1]) / 2_f64.sqrt());
        Some(along * along + 1e4 * across * across + x[2] * x[2])
    };
    let found = median(&cube(3), 500, objective);
    assert!(found < 1e-6, "{found:e}");
}

/// Values of any scale: only their order counts, in either direction.
#[test]
fn only_the_order_of_values_counts() {
    let bowl = |configuration: &Configuration| -> f64 {
        point(configuration).iter().enumerate().map(|(i, x)| (x - place(3, i)).powi(2)).sum()
    };
    let plain = Run::new(&cube(4), &SETTINGS, 80, &|c| Some(bowl(c)));
    let steep = Run::new(&cube(4), &SETTINGS, 80, &|c| Some(1e300 * bowl(c).powi(3)));
    let upside = Settings { direction: Direction::Maximize, ..SETTINGS };
    let upside = Run::new(&cube(4), &upside, 80, &|c| Some(-bowl(c)));
    let configurations =
        |run: &Run| run.told.iter().map(|told| told.configuration.clone()).collect::<Vec<_>>();
    assert_eq!(configurations(&steep), configurations(&plain));
    assert_eq!(configurations(&upside), configurations(&plain));
    assert!(plain.best() < 1e-3, "{:e}", plain.best());
}

/// The best corner is reached exactly, not only approached.
#[test]
fn an_optimum_on_the_edge_is_reached() {
    let slope = |_: u64, configuration: &Configuration| {
        Some(point(configuration).iter().zip([1.0, 2.0, 4.0]).map(|(x, steepness)| steepness * x).sum())
    };
    assert_eq!(median(&cube(3), 120, slope), 0.0);
}

/// A whole number of two values, one of ten, and two real numbers whose best places move with them.
#[test]
fn whole_numbers_do_not_freeze_beside_real_ones() {
    let space = Space::new(vec![
        Dimension::new("flag", int(0, 1)),
        Dimension::new("count", int(1, 10)),
        Dimension::new("x0", unit()),
        Dimension::new("x1", unit()),
    ]);
    let objective = |seed: u64, configuration: &Configuration| {
        let [flag, count, x0, x1] = ["flag", "count", "x0", "x1"].map(|name| number(configuration, name));
        let (best_flag, best_count) = ((seed % 2) as f64, 2.0 + (seed % 7) as f64);
        let wrong = 0.3 * (flag - best_flag).abs() + ((count - best_count) / 9.0).powi(2);
        let shift = 0.2 * count / 10.0 - 0.1;
        Some(
            wrong + (x0 - place(seed, 0) - shift).powi(2) + 10.0 * (x1 - place(seed, 1) + 0.1 * flag).powi(2),
        )
    };
    let found = median(&space.unwrap(), 300, objective);
    assert!(found < 1e-5, "{found:e}");
}

/// Two families, each with numbers of its own; the better one by 0.05 in every second seed.
#[test]
fn choices_and_what_depends_on_them_are_found_together() {
    let space = Space::new(vec![
        Dimension::new("kind", choice(3)),
        Dimension::new("a", unit()).when("kind", [Value::Int(0)]),
        Dimension::new("b0", unit()).when("kind", [Value::Int(1), Value::Int(2)]),
        Dimension::new("b1", unit()).when("kind", [Value::Int(2)]),
        Dimension::new("x", unit()),
    ]);
    let objective = |seed: u64, configuration: &Configuration| {
        let off = |name: &str, i: usize| match number(configuration, name) {
            x if x.is_nan() => 0.0,
            x => (x - place(seed, i)).powi(2),
        };
        let kind = number(configuration, "kind") as u64;
        let penalty = if kind == seed % 3 { 0.0 } else { 0.05 };
        Some(penalty + off("a", 0) + 3.0 * off("b0", 1) + 3.0 * off("b1", 2) + off("x", 3))
    };
    let found = median(&space.unwrap(), 200, objective);
    assert!(found < 1e-4, "{found:e}");
}

/// Without a number in the space: six choices of four values, each with a better and a worse half.
#[test]
fn choices_alone_are_learned() {
    let space = Space::new((0..6).map(|i| Dimension::new(format!("c{i}"), choice(4))).collect()).unwrap();
    let objective = |seed: u64, configuration: &Configuration| {
        let wrong = |(i, value): (usize, f64)| ((value + (seed + i as u64) as f64) % 4.0).powi(2);
        Some(point(configuration).into_iter().enumerate().map(wrong).sum())
    };
    // One of 4,096 is right: 100 at random hold it in 1 search of 41.
    assert_eq!(median(&space, 100, objective), 0.0);
}

/// Half of the space diverges, the better values lie towards it, and the best of all just before it.
#[test]
fn a_region_that_diverges_is_left() {
    let objective = |_: u64, configuration: &Configuration| {
        let x = point(configuration);
        (x[0] < 0.4).then(|| 0.4 - x[0] + (x[1] - 0.3).powi(2) + (x[2] - 0.8).powi(2))
    };
    let found = median(&cube(3), 150, objective);
    assert!(found < 0.02, "{found:e}");
    let run = Run::new(&cube(3), &SETTINGS, 150, &|c| objective(0, c));
    let diverged = |trials: &[Told]| trials.iter().filter(|told| told.value.is_none()).count();
    assert!(diverged(&run.told[..12]) >= 4 && diverged(&run.told[100..]) < 35);
}

/// Nothing but failures: the search goes on spreading its trials over the space.
#[test]
fn a_start_that_came_to_nothing_is_followed_by_another() {
    let run = Run::new(&cube(2), &SETTINGS, 64, &|_| None);
    for block in run.told.chunks_exact(16) {
        let mut quarters: Vec<usize> = block
            .iter()
            .map(|told| point(&told.configuration))
            .map(|x| 2 * usize::from(x[0] >= 0.5) + usize::from(x[1] >= 0.5))
            .collect();
        quarters.sort_unstable();
        assert_eq!(quarters, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]);
    }
}

/// A wide basin of 0.1 and a narrow one of 0: what stops in the first starts again and may meet the second.
#[test]
fn a_run_that_stands_still_starts_again() {
    let bowl = |x: &[f64], center: f64| -> f64 { x.iter().map(|x| (x - center).powi(2)).sum() };
    let objective = move |configuration: &Configuration| {
        let x = point(configuration);
        Some((0.1 + bowl(&x, 0.25)).min(12.0 * bowl(&x, 0.85)))
    };
    let (mut restarts, mut found) = (0, 0);
    for seed in 0..SEEDS {
        let run = Run::new(&cube(2), &Settings { seed, ..SETTINGS }, 1200, &objective);
        restarts += run.remarks.len();
        found += usize::from(run.best() < 1e-6);
        for remark in &run.remarks {
            assert!(remark.starts_with("cma_es: no progress by trial "), "{remark}");
        }
        // A run is left alone for 22 generations at least.
        let once = Run::new(&cube(2), &Settings { seed, ..SETTINGS }, 100, &objective);
        assert!(once.remarks.is_empty(), "{:?}", once.remarks);
    }
    assert!(restarts >= 2 * SEEDS as usize, "{restarts} restarts");
    assert!(found >= 10, "{found} of {SEEDS} searches met the better basin");
}

/// A study that goes on in a new process proposes the same, and does not repeat what it said.
#[test]
fn a_resumed_search_goes_on_in_silence() {
    let objective =
        |c: &Configuration| Some(point(c).iter().map(|x| (x - 0.3).powi(2)).sum::<f64>().max(1e-4));
    let run = Run::new(&cube(2), &SETTINGS, 400, &objective);
    assert!(!run.remarks.is_empty());
    let known = &run.told[..399];
    let mut resumed = search::create("cma_es", &SETTINGS).unwrap();
    let next = resumed.ask(&cube(2), Trials { told: known, pending: &[] }, 399, 1).unwrap();
    assert_eq!(next[0], run.told[399].configuration);
    assert!(resumed.remarks().is_empty());
}

/// Results that do not complete a generation change nothing; the one that does changes everything after it.
#[test]
fn a_generation_is_learned_from_when_it_is_complete() {
    let settings = Settings { batch: 4, ..SETTINGS };
    let notes = search::find("cma_es").unwrap().notes(&cube(3), &settings);
    assert_eq!(notes, ["cma_es: generations of 8 trials, behind 12 spread evenly over the space"]);
    let objective = |c: &Configuration| Some(point(c).iter().map(|x| (x - 0.3).powi(2)).sum());
    let run = Run::new(&cube(3), &settings, 40, &objective);
    let ask = |told: usize| {
        let trials = Trials { told: &run.told[..told], pending: &[] };
        search::create("cma_es", &settings).unwrap().ask(&cube(3), trials, 40, 3).unwrap()
    };
    // The start ends with trial 11, generations with 19, 27 and 35.
    for (from, to) in [(0, 11), (12, 19), (20, 27), (28, 35), (36, 40)] {
        assert_eq!(ask(from), ask(to), "{from} and {to} results");
    }
    for end in [12, 20, 28, 36] {
        assert_ne!(ask(end - 1), ask(end), "{end} results");
    }
}

/// Enqueued trials belong to the first start: with three of them it has 3 + 8 trials.
#[test]
fn enqueued_trials_lengthen_the_start() {
    let enqueued = (0..3).map(|i| told_at(i, 0.1 * i as f64, None, false).configuration).collect();
    let settings = Settings { enqueued, ..SETTINGS };
    let run = Run::new(&cube(1), &settings, 20, &|c| Some(number(c, "x0")));
    let ask = |told: usize| {
        let trials = Trials { told: &run.told[..told], pending: &[] };
        search::create("cma_es", &settings).unwrap().ask(&cube(1), trials, 20, 3).unwrap()
    };
    assert_eq!(ask(0), ask(10));
    assert_ne!(ask(10), ask(11));
}

/// 400 proposals in the only dimension.
fn proposals(told: &[Told]) -> Vec<f64> {
    let mut strategy = search::create("cma_es", &SETTINGS).unwrap();
    let trials = Trials { told, pending: &[] };
    let proposed = strategy.ask(&cube(1), trials, told.len() as u64, 400).unwrap();
    proposed.iter().map(|configuration| number(configuration, "x0")).collect()
}

fn mean_proposal(told: &[Told]) -> f64 {
    proposals(told).iter().sum::<f64>() / 400.0
}

fn told_at(number: usize, place: f64, value: Option<f64>, is_pruned: bool) -> Told {
    let configuration = Configuration::from([("x0".to_owned(), Value::Float(place))]);
    Told { number: number as u64, configuration, value, is_pruned }
}

/// With one parent left of two, the others diverged on one side or on the other, the mean stays where it is: the
/// means of 400 proposals differ by a fifth of the step at most, where a diverged parent would move it by two thirds.
#[test]
fn what_diverged_is_never_a_parent() {
    let start = (0..8).map(|i| told_at(i, 0.05 * i as f64, Some((0.05 * i as f64 - 0.2).abs()), false));
    let after = |diverged: f64| {
        let others = (9..12).map(|i| told_at(i, diverged, None, false));
        let one = std::iter::once(told_at(8, 0.2, Some(0.0), false));
        mean_proposal(&start.clone().chain(one).chain(others).collect::<Vec<_>>())
    };
    let (below, above) = (after(0.0), after(0.9));
    assert!((below - above).abs() < 0.02, "{below} and {above}");
}

/// Equal values, or failures alone, say nothing of where to go: the search looks farther.
#[test]
fn a_generation_without_differences_widens_the_search() {
    let start: Vec<Told> =
        (0..8).map(|i| told_at(i, 0.1 * i as f64, Some((i as f64 - 4.0).abs()), false)).collect();
    let spread = |told: &[Told]| {
        let found = proposals(told);
        let mean = found.iter().sum::<f64>() / 400.0;
        (found.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 400.0).sqrt()
    };
    let before = spread(&start);
    for value in [None, Some(0.5)] {
        let flat = (8..16).map(|i| told_at(i, 0.4 + 0.01 * i as f64, value, false));
        let after = spread(&start.iter().cloned().chain(flat).collect::<Vec<_>>());
        assert!(after > 1.5 * before, "{before} and then {after}");
    }
}

/// Lower is better, and all of the lower half was stopped early: the search goes to the other half.
#[test]
fn what_was_stopped_early_ranks_behind_what_was_not() {
    let start = |is_pruned: fn(f64) -> bool| -> Vec<Told> {
        (0..8)
            .map(|i| (i, (i as f64 + 0.5) / 8.0))
            .map(|(i, x)| told_at(i, x, Some(x), is_pruned(x)))
            .collect()
    };
    assert!(mean_proposal(&start(|_| false)) < 0.3);
    assert!(mean_proposal(&start(|_| true)) < 0.3);
    assert!(mean_proposal(&start(|x| x < 0.5)) > 0.5);
}

#[test]
fn settings_set_the_generation_and_the_first_step() {
    let chosen = Chosen::none().with("generation_size", 20.0).with("initial_step", 0.001);
    let settings = Settings { chosen, ..SETTINGS };
    let kind = search::find("cma_es").unwrap();
    let notes = kind.notes(&cube(2), &settings);
    assert_eq!(notes, ["cma_es: generations of 20 trials, behind 40 spread evenly over the space"]);
    let run = Run::new(&cube(2), &settings, 60, &|c| Some(point(c).iter().sum()));
    let spread = |trials: &[Told]| {
        let x: Vec<f64> = trials.iter().map(|told| number(&told.configuration, "x0")).collect();
        x.iter().fold(0.0_f64, |most, a| x.iter().fold(most, |most, b| most.max((a - b).abs())))
    };
    assert!(spread(&run.told[..40]) > 0.9 && spread(&run.told[40..]) < 0.01);
    for setting in kind.settings() {
        assert!(setting.check("search", setting.low - 1.0).is_err());
    }
}

/// What the user enqueued is part of the start: the search begins around it where it was the best.
#[test]
fn an_enqueued_configuration_leads_where_it_is_good() {
    let objective = |c: &Configuration| Some(point(c).iter().map(|x| (x - 0.07).abs()).sum());
    let good: Configuration = (0..6).map(|i| (format!("x{i}"), Value::Float(0.08))).collect();
    let off = |enqueued: Vec<Configuration>| {
        let first = if enqueued.is_empty() { 12 } else { 13 };
        let run = Run::new(&cube(6), &Settings { enqueued, ..SETTINGS }, 60, &objective);
        let values = run.told[first..first + 6].iter().filter_map(|told| told.value);
        values.sum::<f64>() / 6.0
    };
    assert!(off(vec![good]) < 0.8 * off(Vec::new()));
}
