//! What members take of the processor's memory, planned before any of it is taken.
//!
//! bytes = Σ_members (NUMBERS·4·parameters + outputs) + min(members, threads)·scratch of the largest
//!       + what a look inside the largest takes.
//!
//! The plan decides which members wait; a member's bits do not depend on it.

use crate::engine::{Job, MemberId, MemoryLimit};
use crate::error::{Error, Result};
use crate::model::recipe::Member;
use crate::model::trainer::EVALUATION_ROWS;
use std::collections::HashMap;
use sysinfo::{MemoryRefreshKind, Process, ProcessRefreshKind, ProcessesToUpdate, System};

/// Percent of the available memory that may be taken where nothing is said; the rest is for predictions,
/// for what the allocator keeps, and for the machine's other work.
const DEFAULT_PERCENT: f64 = 80.0;

/// Numbers held for each parameter: itself, m, v, the kept copy, and the same again in a checkpoint,
/// which is in memory until it is on the disk.
const NUMBERS: u64 = 8;

/// Bytes of one f32.
const NUMBER: u64 = size_of::<f32>() as u64;

/// What one member takes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// For as long as it is held.
    pub member: u64,
    /// While a thread trains or scores it: activations and the gradient.
    pub scratch: u64,
    /// While it is looked into: the same, with slopes, and a copy of its state. One member is at a time.
    pub look: u64,
}

impl Need {
    /// What a member takes, however absurd its shape: sums stop at the largest number.
    pub fn of(member: &Member, job: &Job) -> Self {
        let (network, fold) = (&member.network, &job.dataset.folds[member.fold]);
        let parameters = network.parameter_count() as u64;
        let validation = fold.validation.len();
        let (batch, _) = member.recipe.steps(fold.train.len());
        let rows = batch.max(EVALUATION_ROWS.min(validation)) as u64;
        // What enters each layer, each hidden unit's derivative, the outputs.
        let hidden = network.hidden.iter().fold(0, |sum: u64, &units| sum.saturating_add(units as u64));
        let row =
            hidden.saturating_mul(2).saturating_add((network.input_count + network.output_count) as u64);
        let outputs = if job.with_outputs { validation * network.output_count } else { 0 } as u64;
        let widest = network.hidden.iter().max().map_or(0, |&units| units as u64);
        let (scratch, slopes) = (row.saturating_mul(rows), widest.saturating_mul(rows));
        let bytes = |numbers: u64| numbers.saturating_mul(NUMBER);
        Self {
            member: bytes(parameters.saturating_mul(NUMBERS).saturating_add(outputs)),
            scratch: bytes(scratch.saturating_add(parameters)),
            look: bytes(
                scratch.saturating_add(slopes.max(parameters)).saturating_add(parameters.saturating_mul(3)),
            ),
        }
    }
}

/// The plan of the members held.
pub struct Memory {
    limit: u64,
    threads: u64,
    /// Where the limit comes from, for errors.
    source: String,
    held: HashMap<MemberId, Need>,
}

impl Memory {
    /// A plan for so many threads, within what the user allows and what there is.
    pub fn new(limit: Option<MemoryLimit>, threads: usize) -> Self {
        let available = available();
        let share = |percent: f64| (available as f64 * percent / 100.0) as u64;
        let (limit, source) = match limit {
            None => {
                (share(DEFAULT_PERCENT), format!("{DEFAULT_PERCENT} % of the {} available", size(available)))
            }
            Some(MemoryLimit::Percent(percent)) => {
                let limit = share(DEFAULT_PERCENT * percent / 100.0);
                (limit, format!("{percent} % of {DEFAULT_PERCENT} % of the {} available", size(available)))
            }
            Some(MemoryLimit::Bytes(bytes)) if bytes > available => {
                (available, "all that is available".to_owned())
            }
            Some(MemoryLimit::Bytes(bytes)) => (bytes, "the limit that was set".to_owned()),
        };
        Self { limit, threads: threads as u64, source, held: HashMap::new() }
    }

    /// How many bytes it may plan.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// How much it may plan, for `--explain`.
    pub fn explain(&self) -> String {
        format!("at most {} ({})", size(self.limit), self.source)
    }

    /// How many more members like this one fit beside those that are held, of at most so many.
    pub fn room(&self, need: Need, most: usize) -> usize {
        let (members, largest) = self.taken();
        let largest =
            Need { scratch: largest.scratch.max(need.scratch), look: largest.look.max(need.look), ..need };
        let fits = |more: &u64| {
            let members = members.saturating_add(need.member.saturating_mul(*more));
            self.total(members, largest, *more) <= self.limit
        };
        (1..=most as u64).take_while(fits).count()
    }

    /// Refuses a member of which `together`, one per fold, do not fit even with nothing else there: folds
    /// train in step, and one that waited for its turn would wait in this same memory.
    pub fn check(&self, need: Need, together: usize, member: &Member) -> Result<()> {
        let members = need.member.saturating_mul(together as u64);
        let scratch =
            need.scratch.saturating_mul(self.threads.min(together as u64)).saturating_add(need.look);
        let bytes = members.saturating_add(scratch);
        if bytes <= self.limit {
            return Ok(());
        }
        let found = format!(
            "a network of {} parameters needs {} ({bytes} bytes) of memory: {} for {together} fold{} and {} \
             to train in",
            member.network.parameter_count(),
            size(bytes),
            size(members),
            if together == 1 { "" } else { "s" },
            size(scratch),
        );
        Err(Error::device("engine cpu", found)
            .allowed(format!("{} ({} bytes): {}", size(self.limit), self.limit, self.source))
            .advice("smaller hidden layers or batch_size, fewer folds, or a larger --memory"))
    }

    /// Refuses what takes so many bytes where there are fewer.
    pub fn check_bytes(&self, bytes: u64, what: &str, advice: &str) -> Result<()> {
        if bytes <= self.limit {
            return Ok(());
        }
        Err(Error::device("engine cpu", format!("{what} need {} ({bytes} bytes) of memory", size(bytes)))
            .allowed(format!("{} ({} bytes): {}", size(self.limit), self.limit, self.source))
            .advice(format!("{advice}, or a larger --memory")))
    }

    /// Takes room for a member; an error where there is none now.
    pub fn take(&mut self, id: MemberId, need: Need) -> Result<()> {
        if self.room(need, 1) == 0 {
            let found = format!("no memory is left for a member of {}", size(need.member));
            return Err(Error::device("engine cpu", found)
                .allowed(format!("{}: {}", size(self.limit), self.source))
                .advice("a larger --memory, or smaller hidden layers"));
        }
        self.held.insert(id, need);
        Ok(())
    }

    /// Frees the room of a member.
    pub fn free(&mut self, id: MemberId) {
        self.held.remove(&id);
    }

    /// Bytes of the members held, and the largest needs among them.
    fn taken(&self) -> (u64, Need) {
        let members = self.held.values().fold(0, |sum: u64, need| sum.saturating_add(need.member));
        let most = |part: fn(&Need) -> u64| self.held.values().map(part).max().unwrap_or(0);
        (members, Need { member: 0, scratch: most(|need| need.scratch), look: most(|need| need.look) })
    }

    /// Bytes of members, with scratch for as many threads as they keep busy.
    fn total(&self, members: u64, largest: Need, more: u64) -> u64 {
        let busy = self.threads.min(self.held.len() as u64 + more);
        members.saturating_add(largest.scratch.saturating_mul(busy)).saturating_add(largest.look)
    }
}

/// Bytes that this process may still take: of the machine, and of its control group where that has a
/// limit of its own, as in a container. Everything where the system does not say.
pub(super) fn available() -> u64 {
    let measure = || {
        let mut system = System::new().ok()?;
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let pid = sysinfo::get_current_pid().ok()?;
        let nothing = ProcessRefreshKind::nothing().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, nothing);
        let group = system.process(pid).and_then(Process::cgroup_limits);
        // What the group holds of files in its cache can be taken back, so it does not count as used.
        let group = group.map_or(u64::MAX, |group| group.total_memory.saturating_sub(group.rss));
        Some(system.available_memory().min(group))
    };
    measure().unwrap_or(u64::MAX)
}

/// Bytes for people: `384 MiB`, `1.5 GiB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}
