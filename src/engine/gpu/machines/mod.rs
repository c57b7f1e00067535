//! Kernel machines on a graphics device: every dual problem is a workgroup, and takes many steps in one dispatch.
//!
//! | file | what is in it |
//! |---|---|
//! | `sources.rs`, `tables.rs` | the kernels and the tables they read |
//! | `launch.rs` | a kernel with its buffers |
//! | `fold.rs` | the rows of a fold, and the bases that all machines of it share |
//! | `problem.rs` | one problem: how it lies on the device, how far it has come |
//! | `batch.rs` | problems of a fold in one set of buffers |
//! | `work.rs` | a group of members, and what has come of it |
//! | `pace.rs`, `loops.rs` | how long submissions are |
//! | `inside.rs` | solvers seen from inside, for the verifier |
//! | `rounds.rs` | what happens from submission to submission |
//!
//! The device takes the steps of the solver; the host walks the path of C, by the code of the engine on the
//! processor ([`path`](crate::model::svm::path)), and says what a solution is.

mod batch;
mod fold;
mod inside;
mod launch;
mod loops;
mod pace;
mod problem;
mod rounds;
pub mod sources;
pub mod tables;
mod work;

use super::device::GpuDevice;
use super::flight::SUBMISSION_SECONDS;
use super::primitive::Primitives;
use super::usage::Usage;
use super::{room, sources as training};
use crate::data::Task;
use crate::engine::ceiling::Ceilings;
use crate::engine::cpu::memory::size;
use crate::engine::machines::{Fold, MOST_MEMBERS, Roster};
use crate::engine::{Engine, EngineKind, Job, MemberId, MemoryLimit, Report, Snapshot};
use crate::error::{Error, Result};
use crate::model::primitive::{Primitive, Words};
use crate::model::recipe::Member;
use crate::model::svm::dual::Dual;
use batch::{Batch, Bytes};
use fold::DeviceFold;
use pace::Pace;
use problem::{Form, Problem};
use sources::Kernels;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use work::Work;

/// How long one call works at most, but for the submission it waits for.
const PATIENCE: Duration = Duration::from_millis(50);

/// Trains kernel machines on a graphics device.
pub struct GpuMachineEngine {
    job: Job,
    gpu: GpuDevice,
    kernels: Kernels,
    /// Most iterations for one C, where that is less than usual.
    most_iterations: u64,
    primitives: Primitives,
    roster: Roster,
    /// (fold), uploaded when it is first needed.
    folds: Vec<Option<DeviceFold>>,
    /// Groups under way, by number.
    works: HashMap<u64, Work>,
    next_work: u64,
    /// Problems that wait for room.
    queue: VecDeque<(usize, Problem)>,
    batches: Vec<Batch>,
    /// Bytes that buffers may take; less than planned once the device had less.
    memory: u64,
    /// Whether matrices of bases may be kept.
    keeps_bases: bool,
    pace: Pace,
    usage: Usage,
}

impl GpuMachineEngine {
    /// An engine on an open device, within so much device memory.
    pub fn new(job: Job, gpu: GpuDevice, memory: Option<MemoryLimit>) -> Self {
        let folds = job.dataset.folds.iter().map(|_| None).collect();
        Self {
            kernels: Kernels::default(),
            most_iterations: u64::MAX,
            primitives: Primitives::new(&training::assemble()),
            roster: Roster::default(),
            folds,
            works: HashMap::new(),
            next_work: 0,
            queue: VecDeque::new(),
            batches: Vec::new(),
            memory: room::planned_memory(&gpu.facts, memory),
            keeps_bases: true,
            pace: Pace::new(gpu.facts.software, SUBMISSION_SECONDS),
            usage: Usage::default(),
            job,
            gpu,
        }
    }

    /// Keeps submissions within so many seconds instead of the usual 50 ms. With 0 each is one step of every problem;
    /// no number depends on it.
    pub fn with_submissions_of(mut self, seconds: f64) -> Self {
        self.pace.seconds = seconds;
        self
    }

    /// Computes bases each time that they are needed, as where their matrix finds no room; no number depends on it.
    pub fn without_bases(mut self) -> Self {
        self.keeps_bases = false;
        self
    }

    /// Trains by kernels in which a text is replaced: for the verifier's planted faults. What such a solver does may
    /// have no end, so it has fewer iterations.
    pub fn with_fault(mut self, from: &str, to: &str) -> Self {
        (self.kernels, self.most_iterations) = (Kernels::with_fault(from, to), 20_000);
        self
    }

    /// A fold on the device.
    fn fold(&mut self, fold: usize) -> Result<&mut DeviceFold> {
        if self.folds[fold].is_none() {
            self.folds[fold] = Some(DeviceFold::new(&self.gpu, Fold::new(&self.job, fold))?);
        }
        Ok(self.folds[fold].as_mut().expect("it was made a moment ago"))
    }

    /// Bytes of features, and of the largest problem there can be, of a fold; counts are rounded up to whole vec4.
    fn needs(&self, fold: usize, layer_count: u64) -> [u64; 2] {
        let (dataset, rows) = (&self.job.dataset, &self.job.dataset.folds[fold]);
        let classes = match dataset.task {
            Task::Classification { class_count } => class_count as u64,
            Task::Regression => 1,
        };
        let train = rows.train.len() as u64 + 4 * classes;
        let all = train + rows.validation.len() as u64 + 4;
        let planes = 10 * layer_count + 3;
        [4 * all * dataset.feature_count as u64, 4 * train * planes + 8 * (rows.validation.len() as u64 + 4)]
    }
}

impl Engine for GpuMachineEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Gpu
    }

    fn device(&self) -> String {
        self.gpu.facts.name.clone()
    }

    fn explain(&self) -> Vec<String> {
        let facts = &self.gpu.facts;
        let fold =
            (0..self.job.dataset.folds.len()).max_by_key(|&fold| self.job.dataset.folds[fold].train.len());
        let matrix = fold.map_or(0, |fold| {
            let fold = &self.job.dataset.folds[fold];
            4 * fold.train.len() as u64 * (fold.train.len() + fold.validation.len()) as u64
        });
        let bases = if self.may_keep(matrix) { "kept" } else { "computed in every step, which takes longer" };
        vec![
            format!("{} ({}, {}), {}", facts.name, facts.kind, facts.backend, facts.driver),
            format!(
                "at most {} for kernel machines, bindings up to {}",
                size(self.memory),
                size(facts.binding_limit)
            ),
            format!("distances or inner products of a fold take {}: {bases}", size(matrix)),
        ]
    }

    fn usage(&self) -> Vec<String> {
        self.usage.line().into_iter().collect()
    }

    fn room(&self, _: &Member) -> usize {
        self.roster.room(MOST_MEMBERS)
    }

    fn check(&self, member: &Member) -> Result<()> {
        let layer_count = match self.job.dataset.task {
            Task::Classification { .. } => 1,
            Task::Regression => 2,
        };
        let [features, problem] = self.needs(member.fold, layer_count);
        let limit = self.gpu.facts.binding_limit;
        for (what, bytes) in [("the features of a fold", features), ("the solver of one machine", problem)] {
            let allowed = match bytes {
                _ if bytes > limit => format!("{limit} bytes in one binding"),
                _ if bytes.saturating_add(features) > self.memory => format!("{} bytes for all", self.memory),
                _ => continue,
            };
            return Err(Error::device(&self.gpu.facts.name, format!("{what} take {bytes} bytes"))
                .allowed(allowed)
                .advice("a larger --memory, fewer rows, or --engine cpu"));
        }
        Ok(())
    }

    fn admit(&mut self, id: MemberId, member: Member) -> Result<()> {
        self.roster.admit(id, member);
        Ok(())
    }

    fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        self.roster.restore(id, member, snapshot);
        Ok(())
    }

    fn train(&mut self, ids: &[MemberId]) -> Result<()> {
        self.roster.ask(ids);
        Ok(())
    }

    fn advance(&mut self) -> Result<Vec<Report>> {
        self.begin()?;
        let start = Instant::now();
        while self.is_busy() && !self.roster.has_ended() && start.elapsed() < PATIENCE {
            self.round()?;
        }
        Ok(self.roster.take_ended())
    }

    fn is_idle(&self) -> bool {
        !self.is_busy() && self.roster.is_idle()
    }

    /// Members that are not solved yet stand where they were admitted: nothing of them is kept.
    fn pause(&mut self) -> Result<()> {
        self.roster.forget_asked();
        self.works.clear();
        self.queue.clear();
        self.batches.clear();
        Ok(())
    }

    /// A machine has one state only.
    fn keep(&mut self, _: &[MemberId]) -> Result<()> {
        Ok(())
    }

    fn snapshot(&mut self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        let set_of = |fold: usize| self.folds[fold].as_ref().map(|fold| &fold.host.set);
        self.roster.snapshots(ids, &self.gpu.facts.name, set_of)
    }

    fn retire(&mut self, ids: &[MemberId]) {
        self.roster.retire(ids);
    }

    fn duals(&mut self, member: &Member, most_iterations: u64) -> Result<Vec<Dual>> {
        self.duals_of(member, most_iterations)
    }

    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>> {
        self.primitives.compute(&self.gpu, primitive, operands)
    }

    fn ceilings(&mut self) -> Result<Ceilings> {
        super::ceiling::measure(&self.gpu)
    }
}
