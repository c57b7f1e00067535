//! Densities, distances and draws beside SciPy's, stored by `tests/reference/make_tpe.py`.

use super::kernels::Kernels;
use super::likely::draw_number;
use super::mixture::Weights;
use super::neighbours::{Neighbours, kth_of};
use super::places::Places;
use crate::random::{Purpose, Stream};
use crate::search::frame::{Frame, Member};
use crate::space::{Configuration, Dimension, Domain, Space, Value};

fn stored() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../tests/reference/tpe.json")).unwrap()
}

fn reals(values: &serde_json::Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn float(low: f64, high: f64, log: bool) -> Domain {
    Domain::Float { low, high, log, step: None }
}

fn frame() -> Frame {
    let kinds = ["a", "b", "c"].map(|name| Value::Text(name.into()));
    let space = Space::new(vec![
        Dimension::new("rate", float(1e-4, 1e-1, true)),
        Dimension::new("width", Domain::Int { low: 1, high: 6, log: true, step: 1 }),
        Dimension::new("kind", Domain::Choice(kinds.to_vec())),
        Dimension::new("momentum", float(-2.0, 3.0, false)).when("kind", [Value::Text("b".into())]),
    ]);
    Frame::ordered(&space.unwrap())
}

fn member(frame: &Frame, stored: &serde_json::Value) -> Member {
    let rate = frame.space().dimensions[0].domain.decode(stored["rate"].as_f64().unwrap());
    let kind = ["a", "b", "c"][stored["kind"].as_u64().unwrap() as usize];
    let mut configuration = Configuration::from([
        ("rate".into(), rate),
        ("width".into(), Value::Int(stored["width"].as_i64().unwrap())),
        ("kind".into(), Value::Text(kind.into())),
    ]);
    if let Some(place) = stored["momentum"].as_f64() {
        configuration.insert("momentum".into(), frame.space().dimensions[3].domain.decode(place));
    }
    assert!(frame.space().contains(&configuration));
    frame.member(&configuration)
}

/// Rounding of places by exp and log, 1e-15 of them, is magnified by (x − c)/σ², here at most 2,500.
#[test]
fn a_mixture_has_the_density_that_scipy_gives_it() {
    let (frame, stored) = (frame(), &stored()["mixture"]);
    let mut kernels = Kernels::new(&frame);
    for kernel in stored["kernels"].as_array().unwrap() {
        kernels.push(&member(&frame, &kernel["member"]), reals(&kernel["deviations"]).into_iter());
    }
    let weights: Vec<f64> =
        stored["kernels"].as_array().unwrap().iter().map(|k| k["weight"].as_f64().unwrap()).collect();
    let weights = Weights::new(&weights);
    assert_eq!(weights.smoothing(), stored["smoothing"].as_f64().unwrap());
    for candidate in stored["candidates"].as_array().unwrap() {
        let found = weights.log_density(&kernels, &member(&frame, &candidate["member"]), &mut Vec::new());
        let expected = candidate["log_density"].as_f64().unwrap();
        assert!((found - expected).abs() <= 1e-11, "{found} for {expected}");
    }
}

/// A kernel that is widened has the density of one that was that wide at first.
#[test]
fn a_widened_kernel_is_as_if_it_had_always_been_so_wide() {
    let (frame, stored) = (frame(), &stored()["mixture"]);
    let (mut widened, mut wide) = (Kernels::new(&frame), Kernels::new(&frame));
    for (index, kernel) in stored["kernels"].as_array().unwrap().iter().enumerate() {
        let member = member(&frame, &kernel["member"]);
        widened.push(&member, [0.1, 0.2, 0.3].into_iter());
        widened.widen(index, &member, reals(&kernel["deviations"]).into_iter());
        wide.push(&member, reals(&kernel["deviations"]).into_iter());
    }
    let logs = |kernels: &Kernels, candidate: &serde_json::Value| {
        let mut sums = vec![0.0; 6];
        kernels.add_logs(&member(&frame, &candidate["member"]), 0.1, &mut sums);
        sums
    };
    for candidate in stored["candidates"].as_array().unwrap() {
        assert_eq!(logs(&widened, candidate), logs(&wide, candidate));
    }
}

/// Points that come one by one, with the number of neighbours growing on the way.
#[test]
fn distances_to_the_kth_nearest_are_those_of_scipy_while_points_are_added() {
    let stored = &stored()["distances"];
    let mut places = Places::new(3, 0);
    let mut neighbours = Neighbours::with_room_for(0);
    let mut known: Vec<Option<f64>> = Vec::new();
    let ones = || std::iter::repeat(1.0);
    for (index, point) in stored["points"].as_array().unwrap().iter().enumerate() {
        let cells = reals(point).into_iter().map(|place| Some((place, place))).collect();
        places.push(&Member { cells, values: Vec::new() });
        if neighbours.is_full() {
            neighbours = Neighbours::with_room_for(index + 1);
            (0..index).for_each(|earlier| neighbours.push(&places.squares(earlier, earlier, ones()), |_| {}));
        }
        let mut changed = vec![index];
        neighbours.push(&places.squares(index, index, ones()), |earlier| changed.push(earlier));
        known.push(None);
        changed.into_iter().for_each(|earlier| known[earlier] = neighbours.distance(earlier));
        let count = index + 1;
        if count == 1 {
            assert_eq!(known, [None]);
        }
        let Some(expected) = stored["squares"].get(count.to_string()) else { continue };
        for (earlier, expected) in reals(expected).into_iter().enumerate() {
            // What was not said to have changed is what it was.
            let found = known[earlier].unwrap();
            assert!((found - expected).abs() <= 1e-15, "{found} for {expected}, {earlier} of {count}");
            assert_eq!(kth_of(places.squares(earlier, count, ones()), count), Some(found));
        }
    }
    assert_eq!(known.len(), 150);
}

/// A quarter of 10,000 draws below each quartile within 4 standard deviations of it, 0.0173.
#[test]
fn numbers_are_drawn_from_the_distribution_that_is_cut_off() {
    let mut generator = Stream::new(5, Purpose::Search, 24, 0, 0).reader();
    for case in stored()["draws"].as_array().unwrap() {
        let bell = (case["center"].as_f64().unwrap(), case["deviation"].as_f64().unwrap());
        let drawn: Vec<f64> = (0..10_000).map(|_| draw_number(Some(bell), &mut generator)).collect();
        assert!(drawn.iter().all(|place| (0.0..=1.0).contains(place)));
        for (quartile, share) in reals(&case["quartiles"]).into_iter().zip([0.25, 0.5, 0.75]) {
            let below = drawn.iter().filter(|place| **place < quartile).count() as f64 / 10_000.0;
            assert!((below - share).abs() <= 0.0173 + 1e-4, "{bell:?}: {below} below the {share} quantile");
        }
    }
}

#[test]
fn kernels_are_drawn_as_often_as_they_weigh() {
    let weights = Weights::new(&[2.0, 0.0, 1.0]);
    let drawn: Vec<Option<usize>> = (0..8).map(|i| weights.kernel((f64::from(i) + 0.5) / 8.0)).collect();
    assert_eq!(drawn, [Some(0), Some(0), Some(0), Some(0), Some(2), Some(2), None, None]);
}

/// Inactive on both sides is alike; on one side it is as far as two random numbers are.
#[test]
fn distances_count_choices_and_inactive_hyperparameters() {
    let mut places = Places::new(2, 1);
    let cell = |place: f64| Some((place - 0.1, place + 0.1));
    let rows = [
        ([cell(0.2), cell(0.5)], Some(0)),
        ([cell(0.6), cell(0.5)], Some(0)),
        ([cell(0.2), None], Some(1)),
        ([cell(0.2), None], None),
    ];
    for (cells, value) in rows {
        places.push(&Member { cells: cells.to_vec(), values: vec![value] });
    }
    let scales = || [0.5, 1.0].into_iter();
    let expect = |from, expected: [f64; 4]| {
        for (found, expected) in places.squares(from, 4, scales()).iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-15, "{found} for {expected}");
        }
    };
    expect(0, [0.0, 0.64 / 3.0, (2.0 / 6.0) / 3.0, (2.0 / 6.0) / 3.0]);
    expect(2, [(2.0 / 6.0) / 3.0, (0.64 + 2.0 / 6.0) / 3.0, 0.0, (1.0 / 6.0) / 3.0]);
}

/// What a kernel's trial does not have, it draws from the space: a factor of 1, for numbers and for choices.
#[test]
fn a_kernel_without_a_hyperparameter_is_the_space_in_it() {
    let names =
        |names: &[&str]| Domain::Choice(names.iter().map(|name| Value::Text((*name).into())).collect());
    let inner = |name: &str, domain| Dimension::new(name, domain).when("kind", [Value::Text("b".into())]);
    let space = Space::new(vec![
        Dimension::new("kind", names(&["a", "b"])),
        inner("order", names(&["x", "y", "z"])),
        inner("share", float(0.0, 1.0, false)),
        inner("depth", Domain::Int { low: 1, high: 4, log: false, step: 1 }),
    ]);
    let frame = Frame::ordered(&space.unwrap());
    let of = |place: f64| frame.member(&frame.configuration(&[place, place], &[usize::from(place > 0.0), 2]));
    let mut kernels = Kernels::new(&frame);
    kernels.push(&of(0.0), [0.1, 0.1].into_iter());
    let mut sums = [0.0];
    kernels.add_logs(&of(0.7), 0.25, &mut sums);
    // Two kinds: 2 · 0.25 / 1.5.
    assert!((sums[0] - (1.0_f64 / 3.0).ln()).abs() <= 1e-15, "{}", sums[0]);
}
