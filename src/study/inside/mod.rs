//! What goes on inside the models of a study while they train: looked at at a few epochs of each trial, and stored.
//!
//! Looked at is the model of the first fold: the others are its repeats. Before it trains, after 1, 2, 4, 8, …
//! epochs, and at its end: so few times that they cost next to nothing of a long training. What a layer comes
//! to in numbers is kept of every trial, its histograms of the best alone unless all are asked for.

mod asked;
mod encoding;
mod kept;
mod look;
pub mod table;

pub use asked::Histograms;
pub use kept::Kept;
pub use look::{LayerHistograms, LayerSummary, Look};

use super::runner::Runner;
use crate::engine::MemberId;
use crate::error::Result;

/// Whether a trial is looked into after so many epochs.
pub fn is_due(epoch: u32, is_last: bool) -> bool {
    epoch == 0 || epoch.is_power_of_two() || is_last
}

impl Runner<'_> {
    /// Looks into members of trials, each after so many epochs; what is seen goes to the disk with what else has
    /// happened by then.
    pub(super) fn look_inside(&mut self, seen: &[(u64, u32, MemberId)]) -> Result<()> {
        if seen.is_empty() || self.run.histograms == Histograms::None {
            return Ok(());
        }
        let ids: Vec<MemberId> = seen.iter().map(|(_, _, id)| *id).collect();
        for ((trial, epoch, _), probe) in seen.iter().zip(self.run.engine.probe(&ids)?) {
            self.outbox.inside.extend(probe.map(|probe| Look::new(*trial, *epoch, &probe)));
        }
        Ok(())
    }
}
