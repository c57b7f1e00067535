//! The engine on the graphics device: WGSL kernels over all members of a shard at once.
//!
//! The only room that names wgpu. `plan` says how a member is trained; `slice` and `resident` plan what a
//! submission does as plain data; `shard` owns the arenas; `flight` keeps submissions under way.

mod arena;
mod autotune;
pub mod cache;
pub mod ceiling;
pub mod device;
mod flight;
mod footprint;
mod guards;
mod pace;
pub mod pipelines;
pub mod plan;
mod primitive;
mod progress;
pub mod resident;
mod run;
mod shard;
mod slice;
pub mod sources;
mod stamps;
mod synthetic;
mod table_data;
pub mod tables;
mod tiled;
mod usage;
pub mod variant;

use super::ceiling::Ceilings;
use super::{Engine, EngineKind, Job, MemberId, MemoryLimit, Report, Snapshot};
use crate::error::{Error, Result};
use crate::model::network::initial_parameters;
use crate::model::primitive::{Primitive, Words};
use crate::model::recipe::Member;
use cache::{Cache, PipelineCache};
use device::GpuDevice;
use flight::Flight;
use footprint::{Footprint, unpad};
use pipelines::{Kernel, Pipeline};
use plan::{Plan, Plans};
use resident::Residents;
use resident::layout::Layout;
use shard::{Shard, Tenant};
use sources::Source;
use std::collections::{BTreeMap, HashMap, VecDeque};
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
    /// What is kept of the device between runs.
    files: Option<Cache>,
    residents: Residents,
    primitives: primitive::Primitives,
    data: DeviceData,
    /// By number; one that is empty makes room for others.
    shards: BTreeMap<usize, Shard>,
    /// Which shard each member lives in.
    homes: HashMap<MemberId, usize>,
    /// Bytes the arenas may take.
    memory: u64,
    /// Set when the device had less memory than planned: no more shards are tried.
    exhausted: bool,
    /// Which plans may be chosen.
    plans: Plans,
    /// How long submissions should take at most.
    seconds: f64,
    /// What the device works on, in order.
    flights: VecDeque<Flight>,
    /// Reports that nobody has read yet.
    ended: Vec<Report>,
    usage: usage::Usage,
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
        gpu.driver_cache.get_or_init(|| PipelineCache::open(&gpu.device, &files));
        let mut engine = Self::open(job, gpu, memory, &sources::assemble())?;
        engine.tiled = Tiled::tuned(&engine.gpu, &engine.pipelines, &files)
            .unwrap_or_else(|error| Tiled::base(&format!("measuring failed, {}", error.found)));
        engine.files = Some(files);
        engine.keep_pipelines();
        Ok(engine)
    }

    /// The same with kernels of the caller's: for the verifier's planted faults.
    pub fn with_sources(
        job: Job,
        gpu: GpuDevice,
        memory: Option<MemoryLimit>,
        sources: &[Source],
    ) -> Result<Self> {
        Self::open(job, gpu, memory, sources)
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

    fn open(job: Job, gpu: GpuDevice, memory: Option<MemoryLimit>, sources: &[Source]) -> Result<Self> {
        let planned = if gpu.facts.software { SOFTWARE_MEMORY } else { DEFAULT_MEMORY };
        let memory = match memory {
            None => planned,
            Some(MemoryLimit::Bytes(bytes)) => bytes,
            Some(MemoryLimit::Percent(percent)) => (planned as f64 * percent / 100.0) as u64,
        };
        assert_eq!(sources.len(), Kernel::ALL.len(), "one source a kernel");
        let kernels: Vec<(Kernel, &Source)> = Kernel::TILED.iter().copied().zip(sources).collect();
        let pipelines = pipelines::compile(&gpu, &kernels)?;
        let shard_bytes = gpu.facts.binding_limit.min(memory.max(1 << 16));
        let data = DeviceData::upload(&gpu, &job.dataset, shard_bytes)?;
        gpu.wait()?;
        Ok(Self {
            job,
            gpu,
            pipelines,
            tiled: Tiled::base("of the caller's"),
            files: None,
            residents: Residents::new(sources),
            primitives: primitive::Primitives::new(sources),
            data,
            shards: BTreeMap::new(),
            homes: HashMap::new(),
            memory,
            exhausted: false,
            plans: Plans::default(),
            seconds: flight::SUBMISSION_SECONDS,
            flights: VecDeque::new(),
            ended: Vec::new(),
            usage: usage::Usage::default(),
            gap: 0,
            faults: Vec::new(),
        })
    }

    /// Keeps submissions within so many seconds instead of the usual 50 ms. With 0 each is one step of
    /// every member; no number depends on it.
    pub fn with_submissions_of(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }

    /// Chooses among these plans for every member that is admitted from now on.
    pub fn with_plans(mut self, plans: Plans) -> Self {
        self.plans = plans;
        self
    }

    /// How a member would be trained.
    pub fn plan_of(&self, member: &Member) -> Plan {
        let fold = self.data.places[member.fold];
        self.plans.choose(member, fold, self.data.shards.len(), &self.gpu.facts)
    }

    /// Guards around every member that is admitted from now on: for the verifier, which then asks what was
    /// [`disturbed`](Engine::disturbed).
    pub fn guarded(mut self) -> Self {
        assert!(self.shards.is_empty(), "guards surround the first member too");
        self.gap = guards::GAP;
        self
    }

    fn footprint(&self, member: &Member) -> (Plan, Footprint, FoldPlace) {
        let place = self.data.places[member.fold];
        let (train_count, validation_count) = (place.train_count as usize, place.validation_count);
        let plan = self.plan_of(member);
        let footprint = match plan {
            Plan::Tiled => Footprint::of(member, train_count, validation_count as usize),
            Plan::Resident(variant) => {
                let (batch, _) = member.recipe.steps(train_count);
                let layout =
                    Layout::of(member, batch as u32, validation_count).expect("the variant holds it");
                let output_rows = if self.job.with_outputs { validation_count } else { 0 };
                Footprint::resident(member, &layout, variant, output_rows)
            }
        };
        (plan, footprint, place)
    }

    /// Memory for new shards, where those that are empty make room unless they serve the plan themselves.
    fn memory_left(&self, plan: Plan, footprint: Footprint) -> u64 {
        let stays = |shard: &&Shard| !shard.is_empty() || shard.serves(plan, footprint);
        self.memory.saturating_sub(self.shards.values().filter(stays).map(Shard::bytes).sum())
    }

    fn most_members(&self) -> usize {
        if self.gpu.facts.software { MOST_MEMBERS_SOFTWARE } else { MOST_MEMBERS }
    }

    /// How many members of this footprint a new shard may hold, before the device is asked.
    fn new_shard_room(&self, member: &Member, plan: Plan, footprint: Footprint) -> u64 {
        if self.exhausted {
            return 0;
        }
        let clips = member.recipe.clip_norm > 0.0;
        let by_memory = self.memory_left(plan, footprint) / footprint.with_gap(self.gap).bytes(clips);
        // Half of what is left: members of another plan find room beside them.
        let by_memory = by_memory.div_ceil(2);
        by_memory.min(Shard::largest(footprint, self.gpu.facts.binding_limit, self.gap))
    }

    /// A shard with room for the footprint: one that there is, or a new one in the place of those that are
    /// empty.
    fn home_for(&mut self, member: &Member, plan: Plan, footprint: Footprint) -> Result<usize> {
        if let Some((&home, _)) = self.shards.iter().find(|(_, shard)| shard.serves(plan, footprint)) {
            return Ok(home);
        }
        self.shards.retain(|_, shard| !shard.is_empty());
        let alike = self.shards.values().filter(|shard| shard.plan == plan).count();
        let wanted = FIRST_SHARD_MEMBERS << (2 * alike.min(8));
        let mut count = self.new_shard_room(member, plan, footprint).min(wanted);
        // A failed allocation halves what is asked for; results do not depend on how members share shards.
        while count > 0 {
            if let Some(shard) = Shard::allocate(&self.gpu, plan, footprint, count, self.gap) {
                let home = self.shards.last_key_value().map_or(0, |(last, _)| last + 1);
                self.shards.insert(home, shard);
                return Ok(home);
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
        let (plan, footprint, fold) = self.footprint(&member);
        let home = self.home_for(&member, plan, footprint)?;
        let shard = self.shards.get_mut(&home).expect("it was found, or made, a moment ago");
        shard.admit(&self.gpu, id, member, (footprint, fold), snapshot)?;
        self.homes.insert(id, home);
        Ok(())
    }

    /// A shard that members live in, or that the device works on.
    fn shard_mut(&mut self, home: usize) -> &mut Shard {
        self.shards.get_mut(&home).expect("a shard stays as long as anyone needs it")
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
                "plans: {}",
                resident::variant::ALL
                    .iter()
                    .filter(|variant| variant.runs_on(facts))
                    .fold("tiled".to_owned(), |names, variant| format!("{names}, {}", variant.name))
            ),
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

    fn usage(&self) -> Vec<String> {
        self.usage.line().into_iter().collect()
    }

    fn room(&self, member: &Member) -> usize {
        if self.check(member).is_err() {
            return 0;
        }
        let (plan, footprint, _) = self.footprint(member);
        let alike = self.shards.values().filter(|shard| shard.plan == plan);
        let held: u64 = alike.map(|shard| u64::from(shard.room(footprint))).sum();
        let room = held + self.new_shard_room(member, plan, footprint);
        room.min(self.most_members().saturating_sub(self.homes.len()) as u64) as usize
    }

    fn check(&self, member: &Member) -> Result<()> {
        let (_, footprint, _) = self.footprint(member);
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
            if let Some(tenant) = self.shard_mut(home).tenants.get_mut(&id) {
                tenant.asked = true;
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<Vec<Report>> {
        self.fly()
    }

    fn is_idle(&self) -> bool {
        self.ended.is_empty()
            && self.flights.is_empty()
            && !self.shards.values().any(|shard| shard.tenants.values().any(|tenant| tenant.asked))
    }

    fn pause(&mut self) -> Result<()> {
        // A submission ends between two steps.
        self.land_all()?;
        let tenants = self.shards.values_mut().flat_map(|shard| shard.tenants.values_mut());
        tenants.for_each(|tenant| tenant.asked = false);
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
            self.shard_mut(home).keep(id, &mut encoder);
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
            if let Some(shard) = self.homes.remove(id).and_then(|home| self.shards.get_mut(&home)) {
                shard.retire(&self.gpu, *id);
            }
        }
        self.ended.retain(|report| !ids.contains(&report.id));
    }

    fn compute(&mut self, primitive: &'static Primitive, operands: &[[Words; 2]]) -> Result<Vec<Words>> {
        self.primitives.compute(&self.gpu, primitive, operands)
    }

    fn ceilings(&mut self) -> Result<Ceilings> {
        ceiling::measure(&self.gpu)
    }
}

impl GpuEngine {
    /// What guards have met around some members, or anywhere.
    fn faults_of(&self, members: Option<&[MemberId]>) -> Result<Vec<String>> {
        let faults: Result<Vec<Vec<String>>> =
            self.shards.values().map(|shard| guards::inspect(&self.gpu, shard, members)).collect();
        Ok(faults?.concat())
    }

    /// The pipeline of a kernel in a variant.
    fn pipeline(&self, kernel: Kernel, variant: usize) -> &wgpu::ComputePipeline {
        self.tiled.pipeline(kernel, variant).unwrap_or(&self.pipelines[kernel as usize].pipeline)
    }

    /// Keeps what was compiled, for the next run.
    fn keep_pipelines(&self) {
        if let (Some(files), Some(cache)) = (&self.files, self.gpu.driver_cache.get()) {
            cache.save(files);
        }
    }

    /// The member's shard and what it holds of it.
    fn tenant(&self, id: MemberId) -> Result<(&Shard, &Tenant)> {
        let shard = &self.shards[&self.home(id)?];
        let left = || Error::device(&self.gpu.facts.name, format!("member {id} left its shard"));
        Ok((shard, shard.tenants.get(&id).ok_or_else(left)?))
    }

    /// The states of the first members of a list, as many as are read back in one go; at least one.
    fn read_snapshots(&self, ids: &[MemberId]) -> Result<Vec<Snapshot>> {
        let mut ranges = Vec::new();
        let mut members = Vec::new();
        let mut total = 0;
        for &id in ids {
            let (shard, tenant) = self.tenant(id)?;
            let own = shard.snapshot_ranges(tenant);
            total += own.iter().map(|(_, _, bytes)| bytes).sum::<u64>();
            if total > READ_AT_ONCE && !members.is_empty() {
                break;
            }
            ranges.extend(own);
            members.push(tenant);
        }
        let encoder = self.gpu.device.create_command_encoder(&Default::default());
        let bytes = self.gpu.finish(&self.gpu.submit(encoder, &ranges))?;
        let mut parts = ranges.iter().scan(&bytes[..], |left, (_, _, length)| {
            let (part, rest) = left.split_at(*length as usize);
            *left = rest;
            Some(bytemuck::pod_collect_to_vec::<u8, f32>(part))
        });
        let snapshot = |tenant: &Tenant| {
            let mut next = || unpad(&tenant.member.network, &parts.next().unwrap_or_default());
            Snapshot {
                epoch: tenant.epoch,
                step: tenant.step,
                loss_sum: f64::from(tenant.loss_sum),
                parameters: next(),
                m: next(),
                v: next(),
                kept: tenant.kept.then(next),
            }
        };
        Ok(members.into_iter().map(snapshot).collect())
    }
}

impl Drop for GpuEngine {
    fn drop(&mut self) {
        // Kernels of the resident plan are compiled when their first member comes.
        self.keep_pipelines();
    }
}
