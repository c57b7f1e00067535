//! What an engine makes of a solution: the numbers that it reports, the machine that it keeps, and the scores of the
//! validation rows.

use super::kernel::Kernels;
use super::problem::Subject;
use super::solver::Standing;
use super::{DECISIONS, Label, OBJECTIVE, OUTCOME, PROBABILITIES};
use crate::data::Targets;
use crate::engine::{Job, Report, Snapshot};
use crate::model::metric::Evaluation;
use crate::model::svm::machine::{Machine, voted};
use crate::model::svm::platt::{self, Sigmoid};
use crate::model::svm::smo::Outcome;
use crate::verify::findings::{Findings, Measure};
use crate::verify::outcome::Kind;
use crate::verify::uncertain::{SUBNORMAL, UNIT, WIDTH};

/// Relative difference of two solutions' objectives, each within the solver's tolerance of its optimum.
const OBJECTIVE_ERROR: f64 = 1e-4;
/// Difference of A and B of two sigmoids, fitted to such solutions.
const SIGMOID_ERROR: f64 = 0.02;

/// Checks what is reported of each problem against a, and its objective against the reference's own optimum.
pub fn check_outcomes(
    findings: &mut Findings,
    subject: &Subject,
    report: &Report,
    ends: &[Option<Standing<'_>>],
) {
    if report.solver.len() != subject.problems.len() {
        let place = format!("{} problems reported, expected {}", report.solver.len(), subject.problems.len());
        return findings.add(OUTCOME, Kind::Exact, Measure { error: f64::NAN, tolerance: 0.0, place });
    }
    for ((problem, end), (classes, outcome)) in subject.problems.iter().zip(ends).zip(&report.solver) {
        let label = Label { subject, pair: &problem.pair };
        let differs = usize::from(*classes != problem.pair.classes);
        findings.add_exact(OUTCOME, Kind::Exact, differs, || format!("classes {classes:?} {label}"));
        if let Some(end) = end {
            check_outcome(findings, label, outcome, end);
        }
        let never = || false;
        let Some(mut solutions) =
            problem.pair.solve(&subject.set, &subject.settings, &[subject.settings.c], &never)
        else {
            continue;
        };
        let Some(reference) = solutions.pop() else { continue };
        let a = &reference.coefficients;
        // What the rounding of kernel values alone does to the optimum.
        let bend: f64 = (0..a.len())
            .map(|row| {
                a[row].abs() * problem.kernels.row(row).1.iter().zip(a).map(|(s, a)| s * a.abs()).sum::<f64>()
            })
            .sum();
        let expected = reference.outcome.objective;
        let place = || format!("objective: found {:e}, expected {expected:e} {label}", outcome.objective);
        let tolerance = OBJECTIVE_ERROR * expected.abs() + bend + SUBNORMAL;
        findings.add_worst(OBJECTIVE, Kind::Steps, (outcome.objective - expected).abs(), tolerance, place);
    }
}

/// Checks the reported numbers of one problem against where its solver ended.
fn check_outcome(findings: &mut Findings, label: Label<'_>, outcome: &Outcome, end: &Standing<'_>) {
    let dual = end.dual;
    let rows = label.pair.row_count().max(1);
    let mut coefficients = vec![0.0; rows];
    dual.a
        .chunks_exact(rows)
        .for_each(|layer| coefficients.iter_mut().zip(layer).for_each(|(sum, a)| *sum += a));
    let bound = |row: usize, a: f64| {
        let variables = (row..dual.a.len()).step_by(rows);
        variables.map(|v| if a > 0.0 { end.bounds[1][v] } else { -end.bounds[0][v] }).fold(0.0, f64::max)
    };
    let support = || coefficients.iter().enumerate().filter(|(_, a)| **a != 0.0);
    let counts = [
        ("support vectors", outcome.support_count, support().count()),
        (
            "bounded ones",
            outcome.bounded_count,
            support().filter(|&(row, a)| a.abs() >= bound(row, *a)).count(),
        ),
    ];
    for (what, found, expected) in counts {
        let place = || format!("{what}: found {found}, expected {expected} {label}");
        findings.add_exact(OUTCOME, Kind::Exact, found.abs_diff(expected), place);
    }
    let (most, least) = end.extremes(&end.f);
    let free: Vec<f64> =
        (0..dual.a.len()).filter(|&v| end.moves(v) == (true, true)).map(|v| end.f[v]).collect();
    let rho = match (free.len(), most.is_finite(), least.is_finite()) {
        (0, true, true) => -(most + least) / 2.0,
        (0, true, false) => -most,
        (0, false, true) => -least,
        (0, false, false) => 0.0,
        (count, ..) => -free.iter().sum::<f64>() / count as f64,
    };
    let gap = if (most - least).is_finite() { most - least } else { 0.0 };
    let largest = end.magnitude.iter().copied().fold(0.0, f64::max);
    let numbers = [
        ("objective", outcome.objective, end.objective(), end.size()),
        ("rho", outcome.rho, rho, largest),
        ("gap", outcome.gap, gap, largest),
    ];
    for (what, found, expected, size) in numbers {
        let place = || format!("{what}: found {found:e}, expected {expected:e} {label}");
        findings.add_worst(OUTCOME, Kind::Kernels, (found - expected).abs(), 1e-9 * size + SUBNORMAL, place);
    }
}

/// A machine's decision values of validation rows by the reference, (row, decision function), and their spreads.
struct Decided {
    value: Vec<f64>,
    spread: Vec<f64>,
}

fn decided(subject: &Subject, machine: &Machine) -> Decided {
    let features = subject.set.feature_count.max(1);
    let support: Vec<f64> = machine.support.iter().map(|&x| f64::from(x)).collect();
    let rows: Vec<&[f64]> = subject.set.validation.chunks_exact(features).collect();
    let vectors: Vec<&[f64]> = support.chunks_exact(features).collect();
    let kernels = Kernels::new(&machine.choice, &rows, &vectors);
    let (mut value, mut spread) = (Vec::new(), Vec::new());
    for row in 0..rows.len() {
        let (k, s) = kernels.row(row);
        for decision in &machine.decisions {
            let terms = || decision.terms.iter().map(|&(at, a)| (a, k[at as usize], s[at as usize]));
            let variance: f64 = terms().map(|(a, _, s)| (a * s).powi(2)).sum();
            let magnitude: f64 = terms().map(|(a, k, _)| (a * k).abs()).sum::<f64>() + decision.rho.abs();
            value.push(terms().map(|(a, k, _)| a * k).sum::<f64>() - decision.rho);
            spread.push(variance.sqrt() + UNIT * magnitude);
        }
    }
    Decided { value, spread }
}

/// Checks the scores of the validation rows against those of the machine that was kept.
pub fn check_scores(findings: &mut Findings, subject: &Subject, job: &Job, report: &Report, kept: &Snapshot) {
    let text = &subject.text;
    let mut fails = |place: String| {
        findings.add(DECISIONS, Kind::Kernels, Measure { error: f64::NAN, tolerance: 0.0, place })
    };
    let Some(machine) = Machine::of_parameters(&kept.parameters) else {
        return fails(format!("the snapshot is no machine [{text}]"));
    };
    let Some(evaluation) = &report.evaluation else { return fails(format!("no scores [{text}]")) };
    if machine.decisions.len() != subject.problems.len() {
        return fails(format!(
            "{} decision functions, expected {} [{text}]",
            machine.decisions.len(),
            subject.problems.len()
        ));
    }
    let decided = decided(subject, &machine);
    let fold = &job.dataset.folds[subject.member.fold];
    match &job.dataset.targets {
        Targets::Values { stored, .. } => {
            let truth = fold.validation.iter().map(|&row| f64::from(fold.target.apply(stored[row as usize])));
            check_values(findings, text, &decided, &truth.collect::<Vec<f64>>(), evaluation);
        }
        Targets::Classes(classes) => {
            let truth: Vec<usize> =
                fold.validation.iter().map(|&row| classes[row as usize] as usize).collect();
            if subject.settings.probabilities {
                check_probabilities(findings, subject, &machine, (&decided, &truth), evaluation);
            } else {
                check_votes(findings, text, &machine, (&decided, &truth), evaluation);
            }
        }
    }
}

fn check_values(
    findings: &mut Findings,
    text: &str,
    decided: &Decided,
    truth: &[f64],
    evaluation: &Evaluation,
) {
    let outputs = evaluation.outputs.as_deref().unwrap_or_default();
    findings.add_exact(DECISIONS, Kind::Exact, outputs.len().abs_diff(truth.len()), || {
        format!("{} outputs of {} rows [{text}]", outputs.len(), truth.len())
    });
    let each = || decided.value.iter().zip(&decided.spread).zip(truth);
    for (row, (((&expected, spread), _), &found)) in each().zip(outputs).enumerate() {
        let place = || format!("value of row {row}: found {found:e}, expected {expected:e} [{text}]");
        let tolerance = WIDTH * (spread + UNIT * expected.abs());
        findings.add_worst(DECISIONS, Kind::Kernels, (f64::from(found) - expected).abs(), tolerance, place);
    }
    let squared: f64 = each().map(|((value, _), truth)| (value - truth).powi(2)).sum();
    let absolute: f64 = each().map(|((value, _), truth)| (value - truth).abs()).sum();
    let spread: f64 =
        each().map(|((value, spread), truth)| spread * (1.0 + 2.0 * (value - truth).abs())).sum();
    let sums =
        [("squared", evaluation.loss_sum, squared), ("absolute", evaluation.absolute_error_sum, absolute)];
    for (what, found, expected) in sums {
        let place = || format!("sum of {what} errors: found {found:e}, expected {expected:e} [{text}]");
        findings.add_worst(
            DECISIONS,
            Kind::Kernels,
            (found - expected).abs(),
            WIDTH * spread + SUBNORMAL,
            place,
        );
    }
}

/// Rows of which a decision value is within rounding of 0 may be counted either way.
fn check_votes(
    findings: &mut Findings,
    text: &str,
    machine: &Machine,
    (decided, truth): (&Decided, &[usize]),
    evaluation: &Evaluation,
) {
    let width = machine.decisions.len();
    let classes = || machine.decisions.iter().map(|decision| decision.classes);
    let (mut correct, mut predicted) = (vec![0_u32; machine.class_count], vec![0_u32; machine.class_count]);
    let mut doubtful = 0;
    for (row, &class) in truth.iter().enumerate() {
        let values = &decided.value[row * width..(row + 1) * width];
        let spreads = &decided.spread[row * width..(row + 1) * width];
        doubtful +=
            usize::from(values.iter().zip(spreads).any(|(value, spread)| value.abs() <= WIDTH * spread));
        let winner = voted(machine.class_count, machine.only_class, classes().zip(values.iter().copied()));
        predicted[winner] += 1;
        correct[class] += u32::from(winner == class);
    }
    findings.add_blind(DECISIONS, Kind::Exact, doubtful, truth.len());
    for (what, found, expected) in
        [("predicted", &evaluation.predicted, &predicted), ("correct", &evaluation.correct, &correct)]
    {
        let differ: u32 = found.iter().zip(expected).map(|(found, expected)| found.abs_diff(*expected)).sum();
        let missing = found.len().abs_diff(expected.len());
        let beyond = (differ as usize).saturating_sub(2 * doubtful) + missing;
        findings.add_exact(DECISIONS, Kind::Exact, beyond, || {
            format!(
                "{what} by class: found {found:?}, expected {expected:?}, {doubtful} rows in doubt [{text}]"
            )
        });
    }
    // Of two classes the outputs are the decision value itself, halved each way.
    if let (2, 1, Some(outputs)) = (machine.class_count, width, &evaluation.outputs) {
        for (row, (pair, (&value, spread))) in
            outputs.chunks(2).zip(decided.value.iter().zip(&decided.spread)).enumerate()
        {
            let found = f64::from(pair[0]) - f64::from(pair[pair.len() - 1]);
            let place =
                || format!("decision value of row {row}: found {found:e}, expected {value:e} [{text}]");
            let tolerance = WIDTH * (spread + UNIT * value.abs());
            findings.add_worst(DECISIONS, Kind::Kernels, (found - value).abs(), tolerance, place);
        }
    }
}

fn check_probabilities(
    findings: &mut Findings,
    subject: &Subject,
    machine: &Machine,
    (decided, truth): (&Decided, &[usize]),
    evaluation: &Evaluation,
) {
    let text = &subject.text;
    let sigmoids: Option<Vec<Sigmoid>> = machine.decisions.iter().map(|decision| decision.sigmoid).collect();
    let Some(sigmoids) = sigmoids else {
        let place = format!("a decision function without a sigmoid [{text}]");
        return findings.add(
            PROBABILITIES,
            Kind::Kernels,
            Measure { error: f64::NAN, tolerance: 0.0, place },
        );
    };
    let width = sigmoids.len();
    let loss = |shift: f64| -> f64 {
        let row = |(row, &class): (usize, &usize)| {
            let at = row * width..(row + 1) * width;
            let values = decided.value[at.clone()].iter().zip(&decided.spread[at]);
            let moved = values.map(|(value, spread)| value + shift * spread);
            let pairs = machine.decisions.iter().map(|decision| decision.classes).zip(moved);
            let p =
                platt::of_pairs(machine.class_count, machine.only_class, pairs.zip(sigmoids.iter().copied()));
            -p[class].ln()
        };
        truth.iter().enumerate().map(row).sum()
    };
    let (found, expected) = (evaluation.loss_sum, loss(0.0));
    let moved = (loss(WIDTH) - expected).abs() + (loss(-WIDTH) - expected).abs();
    let place = || format!("sum of log losses: found {found:e}, expected {expected:e} [{text}]");
    // The coupling of several classes stops within 0.005/K of its fixed point, by its own rule.
    let tolerance = moved + 1e-6 * expected.abs() + SUBNORMAL;
    findings.add_worst(PROBABILITIES, Kind::Kernels, (found - expected).abs(), tolerance, place);
    let never = || false;
    for (problem, found) in subject.problems.iter().zip(&sigmoids) {
        let label = Label { subject, pair: &problem.pair };
        let Some(expected) = platt::cross_validated(&problem.pair, &subject.set, &subject.settings, &never)
        else {
            continue;
        };
        for (what, found, expected) in [("A", found.a, expected.a), ("B", found.b, expected.b)] {
            let place = || format!("{what} of the sigmoid: found {found:e}, expected {expected:e} {label}");
            let tolerance = SIGMOID_ERROR * (1.0 + expected.abs());
            findings.add_worst(PROBABILITIES, Kind::Steps, (found - expected).abs(), tolerance, place);
        }
    }
}
