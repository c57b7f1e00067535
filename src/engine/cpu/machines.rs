//! The engine for kernel machines on the processor.
//!
//! A member is a whole machine of one fold; its one epoch is its solution. Members that were asked for together
//! and differ in C alone are solved together, pair of classes by pair, each pair a task of its own: they share
//! kernel values, and each C begins where a smaller one ended. None of that changes a result
//! ([`path`](crate::model::svm::path)).

use super::machine_plan::MachinePlan;
use super::memory::Memory;
use super::processor_name;
use crate::data::{Targets, Task};
use crate::engine::machines::{Asked, Fold, Roster};
use crate::engine::{Engine, EngineKind, Job, MemberId, MemoryLimit, Report, Snapshot};
use crate::error::{Error, Result};
use crate::model::metric::Evaluation;
use crate::model::primitive::{Primitive, Words};
use crate::model::recipe::Member;
use crate::model::svm::dual::Dual;
use crate::model::svm::group::{Group, PairResult};
use crate::model::svm::pair::Pair;
use crate::model::svm::set::FoldSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How long one call waits for a solution: short, since whoever calls may want to stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// A group that was solved, or was stopped before.
type Returned = (Vec<MemberId>, Option<(Arc<Group>, Vec<Evaluation>)>);

/// Trains kernel machines on a pool of threads.
pub struct MachineEngine {
    job: Job,
    pool: rayon::ThreadPool,
    memory: Memory,
    plan: MachinePlan,
    /// (fold), made when it is first needed.
    folds: Arc<Vec<OnceLock<Fold>>>,
    roster: Roster,
    /// Members whose groups are being solved.
    under_way: usize,
    sender: Sender<Returned>,
    receiver: Receiver<Returned>,
    /// Set while groups are to stop.
    stopping: Arc<AtomicBool>,
}

impl MachineEngine {
    /// An engine on all cores, within so much memory.
    pub fn within(job: Job, memory: Option<MemoryLimit>) -> Result<Self> {
        let pool = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.map_err(|error| Error::device("cpu", format!("cannot start worker threads: {error}")))
        };
        // As many threads as there are cores; fewer where memory is short.
        let mut pool_of_plan = pool(0)?;
        let threads = pool_of_plan.current_num_threads();
        let memory = Memory::new(memory, threads);
        let plan = MachinePlan::new(&job.dataset, threads, memory.limit());
        if plan.threads < threads {
            pool_of_plan = pool(plan.threads)?;
        }
        let (sender, receiver) = channel();
        let folds = (0..job.dataset.folds.len()).map(|_| OnceLock::new()).collect();
        Ok(Self {
            job,
            pool: pool_of_plan,
            memory,
            plan,
            folds: Arc::new(folds),
            roster: Roster::default(),
            under_way: 0,
            sender,
            receiver,
            stopping: Arc::default(),
        })
    }

    /// Begins to solve everything that was asked for.
    fn spawn_asked(&mut self) {
        for asked in self.roster.take_asked() {
            self.under_way += asked.ids.len();
            self.spawn(asked);
        }
    }

    fn spawn(&self, asked: Asked) {
        let pairs = pair_count(&self.job, asked.fold);
        let work = Arc::new(Work {
            job: self.job.clone(),
            folds: Arc::clone(&self.folds),
            asked,
            cache_bytes: self.plan.cache_bytes,
            stopping: Arc::clone(&self.stopping),
            sender: self.sender.clone(),
            results: Mutex::default(),
            left: AtomicUsize::new(pairs.max(1)),
        });
        for pair in 0..pairs.max(1) {
            let work = Arc::clone(&work);
            self.pool.spawn_fifo(move || work.solve(pair));
        }
    }

    /// Takes in a group.
    fn settle(&mut self, (ids, outcome): Returned) {
        self.under_way -= ids.len();
        if let Some((group, evaluations)) = outcome {
            self.roster.settle(&ids, &group, evaluations);
        }
    }
}

/// Number of problems of a fold, without reading its rows.
fn pair_count(job: &Job, fold: usize) -> usize {
    match (&job.dataset.targets, job.dataset.task) {
        (Targets::Classes(classes), Task::Classification { class_count }) => {
            let mut is_present = vec![false; class_count];
            job.dataset.folds[fold]
                .train
                .iter()
                .for_each(|&row| is_present[classes[row as usize] as usize] = true);
            let present = is_present.iter().filter(|&&is| is).count();
            present * present.saturating_sub(1) / 2
        }
        _ => 1,
    }
}

/// A group on its way.
struct Work {
    job: Job,
    folds: Arc<Vec<OnceLock<Fold>>>,
    asked: Asked,
    /// Bytes of kernel values that a problem may keep; `None`: all.
    cache_bytes: Option<u64>,
    stopping: Arc<AtomicBool>,
    sender: Sender<Returned>,
    /// By pair.
    results: Mutex<Vec<(usize, PairResult)>>,
    /// Pairs not done yet.
    left: AtomicUsize,
}

impl Work {
    fn fold(&self) -> &Fold {
        self.folds[self.asked.fold].get_or_init(|| {
            let fold = Fold::new(&self.job, self.asked.fold);
            Fold { set: fold.set.within(self.cache_bytes), ..fold }
        })
    }

    /// Solves one pair; the last one scores the group.
    fn solve(&self, pair: usize) {
        let stop = || self.stopping.load(Ordering::Relaxed);
        if !stop() {
            let set = &self.fold().set;
            let pairs = Pair::all(set);
            if let Some(of) = pairs.get(pair)
                && let Some(result) =
                    Group::solve_pair(set, of, &self.asked.settings, &self.asked.costs, &stop)
            {
                self.results.lock().unwrap_or_else(PoisonError::into_inner).push((pair, result));
            }
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let outcome = if stop() { None } else { self.score() };
            // The receiver lives as long as the engine; a group nobody waits for is dropped.
            let _ = self.sender.send((self.asked.ids.clone(), outcome));
        }
    }

    /// `None` where a pair was stopped.
    fn score(&self) -> Option<(Arc<Group>, Vec<Evaluation>)> {
        let Fold { set, truth } = self.fold();
        let mut results = std::mem::take(&mut *self.results.lock().unwrap_or_else(PoisonError::into_inner));
        let pairs = Pair::all(set);
        if results.len() < pairs.len() {
            return None;
        }
        results.sort_by_key(|(pair, _)| *pair);
        let Asked { settings, costs, .. } = &self.asked;
        let group = Group::new(*settings, pairs, results.into_iter().map(|(_, result)| result).collect());
        let evaluations = group.evaluations(set, truth, costs.len(), self.job.with_outputs);
        Some((Arc::new(group), evaluations))
    }
}

impl Engine for MachineEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Cpu
    }

    fn device(&self) -> String {
        processor_name()
    }

    fn explain(&self) -> Vec<String> {
        vec![format!("{}; memory: {}", self.plan.explain(), self.memory.explain())]
    }

    fn room(&self, _: &Member) -> usize {
        self.roster.room(self.plan.most_members)
    }

    fn check(&self, _: &Member) -> Result<()> {
        self.plan.check(&self.memory)
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

    fn begin(&mut self) -> Result<()> {
        self.spawn_asked();
        Ok(())
    }

    fn advance(&mut self) -> Result<Vec<Report>> {
        self.spawn_asked();
        while self.under_way > 0 {
            let patience = if self.roster.has_ended() { Duration::ZERO } else { PATIENCE };
            let Ok(returned) = self.receiver.recv_timeout(patience) else { break };
            self.settle(returned);
        }
        Ok(self.roster.take_ended())
    }

    fn is_idle(&self) -> bool {
        self.under_way == 0 && self.roster.is_idle()
    }

    /// Members that are not solved yet stand where they were admitted: nothing of them is kept.
    fn pause(&mut self) -> Result<()> {
        self.roster.forget_asked();
        self.stopping.store(true, Ordering::Relaxed);
        while self.under_way > 0 {
            let Ok(returned) = self.receiver.recv() else { break };
            self.settle(returned);
        }
        self.stopping.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// A machine has one state only.
    fn keep(&mut self, _: &[MemberId]) -> Result<()> {
        Ok(())
    }

    fn snapshot(&mut self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        let set_of = |fold: usize| self.folds[fold].get().map(|fold| &fold.set);
        self.roster.snapshots(ids, "cpu engine", set_of)
    }

    fn retire(&mut self, ids: &[MemberId]) {
        self.roster.retire(ids);
    }

    fn duals(&mut self, member: &Member, most_iterations: u64) -> Result<Vec<Dual>> {
        let Some(settings) = member.recipe.machine else { return Ok(Vec::new()) };
        let set = FoldSet::<f32>::new(&self.job.dataset, member.fold);
        Ok(Pair::all(&set).iter().map(|pair| pair.dual(&set, &settings, most_iterations)).collect())
    }

    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>> {
        Ok(operands.iter().map(|pair| primitive.compute(*pair)).collect())
    }
}
