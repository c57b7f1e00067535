//! Spaces: what is drawn lies inside, has its distribution, respects conditions, and encodes reversibly.

use manytune::random::{Purpose, Stream};
use manytune::space::{Configuration, Dimension, Domain, Space, Value};
use proptest::prelude::*;

fn float(low: f64, high: f64, log: bool, step: Option<f64>) -> Domain {
    Domain::Float { low, high, log, step }
}

fn int(low: i64, high: i64, log: bool, step: i64) -> Domain {
    Domain::Int { low, high, log, step }
}

fn names(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| Value::Text(name.to_string())).collect()
}

/// Any domain that passes its own check.
fn domains() -> impl Strategy<Value = Domain> {
    let reals = (-1e6..1e6_f64, 1e-3..1e6_f64, prop::option::of(0.01..1.0_f64))
        .prop_map(|(low, width, step)| float(low, low + width, false, step.map(|share| share * width)));
    let logs = (-12.0..6.0_f64, 0.1..8.0_f64)
        .prop_map(|(low, width)| float(10_f64.powf(low), 10_f64.powf(low + width), true, None));
    let ints = (-1000..1000_i64, 1..100_000_i64, 1..50_i64)
        .prop_map(|(low, width, step)| int(low, low + width, false, step.min(width)));
    let int_logs = (1..1000_i64, 1..1_000_000_i64, 1..50_i64)
        .prop_map(|(low, width, step)| int(low, low + width, true, step.min(width)));
    let choices = prop::collection::btree_set(-50..50_i64, 1..9)
        .prop_map(|values| Domain::Choice(values.into_iter().map(Value::Int).collect()));
    prop_oneof![reals, logs, ints, int_logs, choices]
}

fn close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3),
        _ => a == b,
    }
}

proptest! {
    #[test]
    fn what_a_domain_decodes_lies_inside_and_encodes_back(domain in domains(), unit in 0.0..=1.0_f64) {
        domain.check("x").unwrap();
        let value = domain.decode(unit);
        prop_assert!(domain.contains(&value), "{value:?} is outside of {domain:?}");
        let place = domain.encode(&value).unwrap();
        prop_assert!((0.0..=1.0).contains(&place));
        prop_assert!(close(&domain.decode(place), &value), "{value:?} of {domain:?} came back as {:?}", domain.decode(place));
    }

    #[test]
    fn both_ends_are_reached_and_nothing_lies_beyond(domain in domains()) {
        let (first, last) = (domain.decode(0.0), domain.decode(1.0));
        prop_assert!(domain.contains(&first) && domain.contains(&last));
        if let Domain::Float { low, high, step: None, .. } = &domain {
            prop_assert_eq!(&first, &Value::Float(*low));
            prop_assert!(close(&last, &Value::Float(*high)));
            prop_assert!(!domain.contains(&Value::Float(high + (high - low) * 1e-6)));
        }
        if let Some(size) = domain.size() {
            prop_assert_eq!(&first, &domain.at(0));
            prop_assert_eq!(&last, &domain.at(size - 1));
        }
    }

    #[test]
    fn every_value_of_a_finite_domain_has_its_index(domain in domains(), share in 0.0..1.0_f64) {
        if let Some(size) = domain.size() {
            let index = (share * size as f64) as u128;
            prop_assert_eq!(domain.index(&domain.at(index)), Some(index));
        }
    }

    /// The cell of a value holds every place that decodes to it and no other: its ends up to rounding, 1e-9 of
    /// the range at most, which is far below the width of any cell here.
    #[test]
    fn a_cell_holds_the_places_of_its_value(domain in domains(), unit in 0.0..=1.0_f64, share in 0.0..1.0_f64) {
        let value = domain.decode(unit);
        let (low, high) = domain.cell(&value).unwrap();
        prop_assert!(0.0 <= low && low <= high && high <= 1.0);
        prop_assert!(low - 1e-9 <= unit && unit <= high + 1e-9, "{unit} is outside of {low} to {high}");
        let middle = domain.encode(&value).unwrap();
        prop_assert!(low <= middle && middle <= high);
        if domain.size().is_none() {
            prop_assert_eq!(low, high);
        } else {
            let inside = low + (high - low) * (0.001 + 0.998 * share);
            prop_assert_eq!(domain.decode(inside), value);
        }
        prop_assert_eq!(domain.cell(&Value::Text("nothing".into())), None);
    }

    #[test]
    fn a_sample_assigns_exactly_the_active_dimensions(seed in any::<u64>(), number in any::<u32>()) {
        let space = nested();
        let stream = Stream::new(seed, Purpose::Search, 0, number, 0);
        let configuration = space.sample(&mut stream.reader());
        prop_assert!(space.contains(&configuration), "{configuration:?}");
        let point: Vec<f64> = space.encode(&configuration).into_iter().map(|place| place.unwrap_or(0.5)).collect();
        let back = space.decode(&point);
        prop_assert_eq!(back.keys().collect::<Vec<_>>(), configuration.keys().collect::<Vec<_>>());
        for (name, value) in &configuration {
            prop_assert!(close(value, &back[name]), "{}: {:?} came back as {:?}", name, value, back[name]);
        }
    }
}

/// Nested conditions, written before what they depend on.
fn nested() -> Space {
    Space::new(vec![
        Dimension::new("ahead", Domain::Choice(vec![Value::Bool(false), Value::Bool(true)]))
            .when("momentum_kind", names(&["heavy"])),
        Dimension::new("momentum_kind", Domain::Choice(names(&["heavy", "none"])))
            .when("optimizer", names(&["sgd", "rmsprop"])),
        Dimension::new("optimizer", Domain::Choice(names(&["adam", "sgd", "rmsprop"]))),
        Dimension::new("both", float(0.0, 1.0, false, None))
            .when("optimizer", names(&["sgd"]))
            .when("depth", [Value::Int(2), Value::Int(3)]),
        Dimension::new("depth", int(1, 4, false, 1)),
        Dimension::new("rate", float(1e-5, 1e-1, true, None)),
    ])
    .unwrap()
}

fn samples(space: &Space, count: u32) -> Vec<Configuration> {
    (0..count)
        .map(|number| space.sample(&mut Stream::new(9, Purpose::Search, 0, number, 0).reader()))
        .collect()
}

#[test]
fn conditions_hold_whatever_their_order_in_the_file() {
    let (mut with_both, mut with_ahead) = (0, 0);
    for configuration in samples(&nested(), 4000) {
        let is = |name: &str, value: &str| configuration.get(name) == Some(&Value::Text(value.into()));
        let sgd_or_rmsprop = is("optimizer", "sgd") || is("optimizer", "rmsprop");
        assert_eq!(configuration.contains_key("momentum_kind"), sgd_or_rmsprop);
        assert_eq!(configuration.contains_key("ahead"), is("momentum_kind", "heavy"));
        let deep = matches!(configuration["depth"], Value::Int(2 | 3));
        assert_eq!(configuration.contains_key("both"), is("optimizer", "sgd") && deep);
        with_both += u32::from(configuration.contains_key("both"));
        with_ahead += u32::from(configuration.contains_key("ahead"));
    }
    // 1/3 · 1/2 and 2/3 · 1/2 of 4000, five standard deviations wide.
    assert!((549..=784).contains(&with_both), "{with_both}");
    assert!((1184..=1483).contains(&with_ahead), "{with_ahead}");
}

/// Kolmogorov's distance to the uniform distribution; 1.95/√n is exceeded once in a thousand.
fn assert_uniform(mut places: Vec<f64>) {
    places.sort_by(f64::total_cmp);
    let n = places.len() as f64;
    let distance =
        places.iter().enumerate().map(|(i, place)| (place - (i as f64 + 0.5) / n).abs()).fold(0.0, f64::max);
    assert!(distance < 1.95 / n.sqrt(), "distance {distance} for {n} samples");
}

#[test]
fn a_logarithmic_range_is_uniform_in_the_logarithm() {
    let space = Space::new(vec![Dimension::new("rate", float(1e-5, 1e-1, true, None))]).unwrap();
    let places = samples(&space, 4000).into_iter().map(|configuration| match configuration["rate"] {
        Value::Float(rate) => (rate.log10() + 5.0) / 4.0,
        _ => f64::NAN,
    });
    assert_uniform(places.collect());
}

#[test]
fn a_plain_range_is_uniform() {
    let space = Space::new(vec![Dimension::new("x", float(-3.0, 7.0, false, None))]).unwrap();
    let places = samples(&space, 4000).into_iter().map(|configuration| match configuration["x"] {
        Value::Float(x) => (x + 3.0) / 10.0,
        _ => f64::NAN,
    });
    assert_uniform(places.collect());
}

/// Counts against expectations by chi-squared.
fn assert_counts(domain: Domain, expected: &[f64]) {
    let space = Space::new(vec![Dimension::new("x", domain.clone())]).unwrap();
    let mut counts = vec![0.0; expected.len()];
    let samples = samples(&space, 8000);
    for configuration in &samples {
        counts[domain.index(&configuration["x"]).unwrap() as usize] += 1.0;
    }
    let n = samples.len() as f64;
    let chi_squared: f64 = counts
        .iter()
        .zip(expected)
        .map(|(count, share): (&f64, &f64)| (count - n * share).powi(2) / (n * share))
        .sum();
    // The 0.999 quantile of at most 9 degrees of freedom.
    assert!(chi_squared < 27.9, "{domain:?}: {counts:?}, chi-squared {chi_squared}");
}

#[test]
fn whole_numbers_and_choices_have_the_probabilities_they_promise() {
    assert_counts(int(10, 30, false, 5), &[0.2; 5]);
    assert_counts(Domain::Choice(names(&["a", "b", "c"])), &[1.0 / 3.0; 3]);
    assert_counts(float(0.0, 0.9, false, Some(0.1)), &[0.1; 10]);
    // ln(v + step) − ln(v): a step of 2 from 1 to 7.
    let weights = [3.0_f64.ln(), (5.0_f64 / 3.0).ln(), (7.0_f64 / 5.0).ln(), (9.0_f64 / 7.0).ln()];
    assert_counts(int(1, 8, true, 2), &weights.map(|weight| weight / 9.0_f64.ln()));
}

#[test]
fn a_dimension_draws_the_same_whatever_stands_after_it() {
    let one = Dimension::new("rate", float(1e-5, 1e-1, true, None));
    let alone = Space::new(vec![one.clone()]).unwrap();
    let more = Space::new(vec![one, Dimension::new("x", int(0, 9, false, 1))]).unwrap();
    for (a, b) in samples(&alone, 50).iter().zip(samples(&more, 50)) {
        assert_eq!(a["rate"], b["rate"]);
    }
}

fn refused(dimensions: Vec<Dimension>) -> String {
    let error = Space::new(dimensions).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

#[test]
fn a_space_that_cannot_be_drawn_from_is_refused() {
    let x = |domain| refused(vec![Dimension::new("x", domain)]);
    assert!(x(float(0.0, 1.0, true, None)).contains("starts at 0.0"));
    assert!(x(float(1.0, 0.0, false, None)).contains("inverted range"));
    assert!(x(float(1.0, 1.0, false, None)).contains("empty range"));
    assert!(x(float(f64::NAN, 1.0, false, None)).contains("NaN"));
    assert!(x(float(0.0, f64::INFINITY, false, None)).contains("inf"));
    assert!(x(float(0.0, 1.0, false, Some(0.0))).contains("step"));
    assert!(x(float(0.0, 1.0, false, Some(f64::NAN))).contains("step"));
    assert!(x(float(0.0, 1.0, false, Some(2.0))).contains("step"));
    assert!(x(float(-f64::MAX, f64::MAX, false, Some(1.0))).contains("step"));
    assert!(x(int(0, 8, true, 1)).contains("starts at 0"));
    assert!(x(int(9, 8, false, 1)).contains("inverted"));
    assert!(x(int(1, 8, false, 0)).contains("step"));
    assert!(x(int(i64::MIN, i64::MAX, false, -1)).contains("step"));
    assert!(x(Domain::Choice(vec![])).contains("empty list"));
    assert!(x(Domain::Choice(vec![Value::Int(1), Value::Float(1.0)])).contains("twice"));
    assert!(x(Domain::Fixed(Value::Float(f64::NAN))).contains("NaN"));
    let twice = vec![Dimension::new("x", int(0, 1, false, 1)), Dimension::new("x", int(0, 1, false, 1))];
    assert!(refused(twice).contains("given twice"));
}

#[test]
fn a_condition_that_can_never_hold_is_refused() {
    let with = |name: &str, values: Vec<Value>| {
        refused(vec![
            Dimension::new("optimizer", Domain::Choice(names(&["sgd", "adam"]))),
            Dimension::new("rate", float(0.0, 1.0, false, None)),
            Dimension::new("momentum", float(0.0, 1.0, false, None)).when(name, values),
        ])
    };
    assert!(with("optimiser", names(&["sgd"])).contains("did you mean \"optimizer\"?"));
    let wrong = with("optimizer", names(&["lion"]));
    assert!(
        wrong.contains("optimizer cannot be \"lion\"") && wrong.contains("[\"sgd\", \"adam\"]"),
        "{wrong}"
    );
    assert!(with("optimizer", vec![]).contains("no value"));
    assert!(with("rate", vec![Value::Float(0.5)]).contains("continuous"));
    assert!(with("momentum", vec![Value::Float(0.5)]).contains("space.momentum.when.momentum"));
}

#[test]
fn conditions_in_a_circle_are_refused_and_named() {
    let two = || Domain::Choice(vec![Value::Int(0), Value::Int(1)]);
    let error = refused(vec![
        Dimension::new("free", two()),
        Dimension::new("hanger_on", two()).when("a", [Value::Int(1)]),
        Dimension::new("a", two()).when("b", [Value::Int(1)]),
        Dimension::new("b", two()).when("c", [Value::Int(1)]).when("free", [Value::Int(0)]),
        Dimension::new("c", two()).when("a", [Value::Int(1)]),
    ]);
    assert!(error.contains("a when b when c when a"), "{error}");
    assert!(!error.contains("hanger_on"), "{error}");
}

/// 1 in a condition means 1.0 where the other hyperparameter is a real number.
#[test]
fn a_condition_compares_numbers_by_value() {
    let space = Space::new(vec![
        Dimension::new("dropout", Domain::Choice(vec![Value::Float(0.0), Value::Float(1.0)])),
        Dimension::new("x", int(0, 9, false, 1)).when("dropout", [Value::Int(1)]),
    ])
    .unwrap();
    for configuration in samples(&space, 20) {
        assert_eq!(configuration.contains_key("x"), configuration["dropout"] == Value::Float(1.0));
    }
}
