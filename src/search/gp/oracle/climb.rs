//! Climbs: upwards, and to where no single value is better.

use super::*;
use crate::search::gp::climb::{Climb, Place};
use crate::search::gp::encoding::Encoding;
use crate::search::gp::surface::Surface;
use crate::space::{Dimension, Domain, Space, Value as Choice};

fn place(encoding: &Encoding, mut point: Vec<f64>) -> Place {
    let is_active = encoding.settle(&mut point);
    Place { point, is_active, value: f64::NEG_INFINITY }
}

fn value_of(encoding: &Encoding, surface: &Surface, place: &Place) -> f64 {
    let columns = surface.stretched(&encoding.columns(&place.point, &place.is_active));
    let lanes: Vec<Lanes> = columns.into_iter().map(Lanes::all).collect();
    surface.values(&lanes).0[0]
}

/// A surface behind a few random points, and where climbs from others end.
fn climbed(dimensions: Vec<Dimension>) -> (Encoding, Surface, Vec<Place>, Vec<Place>) {
    let encoding = Encoding::new(&Space::new(dimensions).unwrap());
    let count = encoding.space().dimensions.len();
    let of = |row: &Vec<f64>| {
        let place = place(&encoding, row.clone());
        encoding.columns(&place.point, &place.is_active)
    };
    let rows = random_rows(12, count, 20);
    let target = |row: &Vec<f64>| row.iter().zip(1..).map(|(x, i)| (3.0 * x + f64::from(i)).sin()).sum();
    let observations = Observations {
        points: panels(&rows.iter().map(of).collect::<Vec<_>>()),
        owners: encoding.owners(),
        targets: rows.iter().map(target).collect(),
    };
    let inverse_squares = [1.0, 4.0, 2.0, 1.0][..encoding.coded.len()].to_vec();
    let scales = Scales { inverse_squares, variance: 1.5, noise: 1e-3 };
    let surface = Surface::new(&observations, scales, 0);
    let starts = random_rows(9, count, 21).into_iter().map(|row| place(&encoding, row));
    let starts: Vec<Place> = starts.collect();
    let tops = Climb { encoding: &encoding, surface: &surface }.tops(starts.clone());
    (encoding, surface, starts, tops)
}

#[test]
fn climbs_end_above_their_starts_where_nothing_rises() {
    let unit = Domain::Float { low: 0.0, high: 1.0, log: false, step: None };
    let dimensions = (0..3).map(|i| Dimension::new(format!("x{i}"), unit.clone())).collect();
    let (encoding, surface, starts, tops) = climbed(dimensions);
    assert_eq!(tops.len(), starts.len());
    let mut is_top = Vec::new();
    for (start, top) in starts.iter().zip(&tops) {
        assert!(top.value >= value_of(&encoding, &surface, start));
        assert_near(value_of(&encoding, &surface, top), top.value, 1e-12);
        let moved = |column: usize, by: f64| {
            let mut moved = top.clone();
            moved.point[column] = (moved.point[column] + by).clamp(0.0, 1.0);
            value_of(&encoding, &surface, &moved)
        };
        let moves = (0..3).flat_map(|column| [moved(column, 1e-3), moved(column, -1e-3)]);
        let rise = moves.fold(f64::NEG_INFINITY, f64::max) - top.value;
        is_top.push(rise <= 1e-5);
    }
    // A climb ends where a step gains less than 1e-7, or short of that with its 30 evaluations.
    let count = is_top.iter().filter(|is_top| **is_top).count();
    assert!(count >= 8, "{count} of 9 ended where nothing rises");
}

/// Of a space without slopes: no other value of any one hyperparameter is better than those of the best.
#[test]
fn no_single_value_is_better_than_those_of_the_top() {
    let choice = |count: i64| Domain::Choice((0..count).map(|i| Choice::Text(format!("kind {i}"))).collect());
    let int = |high| Domain::Int { low: 1, high, log: false, step: 1 };
    let (encoding, surface, _, tops) = climbed(vec![
        Dimension::new("kind", choice(9)),
        Dimension::new("width", int(20)),
        Dimension::new("order", choice(4)).when("kind", (0..5).map(|i| Choice::Text(format!("kind {i}")))),
        Dimension::new("depth", int(12)),
    ]);
    let top = tops.iter().max_by(|one, other| one.value.total_cmp(&other.value)).unwrap();
    assert_near(value_of(&encoding, &surface, top), top.value, 1e-12);
    let mut compared = 0;
    for coded in encoding.coded.iter().filter(|coded| top.is_active[coded.dimension]) {
        for value in &coded.values {
            let mut point = top.point.clone();
            point[coded.dimension] = *value;
            let other = value_of(&encoding, &surface, &place(&encoding, point));
            assert!(other <= top.value + 1e-12, "{other} at {value} above {}", top.value);
            compared += 1;
        }
    }
    assert!(compared >= 9 + 20 + 12, "{compared}");
}
