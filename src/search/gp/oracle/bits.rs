//! The same bits in vectors of every width.

use super::*;
use crate::model::metric::Direction;
use crate::search::gp::Gp;
use crate::search::gp::fit::gram;
use crate::search::gp::kernel::{add_slopes, square_slopes, values, values_and_slopes};
use crate::search::gp::lanes::{add_products, dot_and_square};
use crate::search::gp::linear::Factor;
use crate::search::vectors::narrow::within;
use crate::search::{Pending, Settings, StrategyKind, Told, Trials};
use crate::space::{Configuration, Dimension, Domain, Space, Value as Choice};
use pulp::Arch;

/// Scalars, and the vectors that the processor has.
fn widths() -> Vec<Arch> {
    let mut widths = vec![Arch::Scalar, Arch::new()];
    #[cfg(target_arch = "x86_64")]
    widths.extend(pulp::x86::V3::try_new().map(Arch::V3));
    widths
}

/// What some work comes to in vectors of every width, as bits.
#[track_caller]
fn assert_same_bits(work: impl Fn() -> Vec<Lanes>) {
    let bits = |lanes: Vec<Lanes>| -> Vec<u64> {
        lanes.iter().flat_map(|lanes| lanes.0).map(f64::to_bits).collect()
    };
    let expected = bits(work());
    assert!(!expected.is_empty());
    for width in widths() {
        assert!(bits(within(width, &work)) == expected, "other bits in {width:?}");
    }
}

fn all_of(panels: &Panels) -> Vec<Lanes> {
    (0..panels.len()).flat_map(|index| panels.panel(index).to_vec()).collect()
}

fn random_lanes(count: usize, seed: u64) -> Vec<Lanes> {
    let rows = random_rows(count, LANES, seed);
    rows.iter().map(|row| Lanes(std::array::from_fn(|r| 2.0 * row[r] - 1.0))).collect()
}

#[test]
fn kernels_have_the_same_bits_in_every_width() {
    let points = panels(&random_rows(45, 5, 1));
    let (eight, weights, slopes) = (random_lanes(5, 2), random_lanes(45, 3), random_lanes(45, 4));
    assert_same_bits(|| {
        let mut found = vec![Lanes::default(); 45];
        values(&eight, &points, &mut found);
        found
    });
    assert_same_bits(|| {
        let mut found = [vec![Lanes::default(); 45], vec![Lanes::default(); 45]];
        let [own, slopes] = &mut found;
        values_and_slopes(&eight, &points, own, slopes);
        found.concat()
    });
    assert_same_bits(|| {
        let mut sums = vec![Lanes::default(); 5];
        add_slopes(&eight, &points, &weights, &slopes, &mut sums);
        sums
    });
    assert_same_bits(|| square_slopes(&eight, &points, &weights));
}

#[test]
fn factors_and_solves_have_the_same_bits_in_every_width() {
    let scales = Scales { inverse_squares: vec![3.0; 4], variance: 1.2, noise: 1e-3 };
    for count in [1, 8, 37] {
        let points = panels(&random_rows(count, 4, 5));
        let factor = || Factor::of(gram(&points, 4, &scales, false).0).unwrap();
        assert_same_bits(|| all_of(factor().lower()));
        assert_same_bits(|| all_of(&factor().inverse()));
        for is_transposed in [false, true] {
            assert_same_bits(|| {
                let mut rows = random_lanes(count, 6);
                rows.resize(count.next_multiple_of(LANES), Lanes::default());
                if is_transposed {
                    factor().solve_transposed(&mut rows)
                } else {
                    factor().solve(&mut rows)
                }
                rows
            });
        }
    }
}

#[test]
fn improvements_and_sums_have_the_same_bits_in_every_width() {
    let (means, best) = (random_lanes(19, 7), random_rows(1, 19, 8).remove(0));
    for (shift, deviation) in [(0.0, 0.5), (-40.0, 1.0), (3.0, 0.1)] {
        let best: Vec<f64> = best.iter().map(|best| best - shift).collect();
        assert_same_bits(|| {
            let found = improvement(&means, &best, Lanes::all(deviation), true);
            [vec![found.value, found.by_deviation], found.by_mean].concat()
        });
    }
    assert_same_bits(|| <[Lanes; 2]>::from(dot_and_square(&means, &best)).to_vec());
    assert_same_bits(|| {
        let mut sums = random_lanes(4, 9);
        add_products(&mut sums, &means, &random_rows(19, 4, 10));
        sums
    });
}

fn mixed() -> Space {
    let float = |log| Domain::Float { low: 0.1, high: 10.0, log, step: None };
    let kinds = ["a", "b", "c"].map(|name| Choice::Text(name.into())).to_vec();
    Space::new(vec![
        Dimension::new("rate", float(true)),
        Dimension::new("kind", Domain::Choice(kinds)),
        Dimension::new("momentum", float(false)).when("kind", [Choice::Text("b".into())]),
        Dimension::new("width", Domain::Int { low: 1, high: 6, log: false, step: 1 }),
    ])
    .unwrap()
}

/// A whole ask, its fit and its climbs included.
#[test]
fn proposals_are_the_same_in_every_width() {
    let space = mixed();
    let settings = Settings::new(3, Direction::Maximize);
    let start = Gp.create(&settings).ask(&space, Trials::default(), 0, 16).unwrap();
    let number = |own: &Configuration, name: &str| own.get(name).and_then(Choice::number).unwrap_or(0.5);
    let value = |own: &Configuration| (3.0 * number(own, "rate")).sin() - number(own, "width");
    let told = |(number, own): (u64, &Configuration)| Told {
        number,
        configuration: own.clone(),
        value: Some(value(own)),
        is_pruned: false,
    };
    let told: Vec<Told> = (0..).zip(&start[..14]).map(told).collect();
    let pending = |(number, own): (u64, &Configuration)| Pending { number, configuration: own.clone() };
    let pending: Vec<Pending> = (14..).zip(&start[14..]).map(pending).collect();
    let ask = || {
        let trials = Trials { told: &told, pending: &pending };
        Gp.create(&settings).ask(&space, trials, 16, 4).unwrap()
    };
    let expected = ask();
    for width in widths() {
        assert_eq!(within(width, ask), expected, "{width:?}");
    }
}
