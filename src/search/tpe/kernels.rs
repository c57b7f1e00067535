//! Product kernels: each is a distribution of configurations around one that was tried.
//!
//! All densities are relative to the space's own distribution, in which every kernel is that of a place in
//! [0, 1] for each number: a hyperparameter that the kernel's configuration does not have is drawn from the
//! space, and its factor is 1. So each kernel is a distribution over the whole tree of a conditional space.
//!
//! | symbol | shape | what |
//! |---|---|---|
//! | c, σ | (number, kernel) | centre and deviation of a normal distribution cut off at 0 and 1 |
//! | Z | (number, kernel) | Φ((1 − c)/σ) − Φ(−c/σ) |
//! | ε | | what every value of a choice has beside the one of the kernel |
//!
//! A number with few values has the mean density over the cell of each, (Φ((b − c)/σ) − Φ((a − c)/σ)) / (Z (b − a));
//! any other the density at the middle, exp(−½((x − c)/σ)²) / (σ √2π Z). A choice of K values has K (1 + ε)/(1 + Kε)
//! for the kernel's own value and K ε/(1 + Kε) for others (Aitchison and Aitken 1976).

use crate::search::frame::{Frame, Member};
use crate::search::normal;

/// Values of a number up to which its densities are means over cells; more are as good as continuous.
const MOST_CELLS: u128 = 64;
/// A choice that the kernel's configuration does not have.
const ABSENT: usize = usize::MAX;

/// Kernels of a space, in the order in which they were added.
#[derive(Clone)]
pub struct Kernels {
    numbers: Vec<Number>,
    choices: Vec<Choice>,
    count: usize,
}

/// One number of all kernels.
#[derive(Clone)]
enum Number {
    /// c and 1/σ, and −ln(σ √2π Z); all 0 where the kernel does not have it.
    Fine { centers: Vec<f64>, inverses: Vec<f64>, levels: Vec<f64> },
    /// The cells, and by value the logarithm of every kernel's mean density; 0 where it does not have it.
    Coarse { cells: Vec<(f64, f64)>, logs: Vec<Vec<f64>> },
}

/// One choice of all kernels.
#[derive(Clone)]
struct Choice {
    value_count: usize,
    /// (kernel) the index of its value, or [`ABSENT`].
    values: Vec<usize>,
}

/// The middle of the places of a value.
pub fn middle((low, high): (f64, f64)) -> f64 {
    0.5 * (low + high)
}

impl Kernels {
    /// None yet, for a space.
    pub fn new(frame: &Frame) -> Self {
        let number = |coordinate| match frame.size(coordinate) {
            Some(size) if size <= MOST_CELLS => {
                let cells: Vec<_> = (0..size).filter_map(|i| frame.cell_at(coordinate, i)).collect();
                Number::Coarse { logs: vec![Vec::new(); cells.len()], cells }
            }
            _ => Number::Fine { centers: Vec::new(), inverses: Vec::new(), levels: Vec::new() },
        };
        let choices = frame.value_counts().map(|value_count| Choice { value_count, values: Vec::new() });
        Self {
            numbers: (0..frame.number_count()).map(number).collect(),
            choices: choices.collect(),
            count: 0,
        }
    }

    /// One more, around a configuration, with a deviation in (0, 1] for each number.
    pub fn push(&mut self, member: &Member, deviations: impl Iterator<Item = f64>) {
        for number in &mut self.numbers {
            match number {
                Number::Fine { centers, inverses, levels } => {
                    [centers, inverses, levels].into_iter().for_each(|column| column.push(0.0));
                }
                Number::Coarse { logs, .. } => logs.iter_mut().for_each(|column| column.push(0.0)),
            }
        }
        for (choice, value) in self.choices.iter_mut().zip(&member.values) {
            choice.values.push(value.unwrap_or(ABSENT));
        }
        self.count += 1;
        self.widen(self.count - 1, member, deviations);
    }

    /// Gives a kernel, around the same configuration, other deviations.
    pub fn widen(&mut self, kernel: usize, member: &Member, deviations: impl Iterator<Item = f64>) {
        for ((number, cell), deviation) in self.numbers.iter_mut().zip(&member.cells).zip(deviations) {
            if let Some(cell) = cell {
                number.set(kernel, middle(*cell), deviation);
            }
        }
    }

    /// Adds to the sum of every kernel the logarithm of its density at a configuration.
    pub fn add_logs(&self, member: &Member, smoothing: f64, sums: &mut [f64]) {
        for (number, cell) in self.numbers.iter().zip(&member.cells) {
            if let Some(cell) = cell {
                number.add_logs(middle(*cell), sums);
            }
        }
        for (choice, value) in self.choices.iter().zip(&member.values) {
            if let Some(value) = value {
                choice.add_logs(*value, smoothing, sums);
            }
        }
    }
}

impl Number {
    fn set(&mut self, kernel: usize, center: f64, deviation: f64) {
        let share = normal::mass(-center / deviation, (1.0 - center) / deviation);
        match self {
            Self::Fine { centers, inverses, levels } => {
                let sqrt_tau = std::f64::consts::TAU.sqrt();
                centers[kernel] = center;
                inverses[kernel] = 1.0 / deviation;
                levels[kernel] = -libm::log(deviation * sqrt_tau * share);
            }
            Self::Coarse { cells, logs } => {
                for ((low, high), column) in cells.iter().zip(logs) {
                    let mass = normal::mass((low - center) / deviation, (high - center) / deviation);
                    column[kernel] = libm::log(mass / (share * (high - low)));
                }
            }
        }
    }

    fn add_logs(&self, place: f64, sums: &mut [f64]) {
        match self {
            Self::Fine { centers, inverses, levels } => {
                let columns = centers.iter().zip(inverses).zip(levels);
                for (sum, ((center, inverse), level)) in sums.iter_mut().zip(columns) {
                    let z = (place - center) * inverse;
                    *sum += level - 0.5 * z * z;
                }
            }
            Self::Coarse { cells, logs } => {
                let value = cells.partition_point(|(_, high)| *high <= place).min(cells.len() - 1);
                sums.iter_mut().zip(&logs[value]).for_each(|(sum, log)| *sum += log);
            }
        }
    }
}

impl Choice {
    fn add_logs(&self, value: usize, smoothing: f64, sums: &mut [f64]) {
        let count = self.value_count as f64;
        let whole = 1.0 + count * smoothing;
        let same = libm::log(count * (1.0 + smoothing) / whole);
        let other = libm::log(count * smoothing / whole);
        for (sum, own) in sums.iter_mut().zip(&self.values) {
            *sum += match *own {
                ABSENT => 0.0,
                own if own == value => same,
                _ => other,
            };
        }
    }
}
