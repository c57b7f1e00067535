//! Compares losses of an engine with those of the f64 reference: nothing is timed that does not match.

use crate::engine::Job;
use crate::error::{Error, Result};
use crate::model::recipe::Member;
use crate::model::trainer::{Scratch, Trainer};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Epochs whose losses are compared, here with the reference, and in peers with ours.
pub const COMPARED_EPOCHS: u32 = 2;

/// Largest relative difference of an epoch's mean loss between f32 and f64. Adam divides by √v, which is near
/// 0 in the first steps, and so amplifies rounding: measured at up to 1e-5 over 1,024 members of W1, 256 of W2,
/// 16 of W3 and 128 of W4 on the CPU engine. A wrong formula is off by more than 1e-3.
pub const TOLERANCE: f64 = 1e-4;

/// The reference's losses of members, each computed once.
#[derive(Default)]
pub struct References(BTreeMap<usize, Vec<f64>>);

impl References {
    /// The largest relative difference between `losses`, by (epoch, member), and the reference's, over some
    /// members; an error of kind check where it is too large.
    pub fn compare(
        &mut self,
        what: &str,
        job: &Job,
        members: &[(usize, &Member)],
        losses: &[Vec<f64>],
    ) -> Result<f64> {
        let missing: Vec<_> = members.iter().filter(|(number, _)| !self.0.contains_key(number)).collect();
        let computed = missing.par_iter().map(|(number, member)| {
            let mut trainer = Trainer::<f64>::new((*member).clone(), job.seed);
            let mut scratch = Scratch::default();
            let epoch = |_: &Vec<f64>| trainer.epoch(&job.dataset, &mut scratch).unwrap_or(f64::NAN);
            (*number, losses.iter().map(epoch).collect::<Vec<f64>>())
        });
        self.0.extend(computed.collect::<Vec<_>>());
        let mut worst = 0.0_f64;
        for &(number, _) in members {
            for (epoch, (found, exact)) in losses.iter().zip(&self.0[&number]).enumerate() {
                let difference = (found[number] / exact - 1.0).abs();
                if !(difference <= TOLERANCE) {
                    let found = format!(
                        "member {number}'s loss in epoch {} is {}, the f64 reference's {exact}",
                        epoch + 1,
                        found[number]
                    );
                    return Err(Error::check(what, format!("{found}: nothing is timed"))
                        .allowed(format!("a relative difference of {TOLERANCE:e}"))
                        .advice("manytune --gradcheck, which says what is wrong"));
                }
                worst = worst.max(difference);
            }
        }
        Ok(worst)
    }
}

/// So many of `count` numbers, evenly spread, the first and the last among them.
pub fn spread(count: usize, most: usize) -> Vec<usize> {
    let most = most.min(count);
    let mut chosen: Vec<usize> = (0..most).map(|i| i * (count - 1) / (most - 1).max(1)).collect();
    chosen.dedup();
    chosen
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn the_first_and_the_last_are_among_the_compared() {
        assert_eq!(spread(1, 3), [0]);
        assert_eq!(spread(2, 3), [0, 1]);
        assert_eq!(spread(64, 3), [0, 31, 63]);
        assert_eq!(spread(256, 6), [0, 51, 102, 153, 204, 255]);
        assert!(spread(0, 3).is_empty());
    }
}
