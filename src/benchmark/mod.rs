//! Throughput: how fast an engine trains, and how far that is from what its device can do at most.
//!
//! Everything is driven through the [`Engine`] trait, as a study drives it, and nothing is timed before its
//! results match the f64 reference. The workloads are in [`workload`], what fast means in [`roofline`].

pub mod compare;
mod curve;
pub mod export;
mod own;
pub mod race;
mod real_job;
pub mod record;
pub mod reference;
pub mod roofline;
pub mod workload;

pub use real_job::{REAL_JOB, REAL_JOB_SUMMARY, RealJob};

use crate::engine::ceiling::{Ceilings, Spread};
use crate::engine::{self, Engine, EngineKind, Job, MemoryLimit};
use crate::error::{Error, Result};
use crate::model::recipe::Member;
use crate::report::significant;
use crate::study::plan::Overrides;
use race::{Excess, Lap, Race};
use record::Record;
use reference::{COMPARED_EPOCHS, References, spread};
use std::cell::Cell;
use std::time::{Duration, Instant};
use workload::Workload;

/// Opens an engine on a job.
pub type Open<'a> = &'a dyn Fn(Job) -> Result<Box<dyn Engine>>;
/// Whether the user asked to stop.
pub type Stopped<'a> = &'a dyn Fn() -> bool;

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How many members; `None`: what is customary for the workload on the engine.
    pub members: Option<usize>,
    /// Timed runs, of which the median is taken.
    pub rounds: usize,
    /// Least length of a run, in seconds: as many epochs as that takes.
    pub seconds: f64,
}

/// A benchmark of one engine on one device.
pub struct Bench<'a> {
    /// Opens it.
    pub open: Open<'a>,
    /// How it was asked for, for what opens engines of its own.
    pub overrides: Overrides,
    /// How much memory it may take.
    pub memory: Option<MemoryLimit>,
    /// How much is measured.
    pub settings: Settings,
    /// Takes a line of progress.
    pub say: &'a dyn Fn(&str),
    /// Whether to stop.
    pub stopped: Stopped<'a>,
    /// Of the device, once they are known.
    pub ceilings: Cell<Option<Ceilings>>,
}

/// What is entered into a race.
struct Entry<'a> {
    name: &'a str,
    job: Job,
    /// The first so many members.
    members: &'a dyn Fn(usize) -> Vec<Member>,
    counts: workload::Counts,
    asked: Option<usize>,
    /// Whether the device's limits are needed.
    is_timed: bool,
}

/// A race whose engine is open, and how long that took from the start of its work on.
struct Opened {
    race: Race,
    time: Duration,
}

impl Bench<'_> {
    /// Times a workload.
    pub fn workload(&self, workload: &Workload) -> Result<Record> {
        self.workload_of(workload, self.settings.members, &mut References::default())
    }

    /// The same with so many members.
    fn workload_of(
        &self,
        workload: &Workload,
        members: Option<usize>,
        references: &mut References,
    ) -> Result<Record> {
        (self.say)(&format!("{}: {}", workload.name, workload.summary));
        let mut opened = self.enter(workload, members, true)?;
        let (warm_up, worst) = self.check(workload, &mut opened.race, references)?;
        let first_result = opened.time + warm_up.first_report;
        self.measure(opened, workload.name, &warm_up, first_result, Some(worst))
    }

    fn enter(&self, workload: &Workload, asked: Option<usize>, is_timed: bool) -> Result<Opened> {
        self.open(Entry {
            name: workload.name,
            job: workload.job(),
            members: &|count| workload.members(count),
            counts: workload.counts,
            asked,
            is_timed,
        })
    }

    /// Opens an engine, measures its device where that is still to be done, and admits the members.
    fn open(&self, entry: Entry<'_>) -> Result<Opened> {
        let start = Instant::now();
        let mut engine = (self.open)(entry.job.clone())?;
        let opening = start.elapsed();
        if entry.is_timed {
            self.ceilings_of(engine.as_mut())?;
        }
        let start = Instant::now();
        let customary = entry.counts.of(engine.kind(), is_software(engine.as_ref()));
        let (count, excess) = match entry.asked {
            Some(count) => (count, Excess::Refused),
            None => (customary, Excess::LeftOut),
        };
        let members = (entry.members)(count);
        let (kind, wanted) = (engine.kind().name(), members.len());
        let race = Race::enter(engine, entry.job, members, excess)?;
        let count = race.members.len();
        if count < wanted {
            (self.say)(&format!("{}: {count} of {wanted} members fit engine {kind}", entry.name));
        }
        Ok(Opened { race, time: opening + start.elapsed() })
    }

    /// The device's limits, measured once.
    fn ceilings_of(&self, engine: &mut dyn Engine) -> Result<Ceilings> {
        if let Some(known) = self.ceilings.get() {
            return Ok(known);
        }
        let measured = engine.ceilings()?;
        (self.say)(&format!(
            "{}: {} GFLOP/s at most, copies {} GB/s",
            engine.device(),
            significant(measured.peak.median / 1e9, 4),
            significant(measured.copy.median / 1e9, 3)
        ));
        self.ceilings.set(Some(measured));
        Ok(measured)
    }

    /// Trains the first epochs, and compares some members with the reference.
    fn check(&self, workload: &Workload, race: &mut Race, references: &mut References) -> Result<(Lap, f64)> {
        let lap = race.run(COMPARED_EPOCHS, self.stopped)?;
        let compared = spread(race.members.len(), workload.compared_members);
        let members: Vec<_> = compared.iter().map(|&number| (number, &race.members[number])).collect();
        let worst = references.compare(workload.name, &race.job, &members, &lap.losses)?;
        Ok((lap, worst))
    }

    /// Times what was checked: runs of equal work, long enough by what `warm_up` took.
    fn measure(
        &self,
        Opened { mut race, .. }: Opened,
        name: &str,
        warm_up: &Lap,
        first_result: Duration,
        worst_difference: Option<f64>,
    ) -> Result<Record> {
        let ceilings = self.ceilings_of(race.engine.as_mut())?;
        let seconds_an_epoch = warm_up.time.as_secs_f64() / warm_up.losses.len() as f64;
        let epochs = (self.settings.seconds / seconds_an_epoch).ceil().clamp(1.0, 1e5) as u32;
        let mut laps = Vec::new();
        for _ in 0..self.settings.rounds {
            let lap = race.run(epochs, self.stopped)?;
            laps.push((lap.time.as_secs_f64(), race.work(&lap, &ceilings)));
        }
        let diverged = race.diverged().count();
        if diverged == race.members.len() {
            return Err(Error::check(name, "every member diverged: there is nothing to time")
                .advice("smaller learning rates"));
        }
        Ok(Record {
            workload: name.to_owned(),
            engine: race.engine.kind(),
            device: race.engine.device(),
            members: race.members.len(),
            laps,
            ceilings,
            worst_difference,
            first_result: first_result.as_secs_f64(),
            details: vec![("epochs", epochs.into()), ("diverged", diverged.into())],
        })
    }
}

/// Whether an engine runs on a graphics device in software.
fn is_software(engine: &dyn Engine) -> bool {
    let name = engine.device();
    engine.kind() == EngineKind::Gpu
        && engine::devices().iter().any(|facts| facts.software && facts.name == name)
}

/// The rate of a lap: so much in so many seconds.
fn rates(laps: &[(f64, roofline::Work)], of: impl Fn(&roofline::Work) -> f64) -> Spread {
    let rates = laps.iter().map(|(seconds, work)| of(work) / seconds).collect();
    Spread::of(rates).unwrap_or(Spread { median: f64::NAN, min: f64::NAN, max: f64::NAN })
}
