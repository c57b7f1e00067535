//! Submissions in flight: planned, recorded and submitted before the one in front has come back, so that
//! the device never waits for the host; then read, and turned into reports.

use super::device::Pending;
use super::pace::Budget;
use super::pipelines::Role;
use super::plan::Plan;
use super::progress::Progress;
use super::resident::slice::{self as resident_slice, Homes};
use super::shard::{Shard, Tenant};
use super::stamps::Stamps;
use super::tables::NONE;
use super::{GpuEngine, slice};
use crate::data::Task;
use crate::engine::{MemberId, Report};
use crate::error::Result;
use crate::model::metric::Evaluation;
use std::time::Instant;

/// How long all submissions in flight of one place in the queue should take at most: watchdogs kill long
/// ones, and a user waits for them.
pub const SUBMISSION_SECONDS: f64 = 0.05;
/// Submissions of a shard at a time: one that the device works on, and one that waits for it.
const MOST_IN_FLIGHT: usize = 2;
/// Members from which on a shard's members part in two halves, that one may train while the host thinks
/// about the other.
const FEWEST_PARTED: usize = 64;

/// The outputs of one member's scored rows, in a buffer: rows of whole vec4.
pub struct OutputRange {
    /// Which member of the submission.
    pub index: usize,
    /// Where they are.
    pub buffer: wgpu::Buffer,
    /// Their first byte.
    pub start: u64,
    /// How many rows.
    pub rows: usize,
    /// Outputs of a row.
    pub count: usize,
}

impl OutputRange {
    /// Bytes of so many rows of so many outputs.
    pub fn bytes_of(rows: usize, count: usize) -> u64 {
        16 * (rows * count.div_ceil(4)) as u64
    }

    fn bytes(&self) -> u64 {
        Self::bytes_of(self.rows, self.count)
    }

    /// The outputs without the padding of their rows.
    fn unpad(&self, bytes: &[u8]) -> Vec<f32> {
        let row_bytes = 16 * self.count.div_ceil(4);
        let row = |row: &[u8]| bytemuck::pod_collect_to_vec::<u8, f32>(&row[..4 * self.count]);
        bytes.chunks_exact(row_bytes).flat_map(row).collect()
    }
}

/// A submission that is recorded.
pub struct Recorded {
    /// Its commands.
    pub encoder: wgpu::CommandEncoder,
    /// Its time stamps, where the device has them.
    pub stamps: Option<Stamps>,
    /// What becomes of each member.
    pub progress: Vec<Progress>,
    /// What to read beside the results.
    pub outputs: Vec<OutputRange>,
    /// How much work it is.
    pub work: Budget,
}

/// A submission that the device works on.
pub struct Flight {
    home: usize,
    progress: Vec<Progress>,
    outputs: Vec<OutputRange>,
    work: Budget,
    pending: Pending,
    result_bytes: usize,
    stamp_bytes: usize,
    submitted: Instant,
}

impl GpuEngine {
    /// Keeps the device busy, and reports what it is done with; waits for the submission in front.
    pub(super) fn fly(&mut self) -> Result<Vec<Report>> {
        let mut reports = std::mem::take(&mut self.ended);
        self.launch()?;
        if reports.is_empty() {
            reports.extend(self.land()?);
        }
        while let Some(flight) = self.flights.front()
            && self.gpu.is_done(&flight.pending)?
        {
            reports.extend(self.land()?);
        }
        // Whoever reads the reports takes a while.
        self.launch()?;
        Ok(reports)
    }

    /// Waits for everything in flight; its reports are given by the next call of `fly`.
    pub(super) fn land_all(&mut self) -> Result<()> {
        while !self.flights.is_empty() {
            let reports = self.land()?;
            self.ended.extend(reports);
        }
        Ok(())
    }

    /// Submits as long as there are members that can go on and room in the queue; waits for no submission.
    pub(super) fn launch(&mut self) -> Result<()> {
        let goes_on = |shard: &&Shard| shard.tenants.values().any(Tenant::goes_on);
        let busy = self.shards.values().filter(|s| s.in_flight > 0 || goes_on(s)).count().max(1);
        let seconds = self.seconds / busy as f64;
        let homes: Vec<usize> = self.shards.keys().copied().collect();
        for home in homes {
            while self.shards[&home].in_flight < MOST_IN_FLIGHT {
                let Some(recorded) = self.record_next(home, seconds)? else { break };
                self.submit(home, recorded);
            }
        }
        Ok(())
    }

    /// The next submission of a shard; `None` when no member of it can go on.
    fn record_next(&mut self, home: usize, seconds: f64) -> Result<Option<Recorded>> {
        let shard = &self.shards[&home];
        let mut going: Vec<(MemberId, &Tenant)> =
            shard.tenants.iter().map(|(id, tenant)| (*id, tenant)).filter(|(_, r)| r.goes_on()).collect();
        if going.is_empty() {
            return Ok(None);
        }
        if shard.in_flight == 0 && going.len() >= FEWEST_PARTED {
            going.truncate(going.len() / 2);
        }
        let (budget, dataset) = (shard.pace.budget(seconds), &self.job.dataset);
        let targets_at = self.data.targets_at;
        match shard.plan {
            Plan::Tiled => {
                let slice = slice::plan(&going, dataset, targets_at, &self.tiled.tiles, budget);
                self.record_tiled(shard, slice).map(Some)
            }
            Plan::Resident(variant) => {
                let with_outputs = self.job.with_outputs;
                let homes = Homes { variant, dataset, targets_at, with_outputs };
                let slice = resident_slice::plan(&going, homes, budget);
                self.residents.ready(&self.gpu, variant)?;
                self.record_resident(&self.shards[&home], variant, slice).map(Some)
            }
        }
    }

    fn submit(&mut self, home: usize, recorded: Recorded) {
        let Recorded { mut encoder, stamps, progress, outputs, work } = recorded;
        let shard = self.shards.get_mut(&home).expect("its members are on the way");
        for step in &progress {
            if let Some(tenant) = shard.tenants.get_mut(&step.id) {
                (tenant.step, tenant.scored_rows, tenant.ending) = (step.step, step.scored.end, step.ends);
                tenant.flights += 1;
            }
        }
        let results = shard.buffer(Role::Results).expect("every shard has results");
        let mut ranges = vec![(results, 0, results.size())];
        let stamp_range = stamps.as_ref().map(|stamps| stamps.resolve(&mut encoder));
        ranges.extend(stamp_range);
        ranges.extend(outputs.iter().map(|range| (&range.buffer, range.start, range.bytes())));
        let pending = self.gpu.submit(encoder, &ranges);
        let result_bytes = results.size() as usize;
        let stamp_bytes = stamp_range.map_or(0, |(_, _, bytes)| bytes as usize);
        shard.in_flight += 1;
        let submitted = Instant::now();
        let flying = |shard: &Shard| shard.tenants.values().filter(|tenant| tenant.flights > 0).count();
        self.usage.submitted(submitted, self.shards.values().map(flying).sum(), self.homes.len());
        let flight = Flight { home, progress, outputs, work, pending, result_bytes, stamp_bytes, submitted };
        self.flights.push_back(flight);
    }

    /// Waits for the submission in front, and reports the members that ended their epoch in it.
    fn land(&mut self) -> Result<Vec<Report>> {
        let Some(flight) = self.flights.pop_front() else { return Ok(Vec::new()) };
        let bytes = self.gpu.finish(&flight.pending)?;
        let (results, rest) = bytes.split_at(flight.result_bytes);
        let (stamps, outputs) = rest.split_at(flight.stamp_bytes);
        let stamped = (flight.stamp_bytes > 0).then(|| Stamps::seconds(&self.gpu, stamps));
        let seconds = self.usage.landed(flight.submitted, stamped);
        let shard = self.shard_mut(flight.home);
        shard.in_flight -= 1;
        shard.pace.learn(flight.work, seconds);
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(results);
        Ok(self.collect(&flight, &words, outputs))
    }

    /// Turns result words into reports, and moves the members on.
    fn collect(&mut self, flight: &Flight, words: &[u32], outputs: &[u8]) -> Vec<Report> {
        let with_outputs = self.job.with_outputs;
        let classifies = matches!(self.job.dataset.task, Task::Classification { .. });
        let mut ranges = flight.outputs.iter().peekable();
        let mut left = outputs;
        let mut reports = Vec::new();
        for (index, progress) in flight.progress.iter().enumerate() {
            let own = ranges.next_if(|range| range.index == index).map(|range| {
                let (bytes, rest) = left.split_at(range.bytes() as usize);
                left = rest;
                range.unpad(bytes)
            });
            let Some(tenant) = self.shard_mut(flight.home).tenants.get_mut(&progress.id) else {
                continue;
            };
            tenant.flights = tenant.flights.saturating_sub(1);
            // Of an epoch that diverged in the submission before.
            if tenant.epoch != progress.epoch || !tenant.asked {
                continue;
            }
            let at = tenant.place.results as usize;
            tenant.loss_sum = f32::from_bits(words[at]);
            tenant.outputs.extend(own.into_iter().flatten());
            let diverged = (words[at + 1] != NONE).then_some(u64::from(words[at + 1]));
            if progress.ends || diverged.is_some() {
                let end = End { words: &words[at..], diverged, classifies, with_outputs };
                reports.push(end.report(progress, tenant));
            }
        }
        reports
    }
}

/// The end of an epoch: its result words, and whether it diverged.
struct End<'a> {
    words: &'a [u32],
    diverged: Option<u64>,
    classifies: bool,
    with_outputs: bool,
}

impl End<'_> {
    fn number(&self, word: usize) -> f64 {
        f64::from(f32::from_bits(self.words[word]))
    }

    /// Reports the epoch and closes it.
    fn report(&self, progress: &Progress, tenant: &mut Tenant) -> Report {
        let validation_count = tenant.fold.validation_count as usize;
        tenant.epoch += 1;
        (tenant.asked, tenant.ending) = (false, false);
        (tenant.loss_sum, tenant.scored_rows) = (0.0, 0);
        let outputs = std::mem::take(&mut tenant.outputs);
        let mut diverged_at_step = self.diverged;
        if diverged_at_step.is_none() && validation_count > 0 && !self.number(2).is_finite() {
            diverged_at_step = Some(progress.step);
        }
        let mut report = Report {
            id: progress.id,
            epoch: tenant.epoch,
            step: self.diverged.unwrap_or(progress.step),
            train_loss: f64::NAN,
            evaluation: None,
            diverged_at_step,
            solver: Vec::new(),
        };
        if diverged_at_step.is_none() {
            report.train_loss = self.number(0) / tenant.steps_per_epoch as f64;
            let class_count = if self.classifies { tenant.member.network.output_count } else { 0 };
            let mut evaluation = self.evaluation(validation_count, class_count);
            evaluation.outputs = self.with_outputs.then_some(outputs);
            report.evaluation = Some(evaluation);
        }
        report
    }

    fn evaluation(&self, row_count: usize, class_count: usize) -> Evaluation {
        // Without validation rows nothing was scored, and the words are an earlier member's.
        if row_count == 0 {
            let zeros = || vec![0; class_count];
            return Evaluation { correct: zeros(), predicted: zeros(), ..Default::default() };
        }
        let counts = |group: usize| self.words[4 + group * class_count..][..class_count].to_vec();
        Evaluation {
            row_count,
            correct: counts(0),
            predicted: counts(1),
            loss_sum: self.number(2),
            absolute_error_sum: self.number(3),
            ..Default::default()
        }
    }
}
