//! The engine's losses along random lines against its own gradient: every activation, loss and layer.
//! No number of the reference is compared here.

use super::{Plan, Probe};
use crate::engine::{Engine, Job, Snapshot};
use crate::error::Result;
use crate::model::recipe::Member;
use crate::model::{activation, layer, loss};
use crate::random::{Purpose, Stream, uniform};
use crate::verify::case::{Age, describe, plain_member, setting, smooth, state};
use crate::verify::differences::beside_kinks;
use crate::verify::drive::{Point, points};
use crate::verify::findings::{Findings, Measure};
use crate::verify::line::{Line, gradient_spread, noise_of};
use crate::verify::outcome::Kind;
use crate::verify::rounding::Uncertain;
use crate::verify::tables::fold_of;
use crate::verify::track::widened;

/// Slopes of the loss along lines, on a table of classes and on one of values.
pub const PROBE: Probe = Probe { tables: &[0, 1], names, check };

/// Random lines; one more follows the gradient, where a fault of its size shows most.
const RANDOM_LINES: usize = 20;

/// The step of the stencil, in units of the parameters' length along a line. Where the slope jumps (the kink
/// of relu) it begins shorter.
const STEP: f64 = 1.0 / 32.0;
const STEP_AT_KINKS: f64 = 1.0 / 256.0;

/// A line along the gradient that sees no fault below this share of it is blind.
const BLIND: f64 = 2e-3;

fn names() -> Vec<String> {
    let activations = activation::ALL.iter().map(|member| format!("activation/{}", member.name()));
    let losses = loss::ALL.iter().map(|member| format!("loss/{}", member.name()));
    let layers = layer::ALL.iter().map(|member| format!("layer/{}", member.name()));
    activations.chain(losses).chain(layers).collect()
}

/// A model whose loss is followed.
struct Base {
    name: String,
    number: u32,
    member: Member,
    start: Snapshot,
    lines: Vec<Option<Line>>,
}

fn bases(plan: Plan<'_>, table: usize) -> Vec<Base> {
    let job = &plan.jobs[table];
    let mut bases = Vec::new();
    let mut add = |name: String, hidden: &[usize], rows: usize, change: &dyn Fn(&mut Member)| {
        let mut member = plain_member(job, fold_of(rows), hidden, smooth(), rows);
        change(&mut member);
        let number = bases.len() as u32;
        let start = away_from_kinks(job, &member, number);
        bases.push(Base { name, number, member, start, lines: Vec::new() });
    };
    for activation in activation::ALL {
        let change = |member: &mut Member| member.network.activation = *activation;
        // Few pre-activations, where each may lie at a kink.
        let (hidden, rows): (&[usize], usize) =
            if activation.kinks().is_empty() { (&[6, 5], 33) } else { (&[3, 2], 5) };
        add(format!("activation/{}", activation.name()), hidden, rows, &change);
    }
    for loss in loss::ALL.iter().filter(|loss| loss.fits(job.dataset.task)) {
        let change = |member: &mut Member| {
            member.recipe.loss = *loss;
            member.recipe.balanced = true;
            member.recipe.loss_parameters.label_smoothing = 0.125;
        };
        add(format!("loss/{}", loss.name()), &[7], 33, &change);
    }
    for layer in layer::ALL {
        let (hidden, input_dropout, dropout) = layer.probe();
        let change = |member: &mut Member| {
            (member.recipe.input_dropout, member.recipe.dropout) = (input_dropout, dropout);
        };
        add(format!("layer/{}", layer.name()), &hidden, 33, &change);
    }
    bases
}

/// The first of some states in which every row lies farther from every kink than a line will go.
fn away_from_kinks(job: &Job, member: &Member, number: u32) -> Snapshot {
    const NEAR: f64 = 1.0 / 64.0;
    const MOST_STATES: u32 = 64;
    let at = |salt: u32| state(job, member, Age::Young, 0, 1000 + MOST_STATES * number + salt);
    let mut states = (0..MOST_STATES).map(at);
    let is_away = |start: &Snapshot| {
        let parameters = Uncertain::exact(widened(&start.parameters));
        let places = beside_kinks(setting(job, member), &parameters, start.step);
        places.into_iter().all(|place| place.abs() > NEAR)
    };
    states.find(is_away).unwrap_or_else(|| at(0))
}

fn check(
    findings: &mut Findings,
    engine: &mut dyn Engine,
    plan: Plan<'_>,
    table: usize,
    wants: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let job = &plan.jobs[table];
    let mut bases = bases(plan, table);
    bases.retain(|base| wants(&base.name));
    let middles = bases.iter().map(|base| Point {
        member: base.member.clone(),
        state: base.start.clone(),
        is_read: true,
    });
    let gradients: Vec<Vec<f64>> = points(engine, middles.collect())?
        .into_iter()
        .map(|(_, after)| after.map_or(Vec::new(), |after| widened(&after.m)))
        .collect();
    let mut all = Vec::new();
    for (base, gradient) in bases.iter_mut().zip(&gradients) {
        let directions = directions(gradient, Stream::new(job.seed, Purpose::Verify, 7, base.number, 0));
        let step = if base.member.network.activation.kinks().is_empty() { STEP } else { STEP_AT_KINKS };
        let line = |direction| {
            Line { member: base.member.clone(), start: base.start.clone(), direction, step }.smooth(job)
        };
        base.lines = directions.into_iter().map(line).collect();
        all.extend(base.lines.iter().flatten().flat_map(Line::stencil));
        all.extend(base.lines.iter().flatten().take(1).flat_map(Line::tables));
    }
    let mut losses = points(engine, all)?.into_iter().map(|(report, _)| report.train_loss);
    for (base, gradient) in bases.iter().zip(gradients) {
        let spread = gradient_spread(job, &base.member, &base.start);
        let gradient = Uncertain { value: gradient, spread };
        let mut take = |count: usize| losses.by_ref().take(count).collect::<Vec<f64>>();
        let values: Vec<Vec<f64>> =
            base.lines.iter().flatten().map(|line| take(line.stencil().count())).collect();
        let tables: Vec<f64> =
            base.lines.iter().flatten().take(1).flat_map(|line| take(line.tables().count())).collect();
        let suffix = format!("[{}]", describe(&base.member, job));
        judge(findings, base, &values, noise_of(&tables), &gradient, &suffix);
    }
    Ok(())
}

/// (line, parameter) The gradient's own direction, then random ones; all of length 1.
fn directions(gradient: &[f64], stream: Stream) -> Vec<Vec<f64>> {
    let random = |line: usize| -> Vec<f64> {
        let word = |i: usize| f64::from(uniform(stream.word((4 * line * gradient.len() + i) as u32)));
        // Sums of uniform numbers are near normal, so no axis is preferred.
        (0..gradient.len())
            .map(|i| word(4 * i) + word(4 * i + 1) + word(4 * i + 2) + word(4 * i + 3) - 2.0)
            .collect()
    };
    let unit = |direction: Vec<f64>| {
        let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        direction.into_iter().map(|x| x / length).collect()
    };
    std::iter::once(gradient.to_vec()).chain((0..RANDOM_LINES).map(random)).map(unit).collect()
}

fn judge(
    findings: &mut Findings,
    base: &Base,
    values: &[Vec<f64>],
    noise: Option<f64>,
    gradient: &Uncertain,
    suffix: &str,
) {
    let norm = gradient.value.iter().map(|g| g * g).sum::<f64>().sqrt();
    let all = base.lines.len();
    let skipped = base.lines.iter().filter(|line| line.is_none()).count();
    // Without its noise no line can be judged.
    findings.add_blind(&base.name, Kind::Slopes, if noise.is_some() { skipped } else { all }, all);
    let Some(noise) = noise else { return };
    let numbers = base.lines.iter().enumerate().filter_map(|(number, line)| Some((number, line.as_ref()?)));
    for ((number, line), values) in numbers.zip(values) {
        let slope = line.slope(values, noise, 1.0, gradient);
        let along = if number == 0 { "along the gradient" } else { "along random direction" };
        let place = format!(
            "{along} {number} of {RANDOM_LINES}, step {}: the engine's gradient gives {:e}, differences of its losses \
             {:e} {suffix}",
            line.step, slope.found, slope.expected
        );
        if number == 0 {
            findings.add_blind(&base.name, Kind::Slopes, usize::from(!(slope.tolerance <= BLIND * norm)), 1);
        }
        let error = (slope.found - slope.expected).abs();
        findings.add(&base.name, Kind::Slopes, Measure { error, tolerance: slope.tolerance, place });
    }
}
