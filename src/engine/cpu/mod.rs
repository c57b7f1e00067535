//! The engine on the processor: the reference's network code at f32, members spread over all cores.

mod ceiling;
pub mod machine_plan;
pub mod machines;
pub mod memory;

use super::ceiling::Ceilings;
use super::{Engine, EngineKind, Job, MemberId, MemoryLimit, Report, Snapshot};
use crate::error::{Error, Result};
use crate::model::inside::Probe;
use crate::model::primitive::{Primitive, Words};
use crate::model::recipe::Member;
use crate::model::team::{self, Team};
use crate::model::trainer::{Scratch, Trainer};
use memory::{Memory, Need};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Members in flight per thread: enough that no core waits while the folds of a trial meet after each
/// epoch, few enough that trials finish early and memory stays small.
const MEMBERS_PER_THREAD: usize = 8;
/// A thread keeps its buffers from one member to the next up to so many bytes: what a large member needed
/// is not kept from those that come after it.
const KEPT_SCRATCH: usize = 32 << 20;

/// How long one call waits for an epoch to end: short, since whoever calls may want to stop.
const PATIENCE: Duration = Duration::from_millis(50);

thread_local! {
    static SCRATCH: RefCell<Scratch<f32>> = RefCell::default();
}

/// A member that no thread trains.
struct Resident {
    trainer: Trainer<f32>,
    epoch: u32,
    kept: Option<Vec<f32>>,
}

/// What a thread gives back; the report is of an epoch that was not paused.
type Returned = (MemberId, Resident, Option<Report>);

/// Trains members on a pool of threads.
pub struct CpuEngine {
    job: Job,
    pool: rayon::ThreadPool,
    /// Threads without a member help those that have one.
    team: Arc<Team>,
    memory: Memory,
    /// `None` while a thread trains the member.
    members: HashMap<MemberId, Option<Resident>>,
    /// Members that take room in memory alone.
    resting: HashSet<MemberId>,
    sender: Sender<Returned>,
    receiver: Receiver<Returned>,
    /// Members that threads train or are about to.
    asked: usize,
    /// Reports of epochs that ended while the engine was paused.
    ended: Vec<Report>,
    /// Set while members are to stop at their next step.
    pausing: Arc<AtomicBool>,
}

impl CpuEngine {
    /// An engine on `threads` threads, all cores for `None`, within what is available of memory.
    pub fn new(job: Job, threads: Option<usize>) -> Result<Self> {
        Self::within(job, threads, None)
    }

    /// An engine within so much memory.
    pub fn within(job: Job, threads: Option<usize>, memory: Option<MemoryLimit>) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.unwrap_or(0))
            .build()
            .map_err(|error| Error::device("cpu", format!("cannot start worker threads: {error}")))?;
        let team = Team::new(pool.current_num_threads())
            .map_err(|error| Error::device("cpu", format!("cannot start helping threads: {error}")))?;
        let memory = Memory::new(memory, pool.current_num_threads());
        let (sender, receiver) = channel();
        Ok(Self {
            job,
            pool,
            team: Arc::new(team),
            memory,
            members: HashMap::new(),
            resting: HashSet::new(),
            sender,
            receiver,
            asked: 0,
            ended: Vec::new(),
            pausing: Arc::default(),
        })
    }

    /// How many members like this one are trained together: one per fold, or one on all rows.
    fn together(&self, member: &Member) -> usize {
        let folds = &self.job.dataset.folds;
        match folds[member.fold].validation.is_empty() {
            true => 1,
            false => folds.iter().filter(|fold| !fold.validation.is_empty()).count(),
        }
    }

    fn resident(&mut self, id: MemberId) -> Result<&mut Resident> {
        self.members.get_mut(&id).and_then(Option::as_mut).ok_or_else(|| {
            Error::device("cpu engine", format!("member {id} is in training or was never admitted"))
        })
    }

    /// Takes a member back from its thread. One that was retired while it trained is gone.
    fn settle(&mut self, (id, resident, report): Returned) -> Option<Report> {
        self.asked -= 1;
        *self.members.get_mut(&id)? = Some(resident);
        report
    }
}

impl Engine for CpuEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Cpu
    }

    fn device(&self) -> String {
        processor_name()
    }

    fn explain(&self) -> Vec<String> {
        let (threads, limit) = (self.pool.current_num_threads(), self.memory.explain());
        let most = threads * MEMBERS_PER_THREAD;
        vec![format!("{threads} threads, at most {most} members in flight; memory: {limit}")]
    }

    fn room(&self, member: &Member) -> usize {
        let in_flight = self.members.len() - self.resting.len();
        let most = (self.pool.current_num_threads() * MEMBERS_PER_THREAD).saturating_sub(in_flight);
        self.memory.room(Need::of(member, &self.job), most)
    }

    fn check(&self, member: &Member) -> Result<()> {
        self.memory.check(Need::of(member, &self.job), self.together(member), member)
    }

    fn admit(&mut self, id: MemberId, member: Member) -> Result<()> {
        self.memory.take(id, Need::of(&member, &self.job))?;
        let trainer = Trainer::new(member, self.job.seed);
        self.members.insert(id, Some(Resident { trainer, epoch: 0, kept: None }));
        Ok(())
    }

    fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        self.memory.take(id, Need::of(&member, &self.job))?;
        let Snapshot { epoch, step, loss_sum, parameters, m, v, kept } = snapshot;
        let mut trainer = Trainer::resume(member, self.job.seed, [parameters, m, v], *step);
        trainer.loss_sum = *loss_sum;
        self.members.insert(id, Some(Resident { trainer, epoch: *epoch, kept: kept.clone() }));
        Ok(())
    }

    fn train(&mut self, ids: &[MemberId]) -> Result<()> {
        for &id in ids {
            let resident = self.members.get_mut(&id).and_then(Option::take);
            let mut resident = resident
                .ok_or_else(|| Error::device("cpu engine", format!("member {id} cannot be trained now")))?;
            let (job, sender, pausing) = (self.job.clone(), self.sender.clone(), Arc::clone(&self.pausing));
            let team = Arc::clone(&self.team);
            self.resting.remove(&id);
            self.asked += 1;
            team.begin();
            self.pool.spawn_fifo(move || {
                let report = SCRATCH.with_borrow_mut(|scratch| {
                    let report = team::with(&team, || resident.epoch(id, &job, scratch, &pausing));
                    scratch.shrink(KEPT_SCRATCH);
                    report
                });
                team.end();
                // The receiver lives as long as the engine; a report nobody waits for is dropped.
                let _ = sender.send((id, resident, report));
            });
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<Vec<Report>> {
        let mut reports = std::mem::take(&mut self.ended);
        while self.asked > 0 {
            let patience = if reports.is_empty() { PATIENCE } else { Duration::ZERO };
            let Ok(returned) = self.receiver.recv_timeout(patience) else { break };
            reports.extend(self.settle(returned));
        }
        Ok(reports)
    }

    fn is_idle(&self) -> bool {
        self.asked == 0 && self.ended.is_empty()
    }

    fn pause(&mut self) -> Result<()> {
        self.pausing.store(true, Ordering::Relaxed);
        while self.asked > 0 {
            let Ok(returned) = self.receiver.recv() else { break };
            let report = self.settle(returned);
            self.ended.extend(report);
        }
        self.pausing.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn keep(&mut self, ids: &[MemberId]) -> Result<()> {
        for &id in ids {
            let resident = self.resident(id)?;
            resident.kept = Some(resident.trainer.parameters.to_vec());
        }
        Ok(())
    }

    fn snapshot(&mut self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        ids.iter()
            .map(|&id| {
                let Resident { trainer, epoch, kept } = self.resident(id)?;
                Ok(Snapshot::of(trainer, *epoch, kept.clone()))
            })
            .collect()
    }

    /// On the caller's thread, which waits for the others most of the time: behind what these have to do it would
    /// wait for them.
    fn probe(&mut self, ids: &[MemberId]) -> Result<Vec<Option<Probe>>> {
        let dataset = Arc::clone(&self.job.dataset);
        SCRATCH.with_borrow_mut(|scratch| {
            let probes =
                ids.iter().map(|&id| Ok(Some(self.resident(id)?.trainer.probe(&dataset, scratch)))).collect();
            scratch.shrink(KEPT_SCRATCH);
            probes
        })
    }

    fn rest(&mut self, ids: &[MemberId]) {
        self.resting.extend(ids.iter().filter(|id| self.members.contains_key(id)));
    }

    fn retire(&mut self, ids: &[MemberId]) {
        for id in ids {
            self.members.remove(id);
            self.resting.remove(id);
            self.memory.free(*id);
        }
        self.ended.retain(|report| !ids.contains(&report.id));
    }

    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>> {
        Ok(operands.iter().map(|pair| primitive.compute(*pair)).collect())
    }

    fn ceilings(&mut self) -> Result<Ceilings> {
        ceiling::measure(&self.pool, memory::available())
    }
}

impl Resident {
    /// Trains to the end of the epoch and scores it; `None` where it was paused before that.
    fn epoch(
        &mut self,
        id: MemberId,
        job: &Job,
        scratch: &mut Scratch<f32>,
        pausing: &AtomicBool,
    ) -> Option<Report> {
        let paused = || pausing.load(Ordering::Relaxed);
        let member = &self.trainer.member;
        let (_, steps) = member.recipe.steps(job.dataset.folds[member.fold].train.len());
        let end = (u64::from(self.epoch) + 1) * steps;
        let outcome = self.trainer.train_until(&job.dataset, scratch, end, paused);
        let mut report = Report {
            id,
            epoch: self.epoch + 1,
            step: self.trainer.step,
            train_loss: f64::NAN,
            evaluation: None,
            diverged_at_step: outcome.err(),
            solver: Vec::new(),
        };
        if !outcome.unwrap_or(true) {
            return None;
        }
        if outcome.is_ok() {
            report.train_loss = self.trainer.loss_sum / steps as f64;
            let evaluation = self.trainer.evaluate_unless(&job.dataset, scratch, job.with_outputs, paused)?;
            if evaluation.loss_sum.is_finite() {
                report.evaluation = Some(evaluation);
            } else {
                report.diverged_at_step = Some(self.trainer.step);
            }
        }
        self.epoch += 1;
        self.trainer.loss_sum = 0.0;
        Some(report)
    }
}

/// The processor's name, as the operating system gives it.
pub fn processor_name() -> String {
    let described = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    described
        .lines()
        .find_map(|line| line.strip_prefix("model name").and_then(|rest| rest.split_once(':')))
        .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}
