//! Members in an engine, trained by the clock: each is asked for its next epoch as soon as it has reported
//! the last, as a study does, until it has had so many.

use super::Stopped;
use super::roofline::Work;
use crate::engine::ceiling::Ceilings;
use crate::engine::{Engine, Job, MemberId};
use crate::error::{Error, ErrorKind, Result};
use crate::model::recipe::Member;
use std::time::{Duration, Instant};

/// An engine with members admitted: member i has the id i.
pub struct Race {
    /// The engine.
    pub engine: Box<dyn Engine>,
    /// What it was opened on.
    pub job: Job,
    /// The members that fit.
    pub members: Vec<Member>,
    has_diverged: Vec<bool>,
}

/// What a number of epochs of every member came to.
pub struct Lap {
    /// From the first asked to the last reported.
    pub time: Duration,
    /// From the first asked to the first reported.
    pub first_report: Duration,
    /// Mean training loss, by (epoch, member); NaN where it was not trained.
    pub losses: Vec<Vec<f64>>,
    /// Epochs trained to their end, by member.
    pub epochs: Vec<u32>,
}

/// What becomes of members for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// They are an error: so many were asked for.
    Refused,
    /// They are left out: so many are customary.
    LeftOut,
}

impl Race {
    /// Admits members to an engine; of those that do not fit, at least the first must.
    pub fn enter(
        mut engine: Box<dyn Engine>,
        job: Job,
        mut members: Vec<Member>,
        excess: Excess,
    ) -> Result<Self> {
        let wanted = members.len();
        for (id, member) in members.iter().enumerate() {
            let Err(error) = engine.check(member).and_then(|()| engine.admit(id as MemberId, member.clone()))
            else {
                continue;
            };
            if id == 0 || error.kind != ErrorKind::Device {
                return Err(error);
            }
            if excess == Excess::Refused {
                let found = format!("{wanted} members do not fit, {id} do; the next: {}", error.found);
                return Err(Error::device(error.place, found)
                    .allowed(error.allowed)
                    .advice(format!("--members {id}, or a larger --memory")));
            }
            members.truncate(id);
            break;
        }
        let has_diverged = vec![false; members.len()];
        Ok(Self { engine, job, members, has_diverged })
    }

    /// Trains every member for so many epochs; those that diverge, or had done so before, for fewer.
    pub fn run(&mut self, epochs: u32, stopped: Stopped<'_>) -> Result<Lap> {
        let count = self.members.len();
        let mut lap = Lap {
            time: Duration::ZERO,
            first_report: Duration::ZERO,
            losses: vec![vec![f64::NAN; count]; epochs as usize],
            epochs: vec![0; count],
        };
        let mut asked: Vec<MemberId> =
            (0..count).filter(|&id| !self.has_diverged[id]).map(|id| id as MemberId).collect();
        let mut open = asked.len();
        let start = Instant::now();
        while open > 0 {
            self.engine.train(&asked)?;
            asked.clear();
            let reports = self.engine.advance()?;
            if reports.is_empty() && self.engine.is_idle() {
                let found = format!("{open} members were asked for an epoch and never reported it");
                return Err(Error::check(self.engine.device(), found));
            }
            if stopped() {
                return Err(Error::interrupted("interrupted", "nothing was measured to its end"));
            }
            if !reports.is_empty() && lap.first_report.is_zero() {
                lap.first_report = start.elapsed();
            }
            for report in reports {
                let id = report.id as usize;
                let epoch = lap.epochs[id];
                lap.losses[epoch as usize][id] = report.train_loss;
                self.has_diverged[id] = report.diverged_at_step.is_some();
                lap.epochs[id] += u32::from(!self.has_diverged[id]);
                match self.has_diverged[id] || epoch + 1 == epochs {
                    true => open -= 1,
                    false => asked.push(report.id),
                }
            }
        }
        lap.time = start.elapsed();
        Ok(lap)
    }

    /// The members that train no further.
    pub fn diverged(&self) -> impl Iterator<Item = usize> + '_ {
        self.has_diverged.iter().enumerate().filter(|(_, has)| **has).map(|(id, _)| id)
    }

    /// The work of a lap. Of a member that diverged in it, the epoch in which it did is left out.
    pub fn work(&self, lap: &Lap, ceilings: &Ceilings) -> Work {
        let folds = &self.job.dataset.folds;
        let of = |(member, &epochs): (&Member, &u32)| {
            Work::epoch(member, folds[member.fold].train.len(), ceilings).times(epochs.into())
        };
        self.members.iter().zip(&lap.epochs).map(of).fold(Work::default(), Work::and)
    }
}
