//! A member's state as bytes: what the store keeps of trials that are not finished.
//!
//! All numbers little-endian: format u32, epoch u32, step u64; then parameters, m, v and, where some
//! were kept, the kept parameters, each as its length u64 and its numbers f32.

use crate::engine::Snapshot;

const FORMAT: u32 = 1;

/// The bytes of a snapshot.
pub fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let parts = || [&snapshot.parameters, &snapshot.m, &snapshot.v].into_iter().chain(&snapshot.kept);
    let mut bytes = Vec::with_capacity(16 + parts().map(|part| 8 + 4 * part.len()).sum::<usize>());
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend(snapshot.epoch.to_le_bytes());
    bytes.extend(snapshot.step.to_le_bytes());
    for part in parts() {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.iter().flat_map(|number| number.to_le_bytes()));
    }
    bytes
}

/// The snapshot in some bytes; `None` where they are not one.
pub fn decode(mut bytes: &[u8]) -> Option<Snapshot> {
    if take(&mut bytes)? != FORMAT.to_le_bytes() {
        return None;
    }
    let snapshot = Snapshot {
        epoch: u32::from_le_bytes(take(&mut bytes)?),
        step: u64::from_le_bytes(take(&mut bytes)?),
        parameters: take_part(&mut bytes)?,
        m: take_part(&mut bytes)?,
        v: take_part(&mut bytes)?,
        kept: if bytes.is_empty() { None } else { Some(take_part(&mut bytes)?) },
    };
    bytes.is_empty().then_some(snapshot)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn take_part(bytes: &mut &[u8]) -> Option<Vec<f32>> {
    let count = usize::try_from(u64::from_le_bytes(take(bytes)?)).ok()?;
    let (numbers, rest) = bytes.split_at_checked(count.checked_mul(4)?)?;
    *bytes = rest;
    let (numbers, _) = numbers.as_chunks();
    Some(numbers.iter().map(|four| f32::from_le_bytes(*four)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(kept: bool) -> Snapshot {
        Snapshot {
            epoch: 3,
            step: 1 << 40,
            parameters: vec![1.5, -0.0, f32::MIN_POSITIVE / 2.0],
            m: vec![1.0, 2.0, 3.0],
            v: vec![4.0, 5.0, f32::MAX],
            kept: kept.then(|| vec![7.0, 8.0, 9.0]),
        }
    }

    #[test]
    fn a_snapshot_comes_back_bit_for_bit() {
        for kept in [false, true] {
            let before = snapshot(kept);
            let after = decode(&encode(&before)).unwrap();
            assert_eq!(after, before);
            assert_eq!(after.parameters[1].to_bits(), (-0.0_f32).to_bits());
        }
    }

    #[test]
    fn damaged_bytes_are_no_snapshot() {
        let bytes = encode(&snapshot(true));
        assert_eq!(decode(&[]), None);
        assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
        let mut other = bytes.clone();
        other[0] = 9;
        assert_eq!(decode(&other), None);
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(decode(&longer), None);
        let mut huge = bytes;
        huge[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(decode(&huge), None);
    }
}
