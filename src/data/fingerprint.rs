//! Hashes: of what a study trains on, so that a changed table is noticed when a study is resumed, and of
//! what a file holds, so that a damaged one is.

use super::{Dataset, Targets};

/// 64 bits as 16 hexadecimal digits, over features, targets, classes and the rows of every fold.
///
/// Not a cryptographic hash: it tells apart tables that changed by accident.
pub(super) fn of(dataset: &Dataset, class_names: &[String]) -> String {
    let mut hash = Hash(0);
    hash.add_all(&[dataset.row_count() as u32, dataset.feature_count as u32]);
    dataset.features.iter().for_each(|feature| hash.add(feature.to_bits()));
    match &dataset.targets {
        Targets::Classes(classes) => hash.add_all(classes),
        Targets::Values { stored, centre, scale } => {
            stored.iter().for_each(|value| hash.add(value.to_bits()));
            [centre, scale].into_iter().for_each(|number| hash.add_long(number.to_bits()));
        }
    }
    for name in class_names {
        hash.add(name.len() as u32);
        name.bytes().for_each(|byte| hash.add(byte.into()));
    }
    for fold in &dataset.folds {
        hash.add_all(&[fold.train.len() as u32, fold.validation.len() as u32]);
        hash.add_all(&fold.train);
        hash.add_all(&fold.validation);
    }
    format!("{:016x}", hash.0)
}

/// The same kind of hash over bytes: what a file should hold, so that a damaged one is noticed.
pub fn of_bytes<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Hash(0);
    for part in parts {
        hash.add_long(part.len() as u64);
        let (words, rest) = part.as_chunks();
        words.iter().for_each(|word| hash.add_long(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| hash.add(u32::from(*byte)));
    }
    format!("{:016x}", hash.0)
}

/// Multiply and fold, a word at a time.
struct Hash(u64);

impl Hash {
    fn add(&mut self, word: u32) {
        self.add_long(word.into());
    }

    fn add_long(&mut self, word: u64) {
        let product = (self.0 ^ word).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        self.0 = product ^ (product >> 32);
    }

    fn add_all(&mut self, words: &[u32]) {
        words.iter().for_each(|&word| self.add(word));
    }
}
