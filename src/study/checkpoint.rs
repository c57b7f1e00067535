//! Where a fold stands, as bytes: what the store keeps of trials that are not finished.
//!
//! All numbers little-endian. Format u32; then what the epoch in training came to, a tag u32 (0 nothing
//! yet, 1 scored: train loss, value and tie-breaker f64; 2 undefined; 3 diverged: step u64). Then, but for
//! a fold that has not begun: epoch u32, step u64, loss sum f64; parameters, m, v and, where some were
//! kept, the kept parameters, each as its length u64 and its numbers f32.

use crate::engine::Snapshot;
use crate::trial::{FoldEpoch, Score};

const FORMAT: u32 = 2;

/// What an epoch came to for one fold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Scores.
    Scored(FoldEpoch),
    /// The objective is undefined or infinite on its validation rows.
    Undefined,
    /// The loss was not finite.
    Diverged {
        /// At this step, from 0.
        step: u64,
    },
}

/// Where one fold stands: what a checkpoint holds of it.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldState {
    /// Its state; `None` at its initial parameters.
    pub snapshot: Option<Snapshot>,
    /// What the epoch came to where this fold has ended it and another has not.
    pub outcome: Option<Outcome>,
}

impl FoldState {
    /// Whether the fold belongs to a trial that has so many epochs behind it.
    pub fn is_after(&self, epochs: u32) -> bool {
        let epoch = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.epoch);
        epoch == epochs + u32::from(self.outcome.is_some())
    }
}

/// The bytes of a fold's state.
pub fn encode(state: &FoldState) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(FORMAT.to_le_bytes());
    encode_outcome(state.outcome, &mut bytes);
    if let Some(snapshot) = &state.snapshot {
        encode_snapshot(snapshot, &mut bytes);
    }
    bytes
}

fn encode_outcome(outcome: Option<Outcome>, bytes: &mut Vec<u8>) {
    let tag: u32 = match outcome {
        None => 0,
        Some(Outcome::Scored(_)) => 1,
        Some(Outcome::Undefined) => 2,
        Some(Outcome::Diverged { .. }) => 3,
    };
    bytes.extend(tag.to_le_bytes());
    match outcome {
        Some(Outcome::Scored(FoldEpoch { train_loss, score })) => {
            let numbers = [train_loss, score.value, score.tie_break];
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        Some(Outcome::Diverged { step }) => bytes.extend(step.to_le_bytes()),
        _ => {}
    }
}

fn encode_snapshot(snapshot: &Snapshot, bytes: &mut Vec<u8>) {
    let parts = || [&snapshot.parameters, &snapshot.m, &snapshot.v].into_iter().chain(&snapshot.kept);
    bytes.reserve(20 + parts().map(|part| 8 + 4 * part.len()).sum::<usize>());
    bytes.extend(snapshot.epoch.to_le_bytes());
    bytes.extend(snapshot.step.to_le_bytes());
    bytes.extend(snapshot.loss_sum.to_le_bytes());
    for part in parts() {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.iter().flat_map(|number| number.to_le_bytes()));
    }
}

/// The state in some bytes; `None` where they are none.
pub fn decode(mut bytes: &[u8]) -> Option<FoldState> {
    if take(&mut bytes)? != FORMAT.to_le_bytes() {
        return None;
    }
    let outcome = decode_outcome(&mut bytes)?;
    let snapshot = if bytes.is_empty() { None } else { Some(decode_snapshot(bytes)?) };
    Some(FoldState { snapshot, outcome })
}

/// Whether bytes were written before a trial could be stopped in the middle of an epoch.
pub fn is_old(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|format| u32::from_le_bytes(*format) < FORMAT)
}

fn decode_outcome(bytes: &mut &[u8]) -> Option<Option<Outcome>> {
    Some(match u32::from_le_bytes(take(bytes)?) {
        0 => None,
        1 => {
            let mut number = || take(bytes).map(f64::from_le_bytes);
            let train_loss = number()?;
            let score = Score { value: number()?, tie_break: number()? };
            Some(Outcome::Scored(FoldEpoch { train_loss, score }))
        }
        2 => Some(Outcome::Undefined),
        3 => Some(Outcome::Diverged { step: u64::from_le_bytes(take(bytes)?) }),
        _ => return None,
    })
}

fn decode_snapshot(mut bytes: &[u8]) -> Option<Snapshot> {
    let snapshot = Snapshot {
        epoch: u32::from_le_bytes(take(&mut bytes)?),
        step: u64::from_le_bytes(take(&mut bytes)?),
        loss_sum: f64::from_le_bytes(take(&mut bytes)?),
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
            loss_sum: 0.1,
            parameters: vec![1.5, -0.0, f32::MIN_POSITIVE / 2.0],
            m: vec![1.0, 2.0, 3.0],
            v: vec![4.0, 5.0, f32::MAX],
            kept: kept.then(|| vec![7.0, 8.0, 9.0]),
        }
    }

    fn outcomes() -> [Option<Outcome>; 4] {
        let score = Score { value: 0.1, tie_break: f64::INFINITY };
        let scored = Outcome::Scored(FoldEpoch { train_loss: 1e-300, score });
        [None, Some(scored), Some(Outcome::Undefined), Some(Outcome::Diverged { step: 1 << 40 })]
    }

    #[test]
    fn a_state_comes_back_bit_for_bit() {
        for outcome in outcomes() {
            for snapshot in [None, Some(snapshot(false)), Some(snapshot(true))] {
                let before = FoldState { snapshot, outcome };
                let after = decode(&encode(&before)).unwrap();
                assert_eq!(after, before);
                let zero = after.snapshot.map_or(-0.0, |snapshot| snapshot.parameters[1]);
                assert_eq!(zero.to_bits(), (-0.0_f32).to_bits());
            }
        }
    }

    #[test]
    fn damaged_bytes_are_no_state() {
        for outcome in outcomes() {
            let bytes = encode(&FoldState { snapshot: Some(snapshot(true)), outcome });
            assert_eq!(decode(&[]), None);
            assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
            for (place, wrong) in [(0, 9), (4, 9)] {
                let mut other = bytes.clone();
                other[place] = wrong;
                assert_eq!(decode(&other), None);
            }
            let mut longer = bytes.clone();
            longer.push(0);
            assert_eq!(decode(&longer), None);
        }
        let mut huge = encode(&FoldState { snapshot: Some(snapshot(true)), outcome: None });
        huge[28..36].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(decode(&huge), None);
    }

    #[test]
    fn bytes_of_an_earlier_format_are_old_rather_than_damaged() {
        let now = encode(&FoldState { snapshot: None, outcome: None });
        assert!(!is_old(&now) && !is_old(&[]) && is_old(&1_u32.to_le_bytes()));
    }
}
