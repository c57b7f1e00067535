//! How much work a step is, and how long it would take a device that did nothing but that at its limits.
//!
//! One step of a member with P weights, P₁ of them in the first layer (which needs no input gradient), on B
//! rows is (6·P − 2·P₁)·B floating-point operations. Through memory it moves 8·(1 + s) bytes a parameter (it
//! and its s numbers of optimizer state, read and written; 24 for adam) and its activations: each feature is
//! read for the forward product and for the gradient; each hidden value written, and read for the next
//! layer, for its derivative and for the gradient; each dL/dz written, and read for two products; the same
//! of each output.
//!
//! The roof of a member is its device's peak where its state and one minibatch's activations fit the memory
//! on the chip (see [`Ceilings::on_chip`]), since nothing then needs to move; else min(peak, intensity ×
//! bandwidth). The roof of a mix is that of its steps one after another. A cache that holds more than
//! `on_chip` can lift a member above its roof: [`Work::roof_seconds`] is a model, the peak a measurement.

use crate::engine::ceiling::Ceilings;
use crate::model::recipe::Member;

/// Bytes of a number.
const NUMBER: f64 = 4.0;

/// Work that was or could be done: a sum over steps of members.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Steps of the optimizer.
    pub steps: f64,
    /// Rows of their minibatches.
    pub samples: f64,
    /// Floating-point operations.
    pub flops: f64,
    /// Seconds at the roof.
    pub roof_seconds: f64,
    /// Those of them that are spent at the roof of the memory.
    pub memory_seconds: f64,
}

impl Work {
    /// One step of a member on so many rows.
    pub fn step(member: &Member, rows: usize, ceilings: &Ceilings) -> Self {
        let flops = flops(member, rows);
        let at_peak = flops / ceilings.peak.median;
        let moves = on_chip_bytes(member, rows) > ceilings.on_chip as f64;
        let at_copy = if moves { moved_bytes(member, rows) / ceilings.copy.median } else { 0.0 };
        Self {
            steps: 1.0,
            samples: rows as f64,
            flops,
            roof_seconds: at_peak.max(at_copy),
            memory_seconds: if at_copy > at_peak { at_copy } else { 0.0 },
        }
    }

    /// An epoch of a member on so many rows, its last minibatch short where they do not divide.
    pub fn epoch(member: &Member, row_count: usize, ceilings: &Ceilings) -> Self {
        let (batch, _) = member.recipe.steps(row_count);
        let whole = Self::step(member, batch, ceilings).times((row_count / batch) as f64);
        match row_count % batch {
            0 => whole,
            rest => whole.and(Self::step(member, rest, ceilings)),
        }
    }

    /// So many times this.
    pub fn times(self, count: f64) -> Self {
        Self {
            steps: count * self.steps,
            samples: count * self.samples,
            flops: count * self.flops,
            roof_seconds: count * self.roof_seconds,
            memory_seconds: count * self.memory_seconds,
        }
    }

    /// This and more.
    pub fn and(self, more: Self) -> Self {
        Self {
            steps: self.steps + more.steps,
            samples: self.samples + more.samples,
            flops: self.flops + more.flops,
            roof_seconds: self.roof_seconds + more.roof_seconds,
            memory_seconds: self.memory_seconds + more.memory_seconds,
        }
    }

    /// What limits it at the roof: `compute`, `memory` or, in a mix, `both`.
    pub fn roof(&self) -> &'static str {
        match self.memory_seconds / self.roof_seconds {
            share if share < 0.01 => "compute",
            share if share > 0.99 => "memory",
            _ => "both",
        }
    }
}

fn flops(member: &Member, rows: usize) -> f64 {
    let products = |(inputs, outputs): (usize, usize)| (inputs * outputs) as f64;
    let weights: f64 = member.network.layers().map(products).sum();
    let first = products(member.network.shape(0));
    (6.0 * weights - 2.0 * first) * rows as f64
}

fn hidden_units(member: &Member) -> f64 {
    member.network.hidden.iter().sum::<usize>() as f64
}

/// Bytes that one step reads and writes where nothing of it stays on the chip.
fn moved_bytes(member: &Member, rows: usize) -> f64 {
    let (network, optimizer) = (&member.network, member.recipe.optimizer);
    let state = 2.0 * (1 + optimizer.state_count()) as f64 * network.parameter_count() as f64;
    let units = 7.0 * hidden_units(member) + 6.0 * network.output_count as f64;
    NUMBER * (state + rows as f64 * (2.0 * network.input_count as f64 + units))
}

/// Bytes of a member's state, of one minibatch, of its activations and of their gradients.
fn on_chip_bytes(member: &Member, rows: usize) -> f64 {
    let (network, optimizer) = (&member.network, member.recipe.optimizer);
    let state = (1 + optimizer.state_count()) as f64 * network.parameter_count() as f64;
    let units = 2.0 * hidden_units(member) + (network.input_count + network.output_count) as f64;
    NUMBER * (state + rows as f64 * units)
}

#[cfg(test)]
mod tests {
    use super::super::workload;
    use super::*;
    use crate::engine::ceiling::Spread;

    fn ceilings(peak: f64, copy: f64, on_chip: u64) -> Ceilings {
        let exactly = |value| Spread { median: value, min: value, max: value };
        Ceilings { peak: exactly(peak), copy: exactly(copy), on_chip }
    }

    /// 64-128-128-10 at 128 rows: 25,856 weights, 8,192 of them in the first layer; 26,122 parameters.
    #[test]
    fn a_step_is_counted_as_the_formulas_say() {
        let member = workload::ALL[1].member(0);
        assert_eq!(flops(&member, 128), (6.0 * 25_856.0 - 2.0 * 8_192.0) * 128.0);
        let activations = 128.0 * (2.0 * 64.0 + 7.0 * 256.0 + 6.0 * 10.0);
        assert_eq!(moved_bytes(&member, 128), 24.0 * 26_122.0 + 4.0 * activations);
        // What notes on performance say of this network.
        let intensity = flops(&member, 128) / moved_bytes(&member, 128);
        assert!((10.0..15.0).contains(&intensity), "{intensity}");
    }

    #[test]
    fn memory_limits_only_what_does_not_fit_the_chip() {
        let member = workload::ALL[1].member(0);
        let step = |copy, on_chip| Work::step(&member, 128, &ceilings(1e12, copy, on_chip));
        assert_eq!(step(1e9, 1 << 20).roof(), "compute");
        assert_eq!(step(1e9, 1 << 10).roof(), "memory");
        assert_eq!(step(1e12, 1 << 10).roof(), "compute");
        let mix = step(1e9, 1 << 20).times(1e3).and(step(1e9, 1 << 10));
        assert_eq!((mix.roof(), mix.steps), ("both", 1001.0));
    }

    #[test]
    fn an_epoch_counts_every_row_once() {
        let member = workload::ALL[0].member(0);
        let epoch = Work::epoch(&member, 100, &ceilings(1e9, 1e9, 1 << 20));
        let step = Work::step(&member, 32, &ceilings(1e9, 1e9, 1 << 20));
        assert_eq!((epoch.steps, epoch.samples), (4.0, 100.0));
        assert!((epoch.flops / step.flops - 100.0 / 32.0).abs() < 1e-12);
    }
}
