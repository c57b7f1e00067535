//! Distances of the table of `encoding.rs`, and columns of points and of configurations.

use crate::search::gp::encoding::{Coded, Encoding};
use crate::space::{Configuration, Dimension, Domain, Space, Value};
use proptest::prelude::*;
use std::f64::consts::FRAC_1_SQRT_2;

fn choice(count: i64) -> Domain {
    Domain::Choice((0..count).map(|i| Value::Text(format!("kind {i}"))).collect())
}

fn float(log: bool) -> Domain {
    Domain::Float { low: 0.5, high: 8.0, log, step: None }
}

/// A choice of three; a number, and a choice of two, each of one kind.
fn tree() -> Encoding {
    let when = |dimension: Dimension, kind: &str| dimension.when("kind", [Value::Text(kind.into())]);
    let space = Space::new(vec![
        when(Dimension::new("rate", float(false)), "kind 1"),
        Dimension::new("kind", choice(3)),
        when(Dimension::new("order", choice(2)), "kind 2"),
        Dimension::new("fixed", Domain::Fixed(Value::Int(3))),
        Dimension::new("momentum", float(false)),
    ]);
    Encoding::new(&space.unwrap())
}

fn columns_at(encoding: &Encoding, point: &[f64]) -> Vec<f64> {
    let mut point = point.to_vec();
    let is_active = encoding.settle(&mut point);
    encoding.columns(&point, &is_active)
}

/// Squared distances of two points in each hyperparameter.
fn squares(encoding: &Encoding, one: &[f64], other: &[f64]) -> Vec<f64> {
    let (one, other) = (columns_at(encoding, one), columns_at(encoding, other));
    let mut sums = vec![0.0; encoding.coded.len()];
    for (column, owner) in encoding.owners().into_iter().enumerate() {
        sums[owner] += (one[column] - other[column]).powi(2);
    }
    sums
}

/// Kinds 0, 1 and 2 at 0.1, 0.5 and 0.9.
#[test]
fn distances_are_those_of_the_table() {
    let encoding = tree();
    assert_eq!((encoding.width, encoding.coded.len()), (2 + 3 + 3 + 1, 4));
    let cases = [
        // Alike but for a number; active in both.
        ([0.2, 0.5, 0.0, 0.0, 0.3], [0.6, 0.5, 0.0, 0.0, 0.8], [0.16, 0.0, 0.0, 0.25]),
        // Inactive in both: what stands there does not count.
        ([0.2, 0.1, 0.0, 0.0, 0.3], [0.6, 0.1, 0.9, 0.0, 0.3], [0.0, 0.0, 0.0, 0.0]),
        // Active in one: at the end of the range, and in its middle.
        ([0.0, 0.5, 0.0, 0.0, 0.3], [0.0, 0.1, 0.0, 0.0, 0.3], [0.5, 1.0, 0.0, 0.0]),
        ([0.5, 0.5, 0.0, 0.0, 0.3], [0.0, 0.1, 0.0, 0.0, 0.3], [0.25, 1.0, 0.0, 0.0]),
        // Choices that differ, and one that is inactive in one.
        ([0.2, 0.9, 0.1, 0.0, 0.3], [0.2, 0.9, 0.9, 0.0, 0.3], [0.0, 0.0, 1.0, 0.0]),
        ([0.2, 0.9, 0.1, 0.0, 0.3], [0.2, 0.1, 0.1, 0.0, 0.3], [0.0, 1.0, 1.0, 0.0]),
    ];
    for (one, other, expected) in cases {
        let found = squares(&encoding, &one, &other);
        let is_near = found.iter().zip(expected).all(|(found, own)| (found - own).abs() <= 1e-15);
        assert!(is_near, "{found:?} for {expected:?}");
    }
}

#[test]
fn hyperparameters_are_coded_as_the_table_says() {
    let list = |values: &[i64]| Domain::Choice(values.iter().copied().map(Value::Int).collect());
    let int = |high| Domain::Int { low: 1, high, log: false, step: 1 };
    let space = Space::new(vec![
        Dimension::new("ordered", list(&[16, 32, 64])),
        Dimension::new("mixed", list(&[1, 3, 2])),
        Dimension::new("few", int(24)),
        Dimension::new("many", int(25)),
        Dimension::new("rate", float(true)),
    ]);
    let encoding = Encoding::new(&space.unwrap());
    let of = |coded: &Coded| (coded.width, coded.values.len(), coded.is_category);
    let found: Vec<_> = encoding.coded.iter().map(of).collect();
    assert_eq!(found, [(1, 3, false), (3, 3, true), (1, 24, false), (1, 0, false), (1, 0, false)]);
    assert_eq!(encoding.owners(), [0, 1, 1, 1, 2, 3, 4]);
    let smooth: Vec<bool> = encoding.coded.iter().map(|coded| encoding.is_smooth(coded)).collect();
    assert_eq!(smooth, [false, false, false, true, true]);
    assert!(!encoding.is_continuous());
    let found = columns_at(&encoding, &[0.5, 0.9, 0.0, 0.99, 0.25]);
    assert_eq!(found, [0.5, 0.0, 0.0, FRAC_1_SQRT_2, 0.5 / 24.0, 24.5 / 25.0, 0.25]);
    let real = Space::new(vec![Dimension::new("rate", float(true))]);
    assert!(Encoding::new(&real.unwrap()).is_continuous());
}

/// What others have told may lie outside of a space, or lack a hyperparameter.
#[test]
fn a_configuration_of_another_space_has_columns() {
    let encoding = tree();
    let found = encoding.columns_of(&Configuration::new());
    assert_eq!(found, [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, FRAC_1_SQRT_2, 0.5]);
    let other = ["kind", "order", "rate", "momentum"].map(|name| (name.to_owned(), Value::Float(f64::NAN)));
    assert_eq!(encoding.columns_of(&Configuration::from(other)), found);
}

/// Spaces of every kind of domain, some of whose dimensions depend on one before.
fn spaces() -> impl Strategy<Value = Space> {
    let domain = prop_oneof![
        any::<bool>().prop_map(float),
        Just(Domain::Float { low: -1.0, high: 1.0, log: false, step: Some(0.125) }),
        (1..40_i64, any::<bool>()).prop_map(|(n, log)| Domain::Int { low: 1, high: 1 + n, log, step: 1 }),
        (1..6_i64).prop_map(choice),
        (3..30_i64).prop_map(|n| Domain::Choice((0..n).map(Value::Int).collect())),
        Just(Domain::Fixed(Value::Bool(true))),
    ];
    let parent = (any::<prop::sample::Index>(), 0.0..1.0_f64, any::<bool>());
    prop::collection::vec((domain, parent), 1..7).prop_map(|parts| {
        let mut dimensions: Vec<Dimension> = Vec::new();
        for (i, (domain, (parent, place, is_conditional))) in parts.into_iter().enumerate() {
            let mut own = Dimension::new(format!("d{i}"), domain);
            let deciding = |own: &&Dimension| matches!(own.domain, Domain::Choice(_) | Domain::Int { .. });
            let deciding: Vec<&Dimension> = dimensions.iter().filter(deciding).collect();
            if is_conditional && !deciding.is_empty() {
                let parent = deciding[parent.index(deciding.len())];
                let values = [parent.domain.decode(place), parent.domain.decode(1.0 - place)];
                own = own.when(parent.name.clone(), values);
            }
            dimensions.push(own);
        }
        dimensions.reverse();
        Space::new(dimensions).unwrap()
    })
}

proptest! {
    #[test]
    fn points_and_configurations_have_the_same_columns(
        space in spaces(),
        point in prop::collection::vec(0.0..1.0_f64, 6),
    ) {
        let encoding = Encoding::new(&space);
        let count = space.dimensions.len();
        let mut settled = point[..count].to_vec();
        let is_active = encoding.settle(&mut settled);
        // A settled point is where it was, and stays.
        let configuration = encoding.configuration(&settled);
        prop_assert_eq!(&configuration, &encoding.configuration(&point[..count]));
        let mut again = settled.clone();
        prop_assert_eq!(encoding.settle(&mut again), is_active.clone());
        prop_assert_eq!(&again, &settled);
        for (dimension, is_active) in space.dimensions.iter().zip(&is_active) {
            prop_assert_eq!(configuration.contains_key(&dimension.name), *is_active);
        }
        let own = encoding.columns_of(&configuration);
        prop_assert_eq!(own.len(), encoding.width);
        prop_assert_eq!(encoding.owners().len(), encoding.width);
        prop_assert_eq!(&columns_at(&encoding, &encoding.point_of(&configuration)), &own);
        // A logarithm and back: rounding.
        for (found, own) in encoding.columns(&settled, &is_active).iter().zip(&own) {
            prop_assert!((found - own).abs() <= 1e-14);
        }
    }
}
