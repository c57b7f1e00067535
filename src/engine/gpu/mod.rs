//! The engine on the graphics device: WGSL kernels over all members of a shard at once.
//!
//! The only room that names wgpu. `slice` plans what a submission does as plain data; `shard` owns the
//! arenas; this file owns both and runs one slice of each shard after the other.

mod arena;
mod autotune;
pub mod cache;
pub mod device;
mod footprint;
mod guards;
pub mod pipelines;
mod primitive;
mod run;
mod shard;
mod slice;
pub mod sources;
mod synthetic;
mod table_data;
pub mod tables;
mod tiled;
pub mod variant;

use super::{Engine, EngineKind, Job, MemberId, MemoryLimit, Report, Snapshot};
use crate::error::{Error, Result};
use crate::model::network::initial_parameters;
use crate::model::primitive::{Primitive, Words};
use crate::model::recipe::Member;
use cache::{Cache, PipelineCache};
use device::GpuDevice;
use footprint::{Footprint, unpad};
use pipelines::{Kernel, Pipeline};
use shard::{Resident, Shard};
use sources::Source;
use std::collections::HashMap;
use std::path::PathBuf;
use table_data::{DeviceData, FoldPlace};
use tiled::Tiled;

/// Device memory the arenas may take where the user says nothing: wgpu does not tell how much a device
/// has. A failed allocation is not an error; members then wait for room.
const DEFAULT_MEMORY: u64 = 4 << 30;
/// The same for a software adapter, whose memory is the machine's.
const SOFTWARE_MEMORY: u64 = 1 << 30;
/// Members of the first shard; each further shard has room for four times as many.
const FIRST_SHARD_MEMBERS: u64 = 128;
/// Most members at once on a real device, and on a software adapter, where more only delay the first.
const MOST_MEMBERS: usize = 16_384;
const MOST_MEMBERS_SOFTWARE: usize = 64;

/// Bytes of members' states that are read back at a time.
const READ_AT_ONCE: u64 = 64 << 20;

/// Trains members on a graphics device.
pub struct GpuEngine {
    job: Job,
    gpu: GpuDevice,
    pipelines: Vec<Pipeline>,
    tiled: Tiled,
    primitives: primitive::Primitives,
    data: DeviceData,
    shards: Vec<Shard>,
    /// Which shard each member lives in.
    homes: HashMap<MemberId, usize>,
    /// Bytes the arenas may take.
    memory: u64,
    /// Set when the device had less memory than planned: no more shards are tried.
    exhausted: bool,
    pace: run::Pace,
    /// Words of the guards between members; 0 without guards.
    gap: u64,
    /// What was written where it must not be, as far as it was seen.
    faults: Vec<String>,
}

impl GpuEngine {
    /// An engine on an open device, within so much device memory.
    pub fn new(job: Job, gpu: GpuDevice, memory: Option<MemoryLimit>) -> Result<Self> {
        // What is fast on a processor is not worth finding out, and its driver keeps what it compiles.
        if gpu.facts.software {
            let mut engine = Self::with_sources(job, gpu, memory, &sources::assemble())?;
            engine.tiled = Tiled::base("not measured on a software adapter");
            return Ok(engine);
        }
        Self::tuned(job, gpu, memory, cache::user_folder())
    }

    /// The same, with tiles that are measured on whatever adapter unless the folder has an earlier result.
    pub fn tuned(
        job: Job,
        gpu: GpuDevice,
        memory: Option<MemoryLimit>,
        cache_folder: Option<PathBuf>,
    ) -> Result<Self> {
        let facts = &gpu.facts;
        let every_source: Vec<Source> = variant::ALL.iter().flat_map(sources::assemble_in).collect();
        let files = Cache::new(cache_folder, [&facts.name, &facts.backend, &facts.driver], &every_source);
        let cache = PipelineCache::open(&gpu, &files);
        let mut engine = Self::open(job, gpu, memory, &sources::assemble(), &cache)?;
        engine.tiled = Tiled::tuned(&engine.gpu, &cache, &engine.pipelines, &files)
            .unwrap_or_else(|error| Tiled::base(&format!("measuring failed, {}", error.found)));
        cache.save(&files);
        Ok(engine)
    }

    /// The same with kernels of the caller's: for the verifier's planted faults.
    pub fn with_sources(
        job: Job,
        gpu: GpuDevice,
        memory: Option<MemoryLimit>,
        sources: &[Source],
    ) -> Result<Self> {
        Self::open(job, gpu, memory, sources, &PipelineCache::NONE)
    }

    /// With one tile variant for all layers, in place of what was chosen.
    pub fn with_tile_variant(self, name: &str) -> Result<Self> {
        let variant = variant::named(name).ok_or_else(|| {
            let names = variant::ALL.iter().map(|variant| variant.name);
            crate::error::unknown_name("gpu", "tile variant", name, names)
        })?;
        self.with_tiles_of(variant, &sources::assemble_in(&variant::ALL[variant]))
    }

    /// The same with kernels of the caller's, in the variant of this place in [`variant::ALL`].
    pub fn with_tiles_of(mut self, variant: usize, sources: &[Source]) -> Result<Self> {
        self.tiled = Tiled::only(&self.gpu, variant, sources)?;
        Ok(self)
    }

    fn open(
        job: Job,
        gpu: GpuDevice,
        memory: Option<MemoryLimit>,
        sources: &[Source],
        cache: &PipelineCache,
    ) -> Result<Self> {
        let planned = if gpu.facts.software { SOFTWARE_MEMORY } else { DEFAULT_MEMORY };
        let memory = match memory {
            None => planned,
            Some(MemoryLimit::Bytes(bytes)) => bytes,
            Some(MemoryLimit::Percent(percent)) => (planned as f64 * percent / 100.0) as u64,
        };
        assert_eq!(sources.len(), Kernel::ALL.len(), "one source a kernel");
        let kernels: Vec<(Kernel, &Source)> = Kernel::TRAINING.iter().copied().zip(sources).collect();
        let pipelines = pipelines::compile(&gpu, cache, &kernels)?;
        let shard_bytes = gpu.facts.binding_limit.min(memory.max(1 << 16));
        let data = DeviceData::upload(&gpu, &job.dataset, shard_bytes)?;
        gpu.wait()?;
        let pace = run::Pace::new(gpu.facts.software);
        Ok(Self {
            job,
            gpu,
            pipelines,
            tiled: Tiled::base("of the caller's"),
            primitives: primitive::Primitives::new(sources),
            data,
            shards: Vec::new(),
            homes: HashMap::new(),
            memory,
            exhausted: false,
            pace,
            gap: 0,
            faults: Vec::new(),
        })
    }

    /// Keeps submissions within so many seconds instead of the usual 50 ms. With 0 each is one step of
    /// every member; no number depends on it.
    pub fn with_submissions_of(mut self, seconds: f64) -> Self {
        self.pace.seconds = seconds;
        self
    }

    /// Guards around every member that is admitted from now on: for the verifier, which then asks what was
    /// [`disturbed`](Engine::disturbed).
    pub fn guarded(mut self) -> Self {
        assert!(self.shards.is_empty(), "guards surround the first member too");
        self.gap = guards::GAP;
        self
    }

    fn footprint(&self, member: &Member) -> (Footprint, FoldPlace) {
        let place = self.data.places[member.fold];
        (Footprint::of(member, place.train_count as usize, place.validation_count as usize), place)
    }

    fn memory_left(&self) -> u64 {
        self.memory.saturating_sub(self.shards.iter().map(Shard::bytes).sum())
    }

    fn most_members(&self) -> usize {
        if self.gpu.facts.software { MOST_MEMBERS_SOFTWARE } else { MOST_MEMBERS }
    }

    /// How many members of this footprint a new shard may hold, before the device is asked.
    fn new_shard_room(&self, member: &Member, footprint: Footprint) -> u64 {
        if self.exhausted {
            return 0;
        }
        let clips = member.recipe.clip_norm > 0.0;
        let by_memory = self.memory_left() / footprint.with_gap(self.gap).bytes(clips);
        by_memory.min(Shard::largest(footprint, self.gpu.facts.binding_limit, self.gap))
    }

    /// A shard with room for the footprint: one that there is, or a new one.
    fn home_for(&mut self, member: &Member, footprint: Footprint) -> Result<usize> {
        if let Some(home) = self.shards.iter().position(|shard| shard.room(footprint) > 0) {
            return Ok(home);
        }
        let wanted = FIRST_SHARD_MEMBERS << (2 * self.shards.len().min(8));
        let mut count = self.new_shard_room(member, footprint).min(wanted);
        // A failed allocation halves what is asked for; results do not depend on how members share shards.
        while count > 0 {
            if let Some(shard) = Shard::allocate(&self.gpu, footprint, count, self.gap) {
                self.shards.push(shard);
                return Ok(self.shards.len() - 1);
            }
            count /= 2;
        }
        self.exhausted = true;
        Err(Error::device(
            &self.gpu.facts.name,
            format!("no room for a member of {} bytes", footprint.bytes(false)),
        )
        .allowed(format!("{} bytes for all members", self.memory))
        .advice("--memory, a smaller model or --engine cpu"))
    }

    fn place(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        self.check(&member)?;
        let (footprint, fold) = self.footprint(&member);
        let home = self.home_for(&member, footprint)?;
        self.shards[home].admit(&self.gpu, id, member, (footprint, fold), snapshot)?;
        self.homes.insert(id, home);
        Ok(())
    }

    fn home(&self, id: MemberId) -> Result<usize> {
        self.homes.get(&id).copied().ok_or_else(|| {
            Error::device(&self.gpu.facts.name, format!("there is no member {id} on the device"))
        })
    }
}

impl Engine for GpuEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Gpu
    }

    fn device(&self) -> String {
        self.gpu.facts.name.clone()
    }

    fn explain(&self) -> Vec<String> {
        let facts = &self.gpu.facts;
        let mut lines = vec![
            format!("{} ({}, {}), {}", facts.name, facts.kind, facts.backend, facts.driver),
            format!("at most {} members in {} MiB", self.most_members(), self.memory >> 20),
            format!(
                "table in {} buffers, bindings up to {} MiB",
                self.data.shards.len(),
                facts.binding_limit >> 20
            ),
        ];
        lines.extend_from_slice(self.tiled.notes());
        lines
    }

    fn chosen(&self) -> Vec<(&'static str, String)> {
        vec![("tiles", self.tiled.notes().join("\n"))]
    }

    fn room(&self, member: &Member) -> usize {
        if self.check(member).is_err() {
            return 0;
        }
        let (footprint, _) = self.footprint(member);
        let held: u64 = self.shards.iter().map(|shard| u64::from(shard.room(footprint))).sum();
        let room = held + self.new_shard_room(member, footprint);
        room.min(self.most_members().saturating_sub(self.homes.len()) as u64) as usize
    }

    fn check(&self, member: &Member) -> Result<()> {
        let (footprint, _) = self.footprint(member);
        let limit = self.gpu.facts.binding_limit;
        let needs = [("optimizer state", 32 * footprint.parameters), ("activations", 16 * footprint.scratch)];
        for (what, bytes) in needs {
            if bytes > limit {
                return Err(Error::device(
                    &self.gpu.facts.name,
                    format!("{what} of one member take {bytes} bytes in one binding"),
                )
                .allowed(format!("{limit} bytes"))
                .advice("narrower layers, a smaller batch_size, or --engine cpu"));
            }
        }
        let bytes = footprint.bytes(member.recipe.clip_norm > 0.0);
        if bytes > self.memory {
            return Err(Error::device(&self.gpu.facts.name, format!("one member takes {bytes} bytes"))
                .allowed(format!("{} bytes for all members", self.memory))
                .advice("a larger --memory, narrower layers, or --engine cpu"));
        }
        Ok(())
    }

    fn admit(&mut self, id: MemberId, member: Member) -> Result<()> {
        let parameters =
            initial_parameters(&member.network, member.recipe.initializer, self.job.seed, member.stream());
        self.place(id, member, &Snapshot::fresh(parameters))
    }

    fn restore(&mut self, id: MemberId, member: Member, snapshot: &Snapshot) -> Result<()> {
        self.place(id, member, snapshot)
    }

    fn train(&mut self, ids: &[MemberId]) -> Result<()> {
        for &id in ids {
            let home = self.home(id)?;
            if let Some(resident) = self.shards[home].residents.get_mut(&id) {
                resident.asked = true;
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<Vec<Report>> {
        self.run_slices()
    }

    fn is_idle(&self) -> bool {
        !self.shards.iter().any(|shard| shard.residents.values().any(|resident| resident.asked))
    }

    fn pause(&mut self) -> Result<()> {
        // A slice ends between two steps, and none is under way between two calls.
        let residents = self.shards.iter_mut().flat_map(|shard| shard.residents.values_mut());
        residents.for_each(|resident| resident.asked = false);
        Ok(())
    }

    fn disturbed(&mut self) -> Result<Option<Vec<String>>> {
        if self.gap == 0 {
            return Ok(None);
        }
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(self.faults_of(None)?);
        Ok(Some(faults))
    }

    fn keep(&mut self, ids: &[MemberId]) -> Result<()> {
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        for &id in ids {
            let home = self.home(id)?;
            self.shards[home].keep(id, &mut encoder);
        }
        self.gpu.queue.submit([encoder.finish()]);
        Ok(())
    }

    fn snapshot(&mut self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        let mut snapshots = Vec::with_capacity(ids.len());
        while snapshots.len() < ids.len() {
            snapshots.extend(self.read_snapshots(&ids[snapshots.len()..])?);
        }
        Ok(snapshots)
    }

    fn retire(&mut self, ids: &[MemberId]) {
        if self.gap > 0 {
            let faults = self.faults_of(Some(ids));
            self.faults.extend(faults.unwrap_or_else(|error| vec![error.to_string()]));
        }
        for id in ids {
            if let Some(home) = self.homes.remove(id) {
                self.shards[home].retire(&self.gpu, *id);
            }
        }
    }

    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>> {
        self.primitives.compute(&self.gpu, primitive, operands)
    }
}

impl GpuEngine {
    /// What guards have met around some members, or anywhere.
    fn faults_of(&self, members: Option<&[MemberId]>) -> Result<Vec<String>> {
        let faults: Result<Vec<Vec<String>>> =
            self.shards.iter().map(|shard| guards::inspect(&self.gpu, shard, members)).collect();
        Ok(faults?.concat())
    }

    /// The pipeline of a kernel in a variant.
    fn pipeline(&self, kernel: Kernel, variant: usize) -> &wgpu::ComputePipeline {
        self.tiled.pipeline(kernel, variant).unwrap_or(&self.pipelines[kernel as usize].pipeline)
    }

    /// The member's shard and what it holds of it.
    fn resident(&self, id: MemberId) -> Result<(&Shard, &Resident)> {
        let shard = &self.shards[self.home(id)?];
        let left = || Error::device(&self.gpu.facts.name, format!("member {id} left its shard"));
        Ok((shard, shard.residents.get(&id).ok_or_else(left)?))
    }

    /// The states of the first members of a list, as many as are read back in one go; at least one.
    fn read_snapshots(&self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        let mut ranges = Vec::new();
        let mut members = Vec::new();
        let mut total = 0;
        for &id in ids {
            let (shard, resident) = self.resident(id)?;
            let own = shard.snapshot_ranges(resident);
            total += own.iter().map(|(_, _, bytes)| bytes).sum::<u64>();
            if total > READ_AT_ONCE && !members.is_empty() {
                break;
            }
            ranges.extend(own);
            members.push(resident);
        }
        let encoder = self.gpu.device.create_command_encoder(&Default::default());
        let bytes = self.gpu.finish(&self.gpu.submit(encoder, &ranges))?;
        let mut parts = ranges.iter().scan(&bytes[..], |left, (_, _, length)| {
            let (part, rest) = left.split_at(*length as usize);
            *left = rest;
            Some(bytemuck::pod_collect_to_vec::<u8, f32>(part))
        });
        let snapshot = |resident: &Resident| {
            let mut next = || unpad(&resident.member.network, &parts.next().unwrap_or_default());
            Snapshot {
                epoch: resident.epoch,
                step: resident.step,
                loss_sum: f64::from(resident.loss_sum),
                parameters: next(),
                m: next(),
                v: next(),
                kept: resident.kept.then(next),
            }
        };
        Ok(members.into_iter().map(snapshot).collect())
    }
}
