//! A vector-valued function g checked as the scalar f(t) = uᵀ g(t·v·x): its slope in t by differences of
//! the engine's outputs, against u and v applied to the engine's own backward pass.
//!
//! The network computes f: one input x, hidden weights t·v, activation g, output weights u, no biases.
//! Its target lies ½ below f, so that the squared error's gradient with respect to the output is 1.

use super::{Plan, Probe};
use crate::data::{Dataset, Fold, Targets, Task, Transform};
use crate::engine::{Engine, Job, Report, Snapshot};
use crate::error::Result;
use crate::model::activation::{self, Activation};
use crate::model::loss;
use crate::random::{Purpose, Stream, uniform};
use crate::verify::case::{describe, plain_member};
use crate::verify::drive::{Point, points};
use crate::verify::findings::{Findings, Measure};
use crate::verify::line::{Line, gradient_spread, noise_of};
use crate::verify::outcome::Kind;
use crate::verify::rounding::Uncertain;
use crate::verify::tables::PROJECTIONS;
use crate::verify::track::widened;

/// Slopes of projections, on a table of their own.
pub const PROBE: Probe = Probe { tables: &[PROJECTIONS], names, check };

/// The inputs.
const POINTS: [f32; 4] = [-2.5, -0.375, 0.875, 3.125];

/// Units of the hidden layer: no multiple of 4.
const UNITS: usize = 7;

/// The step in t, of vectors v of length about 3.
const STEP: f64 = 1.0 / 16.0;

fn names() -> Vec<String> {
    activation::ALL.iter().map(|activation| name_of(*activation)).collect()
}

fn name_of(activation: &dyn Activation) -> String {
    format!("activation/{}", activation.name())
}

/// (v, u), drawn anew for each activation and point; never near 0, so that no kink lies near t = 1.
fn projection(seed: u64, row: usize) -> [Vec<f32>; 2] {
    let stream = Stream::new(seed, Purpose::Verify, 8, row as u32, 0);
    let draw = |i: usize| {
        let signed = 2.0 * uniform(stream.word(i as u32)) - 1.0;
        signed + 0.5_f32.copysign(signed)
    };
    [(0..UNITS).map(draw).collect(), (UNITS..2 * UNITS).map(draw).collect()]
}

/// One row, and one fold that trains and validates on it, for each activation and point.
pub fn table(seed: u64) -> Dataset {
    let rows: Vec<(&dyn Activation, f32)> =
        activation::ALL.iter().flat_map(|activation| POINTS.map(|x| (*activation, x))).collect();
    let stored = rows.iter().enumerate().map(|(row, &(activation, x))| {
        let [v, u] = projection(seed, row);
        let mut values: Vec<f64> = v.iter().map(|v| f64::from(v * x)).collect();
        activation.apply_f64(&mut values, &mut [0.0; UNITS]);
        let f: f64 = values.iter().zip(u).map(|(value, u)| value * f64::from(u)).sum();
        (f - 0.5) as f32
    });
    let fold = |row: u32| Fold {
        train: vec![row],
        validation: vec![row],
        transforms: vec![Transform::IDENTITY],
        target: Transform::IDENTITY,
        balanced_weights: Vec::new(),
    };
    Dataset {
        task: Task::Regression,
        feature_count: 1,
        features: rows.iter().map(|(_, x)| *x).collect(),
        targets: Targets::Values { stored: stored.collect(), centre: 0.0, scale: 1.0 },
        folds: (0..rows.len() as u32).map(fold).collect(),
    }
}

/// The line t·v through the network of one row.
fn line(job: &Job, activation: &'static dyn Activation, row: usize) -> Line {
    let mut member = plain_member(job, row, &[UNITS], activation, 1);
    let square = loss::ALL.iter().find(|loss| loss.name() == "mean_squared_error");
    member.recipe.loss = *square.expect("the squared error is a member of loss::ALL");
    member.recipe.learning_rate = 0.0;
    let [v, u] = projection(job.seed, row);
    let zeros = vec![0.0; UNITS];
    let parameters = [&v[..], &zeros, &u, &[0.0]].concat();
    let length = v.iter().map(|v| f64::from(v * v)).sum::<f64>().sqrt();
    let mut direction: Vec<f64> = v.iter().map(|&v| f64::from(v) / length).collect();
    direction.resize(parameters.len(), 0.0);
    Line { member, start: Snapshot::fresh(parameters), direction, step: STEP }
}

fn check(
    findings: &mut Findings,
    engine: &mut dyn Engine,
    plan: Plan<'_>,
    table: usize,
    wants: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let job = &plan.jobs[table];
    let wanted = activation::ALL.iter().enumerate().filter(|(_, activation)| wants(&name_of(**activation)));
    let lines: Vec<Line> = wanted
        .flat_map(|(number, activation)| {
            (0..POINTS.len()).map(move |point| line(job, *activation, POINTS.len() * number + point))
        })
        .collect();
    let of_line = |line: &Line| -> Vec<Point> {
        let middle = Point { member: line.member.clone(), state: line.start.clone(), is_read: true };
        std::iter::once(middle).chain(line.stencil()).chain(line.tables()).collect()
    };
    let mut outcomes = points(engine, lines.iter().flat_map(of_line).collect())?.into_iter();
    for line in &lines {
        let mut take = |count: usize| outcomes.by_ref().take(count).collect::<Vec<_>>();
        let (middle, stencil, tables) = (take(1), take(line.stencil().count()), take(line.tables().count()));
        let values = |outcomes: &[(Report, Option<Snapshot>)]| -> Vec<f64> {
            outcomes.iter().map(|(report, _)| output_of(report)).collect()
        };
        let after = middle[0].1.as_ref().map_or(&[][..], |after| &after.m);
        judge(findings, job, line, (output_of(&middle[0].0), after), &values(&stencil), &values(&tables));
    }
    Ok(())
}

/// The one output of the one row; NaN where none came back.
fn output_of(report: &Report) -> f64 {
    let outputs = report.evaluation.as_ref().and_then(|evaluation| evaluation.outputs.as_deref());
    outputs.and_then(|outputs| outputs.first()).map_or(f64::NAN, |&output| f64::from(output))
}

fn judge(
    findings: &mut Findings,
    job: &Job,
    line: &Line,
    (output, m): (f64, &[f32]),
    values: &[f64],
    tables: &[f64],
) {
    let name = name_of(line.member.network.activation);
    let Targets::Values { stored, .. } = &job.dataset.targets else { return };
    let noise = noise_of(tables);
    findings.add_blind(&name, Kind::Slopes, usize::from(noise.is_none()), 1);
    // What a table that does not tell leaves: a constant output is computed alike at every point.
    let noise = noise.unwrap_or(4.0 * crate::verify::rounding::UNIT * output.abs());
    // dL/df, as the engine has it: 2(f − target), near 1.
    let scale = 2.0 * (output - f64::from(stored[line.member.fold]));
    let gradient = Uncertain { value: widened(m), spread: gradient_spread(job, &line.member, &line.start) };
    let slope = line.slope(values, noise, scale, &gradient);
    let place = format!(
        "f(t) = u.g(t v x) at x = {}, t = 1: the engine's gradient gives f' = {:e}, differences of its outputs {:e} [{}]",
        job.dataset.row(line.member.fold as u32)[0],
        slope.found,
        slope.expected,
        describe(&line.member, job)
    );
    let error = (slope.found - slope.expected).abs();
    findings.add(&name, Kind::Slopes, Measure { error, tolerance: slope.tolerance, place });
}
