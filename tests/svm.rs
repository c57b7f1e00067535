//! Kernel machines beside LIBSVM's, by the values that `tests/reference/make_svm.py` stores.

mod svm_cases;

use manytune::model::svm::base::{BaseMatrix, Columns};
use manytune::model::svm::group::{Group, SetTruth};
use manytune::model::svm::kernel::{self, Base, KernelNumber, KernelParameters};
use manytune::model::svm::machine::{Machine, Solved, Verdict};
use manytune::model::svm::pair::Pair;
use manytune::model::svm::path::{self, Shape, Solution};
use manytune::model::svm::platt::{Sigmoid, coupled, cross_validated};
use manytune::model::svm::rows::{KernelChoice, Rows, Whole};
use manytune::model::svm::set::{FoldSet, SetTargets};
use manytune::model::svm::settings::Settings;
use manytune::model::svm::smo::{self, Point, Problem};
use serde_json::Value;
use svm_cases::{OBJECTIVE_TOLERANCE, RHO_TOLERANCE, numbers, reference, settings};

fn never() -> bool {
    false
}

/// A fold of stored data: rows grouped by class, stably.
fn set<R: KernelNumber>(data: &Value, is_regression: bool) -> FoldSet<R> {
    let features = data["features"].as_u64().unwrap() as usize;
    let (x, y) = (numbers(&data["x"]), numbers(&data["y"]));
    let mut order: Vec<usize> = (0..y.len()).collect();
    let mut weights = Vec::new();
    let targets = if is_regression {
        SetTargets::Values(y.clone())
    } else {
        order.sort_by(|&a, &b| y[a].total_cmp(&y[b]));
        let class_count = y.iter().copied().fold(0.0, f64::max) as usize + 1;
        let end = |class: usize| order.partition_point(|&row| y[row] < class as f64);
        let ranges: Vec<_> = (0..class_count).map(|class| end(class)..end(class + 1)).collect();
        weights = ranges.iter().map(|rows| y.len() as f64 / (class_count * rows.len()) as f64).collect();
        SetTargets::Classes(ranges)
    };
    let row = |&row: &usize| x[row * features..(row + 1) * features].iter().map(|&x| R::of(x));
    let train = order.iter().flat_map(row).collect();
    let new = numbers(&data["new"]).into_iter().map(R::of).collect();
    FoldSet::of_rows(features, train, targets, weights, new)
}

fn solutions<R: KernelNumber>(set: &FoldSet<R>, settings: &Settings) -> Vec<(Pair, Solution)> {
    let solve = |pair: &Pair| pair.solve(set, settings, &[settings.c], &never).unwrap().remove(0);
    Pair::all(set).into_iter().map(|pair| (pair.clone(), solve(&pair))).collect()
}

/// Compares every stored case with what this number type finds.
fn agrees_with_libsvm<R: KernelNumber>() {
    let reference = reference();
    for case in reference["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (data, _) = name.split_once(' ').unwrap();
        let set: FoldSet<R> = set(&reference["data"][data], data == "curve");
        let found = solutions(&set, &settings(case));
        let pairs = case["pairs"].as_array().unwrap();
        assert_eq!(found.len(), pairs.len(), "{name}");
        for ((pair, solution), stored) in found.iter().zip(pairs) {
            let (outcome, number) = (solution.outcome, |name: &str| stored[name].as_f64().unwrap());
            assert!(outcome.is_solved, "{name}");
            let relative = (outcome.objective - number("objective")).abs() / number("objective").abs();
            assert!(relative <= OBJECTIVE_TOLERANCE, "{name}: {outcome:?} {stored}");
            // The sigmoid kernel has several optima; where no vector is free, rho is the middle of an interval.
            let rho = (outcome.rho - number("rho")).abs();
            assert!(rho <= RHO_TOLERANCE, "{name} {:?}: {outcome:?} {stored}", pair.classes);
            // Vectors whose a is within the tolerance of a bound may fall on either side of it.
            for (count, stored) in
                [(outcome.support_count, number("support")), (outcome.bounded_count, number("bounded"))]
            {
                assert!((count as f64 - stored).abs() <= 3.0 + 0.02 * stored, "{name}: {outcome:?} {stored}");
            }
        }
    }
}

#[test]
fn objectives_and_offsets_are_those_of_libsvm_with_kernel_values_of_f32() {
    agrees_with_libsvm::<f32>();
}

#[test]
fn objectives_and_offsets_are_those_of_libsvm_with_kernel_values_of_f64() {
    agrees_with_libsvm::<f64>();
}

fn machine(set: &FoldSet<f32>, settings: &Settings, class_count: usize) -> Machine {
    let found = solutions(set, settings);
    let solved: Vec<Solved<'_>> =
        found.iter().map(|(pair, solution)| Solved { pair, solution, sigmoid: None }).collect();
    Machine::new(settings.choice(set.scale_gamma()), class_count, set, &solved)
}

#[test]
fn predictions_are_those_of_libsvm() {
    let reference = reference();
    let (mut all, mut equal) = (0, 0);
    for case in reference["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (data, _) = name.split_once(' ').unwrap();
        let is_regression = data == "curve";
        let set: FoldSet<f32> = set(&reference["data"][data], is_regression);
        let class_count = match data {
            "heart" => 2,
            "three" => 3,
            _ => 0,
        };
        let machine = machine(&set, &settings(case), class_count);
        // As it is kept on disk.
        let kept = Machine::of_parameters(&machine.to_parameters()).unwrap();
        assert_eq!(kept.encode(), machine.encode());
        let machine = kept;
        let decisions = machine.decision_values(&set.validation);
        let stored = numbers(&case["predictions"]);
        let rows = decisions.chunks_exact(machine.decisions.len());
        let same = rows.zip(&stored).filter(|(row, stored)| match machine.verdict(row) {
            Verdict::Class(class) => class as f64 == **stored,
            // Of values near 1: twice the tolerance of the solver.
            Verdict::Value(value) => (value - **stored).abs() <= 2e-3,
        });
        let same = same.count();
        // One row on the boundary itself may fall on either side of it.
        assert!(same + 1 >= stored.len(), "{name}: {same} of {}", stored.len());
        (all, equal) = (all + stored.len(), equal + same);
    }
    assert!(equal as f64 >= 0.999 * all as f64, "{equal} of {all}");
}

#[test]
fn what_is_no_machine_is_not_read_as_one() {
    let reference = reference();
    let set: FoldSet<f32> = set(&reference["data"]["three"], false);
    let parameters = machine(&set, &settings(&reference["cases"][8]), 3).to_parameters();
    for count in [0, 1, 26, 27, 40, parameters.len() - 1] {
        assert!(Machine::of_parameters(&parameters[..count]).is_none(), "{count}");
    }
    for place in [0, 3 * 4, 3 * 5, 3 * 6, 3 * 7] {
        for value in [f32::NAN, -1.0, 0.5, 3e9, f32::INFINITY] {
            let mut changed = parameters.clone();
            changed[place] = value;
            assert!(Machine::of_parameters(&changed).is_none(), "{place} {value}");
        }
    }
}

#[test]
fn the_published_example_of_libsvm_comes_out() {
    let reference = reference();
    let set: FoldSet<f32> = set(&reference["data"]["heart"], false);
    let found = solutions(&set, &settings(&reference["cases"][0]));
    let outcome = found[0].1.outcome;
    assert!((outcome.objective - -100.877).abs() <= 1e-3, "{outcome:?}");
    assert!((outcome.rho - 0.4245).abs() <= 1e-3, "{outcome:?}");
    assert_eq!((outcome.support_count, outcome.bounded_count), (132, 107));
}

#[test]
fn a_solution_does_not_depend_on_which_other_costs_are_solved() {
    let reference = reference();
    let set: FoldSet<f32> = set(&reference["data"]["three"], false);
    let settings = settings(&reference["cases"][8]);
    let pair = &Pair::all(&set)[1];
    let costs = [32768.0, 3.0, 0.125, 8.0, 0.01, 2.0, 12.0];
    let together = pair.solve(&set, &settings, &costs, &never).unwrap();
    for (cost, solution) in costs.into_iter().zip(together) {
        assert_eq!(pair.solve(&set, &settings, &[cost], &never).unwrap(), [solution]);
    }
}

#[test]
fn a_solution_meets_the_conditions_of_karush_kuhn_and_tucker() {
    let reference = reference();
    let set: FoldSet<f64> = set(&reference["data"]["curve"], true);
    let bases = set.train_bases(Base::SquaredDistance);
    let parameters = KernelParameters { gamma: 0.7, ..KernelParameters::default() };
    let choice = KernelChoice { kernel: kernel::find("rbf").unwrap(), parameters };
    let mut rows = Whole::gathered(&choice, bases, &[0..set.train_count(), 0..0]);
    let SetTargets::Values(values) = &set.targets else { panic!("values") };
    let shape = Shape::values(values, 0.05);
    let scaled = |bounds: &[f64]| -> Vec<f64> { bounds.iter().map(|bound| 20.0 * bound).collect() };
    let (low, high) = (scaled(&shape.low), scaled(&shape.high));
    let problem = Problem {
        row_count: shape.row_count,
        linear: &shape.linear,
        low: &low,
        high: &high,
        tolerance: smo::TOLERANCE,
    };
    let mut point = Point::origin(&shape.linear);
    smo::solve(&problem, &mut rows, &mut point, &never).unwrap();
    let n = shape.row_count;
    assert!(point.a.iter().sum::<f64>().abs() <= 1e-9);
    let (mut most, mut least) = (f64::NEG_INFINITY, f64::INFINITY);
    for variable in 0..point.a.len() {
        let row = rows.row(variable % n).to_vec();
        let product: f64 = point.a.iter().enumerate().map(|(other, a)| a * row[other % n]).sum();
        let f = shape.linear[variable] - product;
        assert!((f - point.f[variable]).abs() <= 1e-9, "F of {variable} has drifted");
        let a = point.a[variable];
        assert!((low[variable]..=high[variable]).contains(&a));
        most = if a < high[variable] { most.max(f) } else { most };
        least = if a > low[variable] { least.min(f) } else { least };
    }
    assert!(most - least <= smo::TOLERANCE + 1e-9);
}

#[test]
fn kernels_agree_between_number_types() {
    for kernel in kernel::ALL {
        let parameters = KernelParameters { gamma: 0.3, coef0: 0.5, degree: 4 };
        let bases: Vec<f64> = (0..100).map(|i| f64::from(i) * 0.05).collect();
        let mut exact = bases.clone();
        kernel.values_f64(&parameters, &mut exact);
        let mut single: Vec<f32> = bases.iter().map(|&base| base as f32).collect();
        kernel.values_f32(&parameters, &mut single);
        for (single, exact) in single.into_iter().zip(exact) {
            // A few roundings, magnified by the power.
            let error = (f64::from(single) - exact).abs();
            assert!(error <= 20.0 * f64::from(f32::EPSILON) * exact.abs().max(1e-3), "{}", kernel.name());
        }
    }
}

#[test]
fn squared_distances_of_far_rows_keep_their_digits() {
    // Formed in f32, ‖x‖² + ‖z‖² − 2 x·z would be off by units.
    let rows = [3000.0_f32, 1.0, 3000.25, 1.5];
    let bases = BaseMatrix::new(Base::SquaredDistance, &rows, &Columns::of_rows(&rows, 2));
    assert_eq!((bases.row(0)[1], bases.row(1)[1]), (0.3125, 0.0));
}

/// What a fold's problems come to, Platt's sigmoids and scores included, as text: equal text is equal bits.
fn everything<R: KernelNumber>(set: &FoldSet<R>, settings: &Settings) -> String {
    let pairs = Pair::all(set);
    let costs = [settings.c, 4.0 * settings.c];
    let solve = |pair: &Pair| Group::solve_pair(set, pair, settings, &costs, &never).unwrap();
    let results = pairs.iter().map(solve).collect();
    let truth = match &set.targets {
        SetTargets::Values(_) => SetTruth::Values(vec![0.5; set.validation_count()]),
        SetTargets::Classes(ranges) => {
            SetTruth::Classes { class_count: ranges.len(), classes: vec![1; set.validation_count()] }
        }
    };
    let sigmoids = pairs.iter().map(|pair| match settings.probabilities {
        true => cross_validated(pair, set, settings, &never),
        false => None,
    });
    let sigmoids: Vec<_> = sigmoids.collect();
    let group = Group::new(*settings, pairs, results);
    let solutions: Vec<_> = group.solutions(1).collect();
    format!("{solutions:?} {sigmoids:?} {:?}", group.evaluations(set, &truth, costs.len(), true))
}

#[test]
fn a_cache_of_a_few_rows_changes_no_bit() {
    let reference = reference();
    for (data, case) in [("heart", 0), ("heart", 6), ("heart", 7), ("three", 9), ("curve", 13), ("curve", 15)]
    {
        let mut settings = settings(&reference["cases"][case]);
        settings.probabilities = data != "curve";
        let fold = || set::<f32>(&reference["data"][data], data == "curve");
        let whole = everything(&fold(), &settings);
        // The fewest rows, some, and all of them.
        for bytes in [0, 70 * 4 * 288, 1 << 30] {
            assert!(everything(&fold().within(Some(bytes)), &settings) == whole, "{data} {case} {bytes}");
        }
        let fold = || set::<f64>(&reference["data"][data], data == "curve");
        assert!(everything(&fold().within(Some(0)), &settings) == everything(&fold(), &settings), "{data}");
    }
}

#[test]
fn a_kernel_row_alone_has_the_bits_of_the_matrix() {
    // No multiple of any width, and numbers whose sums round; at f64 their products do too.
    let (count, features) = (101, 37);
    let number = |i: usize| ((i as f64 + 0.5) * 12.9898).sin() * 43_758.545_3 % 7.0;
    row_alone::<f32>(&(0..count * features).map(|i| number(i) as f32).collect::<Vec<_>>(), features);
    row_alone::<f64>(&(0..count * features).map(number).collect::<Vec<_>>(), features);
}

fn row_alone<R: KernelNumber>(rows: &[R], features: usize) {
    let count = rows.len() / features;
    let columns = Columns::of_rows(rows, features);
    for base in [Base::SquaredDistance, Base::InnerProduct] {
        let matrix = BaseMatrix::new(base, rows, &columns);
        for (at, row) in rows.chunks_exact(features).enumerate() {
            let mut alone = vec![R::ZERO; columns.stride()];
            columns.bases(base, row, &mut alone);
            assert_eq!(alone, matrix.row(at));
            assert_eq!(columns.own(base, at), alone[at]);
            for (other, value) in alone[..count].iter().enumerate() {
                assert_eq!(*value, matrix.row(other)[at], "not symmetric");
                let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
                    let other = &rows[other * features..(other + 1) * features];
                    row.iter().zip(other).map(|(x, z)| f(x.to_f64(), z.to_f64())).sum()
                };
                let exact = match base {
                    Base::SquaredDistance => sum(&|x, z| (x - z) * (x - z)),
                    Base::InnerProduct => sum(&|x, z| x * z),
                };
                // Half a place of an f32; the f64 sums themselves are off by 1e-12 at most.
                let tolerance = if size_of::<R>() == 4 { 6e-8 * exact.abs() + 1e-11 } else { 1e-11 };
                assert!((value.to_f64() - exact).abs() <= tolerance, "{base:?} {at} {other}");
            }
        }
    }
}

#[test]
fn a_sigmoid_is_the_one_that_scikit_learn_fits() {
    let reference = reference();
    let stored = &reference["sigmoid"];
    let is_first: Vec<bool> =
        stored["is_first"].as_array().unwrap().iter().map(|is| is.as_bool().unwrap()).collect();
    let Sigmoid { a, b } = Sigmoid::fit(&numbers(&stored["decisions"]), &is_first);
    // Both stop where the gradient is small; the loss is flat there.
    for (found, name) in [(a, "a"), (b, "b")] {
        assert!((found - stored[name].as_f64().unwrap()).abs() <= 1e-3, "{name} {found} {stored}");
    }
}

#[test]
fn coupling_gives_back_the_probabilities_that_pairs_agree_on() {
    let p = [0.5, 0.3, 0.15, 0.05];
    let found = coupled(4, |i, j| p[i] / (p[i] + p[j]));
    for (found, p) in found.into_iter().zip(p) {
        // The iteration stops at 0.005 a class, as in LIBSVM.
        assert!((found - p).abs() <= 5e-3, "{found} {p}");
    }
}

#[test]
fn cross_validated_probabilities_rise_with_the_decision() {
    let reference = reference();
    let set: FoldSet<f32> = set(&reference["data"]["heart"], false);
    let settings = settings(&reference["cases"][0]);
    let pair = &Pair::all(&set)[0];
    let sigmoid = cross_validated(pair, &set, &settings, &never).unwrap();
    assert!(sigmoid.a < -0.5 && sigmoid.b.abs() < 1.0, "{sigmoid:?}");
}

#[test]
fn a_solver_that_is_stopped_gives_nothing() {
    let reference = reference();
    let set: FoldSet<f32> = set(&reference["data"]["heart"], false);
    let pair = &Pair::all(&set)[0];
    let costs = [32768.0];
    assert!(pair.solve(&set, &settings(&reference["cases"][1]), &costs, &|| true).is_none());
    let whole = path::solve(
        &Shape::classes([1, 1], [1.0, 1.0]),
        &mut Whole::of_rows(vec![vec![1.0_f32, 0.0], vec![0.0, 1.0]].into_iter()),
        &costs,
        &|| true,
    );
    // Two rows are solved before anybody is asked.
    assert_eq!(whole.unwrap()[0].coefficients, [1.0, -1.0]);
}

#[test]
fn rows_that_may_not_count_leave_a_solution_as_it_is_without_them() {
    let reference = reference();
    let set: FoldSet<f64> = set(&reference["data"]["heart"], false);
    let settings = settings(&reference["cases"][0]);
    let pair = &Pair::all(&set)[0];
    let mut matrix = pair.kernel_matrix(&set, &settings.choice(1.0));
    let mut shape = pair.shape(&set, &settings);
    let held = |row: usize| row.is_multiple_of(5);
    for row in (0..shape.row_count).filter(|&row| held(row)) {
        (shape.low[row], shape.high[row]) = (0.0, 0.0);
    }
    let excluded = path::solve(&shape, &mut matrix, &[1.0], &never).unwrap().remove(0);
    let kept: Vec<usize> = (0..shape.row_count).filter(|&row| !held(row)).collect();
    let only = |numbers: &[f64]| -> Vec<f64> { kept.iter().map(|&row| numbers[row]).collect() };
    let mut rows = Vec::new();
    for &row in &kept {
        rows.push(only(matrix.row(row)));
    }
    let (linear, low, high) = (only(&shape.linear), only(&shape.low), only(&shape.high));
    let alone = Shape { row_count: kept.len(), linear, low, high };
    let alone = path::solve(&alone, &mut Whole::of_rows(rows.into_iter()), &[1.0], &never).unwrap().remove(0);
    assert!((0..shape.row_count).all(|row| !held(row) || excluded.coefficients[row] == 0.0));
    assert!((excluded.outcome.objective - alone.outcome.objective).abs() <= 1e-6);
    assert!((excluded.outcome.rho - alone.outcome.rho).abs() <= 1e-4);
}
