//! What happens from submission to submission: groups become problems, problems find room, take steps, and are read.

use super::problem::Owner;
use super::work::Task;
use super::{Batch, Bytes, Form, GpuMachineEngine, Pace, Problem, Work};
use crate::engine::machines::Asked;
use crate::error::{Error, Result};
use crate::model::svm::kernel::Base;
use crate::model::svm::settings::Settings;
use crate::model::svm::smo::Point;
use std::time::Instant;

/// Problems of a batch at most.
const MOST_PROBLEMS: usize = 4096;
/// One part in so many of the memory is for problems, whatever bases would take.
const RESERVED: u64 = 8;

impl GpuMachineEngine {
    /// Whether problems wait or are under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.queue.is_empty() || !self.batches.is_empty()
    }

    /// Turns what was asked for into problems.
    pub(super) fn begin(&mut self) -> Result<()> {
        for asked in self.roster.take_asked() {
            let (number, fold) = (self.next_work, asked.fold);
            self.next_work += 1;
            let problems = self.problems(number, asked)?;
            match self.works.get(&number).is_some_and(Work::is_done) {
                // Where the training rows have one class there is nothing to solve.
                true => self.finish(number),
                false => self.queue.extend(problems.into_iter().map(|problem| (fold, problem))),
            }
        }
        Ok(())
    }

    fn problems(&mut self, number: u64, asked: Asked) -> Result<Vec<Problem>> {
        let (fold, settings, costs) = (asked.fold, asked.settings, asked.costs.clone());
        let most_iterations = self.most_iterations;
        let device = self.fold(fold)?;
        let set = &device.host.set;
        let mut work = Work::new(asked, &device.host);
        let choice = settings.choice(set.scale_gamma());
        let problem = |Task { at, pair, part, held }: Task| {
            let mut shape = pair.shape(set, &settings);
            let layer_count = shape.linear.len() / shape.row_count.max(1);
            let form = Form::new(&pair, &device.columns, &choice, layer_count);
            for row in held {
                (shape.low[row], shape.high[row]) = (0.0, 0.0);
            }
            let owner = Owner { group: number, pair: at, part };
            let mut problem = Problem::new(owner, form, shape, &costs);
            problem.most_iterations = problem.most_iterations.min(most_iterations);
            problem
        };
        let problems = work.tasks().into_iter().map(problem).collect();
        self.works.insert(number, work);
        Ok(problems)
    }

    /// Whether a matrix of bases of so many bytes may be kept, with nothing else there.
    pub(super) fn may_keep(&self, bytes: u64) -> bool {
        let limit = self.gpu.facts.binding_limit;
        self.keeps_bases && bytes <= limit && bytes <= self.memory - self.memory / RESERVED
    }

    /// Bytes of all buffers.
    fn taken(&self) -> u64 {
        let folds: u64 = self.folds.iter().flatten().map(super::DeviceFold::bytes).sum();
        folds + self.batches.iter().map(|batch| batch.bytes).sum::<u64>()
    }

    /// Keeps the bases of a fold where there is room for them.
    pub(super) fn keep_bases(&mut self, fold: usize, base: Base) -> Result<()> {
        let bytes = self.fold(fold)?.columns.matrix_bytes();
        if !self.may_keep(bytes) {
            return Ok(());
        }
        let limit = self.memory - self.memory / RESERVED;
        if self.taken().saturating_add(bytes) > limit {
            let in_use = |fold: usize| self.batches.iter().any(|batch| batch.fold == fold);
            let idle: Vec<usize> =
                (0..self.folds.len()).filter(|&other| other != fold && !in_use(other)).collect();
            for other in idle {
                self.folds[other].as_mut().map(super::DeviceFold::drop_matrices);
            }
        }
        if self.taken().saturating_add(bytes) <= limit {
            let Self { folds, gpu, kernels, .. } = self;
            let device = folds[fold].as_mut().expect("its bytes were asked for");
            device.store(gpu, kernels, base)?;
        }
        Ok(())
    }

    /// Gives problems room, those of one fold together, as many as there is memory for.
    fn fill(&mut self) -> Result<()> {
        while let Some((fold, first)) = self.queue.front() {
            let (fold, base) = (*fold, base_of(&self.works, first));
            self.keep_bases(fold, base)?;
            let device = self.folds[fold].as_ref().expect("its bases were asked for");
            let quads = device.columns.count - device.columns.validation_at;
            let limit = self.gpu.facts.binding_limit;
            let left = self.memory.saturating_sub(self.taken());
            let (mut problems, mut waiting, mut sum) = (Vec::new(), Vec::new(), Bytes::default());
            for (other, mut problem) in std::mem::take(&mut self.queue) {
                let more = Bytes::of(&problem.form, quads);
                let fits = sum.all + more.all <= left
                    && sum.state.max(sum.bounds) + more.state.max(more.bounds) <= limit
                    && problems.len() < MOST_PROBLEMS;
                if other != fold || base_of(&self.works, &problem) != base || !fits {
                    waiting.push((other, problem));
                    continue;
                }
                let Some(point) = problem.next() else { continue };
                sum.all += more.all;
                sum.state += more.state;
                sum.bounds += more.bounds;
                problems.push((problem, point));
            }
            self.queue.extend(waiting);
            if problems.is_empty() {
                break;
            }
            if !self.place(fold, base, problems)? {
                break;
            }
        }
        match self.queue.front() {
            Some(_) if self.batches.is_empty() => Err(Error::device(
                &self.gpu.facts.name,
                "no memory is left for the solver of a kernel machine",
            )
            .allowed(format!("{} bytes for all", self.memory))
            .advice("a larger --memory, fewer rows, or --engine cpu")),
            _ => Ok(()),
        }
    }

    /// Puts problems into buffers: half of them, and again half, where the device has no memory for more. Says
    /// whether any found room.
    fn place(&mut self, fold: usize, base: Base, mut problems: Vec<(Problem, Point)>) -> Result<bool> {
        while !problems.is_empty() {
            let device = self.folds[fold].as_ref().expect("its problems know it");
            match Batch::new((&self.gpu, &self.kernels), (fold, device), base, problems)? {
                Ok(batch) => {
                    self.batches.push(batch);
                    return Ok(true);
                }
                Err(mut back) => {
                    self.memory = self.taken();
                    let rest = back.split_off(back.len() / 2);
                    // A problem that was not begun asks its path again.
                    rest.into_iter().rev().for_each(|(problem, _)| self.queue.push_front((fold, problem)));
                    problems = back;
                }
            }
        }
        Ok(false)
    }

    /// One submission: every problem takes some steps, and what was solved before is read.
    pub(super) fn round(&mut self) -> Result<()> {
        self.forget_retired();
        self.fill()?;
        let Self { batches, folds, gpu, pace, .. } = self;
        let device = |batch: &Batch| folds[batch.fold].as_ref().expect("its problems know it");
        let count: usize = batches.iter().map(|batch| batch.problems.iter().flatten().count()).sum();
        let work = pace.work(count);
        for batch in batches.iter_mut() {
            let fold = device(batch);
            let (bases, features) = (batch.bases(fold), fold.host.set.feature_count);
            batch.prepare(gpu, fold, |form| Pace::budget(work, form, bases, features));
        }
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        batches.iter().for_each(|batch| batch.solve(&mut pass));
        drop(pass);
        batches.iter().for_each(|batch| batch.decide(&mut encoder, device(batch)));
        let ranges: Vec<_> = batches.iter().flat_map(|batch| batch.ranges(device(batch))).collect();
        let submitted = Instant::now();
        let bytes = gpu.finish(&gpu.submit(encoder, &ranges))?;
        self.usage.submitted(submitted, count, count);
        let seconds = self.usage.landed(submitted, None);
        let mut at = 0;
        let mut next = |length: usize| {
            at += length;
            &bytes[at - length..at]
        };
        let mut found = Vec::new();
        for (place, batch) in batches.iter_mut().enumerate() {
            let fold = folds[batch.fold].as_ref().expect("its problems know it");
            found.extend(batch.land(fold, &mut next).into_iter().map(|found| (place, found)));
        }
        if batches.iter().any(Batch::has_running) {
            pace.learn(work, count, seconds);
        }
        for (place, found) in found {
            self.take_in(place, found);
        }
        self.batches.retain(|batch| !batch.is_done());
        Ok(())
    }

    /// Takes in what was found for one C of a problem, which goes on to the next.
    fn take_in(&mut self, place: usize, found: super::batch::Found) {
        let batch = &mut self.batches[place];
        let Some(problem) = &mut batch.problems[found.at] else { return };
        let (point, outcome) = problem.outcome(&found.state);
        let costs = problem.course.solved(&problem.shape, problem.cost, point.clone(), outcome);
        let owner = problem.owner;
        let Some(work) = self.works.get_mut(&owner.group) else { return };
        work.solved(owner, &costs, (&point, &outcome), &problem.shape.linear, found.decisions);
        if let Some(point) = problem.next() {
            batch.begin(&self.gpu, found.at, &point);
            return;
        }
        let is_last = batch.problems[found.at].take().is_some_and(|problem| work.through(problem));
        if is_last {
            self.finish(owner.group);
        }
    }

    /// Scores a group whose problems are all through.
    fn finish(&mut self, number: u64) {
        let Some(work) = self.works.remove(&number) else { return };
        let Some(fold) = &self.folds[work.asked.fold] else { return };
        let (asked, group, evaluations) = work.finish(&fold.host, self.job.with_outputs);
        self.roster.settle(&asked.ids, &group, evaluations);
    }

    /// Drops groups whose members were all retired.
    fn forget_retired(&mut self) {
        let Self { works, roster, queue, batches, .. } = self;
        works.retain(|_, work| work.asked.ids.iter().any(|&id| roster.holds(id)));
        queue.retain(|(_, problem)| works.contains_key(&problem.owner.group));
        for problem in batches.iter_mut().flat_map(|batch| &mut batch.problems) {
            if problem.as_ref().is_some_and(|problem| !works.contains_key(&problem.owner.group)) {
                *problem = None;
            }
        }
        batches.retain(|batch| !batch.is_done());
    }
}

fn base_of(works: &std::collections::HashMap<u64, Work>, problem: &Problem) -> Base {
    let settings = |work: &Work| -> Settings { work.asked.settings };
    works.get(&problem.owner.group).map_or(Base::SquaredDistance, |work| settings(work).kernel.base())
}
