//! Scrambled Sobol points (Sobol 1967; Joe and Kuo 2008): trial n is point n, which fills the space evenly
//! however many there are.

use super::sequence::{self, Sequence};
use super::{Settings, Strategy, StrategyKind, Unguided};
use crate::random::{Purpose, Stream};
use crate::setting::Chosen;
use crate::space::Space;
use rand::Rng;

/// Degrees, polynomials and first direction numbers of dimensions 2 to 256, with their source and licence.
const JOE_KUO: &str = include_str!("joe_kuo.txt");

/// Dimensions that have direction numbers; the rest draw uniform numbers.
const MOST_DIMENSIONS: usize = 256;

/// Binary digits of a coordinate: all that an f64 holds below 1.
const BITS: usize = 53;

/// The streams of the scrambling, a step per dimension; and of further dimensions, a step per point.
const SCRAMBLING: usize = 16;
const UNIFORM: usize = 17;

/// Scrambled Sobol points.
pub struct SobolSearch;

impl StrategyKind for SobolSearch {
    fn name(&self) -> &'static str {
        "sobol"
    }
    fn summary(&self) -> &'static str {
        "scrambled Sobol points: as random, but spread evenly; best at 8, 16, 32, … trials"
    }
    fn learns(&self, _: &Chosen) -> bool {
        false
    }
    fn notes(&self, space: &Space, _: &Settings) -> Vec<String> {
        let count = sequence::free_dimensions(space).count();
        let more = format!(
            "a Sobol sequence has {MOST_DIMENSIONS} dimensions: the other {} of this space are random",
            count.saturating_sub(MOST_DIMENSIONS)
        );
        (count > MOST_DIMENSIONS).then_some(more).into_iter().collect()
    }
    fn unguided(&self, _: &Space, _: &Settings) -> Unguided {
        Unguided::Even
    }
    fn create(&self, settings: &Settings) -> Box<dyn Strategy> {
        Box::new(sequence::Points::new(settings, Sobol::new))
    }
}

/// A scrambled Sobol sequence.
///
/// Dimension j of point n is ⊕ₖ gₖ·Lⱼvⱼₖ ⊕ sⱼ, where g = n ⊕ ⌊n/2⌋ is the Gray code of n, vⱼₖ are the
/// direction numbers, Lⱼ is a random lower triangular matrix of bits with ones on its diagonal, and sⱼ a random
/// shift (Matoušek, "On the L2-discrepancy for anchored boxes", Journal of Complexity 14, 1998). Each point is
/// uniform in the unit cube, and any 2^m that begin at a multiple of 2^m lie as evenly as those of the plain
/// sequence: the scrambling takes elementary intervals to elementary intervals.
pub(in crate::search) struct Sobol {
    /// Lⱼvⱼₖ by dimension, k upward; the highest of 53 bits is worth 1/2.
    directions: Vec<[u64; BITS]>,
    shifts: Vec<u64>,
    seed: u64,
    dimensions: usize,
}

impl Sobol {
    /// The sequence of a seed in this many dimensions.
    pub fn new(dimensions: usize, seed: u64) -> Self {
        let mut plain = Self::unscrambled(dimensions);
        plain.seed = seed;
        for (dimension, (directions, shift)) in (0..).zip(plain.directions.iter_mut().zip(&mut plain.shifts))
        {
            let mut stream = Stream::new(seed, Purpose::Search, SCRAMBLING, dimension, 0).reader();
            let columns: [u64; BITS] = std::array::from_fn(|k| {
                let diagonal = highest_bit() >> k;
                diagonal | stream.next_u64() & (diagonal - 1)
            });
            directions.iter_mut().for_each(|direction| *direction = product(&columns, *direction));
            *shift = stream.next_u64() >> (64 - BITS);
        }
        plain
    }

    /// The same without scrambling, from (0, 0, …) and (½, ½, …) on.
    fn unscrambled(dimensions: usize) -> Self {
        let lines = JOE_KUO.lines().filter(|line| !line.starts_with('#'));
        let first = std::iter::once(std::array::from_fn(|k| highest_bit() >> k));
        let directions: Vec<_> = first.chain(lines.map(direction_numbers)).take(dimensions).collect();
        Self { shifts: vec![0; directions.len()], directions, seed: 0, dimensions }
    }

    /// Point `index`, from 0 on: a coordinate in [0, 1) per dimension. Points repeat after 2⁵³.
    pub fn point(&self, index: u64) -> Vec<f64> {
        let gray = (index ^ index >> 1) & (u64::MAX >> (64 - BITS));
        let coordinate = |(directions, shift): (&[u64; BITS], &u64)| {
            let (mut rest, mut bits) = (gray, *shift);
            while rest != 0 {
                bits ^= directions[rest.trailing_zeros() as usize];
                rest &= rest - 1;
            }
            from_bits(bits)
        };
        let mut point: Vec<f64> = self.directions.iter().zip(&self.shifts).map(coordinate).collect();
        let (step, fold) = (index as u32, (index >> 32) as u32);
        let mut further = Stream::new(self.seed, Purpose::Search, UNIFORM, step, fold).reader();
        point.resize_with(self.dimensions, || from_bits(further.next_u64() >> (64 - BITS)));
        point
    }
}

impl Sequence for Sobol {
    fn point(&self, index: u64) -> Vec<f64> {
        self.point(index)
    }
}

/// The bit that is worth 1/2.
fn highest_bit() -> u64 {
    1 << (BITS - 1)
}

fn from_bits(bits: u64) -> f64 {
    bits as f64 * 2_f64.powi(-(BITS as i32))
}

/// The product of a matrix of bits, given by its columns, with a vector; both from the highest bit on.
fn product(columns: &[u64; BITS], vector: u64) -> u64 {
    let is_set = |k: usize| vector & highest_bit() >> k != 0;
    columns.iter().enumerate().filter(|(k, _)| is_set(*k)).fold(0, |sum, (_, column)| sum ^ column)
}

/// The direction numbers of a line of the table: dimension, degree s, coefficients a, m₁ … mₛ.
///
/// vₖ = mₖ/2ᵏ for k ≤ s; then vₖ = a₁vₖ₋₁ ⊕ … ⊕ aₛ₋₁vₖ₋ₛ₊₁ ⊕ vₖ₋ₛ ⊕ vₖ₋ₛ/2ˢ (Bratley and Fox, "Algorithm 659",
/// ACM Transactions on Mathematical Software 14, 1988).
fn direction_numbers(line: &str) -> [u64; BITS] {
    let numbers: Vec<u64> = line.split(' ').filter_map(|number| number.parse().ok()).collect();
    let (degree, inner, first) = (numbers[1] as usize, numbers[2], &numbers[3..]);
    let mut directions = [0; BITS];
    for k in 0..BITS {
        directions[k] = match first.get(k) {
            Some(m) => m << (BITS - 1 - k),
            None => (1..degree)
                .filter(|j| inner >> (degree - 1 - j) & 1 == 1)
                .fold(directions[k - degree] ^ directions[k - degree] >> degree, |sum, j| {
                    sum ^ directions[k - j]
                }),
        };
    }
    directions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SciPy's points, as whole multiples of 2⁻²⁰: both must agree in every bit.
    #[test]
    fn unscrambled_points_are_those_of_scipy_in_all_dimensions() {
        let stored: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/reference/sequences.json")).unwrap();
        let sobol = Sobol::unscrambled(MOST_DIMENSIONS);
        for case in stored["sobol"].as_array().unwrap() {
            let index = case["index"].as_u64().unwrap();
            let expected: Vec<f64> = case["numerators"].as_array().unwrap().iter().map(as_real).collect();
            let found: Vec<f64> = sobol.point(index).iter().map(|x| x * 2_f64.powi(20)).collect();
            assert_eq!(found, expected, "point {index}");
        }
        let first: Vec<Vec<f64>> = (0..6).map(|index| Sobol::unscrambled(2).point(index)).collect();
        let expected = [[0.0, 0.0], [0.5, 0.5], [0.75, 0.25], [0.25, 0.75], [0.375, 0.375], [0.875, 0.875]];
        assert_eq!(first, expected);
    }

    fn as_real(value: &serde_json::Value) -> f64 {
        value.as_f64().unwrap()
    }

    #[test]
    fn dimensions_without_direction_numbers_are_uniform_and_change_with_the_point() {
        let sobol = Sobol::new(MOST_DIMENSIONS + 44, 3);
        let tail = |index| sobol.point(index)[MOST_DIMENSIONS..].to_vec();
        assert_ne!(tail(0), tail(1));
        assert_ne!(tail(1), tail(1 + (1 << 32)));
        assert_eq!(tail(7), Sobol::new(MOST_DIMENSIONS + 44, 3).point(7)[MOST_DIMENSIONS..]);
        let all: Vec<f64> = (0..100).flat_map(tail).collect();
        assert!(all.iter().all(|x| (0.0..1.0).contains(x)));
        // The mean of 4,400 uniform numbers has a standard deviation of 0.00435.
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!((mean - 0.5).abs() < 0.0175, "{mean}");
    }
}
