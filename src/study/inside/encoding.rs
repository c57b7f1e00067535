//! Histograms as bytes: most bins are empty and most counts small, so a histogram is its bins that are not.
//!
//! A byte of version; then per layer and histogram the number of bins (a byte), and each as the byte of its
//! place and its count in LEB128.

use super::LayerHistograms;
use crate::model::inside::{BINS, Histogram};

const VERSION: u8 = 1;
// Places and numbers of bins are bytes.
const _: () = assert!(BINS < 256);

/// The histograms of all layers.
pub fn encode(layers: &[LayerHistograms]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for histogram in layers.iter().flat_map(|layer| &layer.all) {
        let full = || (0_u8..).zip(&histogram.counts).filter(|(_, count)| **count > 0);
        bytes.push(full().count() as u8);
        for (place, &count) in full() {
            bytes.push(place);
            write(&mut bytes, count);
        }
    }
    bytes
}

/// The same back, of so many layers; `None` where the bytes are no such thing.
pub fn decode(bytes: &[u8], layer_count: usize) -> Option<Vec<LayerHistograms>> {
    let mut left = bytes.iter().copied();
    if left.next()? != VERSION {
        return None;
    }
    let mut histogram = || {
        let mut histogram = Histogram::default();
        for _ in 0..left.next()? {
            let place = usize::from(left.next()?);
            *histogram.counts.get_mut(place)? = read(&mut left)?;
        }
        Some(histogram)
    };
    let mut layer = || {
        let all: Option<Vec<Histogram>> = LayerHistograms::NAMES.iter().map(|_| histogram()).collect();
        Some(LayerHistograms { all: all?.try_into().ok()? })
    };
    let layers = (0..layer_count).map(|_| layer()).collect::<Option<Vec<_>>>()?;
    left.next().is_none().then_some(layers)
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn write(bytes: &mut Vec<u8>, mut count: u32) {
    while count > 0x7f {
        bytes.push(count as u8 | 0x80);
        count >>= 7;
    }
    bytes.push(count as u8);
}

fn read(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut count = 0_u32;
    for shift in (0..32).step_by(7) {
        let byte = bytes.next()?;
        count |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(count);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_reads_back_and_what_is_not_whole_does_not() {
        let mut layer = LayerHistograms { all: Default::default() };
        for (step, histogram) in layer.all.iter_mut().enumerate() {
            for place in (step..BINS).step_by(7 + step) {
                histogram.counts[place] = 1 << (place % 32);
            }
        }
        layer.all[4].counts[127] = u32::MAX;
        let layers = vec![layer.clone(), LayerHistograms { all: Default::default() }, layer];
        let bytes = encode(&layers);
        assert_eq!(decode(&bytes, 3), Some(layers));
        assert_eq!((decode(&bytes, 2), decode(&bytes, 4)), (None, None));
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length], 3), None, "cut to {length} bytes");
        }
        let mut other = bytes;
        other[0] = 2;
        assert_eq!(decode(&other, 3), None);
    }
}
