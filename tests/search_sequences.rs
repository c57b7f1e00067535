//! Low-discrepancy strategies: evenness, seeds, and the place of each trial in the sequence.

use manytune::model::metric::Direction;
use manytune::search::{self, Settings, Trials};
use manytune::space::{Configuration, Dimension, Domain, Space, Value};

const NAMES: [&str; 2] = ["sobol", "halton"];

fn settings(seed: u64) -> Settings {
    Settings::new(seed, Direction::Minimize)
}

/// `dimensions` real numbers of [0, 1]: what a strategy proposes is its point.
fn cube(dimensions: usize) -> Space {
    let unit = Domain::Float { low: 0.0, high: 1.0, log: false, step: None };
    Space::new((0..dimensions).map(|i| Dimension::new(format!("x{i:03}"), unit.clone())).collect()).unwrap()
}

fn asked(name: &str, settings: &Settings, space: &Space, first: u64, count: usize) -> Vec<Configuration> {
    search::create(name, settings).unwrap().ask(space, Trials::default(), first, count).unwrap()
}

fn coordinates(configuration: &Configuration) -> Vec<f64> {
    configuration.values().map(|v| if let Value::Float(v) = v { *v } else { panic!("{v:?}") }).collect()
}

fn points(name: &str, seed: u64, dimensions: usize, first: u64, count: usize) -> Vec<Vec<f64>> {
    let found = asked(name, &settings(seed), &cube(dimensions), first, count);
    found.iter().map(coordinates).collect()
}

/// Points of each box of a partition: coordinate j is cut into `cuts[j]` equal parts.
fn counts(points: &[Vec<f64>], cuts: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; cuts.iter().product()];
    for point in points {
        let part = |(x, cut): (&f64, &usize)| (x * *cut as f64) as usize;
        let index = point.iter().zip(cuts).map(part).zip(cuts).fold(0, |all, (part, cut)| all * cut + part);
        counts[index] += 1;
    }
    counts
}

/// Dimensions 1 and 2 are a (0, 2)-sequence: every elementary interval of volume 2⁻ᵐ holds exactly one of 2ᵐ
/// points that begin at a multiple of 2ᵐ. Scrambling keeps that.
#[test]
fn scrambled_sobol_points_are_nets_in_base_two() {
    for seed in 0..20 {
        for m in 0..9 {
            let net = points("sobol", seed, 2, 3 << m, 1 << m);
            for k in 0..=m {
                assert!(counts(&net, &[1 << k, 1 << (m - k)]).iter().all(|count| *count == 1), "{k} of {m}");
            }
        }
        // Each further dimension alone: a stratum each.
        let found = points("sobol", seed, 40, 128, 64);
        for j in 0..40 {
            let line: Vec<Vec<f64>> = found.iter().map(|point| vec![point[j]]).collect();
            assert!(counts(&line, &[64]).iter().all(|count| *count == 1), "dimension {j}");
        }
    }
}

/// A stratum each of b^k points that begin at a multiple of b^k, and of 2³·3² points in the first two dimensions.
#[test]
fn randomised_halton_points_are_even_in_their_bases() {
    for seed in 0..20 {
        let found = points("halton", seed, 3, 0, 7 * 125);
        for (dimension, base) in [(0, 64), (1, 81), (2, 125)] {
            let line: Vec<Vec<f64>> = found.iter().map(|point| vec![point[dimension]]).collect();
            for block in line.chunks_exact(base) {
                assert!(counts(block, &[base]).iter().all(|count| *count == 1), "base of {base}");
            }
        }
        let plane: Vec<Vec<f64>> = found.iter().map(|point| point[..2].to_vec()).collect();
        for block in plane.chunks_exact(72) {
            assert!(counts(block, &[8, 9]).iter().all(|count| *count == 1));
        }
    }
}

/// The centred L2 discrepancy, squared, as SciPy's `qmc.discrepancy` has it (Hickernell 1998).
fn discrepancy(points: &[Vec<f64>]) -> f64 {
    let count = points.len() as f64;
    let off = |x: f64| (x - 0.5).abs();
    let one = |point: &Vec<f64>| -> f64 {
        point.iter().map(|&x| 1.0 + 0.5 * off(x) - 0.5 * off(x) * off(x)).product()
    };
    let two = |a: &Vec<f64>, b: &Vec<f64>| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| 1.0 + 0.5 * off(a) + 0.5 * off(b) - 0.5 * (a - b).abs()).product()
    };
    let singles: f64 = points.iter().map(one).sum();
    let pairs: f64 = points.iter().map(|a| points.iter().map(|b| two(a, b)).sum::<f64>()).sum();
    (13.0_f64 / 12.0).powi(points[0].len() as i32) - 2.0 / count * singles + pairs / (count * count)
}

/// `qmc.discrepancy([[1, 3], [2, 6], [3, 2], [4, 5], [5, 1], [6, 4]] scaled from [0.5, 6.5])`, SciPy's own example.
#[test]
fn the_discrepancy_is_that_of_scipy() {
    let sample = [[1.0, 3.0], [2.0, 6.0], [3.0, 2.0], [4.0, 5.0], [5.0, 1.0], [6.0, 4.0]];
    let scaled: Vec<Vec<f64>> =
        sample.iter().map(|point| point.iter().map(|x| (x - 0.5) / 6.0).collect()).collect();
    let difference = (discrepancy(&scaled) - 0.008142039609053464).abs();
    assert!(difference <= 1e-15, "{difference:e}");
}

#[test]
fn sequences_are_more_even_than_random_points() {
    let mean = |name: &str, dimensions: usize, count: usize| {
        (0..20).map(|seed| discrepancy(&points(name, seed, dimensions, 0, count))).sum::<f64>() / 20.0
    };
    for (dimensions, count) in [(2, 64), (3, 100), (6, 128)] {
        let random = mean("random", dimensions, count);
        for name in NAMES {
            let found = mean(name, dimensions, count);
            assert!(found < 0.5 * random, "{name}: {found:e} against {random:e} of random in {dimensions}-D");
        }
    }
}

/// Every point is uniform by itself: the first one over 400 seeds, its mean within 4 standard deviations, and
/// chi-squared of 20 parts below the 0.9999 quantile with 19 degrees of freedom.
#[test]
fn every_point_is_uniform_over_the_seeds() {
    for name in NAMES {
        for index in [0, 5] {
            let found: Vec<Vec<f64>> = (0..400).flat_map(|seed| points(name, seed, 3, index, 1)).collect();
            for j in 0..3 {
                let line: Vec<Vec<f64>> = found.iter().map(|point| vec![point[j]]).collect();
                let mean = line.iter().map(|x| x[0]).sum::<f64>() / 400.0;
                assert!((mean - 0.5).abs() < 4.0 * (1.0_f64 / 12.0 / 400.0).sqrt(), "{name}: {mean}");
                let parts = counts(&line, &[20]);
                let chi_squared: f64 = parts.iter().map(|&n| (n as f64 - 20.0).powi(2) / 20.0).sum();
                assert!(chi_squared < 50.8, "{name}, dimension {j}: {chi_squared}");
            }
        }
    }
}

#[test]
fn a_point_is_found_from_its_number_alone() {
    for name in NAMES {
        let space = cube(4);
        let all = asked(name, &settings(9), &space, 0, 40);
        assert_eq!(asked(name, &settings(9), &space, 25, 15), all[25..], "{name}");
        assert_eq!(asked(name, &settings(9), &space, 1 << 40, 2).len(), 2, "{name}");
        assert_ne!(asked(name, &settings(10), &space, 0, 40), all, "{name}");
    }
}

/// Fixed values take no dimension of the sequence, and enqueued trials no point of it.
#[test]
fn fixed_values_and_enqueued_trials_leave_the_sequence_whole() {
    for name in NAMES {
        let plain = asked(name, &settings(4), &cube(3), 0, 16);
        let mut dimensions = cube(3).dimensions;
        dimensions.insert(1, Dimension::new("fixed", Domain::Fixed(Value::Int(7))));
        let space = Space::new(dimensions).unwrap();
        let mut found = asked(name, &settings(4), &space, 0, 16);
        for configuration in &mut found {
            assert_eq!(configuration.remove("fixed"), Some(Value::Int(7)), "{name}");
        }
        assert_eq!(found, plain, "{name}");
        let enqueued = asked("random", &settings(1), &cube(3), 0, 5);
        let settings = Settings { enqueued, ..settings(4) };
        assert_eq!(asked(name, &settings, &cube(3), 5, 16), plain, "{name}");
    }
}

#[test]
fn a_space_of_more_dimensions_than_the_sobol_sequence_says_so() {
    let sobol = search::find("sobol").unwrap();
    assert!(sobol.notes(&cube(256), &settings(1)).is_empty());
    assert!(sobol.notes(&cube(260), &settings(1))[0].contains("the other 4 of this space are random"));
    let found = points("sobol", 1, 260, 0, 3);
    assert!(found.iter().all(|point| point.len() == 260));
}
