//! Counter-based random numbers: Philox4x32-10 streams and the keyed permutation that draws minibatches.
//!
//! Every random number of a study is a pure function of the study's seed and of *what it is for*: no
//! stream has a state that a neighbour could disturb, and no stream knows the number of a trial, so
//! two trials of equal shape see equal initial weights and equal minibatches.
//!
//! | word of the counter | holds |
//! |---|---|
//! | 0 | element / 4 (a call gives four words) |
//! | 1 | step or epoch |
//! | 2 | fold, counted through all repeats |
//! | 3 | purpose + layer · 2⁸ |
//!
//! Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The WGSL twin is
//! `shaders/random.wgsl`.

use std::convert::Infallible;

/// What a stream is for; the low byte of the counter's last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Initial weights.
    Initialize = 1,
    /// The order of the rows within an epoch.
    Shuffle = 2,
    /// Dropout masks.
    Dropout = 3,
    /// Splits into folds.
    Split = 4,
    /// Proposals of a search strategy.
    Search = 5,
    /// Inputs of the verifier's checks.
    Verify = 6,
    /// What a report draws: samples of trials and of rows.
    Report = 7,
}

/// Philox4x32-10: ten rounds of two 32×32→64 bit products.
#[inline(always)]
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let product0 = u64::from(counter[0]) * 0xD251_1F53;
        let product1 = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [
            (product1 >> 32) as u32 ^ counter[1] ^ key[0],
            product1 as u32,
            (product0 >> 32) as u32 ^ counter[3] ^ key[1],
            product0 as u32,
        ];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

/// The Philox key of a study: its seed, low word first.
pub fn key_of(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// A word as a uniform number in [0, 1): its upper 24 bits times 2⁻²⁴, exact in f32.
#[inline(always)]
pub fn uniform(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// One stream of a study: everything of the counter but the element.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    key: [u32; 2],
    /// Words 1 to 3 of the counter.
    place: [u32; 3],
}

impl Stream {
    /// The stream for a purpose (and layer) at a step (or epoch) of a fold.
    pub fn new(seed: u64, purpose: Purpose, layer: usize, step: u32, fold: u32) -> Self {
        Self { key: key_of(seed), place: [step, fold, purpose as u32 | (layer as u32) << 8] }
    }

    /// The four words of block `block`: elements 4·block to 4·block + 3.
    #[inline(always)]
    pub fn block(&self, block: u32) -> [u32; 4] {
        philox4x32([block, self.place[0], self.place[1], self.place[2]], self.key)
    }

    /// The words of elements 0, 1, …: whole blocks, many side by side in SIMD lanes.
    pub fn fill(&self, blocks: &mut [[u32; 4]]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (block, words) in (0..).zip(blocks) {
                    *words = self.block(block);
                }
            },
        );
    }

    /// The word of one element.
    pub fn word(&self, element: u32) -> u32 {
        self.block(element / 4)[(element % 4) as usize]
    }

    /// The stream read in order, as a source for the `rand` crate's distributions.
    pub fn reader(self) -> StreamReader {
        StreamReader { stream: self, next: 0, block: [0; 4] }
    }
}

/// A [`Stream`] read in order; implements the `rand` crate's generator traits.
#[derive(Clone, Debug)]
pub struct StreamReader {
    stream: Stream,
    next: u32,
    block: [u32; 4],
}

impl rand::TryRng for StreamReader {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        if self.next.is_multiple_of(4) {
            self.block = self.stream.block(self.next / 4);
        }
        let word = self.block[(self.next % 4) as usize];
        self.next = self.next.wrapping_add(1);
        Ok(word)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = u64::from(self.try_next_u32()?);
        Ok(low | u64::from(self.try_next_u32()?) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            let word = self.try_next_u32()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

/// A seeded bijection of 0..count: an 8-round Feistel network on the smallest even number of bits that
/// covers `count`, walked along its cycle until it lands inside.
///
/// It replaces an index list: row `p` of an epoch is `permutation.at(p)`, computed where it is needed.
/// Cycle walking (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002) takes fewer than
/// four walks on average, since the domain is at most four times `count`.
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    count: u32,
    half_bits: u32,
    keys: [u32; 8],
}

impl Permutation {
    /// The permutation of `count` rows in one epoch of one fold. `count` must be in 1..=2³⁰.
    pub fn new(seed: u64, epoch: u32, fold: u32, count: u32) -> Self {
        let stream = Stream::new(seed, Purpose::Shuffle, 0, epoch, fold);
        let (low, high) = (stream.block(0), stream.block(1));
        Self {
            count,
            half_bits: Self::half_bits(count),
            keys: [low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3]],
        }
    }

    /// Half the number of bits of the Feistel domain that covers `count`.
    pub fn half_bits(count: u32) -> u32 {
        (u32::BITS - (count - 1).leading_zeros()).div_ceil(2).max(1)
    }

    /// Where position `position` (less than the count) is sent.
    pub fn at(&self, position: u32) -> u32 {
        let mut value = self.encrypt(position);
        while value >= self.count {
            value = self.encrypt(value);
        }
        value
    }

    /// Where every position is sent: [`at`](Self::at) of 0, 1, …, many walks side by side in SIMD lanes.
    pub fn all(&self) -> Vec<u32> {
        let mut order = vec![0; self.count as usize];
        let mut positions: Vec<u32> = (0..self.count).collect();
        let mut values = positions.clone();
        while !values.is_empty() {
            self.encrypt_all(&mut values);
            // Every walk writes where it stands; those still outside are kept and write again.
            let mut outside = 0;
            for walk in 0..values.len() {
                let (position, value) = (positions[walk], values[walk]);
                order[position as usize] = value;
                (positions[outside], values[outside]) = (position, value);
                outside += usize::from(value >= self.count);
            }
            values.truncate(outside);
        }
        order
    }

    fn encrypt_all(&self, values: &mut [u32]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || values.iter_mut().for_each(|value| *value = self.encrypt(*value)),
        );
    }

    #[inline(always)]
    fn encrypt(&self, value: u32) -> u32 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half_bits | right
    }
}

/// A bijective 32-bit hash (the "lowbias32" constants of C. Wellons' hash-prospector).
#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x7feb_352d);
    x ^= x >> 15;
    x = x.wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers shipped with Random123 (`kat_vectors`, philox4x32 10).
    #[test]
    fn philox_matches_the_random123_known_answers() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32(counter, key), expected);
        }
    }

    #[test]
    fn a_stream_filled_at_once_has_the_words_of_its_blocks() {
        let stream = Stream::new(42, Purpose::Dropout, 3, 5, 1);
        let mut blocks = [[0; 4]; 37];
        stream.fill(&mut blocks);
        for (block, words) in (0..).zip(blocks) {
            assert_eq!(words, stream.block(block));
        }
    }

    #[test]
    fn a_permutation_sends_every_position_to_a_row_of_its_own() {
        for count in [1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 344, 1000, 4097] {
            let permutation = Permutation::new(7, 3, 1, count);
            let mut seen = vec![false; count as usize];
            for position in 0..count {
                let row = permutation.at(position) as usize;
                assert!(!std::mem::replace(&mut seen[row], true), "row {row} of {count} drawn twice");
            }
        }
    }

    #[test]
    fn all_positions_at_once_go_where_each_goes_alone() {
        for count in [1, 2, 3, 5, 16, 17, 65, 344, 4097] {
            let permutation = Permutation::new(7, 3, 1, count);
            let alone: Vec<u32> = (0..count).map(|position| permutation.at(position)).collect();
            assert_eq!(permutation.all(), alone);
        }
    }

    /// Chi-squared of where position 0 lands over many epochs: far from uniform means a weak key schedule.
    #[test]
    fn permutations_of_different_epochs_spread_evenly() {
        let (count, epochs) = (10_u32, 20_000_u32);
        for position in [0, 5, 9] {
            let mut landed = vec![0_f64; count as usize];
            for epoch in 0..epochs {
                landed[Permutation::new(1, epoch, 0, count).at(position) as usize] += 1.0;
            }
            let expected = f64::from(epochs) / f64::from(count);
            let chi_squared: f64 = landed.iter().map(|n| (n - expected).powi(2) / expected).sum();
            // 9 degrees of freedom: 27.9 is the 0.999 quantile.
            assert!(chi_squared < 27.9, "position {position}: chi-squared {chi_squared}");
        }
    }

    #[test]
    fn the_reader_gives_the_words_of_its_stream_in_order() {
        use rand::Rng;
        let stream = Stream::new(42, Purpose::Search, 0, 5, 0);
        let mut reader = stream.reader();
        for element in 0..11 {
            assert_eq!(reader.next_u32(), stream.word(element));
        }
    }
}
