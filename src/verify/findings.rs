//! Collects comparisons into checks: of all comparisons of one name and kind the worst is kept, and no
//! check passes by having been blind.

use super::outcome::{Check, Kind};
use super::rounding::{SUBNORMAL, Uncertain, WIDTH};
use crate::model::network::layer_ranges;
use crate::model::recipe::Network;
use std::collections::BTreeMap;

/// A comparison this wide, relative to the largest number of its tensor, sees little.
const BLIND: f64 = 1e-3;

/// A tensor whose largest number is below this is 0 for all that training cares.
const NOTHING: f64 = 1e-30;

/// At most one comparison in so many may be blind or skipped.
const BLIND_SHARE: usize = 10;

/// One comparison.
#[derive(Clone, Debug)]
pub struct Measure {
    /// |found − expected|.
    pub error: f64,
    /// The largest allowed.
    pub tolerance: f64,
    /// Where, with both values.
    pub place: String,
}

impl Measure {
    /// NaN fails.
    fn passed(&self) -> bool {
        self.error <= self.tolerance
    }

    /// How close to failing: above 1 is failed, NaN the worst of all.
    fn severity(&self) -> f64 {
        match self.error {
            error if error.is_nan() => f64::INFINITY,
            0.0 => 0.0,
            error => error / self.tolerance,
        }
    }
}

/// What a comparison belongs to.
#[derive(Clone, Copy)]
pub struct Label<'a> {
    /// The check.
    pub name: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// What was trained, for the place.
    pub suffix: &'a str,
}

/// All comparisons so far.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    worst: BTreeMap<(String, Kind), Measure>,
    /// Comparisons that could not be made or see little, and all.
    blind: BTreeMap<(String, Kind), (usize, usize)>,
}

impl Findings {
    /// Adds a comparison.
    pub fn add(&mut self, name: &str, kind: Kind, measure: Measure) {
        let key = (name.to_owned(), kind);
        match self.worst.get(&key) {
            Some(worst) if worst.severity() >= measure.severity() => {}
            _ => drop(self.worst.insert(key, measure)),
        }
    }

    /// Adds a comparison whose place is told only where it is the worst so far.
    pub fn add_worst(
        &mut self,
        name: &str,
        kind: Kind,
        error: f64,
        tolerance: f64,
        place: impl FnOnce() -> String,
    ) {
        let measure = Measure { error, tolerance, place: String::new() };
        let worst = self.worst.get(&(name.to_owned(), kind));
        if worst.is_none_or(|worst| measure.severity() > worst.severity()) {
            self.add(name, kind, Measure { place: place(), ..measure });
        }
    }

    /// Adds something that must hold exactly; `place` says what was found and expected.
    pub fn add_exact(&mut self, name: &str, kind: Kind, differences: usize, place: impl FnOnce() -> String) {
        self.add(name, kind, Measure { error: differences as f64, tolerance: 0.0, place: place() });
    }

    /// Counts comparisons that were skipped or see little.
    pub fn add_blind(&mut self, name: &str, kind: Kind, blind: usize, all: usize) {
        let count = self.blind.entry((name.to_owned(), kind)).or_default();
        *count = (count.0 + blind, count.1 + all);
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: Self) {
        other.worst.into_iter().for_each(|((name, kind), measure)| self.add(&name, kind, measure));
        for ((name, kind), (blind, all)) in other.blind {
            self.add_blind(&name, kind, blind, all);
        }
    }

    /// Compares two numbers.
    pub fn compare(&mut self, label: Label<'_>, what: &str, (expected, spread): (f64, f64), found: f64) {
        let tolerance = WIDTH * spread + SUBNORMAL;
        let place = format!("{what}: found {found:e}, expected {expected:e} {}", label.suffix);
        self.add(label.name, label.kind, Measure { error: (found - expected).abs(), tolerance, place });
    }

    /// Compares (row, output).
    pub fn compare_outputs(&mut self, label: Label<'_>, expected: &Uncertain, found: &[f32], width: usize) {
        let place = |i: usize| format!("outputs (row {}, output {})", i / width, i % width);
        self.compare_tensor(label, (&expected.value, &expected.spread), found, place);
    }

    /// Compares numbers laid out like a network's parameters, tensor by tensor.
    pub fn compare_layers(
        &mut self,
        label: Label<'_>,
        network: &Network,
        what: &str,
        expected: &Uncertain,
        found: &[f32],
    ) {
        if found.len() != expected.value.len() {
            return self
                .compare_tensor(label, (&expected.value, &expected.spread), found, |_| what.to_owned());
        }
        for (layer, (range, (inputs, outputs))) in
            layer_ranges(network).into_iter().zip(network.layers()).enumerate()
        {
            let bias = range.start + inputs * outputs;
            for part in [range.start..bias, bias..range.end] {
                let is_bias = part.start == bias;
                let place = |i: usize| match is_bias {
                    true => format!("{what} of layer {layer} bias (unit {i})"),
                    false => {
                        let (input, unit) = (i / outputs, i % outputs);
                        format!("{what} of layer {layer} weights (input {input}, unit {unit})")
                    }
                };
                let expected = (&expected.value[part.clone()], &expected.spread[part.clone()]);
                self.compare_tensor(label, expected, &found[part], place);
            }
        }
    }

    /// Compares element by element; keeps the worst.
    fn compare_tensor(
        &mut self,
        label: Label<'_>,
        (expected, spread): (&[f64], &[f64]),
        found: &[f32],
        place: impl Fn(usize) -> String,
    ) {
        let Label { name, kind, suffix } = label;
        if found.len() != expected.len() {
            let place =
                format!("{}: found {} numbers, expected {} {suffix}", place(0), found.len(), expected.len());
            return self.add(name, kind, Measure { error: f64::NAN, tolerance: 0.0, place });
        }
        let largest = expected.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        let mut worst: Option<(usize, Measure)> = None;
        let mut blind = 0;
        for (i, (&expected, &found)) in expected.iter().zip(found).enumerate() {
            let tolerance = WIDTH * spread[i] + SUBNORMAL;
            // A tensor of zeros is compared with zeros: nothing is blind there.
            let sees = largest <= NOTHING || tolerance <= BLIND * largest + SUBNORMAL;
            blind += usize::from(!sees);
            let error = (f64::from(found) - expected).abs();
            let measure = Measure { error, tolerance, place: String::new() };
            if worst.as_ref().is_none_or(|(_, worst)| measure.severity() > worst.severity()) {
                worst = Some((i, measure));
            }
        }
        self.add_blind(name, kind, blind, expected.len());
        if let Some((i, mut measure)) = worst {
            measure.place =
                format!("{}: found {:e}, expected {:e} {suffix}", place(i), found[i], expected[i]);
            self.add(name, kind, measure);
        }
    }

    /// The checks, one per name and kind.
    pub fn into_checks(self) -> Vec<Check> {
        let Self { mut worst, blind } = self;
        // Where every comparison was skipped there is none to be the worst, and the check must fail all the same.
        for (key, _) in blind.iter().filter(|(_, (few, _))| *few > 0) {
            let none = || Measure { error: 0.0, tolerance: 0.0, place: "none: all were skipped".to_owned() };
            worst.entry(key.clone()).or_insert_with(none);
        }
        worst
            .into_iter()
            .map(|((name, kind), measure)| {
                let passed = measure.passed();
                let mut place = measure.place;
                let (few, all) = blind.get(&(name.clone(), kind)).copied().unwrap_or_default();
                let seeing = few * BLIND_SHARE <= all;
                if passed && !seeing {
                    place = format!(
                        "{few} of {all} comparisons were skipped at a kink or too wide to see a fault: more than \
                         one in {BLIND_SHARE}; nearest to failing was {place}"
                    );
                }
                let Measure { error: worst_error, tolerance, .. } = measure;
                let blind = passed && !seeing;
                Check { name, kind, plan: None, worst_error, tolerance, passed: passed && seeing, place, blind }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check all of whose comparisons were skipped was missing from the outcome, which then passed.
    #[test]
    fn a_check_that_saw_nothing_fails() {
        let mut findings = Findings::default();
        findings.add_blind("loss/some", Kind::Slopes, 3, 3);
        let checks = findings.into_checks();
        assert_eq!(checks.len(), 1);
        assert!(!checks[0].passed && checks[0].blind, "{}", checks[0].place);
        assert!(checks[0].place.starts_with("3 of 3 comparisons were skipped"), "{}", checks[0].place);
    }

    #[test]
    fn a_few_skipped_comparisons_beside_many_made_pass() {
        let mut findings = Findings::default();
        findings.add_blind("loss/some", Kind::Slopes, 1, 21);
        let place = "along a line".to_owned();
        findings.add("loss/some", Kind::Slopes, Measure { error: 1.0, tolerance: 2.0, place });
        assert!(findings.into_checks()[0].passed);
    }
}
