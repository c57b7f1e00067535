//! The engine for kernel machines on the processor.
//!
//! A member is a whole machine of one fold; its one epoch is its solution. Members that were asked for together
//! and differ in C alone are solved together, pair of classes by pair, each pair a task of its own: they share
//! kernel values, and each C begins where a smaller one ended. None of that changes a result
//! ([`path`](crate::model::svm::path)).

use super::memory::{Memory, size};
use super::processor_name;
use crate::data::{Targets, Task};
use crate::engine::{Engine, EngineKind, Job, MemberId, MemoryLimit, Report, Snapshot};
use crate::error::{Error, Result};
use crate::model::metric::Evaluation;
use crate::model::primitive::{Primitive, Words};
use crate::model::recipe::Member;
use crate::model::svm::base::PADDING;
use crate::model::svm::dual::Dual;
use crate::model::svm::group::{Group, PairResult, SetTruth};
use crate::model::svm::pair::Pair;
use crate::model::svm::set::FoldSet;
use crate::model::svm::settings::{Gamma, Settings};
use crate::model::svm::smo::Outcome;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Most members at a time: the more, the more is shared.
const MOST_MEMBERS: usize = 8192;
/// How long one call waits for a solution: short, since whoever calls may want to stop.
const PATIENCE: Duration = Duration::from_millis(50);

/// A fold and what is true of its validation rows.
struct Fold {
    set: FoldSet<f32>,
    truth: SetTruth,
}

/// Where a member stands.
enum Slot {
    /// Not solved yet.
    Fresh,
    /// Solved here, at this place of its group.
    Solved { group: Arc<Group>, cost: usize },
    /// Solved before.
    Restored(Snapshot),
}

/// A group that was solved, or was stopped before.
type Returned = (Vec<MemberId>, Option<(Arc<Group>, Vec<Evaluation>)>);

/// A group to solve: its fold, its settings but for C, its members with theirs.
type Asked = (usize, Settings, Vec<(MemberId, f64)>);

/// Trains kernel machines on a pool of threads.
pub struct MachineEngine {
    job: Job,
    pool: rayon::ThreadPool,
    memory: Memory,
    /// (fold), made when it is first needed.
    folds: Arc<Vec<OnceLock<Fold>>>,
    members: HashMap<MemberId, (Member, Slot)>,
    /// Asked for, in no group yet.
    asked: Vec<MemberId>,
    /// Members whose groups are being solved.
    under_way: usize,
    sender: Sender<Returned>,
    receiver: Receiver<Returned>,
    ended: Vec<Report>,
    /// Set while groups are to stop.
    stopping: Arc<AtomicBool>,
}

impl MachineEngine {
    /// An engine on all cores, within so much memory.
    pub fn within(job: Job, memory: Option<MemoryLimit>) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .build()
            .map_err(|error| Error::device("cpu", format!("cannot start worker threads: {error}")))?;
        let memory = Memory::new(memory, pool.current_num_threads());
        let (sender, receiver) = channel();
        let folds = (0..job.dataset.folds.len()).map(|_| OnceLock::new()).collect();
        Ok(Self {
            job,
            pool,
            memory,
            folds: Arc::new(folds),
            members: HashMap::new(),
            asked: Vec::new(),
            under_way: 0,
            sender,
            receiver,
            ended: Vec::new(),
            stopping: Arc::default(),
        })
    }

    /// Bytes of the bases of all folds, and of the kernel matrices and solvers of all threads.
    fn bytes(&self) -> u64 {
        let number = size_of::<f32>() as u64;
        let (mut bases, mut largest) = (0_u64, 0_u64);
        for fold in &self.job.dataset.folds {
            let stride = fold.train.len().next_multiple_of(PADDING) as u64;
            let rows = (fold.train.len() + fold.validation.len()) as u64;
            bases = bases.saturating_add(rows.saturating_mul(stride).saturating_mul(number));
            let matrix = (fold.train.len() as u64).saturating_mul(stride).saturating_mul(number);
            largest = largest.max(matrix);
        }
        bases.saturating_add(largest.saturating_mul(self.pool.current_num_threads() as u64))
    }

    /// Begins to solve everything that was asked for.
    fn begin(&mut self) {
        let mut groups: Vec<Asked> = Vec::new();
        for id in std::mem::take(&mut self.asked) {
            let Some((member, _)) = self.members.get(&id) else { continue };
            let Some(settings) = member.recipe.machine else { continue };
            let same =
                |(fold, other, _): &&mut Asked| *fold == member.fold && differ_in_c_alone(other, &settings);
            match groups.iter_mut().find(same) {
                Some((_, _, members)) => members.push((id, settings.c)),
                None => groups.push((member.fold, settings, vec![(id, settings.c)])),
            }
            self.under_way += 1;
        }
        // Those that take longest first, so that no core is left with one at the end.
        groups.sort_by(|a, b| difficulty(&a.1).total_cmp(&difficulty(&b.1)));
        for (fold, settings, members) in groups {
            self.spawn(fold, settings, members);
        }
    }

    fn spawn(&self, fold: usize, settings: Settings, members: Vec<(MemberId, f64)>) {
        let work = Arc::new(Work {
            job: self.job.clone(),
            folds: Arc::clone(&self.folds),
            fold,
            settings,
            costs: members.iter().map(|(_, c)| *c).collect(),
            ids: members.into_iter().map(|(id, _)| id).collect(),
            stopping: Arc::clone(&self.stopping),
            sender: self.sender.clone(),
            results: Mutex::default(),
            left: AtomicUsize::new(0),
        });
        let pairs = pair_count(&self.job, fold);
        work.left.store(pairs.max(1), Ordering::Relaxed);
        for pair in 0..pairs.max(1) {
            let work = Arc::clone(&work);
            self.pool.spawn_fifo(move || work.solve(pair));
        }
    }

    /// Takes in a group. Members that were retired meanwhile are gone.
    fn settle(&mut self, (ids, outcome): Returned) {
        self.under_way -= ids.len();
        let Some((group, evaluations)) = outcome else { return };
        for (cost, (id, evaluation)) in ids.into_iter().zip(evaluations).enumerate() {
            let Some((_, slot)) = self.members.get_mut(&id) else { continue };
            *slot = Slot::Solved { group: Arc::clone(&group), cost };
            let solver = group.solutions(cost).map(|(pair, solution)| (pair.classes, solution.outcome));
            let solver: Vec<([usize; 2], Outcome)> = solver.collect();
            self.ended.push(Report {
                id,
                epoch: 1,
                step: solver.iter().map(|(_, outcome)| outcome.iterations).sum(),
                train_loss: solver.iter().map(|(_, outcome)| outcome.objective).sum(),
                evaluation: Some(evaluation),
                diverged_at_step: None,
                solver,
            });
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

fn differ_in_c_alone(a: &Settings, b: &Settings) -> bool {
    a.kernel.name() == b.kernel.name()
        && a.gamma == b.gamma
        && (a.coef0, a.degree, a.epsilon) == (b.coef0, b.degree, b.epsilon)
        && (a.balanced, a.probabilities) == (b.balanced, b.probabilities)
}

/// The smaller, the longer it takes: neither near 1 nor near 0 are the kernel's values then.
fn difficulty(settings: &Settings) -> f64 {
    match settings.gamma {
        Gamma::Value(gamma) => (gamma.log2() + 8.0).abs(),
        Gamma::Scale => 3.0,
    }
}

/// A group on its way.
struct Work {
    job: Job,
    folds: Arc<Vec<OnceLock<Fold>>>,
    fold: usize,
    settings: Settings,
    costs: Vec<f64>,
    ids: Vec<MemberId>,
    stopping: Arc<AtomicBool>,
    sender: Sender<Returned>,
    /// By pair.
    results: Mutex<Vec<(usize, PairResult)>>,
    /// Pairs not done yet.
    left: AtomicUsize,
}

impl Work {
    fn fold(&self) -> &Fold {
        self.folds[self.fold].get_or_init(|| {
            let (dataset, fold) = (&self.job.dataset, &self.job.dataset.folds[self.fold]);
            let truth = match (&dataset.targets, dataset.task) {
                (Targets::Classes(classes), Task::Classification { class_count }) => SetTruth::Classes {
                    class_count,
                    classes: fold.validation.iter().map(|&row| classes[row as usize] as usize).collect(),
                },
                (Targets::Values { stored, .. }, _) => {
                    let value = |&row: &u32| f64::from(fold.target.apply(stored[row as usize]));
                    SetTruth::Values(fold.validation.iter().map(value).collect())
                }
                _ => SetTruth::Values(Vec::new()),
            };
            Fold { set: FoldSet::new(dataset, self.fold), truth }
        })
    }

    /// Solves one pair; the last one scores the group.
    fn solve(&self, pair: usize) {
        let stop = || self.stopping.load(Ordering::Relaxed);
        if !stop() {
            let set = &self.fold().set;
            let pairs = Pair::all(set);
            if let Some(of) = pairs.get(pair)
                && let Some(result) = Group::solve_pair(set, of, &self.settings, &self.costs, &stop)
            {
                self.results.lock().unwrap_or_else(PoisonError::into_inner).push((pair, result));
            }
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let outcome = if stop() { None } else { self.score() };
            // The receiver lives as long as the engine; a group nobody waits for is dropped.
            let _ = self.sender.send((self.ids.clone(), outcome));
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
        let group = Group::new(self.settings, pairs, results.into_iter().map(|(_, result)| result).collect());
        let evaluations = group.evaluations(set, truth, self.costs.len(), self.job.with_outputs);
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
        let (threads, bytes) = (self.pool.current_num_threads(), size(self.bytes()));
        vec![format!("{threads} threads, {bytes} for kernel values; memory: {}", self.memory.explain())]
    }

    fn room(&self, _: &Member) -> usize {
        MOST_MEMBERS.saturating_sub(self.members.len())
    }

    fn check(&self, _: &Member) -> Result<()> {
        self.memory.check_bytes(self.bytes(), "the kernel values of all folds", "fewer rows or folds")
    }

    fn admit(&mut self, id: MemberId, member: Member) -> Result<()> {
        self.members.insert(id, (member, Slot::Fresh));
        Ok(())
    }

    fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        let slot = if snapshot.epoch == 0 { Slot::Fresh } else { Slot::Restored(snapshot.clone()) };
        self.members.insert(id, (member, slot));
        Ok(())
    }

    fn train(&mut self, ids: &[MemberId]) -> Result<()> {
        self.asked.extend_from_slice(ids);
        Ok(())
    }

    fn advance(&mut self) -> Result<Vec<Report>> {
        self.begin();
        while self.under_way > 0 {
            let patience = if self.ended.is_empty() { PATIENCE } else { Duration::ZERO };
            let Ok(returned) = self.receiver.recv_timeout(patience) else { break };
            self.settle(returned);
        }
        Ok(std::mem::take(&mut self.ended))
    }

    fn is_idle(&self) -> bool {
        self.asked.is_empty() && self.under_way == 0 && self.ended.is_empty()
    }

    /// Members that are not solved yet stand where they were admitted: nothing of them is kept.
    fn pause(&mut self) -> Result<()> {
        self.asked.clear();
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
        let snapshot = |id: &MemberId| {
            let found = self.members.get(id);
            let unknown = || Error::device("cpu engine", format!("member {id} was never admitted"));
            let (member, slot) = found.ok_or_else(unknown)?;
            Ok(match slot {
                Slot::Fresh => Snapshot::fresh(Vec::new()),
                Slot::Restored(snapshot) => snapshot.clone(),
                Slot::Solved { group, cost } => {
                    let set = self.folds[member.fold].get().map(|fold| &fold.set);
                    let parameters = set.map(|set| group.machine(set, *cost).to_parameters());
                    let step = group.solutions(*cost).map(|(_, solution)| solution.outcome.iterations).sum();
                    Snapshot { epoch: 1, step, ..Snapshot::bare(parameters.unwrap_or_default()) }
                }
            })
        };
        ids.iter().map(snapshot).collect()
    }

    fn retire(&mut self, ids: &[MemberId]) {
        for id in ids {
            self.members.remove(id);
        }
        self.asked.retain(|id| !ids.contains(id));
        self.ended.retain(|report| !ids.contains(&report.id));
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
