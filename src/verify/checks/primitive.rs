//! The functions that all kernels are made of, swept against f64 in units in the last place; integer
//! arithmetic against the host's, and Philox against the known answers of its authors.

use super::{Plan, Probe};
use crate::engine::Engine;
use crate::error::Result;
use crate::model::primitive::{self, Kind, Primitive, Sweep, Words};
use crate::random::{Purpose, Stream, uniform};
use crate::verify::findings::{Findings, Measure};
use crate::verify::outcome;

/// Sweeps every primitive.
pub const PROBE: Probe = Probe { tables: &[0], names, check };

/// Random123's `kat_vectors` for philox4x32 of ten rounds: the answers to the first operands tried.
const KNOWN_ANSWERS: [Words; 3] = [
    [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
    [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
    [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
];

fn names() -> Vec<String> {
    primitive::ALL.iter().map(name_of).collect()
}

fn name_of(primitive: &Primitive) -> String {
    format!("primitive/{}", primitive.name)
}

fn check(
    findings: &mut Findings,
    engine: &mut dyn Engine,
    plan: Plan<'_>,
    _table: usize,
    wants: &dyn Fn(&str) -> bool,
) -> Result<()> {
    for primitive in primitive::ALL.iter().filter(|primitive| wants(&name_of(primitive))) {
        match primitive.kind {
            Kind::Number { exact, sweeps, .. } => {
                for (number, sweep) in sweeps.iter().enumerate() {
                    let stream = Stream::new(plan.jobs[0].seed, Purpose::Verify, 6, number as u32, 0);
                    let count =
                        if sweep.low == sweep.high { 1 } else { plan.by_level(1 << 10, 1 << 13, 1 << 17) };
                    sweep_number(findings, engine, primitive, sweep, exact, (stream, count))?;
                }
            }
            Kind::Words { host, operands } => compare_words(findings, engine, primitive, host, &operands())?,
        }
    }
    Ok(())
}

/// `count` times four arguments of a sweep, each drawn within its own part of the range.
fn sweep_number(
    findings: &mut Findings,
    engine: &mut dyn Engine,
    primitive: &'static Primitive,
    sweep: &Sweep,
    exact: fn(f64, f64) -> f64,
    (stream, count): (Stream, u32),
) -> Result<()> {
    let total = f64::from(4 * count);
    let operands: Vec<[Words; 2]> = (0..count)
        .map(|element| {
            let (first, second) = (stream.block(2 * element), stream.block(2 * element + 1));
            let share = |lane: usize| {
                (f64::from(4 * element) + lane as f64 + f64::from(uniform(first[lane]))) / total
            };
            let x = std::array::from_fn(|lane| sweep.at(share(lane)).to_bits());
            [x, second.map(|word| sweep.at(f64::from(uniform(word))).to_bits())]
        })
        .collect();
    let outcomes = engine.compute(primitive, &operands)?;
    let mut worst: Option<Measure> = None;
    for ([x, y], found) in operands.iter().zip(&outcomes) {
        for lane in 0..4 {
            let [x, y, found] = [x[lane], y[lane], found[lane]].map(|bits| f64::from(f32::from_bits(bits)));
            let expected = exact(x, y);
            let error = units_between(found, expected);
            let tops = |worst: &Measure| !(error <= worst.error);
            if worst.as_ref().is_none_or(tops) {
                let place = format!(
                    "{} of x = {x:e}, y = {y:e}: found {found:e}, expected {expected:e}; errors in units in the last \
                     place, over {total} points from {:e} to {:e} [shaders/numerics.wgsl, src/model/real/single.rs]",
                    primitive.shader, sweep.low, sweep.high
                );
                worst = Some(Measure { error, tolerance: sweep.units, place });
            }
        }
    }
    let missing = operands.len().abs_diff(outcomes.len());
    findings.add_exact(&name_of(primitive), outcome::Kind::Functions, missing, || {
        format!("{} operands gave {} outcomes", operands.len(), outcomes.len())
    });
    if let Some(worst) = worst {
        findings.add(&name_of(primitive), outcome::Kind::Functions, worst);
    }
    Ok(())
}

/// |found − expected| in units in the last place that f32 has at `expected`. What lies below the normal
/// range may be flushed to 0.
fn units_between(found: f64, expected: f64) -> f64 {
    let smallest = f64::from(f32::MIN_POSITIVE);
    if expected.abs() < smallest && found.abs() <= smallest {
        return 0.0;
    }
    let exponent = expected.abs().max(smallest).log2().floor();
    (found - expected).abs() / (exponent - 23.0).exp2()
}

fn compare_words(
    findings: &mut Findings,
    engine: &mut dyn Engine,
    primitive: &'static Primitive,
    host: fn(Words, Words) -> Words,
    operands: &[[Words; 2]],
) -> Result<()> {
    let outcomes = engine.compute(primitive, operands)?;
    let known: &[Words] = if primitive.name == "philox4x32" { &KNOWN_ANSWERS } else { &[] };
    let expected = |i: usize| known.get(i).copied().unwrap_or_else(|| host(operands[i][0], operands[i][1]));
    let wrong: Vec<usize> = (0..operands.len()).filter(|&i| outcomes.get(i) != Some(&expected(i))).collect();
    findings.add_exact(&name_of(primitive), outcome::Kind::Functions, wrong.len(), || match wrong.first() {
        None => format!("{} of {} operands, equal to the bit", primitive.shader, operands.len()),
        Some(&i) => format!(
            "{} of {:x?}: found {:x?}, expected {:x?} [shaders/random.wgsl, shaders/numerics.wgsl]",
            primitive.shader,
            operands[i],
            outcomes.get(i),
            expected(i)
        ),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::units_between;

    #[test]
    fn a_neighbour_is_one_unit_away_and_a_nan_is_never_near() {
        for x in [1.0_f32, 1.999, 3e-20, -7.5e30] {
            let next = f32::from_bits(x.to_bits() + 1);
            assert_eq!(units_between(f64::from(next), f64::from(x)), 1.0, "{x}");
        }
        assert_eq!(units_between(0.0, 1e-40), 0.0);
        assert!(units_between(f64::NAN, 1.0).is_nan());
        assert!(units_between(1e-30, 0.0) > 1e6);
    }
}
